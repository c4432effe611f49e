package labrpc

import (
	"fmt"
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
		"the reply of JunkServer.Handler2 (string) does not fit into a *int\n"},
	"reply of an unregistered type": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Unregistered", 1, new(any)) },
		"ClientEnd.Call(): decode reply: EOF: the server could not encode the reply of Unsent.Unregistered (interface {}): gob: type not registered for interface: labrpc.unregistered\n"},
	"reply that contains an unregistered type": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Inside", 1, new(struct{ Answer any })) },
		"the server could not encode the reply of Unsent.Inside (struct { Answer interface {} }): gob: type not registered for interface: labrpc.unregistered\n"},
	"late reply that cannot be encoded": {
		func(rn *Network, end *ClientEnd) {
			rn.LongReordering(true)
			for {
				end.Call("Unsent.Inside", 1, new(struct{ Answer any }))
			}
		},
		"the server could not encode the reply of Unsent.Inside (struct { Answer interface {} }): gob: "},
	"reply of a type that gob cannot encode": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Channel", 1, new(int)) },
		"ClientEnd.Call(): decode reply: EOF: the server could not encode the reply of Unsent.Channel (chan int): gob "},
	"method without a dot": {
		func(_ *Network, end *ClientEnd) { end.Call("Handler2", 1, new(int)) },
		"labrpc.Server.dispatch(): no dot in \"Handler2\"; expecting Service.Method with one of the services [JunkServer Odd Unsent]\n"},
	"method without a name": {
		func(_ *Network, end *ClientEnd) { end.Call("", 1, new(int)) },
		"labrpc.Server.dispatch(): no dot in \"\"; expecting Service.Method"},
	"method whose reply is no pointer": {
		func(_ *Network, end *ClientEnd) { end.Call("Odd.NoPointer", 1, new(int)) },
		"expecting one of [Pointer Value]; Odd.NoPointer is a func(int, int), which is no handler: see MakeService\n"},
	"nil reply": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler2", 1, nil) },
		"ClientEnd.Call(): decode reply: no variable: the reply of JunkServer.Handler2 (string) needs a pointer to a variable, not <nil>\n"},
	"nil pointer reply": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler2", 1, (*string)(nil)) },
		"the reply of JunkServer.Handler2 (string) needs a pointer to a variable, not (*string)(nil)\n"},
	"reply that is no pointer": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler4", &JunkArgs{}, JunkReply{"x"}) },
		"(labrpc.JunkReply) needs a pointer to a variable, not labrpc.JunkReply{X:\"x\"}\n"},
	"reply that is a nil pointer inside": {
		func(_ *Network, end *ClientEnd) { end.Call("Unsent.Nothing", 1, new(int)) },
		"the server could not encode the reply of Unsent.Nothing (*int): gob cannot send a nil pointer\n"},
	"value args for a handler with a pointer": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler4", JunkArgs{}, new(JunkReply)) },
		"reflect: Call using labrpc.JunkArgs as type *labrpc.JunkArgs: the args of JunkServer.Handler4"},
	"pointer args for a handler with a value": {
		func(_ *Network, end *ClientEnd) { end.Call("JunkServer.Handler5", &JunkArgs{}, new(JunkReply)) },
		"reflect: Call using *labrpc.JunkArgs as type labrpc.JunkArgs: the args of JunkServer.Handler5"},
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
func (Unsent) Nothing(_ int, reply **int)                {}

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
	for name, c := range map[string]struct {
		misuse func()
		text   string // the panic's text contains it
	}{
		"args that gob cannot encode": {func() { end.Call("Odd.Value", func() {}, new(string)) }, "func(): the args of Odd.Value, a func()"},
		"nil pointer args": {func() { end.Call("JunkServer.Handler4", (*JunkArgs)(nil), new(JunkReply)) },
			"ClientEnd.Call(): the args of JunkServer.Handler4 are nil: (*labrpc.JunkArgs)(nil)"},
		"nil args":                {func() { end.Call("Odd.Value", nil, new(string)) }, "ClientEnd.Call(): the args of Odd.Value are nil: <nil>"},
		"count of unknown server": {func() { rn.GetCount("nobody") }, "nil pointer"},
		"count of deleted server": {func() { rn.DeleteServer(0); rn.GetCount(0) }, "nil pointer"},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, c.text) {
					t.Errorf("%s: panic %s, want %q", name, text, c.text)
				}
			}()
			c.misuse()
		}()
	}
	if n := rn.GetTotalCount(); n != 0 {
		t.Errorf("%d requests were counted, want 0", n)
	}
}
