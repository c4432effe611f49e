package labrpc

import (
	"fmt"
	"strings"
	"testing"
)

// A linkRecorder is a recorder that also writes down how the network changes.
type linkRecorder struct{ recorder }

func recordLinks(rn *Network) *linkRecorder {
	r := &linkRecorder{recorder{rn: rn}}
	rn.Observe(r)
	return r
}

func (r *linkRecorder) EndChanged(e EndInfo) {
	r.line("%v>%v enabled=%v deleted=%v", e.Name, e.Server, e.Enabled, e.Deleted)
}

func (r *linkRecorder) ServerChanged(server any, exists bool) { r.line("server %v %v", server, exists) }

func (r *linkRecorder) SettingsChanged(now Settings) { r.line("%+v", now) }

// line must not use the network, whose lock is held.
func (r *linkRecorder) line(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func TestObserve_links(t *testing.T) {
	rn := MakeNetwork()
	r := recordLinks(rn)
	r.expect(t, "{Reliable:true LongDelays:false LongReordering:false}")
	rn.MakeEnd("end")
	rn.Connect("end", 7)
	rn.Enable("end", true)
	r.expect(t, "end><nil> enabled=false deleted=false", "end>7 enabled=false deleted=false", "end>7 enabled=true deleted=false")
	rn.Connect("end", nil)
	rn.Enable("end", false)
	rn.DeleteEnd("end")
	r.expect(t, "end><nil> enabled=true deleted=false", "end><nil> enabled=false deleted=false", "end><nil> enabled=false deleted=true")
	rn.Connect("end", 7) // there is no such end
	rn.Enable("end", true)
	rn.MakeEnd("last")
	r.expect(t, "last><nil> enabled=false deleted=false")
	rn.Cleanup()
	rn.Enable("last", true) // does nothing
	r.expect(t)
}

func TestObserve_servers(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	r := recordLinks(rn)
	r.lines = nil
	first := MakeServer()
	rn.AddServer("one", first)
	rn.AddServer("one", first) // changes nothing
	r.expect(t, "server one true")
	rn.AddServer("one", MakeServer())
	r.expect(t, "server one true")
	rn.DeleteServer("one")
	rn.DeleteServer("one")
	rn.DeleteServer("another")
	r.expect(t, "server one false")
}

func TestObserve_settings(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	r := recordLinks(rn)
	r.lines = nil
	rn.Reliable(true) // it is
	r.expect(t)
	rn.Reliable(false)
	rn.LongDelays(true)
	rn.LongReordering(true)
	rn.Reliable(false)
	r.expect(t, "{Reliable:false LongDelays:false LongReordering:false}", "{Reliable:false LongDelays:true LongReordering:false}",
		"{Reliable:false LongDelays:true LongReordering:true}")
}

// Observe tells about what there is already.
func TestObserve_linksBefore(t *testing.T) {
	rn := MakeNetwork()
	defer rn.Cleanup()
	addJunk(rn, "junk")
	rn.DeleteServer("gone")
	join(rn, "end", "junk")
	rn.Reliable(false)
	r := recordLinks(rn)
	r.expect(t, "{Reliable:false LongDelays:false LongReordering:false}", "server junk true", "end>junk enabled=true deleted=false")
}

// The changes of one network come one at a time, also beside calls and with an observer that changes the network in Sent.
func TestObserve_linksAmongCalls(t *testing.T) {
	rn, _ := junkNetwork(t, "junk")
	r := recordLinks(rn)
	end := join(rn, "end", "junk")
	r.lines = nil
	r.act = func(line string) {
		if strings.Contains(line, "sent") {
			rn.Reliable(false)
			rn.Enable("end", false)
		}
	}
	end.Call("JunkServer.Handler2", 1, new(string))
	r.expect(t, "end>junk enabled=true deleted=false", // Connect of add
		"1 end>junk Handler2 sent int 1",
		"{Reliable:false LongDelays:false LongReordering:false}", "end>junk enabled=false deleted=false",
		"end>junk enabled=false deleted=false", "1 end>junk Handler2 unreachable")
}
