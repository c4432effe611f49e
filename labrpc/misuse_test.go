package labrpc

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// misuses end the process, so the test runs each in a process of its own. Its output must contain text.
var misuses = map[string]struct {
	misuse func(rn *Network, end *ClientEnd)
	text   string
}{
	"two ends with the same name": {
		func(rn *Network, _ *ClientEnd) { rn.MakeEnd("end") },
		"MakeEnd: end already exists\n"},
	"deletion of an unknown end": {
		func(rn *Network, _ *ClientEnd) { rn.DeleteEnd("nobody") },
		"MakeEnd: nobody doesn't exists\n"},
	"unknown service": {
		func(_ *Network, end *ClientEnd) { end.Call("Raft.Vote", 1, new(int)) },
		"labrpc.Server.dispatch(): unknown service Raft in Raft.Vote; expecting one of [JunkServer Odd Unsent]\n"},
	"unknown method": {
		func(_ *Network, end *ClientEnd) { end.Call("Odd.Vote", 1, new(int)) },
		"labrpc.Service.dispatch(): unknown method Vote in Odd.Vote; expecting one of [Pointer Value]\n"},
	"unknown service with a dot in its name": {
		func(_ *Network, end *ClientEnd) { end.Call("raft.Raft.Vote", 1, new(int)) },
		"labrpc.Server.dispatch(): unknown service raft.Raft in raft.Raft.Vote; expecting one of [JunkServer Odd Unsent]\n"},
	"reply of another type": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler2", 1, new(int)) },
		"the reply of JunkServer.Handler2 does not fit into a *int\n"},
	"reply of an unregistered type": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Unregistered", 1, new(any)) },
		"the server could not encode the reply of Unsent.Unregistered: gob: type not registered for interface: labrpc.unregistered\n"},
	"reply that contains an unregistered type": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Inside", 1, new(struct{ Answer any })) },
		"the server could not encode the reply of Unsent.Inside: gob: type not registered for interface: labrpc.unregistered\n"},
	"late reply that cannot be encoded": {
		func(rn *Network, end *ClientEnd) {
			rn.LongReordering(true)
			for {
				end.Call("Unsent.Inside", 1, new(struct{ Answer any }))
			}
		},
		"the server could not encode the reply of Unsent.Inside: gob: "},
	"reply of a type that gob cannot encode": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Channel", 1, new(int)) },
		"ClientEnd.Call(): decode reply: EOF: the server could not encode the reply of Unsent.Channel: gob "},
	"method without a dot": {
		func(_ *Network, end *ClientEnd) { end.Call("Handler2", 1, new(int)) },
		"slice bounds out of range"},
	"value args for a handler with a pointer": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler4", JunkArgs{}, new(JunkReply)) },
		"reflect: Call using labrpc.JunkArgs as type *labrpc.JunkArgs"},
	"pointer args for a handler with a value": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler5", &JunkArgs{}, new(JunkReply)) },
		"reflect: Call using *labrpc.JunkArgs as type labrpc.JunkArgs"},
	"handler that panics": {
		func(_ *Network, end *ClientEnd) { end.Call("Odd.Value", 1, new(string)) },
		"panic: interface conversion"},
}

// The replies of an Unsent cannot be encoded.
type Unsent struct{}

type unregistered struct{ N int }

func (Unsent) Unregistered(_ int, reply *any)            { *reply = unregistered{1} }
func (Unsent) Inside(_ int, reply *struct{ Answer any }) { reply.Answer = unregistered{1} }
func (Unsent) Channel(_ int, reply *chan int)            {}

const misuseVariable = "LABRPC_TEST_MISUSE"

func TestMisuse_endsProcess(t *testing.T) {
	if name := os.Getenv(misuseVariable); name != "" {
		rn, _ := junkNetwork(t, 0)
		rn.hosts[0].server.Load().AddService(MakeService(Odd{}))
		rn.hosts[0].server.Load().AddService(MakeService(Unsent{}))
		misuses[name].misuse(rn, join(rn, "end", 0))
		return
	}
	for name, misuse := range misuses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestMisuse_endsProcess$")
			cmd.Env = append(os.Environ(), misuseVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("the process did not fail")
			}
			if !strings.Contains(string(out), misuse.text) {
				t.Errorf("want %q in the output:\n%s", misuse.text, out)
			}
		})
	}
}

func TestMisuse_panics(t *testing.T) {
	rn, _ := junkNetwork(t, 0)
	end := join(rn, "end", 0)
	for name, misuse := range map[string]func(){
		"args that gob cannot encode": func() { end.Call("Odd.Value", func() {}, new(string)) },
		"nil pointer args":            func() { end.Call("JunkServer.Handler4", (*JunkArgs)(nil), new(JunkReply)) },
		"nil args":                    func() { end.Call("Odd.Value", nil, new(string)) },
		"count of unknown server":     func() { rn.GetCount("nobody") },
		"count of deleted server":     func() { rn.DeleteServer(0); rn.GetCount(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			misuse()
		}()
	}
	if n := rn.GetTotalCount(); n != 0 {
		t.Errorf("%d requests were counted, want 0", n)
	}
}
