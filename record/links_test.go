package record

import (
	"testing"

	"6.824/labrpc"
	"6.824/picture"
)

type echo struct{}

func (echo) Say(args string, reply *string) { *reply = args }

// A network tells a Cluster about links, servers and settings.
func TestLinks(t *testing.T) {
	s := newScene(t, 2)
	net := labrpc.MakeNetwork()
	defer net.Cleanup()
	net.LongDelays(true)
	net.Observe(s.Cluster)
	start := func(i int) {
		s.lives[i]++
		var names []any
		for j := range 2 {
			name := endName(i, j, s.lives[i])
			net.MakeEnd(name)
			net.Connect(name, j)
			names = append(names, name)
		}
		s.Started(i, names)
	}
	enable := func(i, j int, yes bool) { net.Enable(endName(i, j, s.lives[i]), yes) }
	start(0)
	start(1)
	s.expect("-1 net : calls over a cut link take up to 7 s to fail", "0 start", "1 start")
	enable(0, 1, true)
	enable(1, 0, true)
	enable(1, 0, true)
	s.expect() // as the page assumes
	enable(0, 1, false)
	enable(0, 0, false) // leads nowhere else
	s.expect("0 link to 1")
	enable(0, 1, true)
	s.expect("0 link to 1 up")
	net.Connect(endName(0, 1, 1), nil)
	net.DeleteEnd(endName(1, 0, 1))
	s.expect("0 link to 1", "1 link to 0")
	s.Crashed(0)
	start(0) // the new ends are not enabled yet
	s.expect("0 crash", "0 start")
	enable(0, 1, true)
	s.expect("0 link to 1 up")
	net.Reliable(false)
	net.LongReordering(true)
	net.Reliable(true)
	s.expect("-1 net : unreliable: messages are late or lost", "-1 net : most replies are late", "-1 net : reliable")
}

// A new server that sends before it is connected shows that the link is cut.
func TestLinkBeforeConnection(t *testing.T) {
	s := newScene(t, 2)
	s.start(1)
	s.EndChanged(labrpc.EndInfo{Name: "new", Server: 1})
	s.Started(0, []any{nil, "new"})
	s.skip()
	s.Sent(labrpc.CallInfo{Number: 1, End: "new", Server: 1, Method: "Echo.Say"}, "hello")
	s.expect("0 link to 1", `0 send to 1 : Say "hello"`)
	s.EndChanged(labrpc.EndInfo{Name: "new", Server: 1, Enabled: true})
	s.expect("0 link to 1 up")
}

// A harness that tells nothing has servers that join and leave, and clients.
func TestWatch(t *testing.T) {
	s := newScene(t, 0)
	s.Cluster = Watch(s.rec)
	net := labrpc.MakeNetwork()
	defer net.Cleanup()
	net.Observe(s.Cluster)
	join := func(name string, servers ...any) (ends []*labrpc.ClientEnd) {
		for _, server := range servers {
			end := net.MakeEnd(name + server.(string))
			net.Connect(name+server.(string), server)
			net.Enable(name+server.(string), true)
			ends = append(ends, end)
		}
		return ends
	}
	add := func(name string) {
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(echo{}))
		server.AddService(labrpc.MakeService(&Raft{}))
		net.AddServer(name, server)
	}
	a := join("a", "x", "y")
	add("x")
	b := join("b", "x", "y")
	add("y")
	c := join("c", "x", "y")
	s.expect("0 start", "1 start")
	a[1].Call("Raft.RequestVote", &voteArgs{1, 0, 0, 0}, new(voteReply))
	b[0].Call("Raft.RequestVote", &voteArgs{1, 7, 0, 0}, new(voteReply)) // no such candidate: who was added next
	c[1].Call("echo.Say", "hello", new(string))
	c[0].Call("echo.Say", "hello", new(string))
	s.expect("0 state candidate term 1", "0 send to 1 term 1 : RequestVote term 1: last log entry 0/0", "1 receive", "1 state follower term 1",
		"1 answer term 1 ok : votes for x", "0 end delivered",
		"1 state candidate term 1", "1 send to 0 term 1 : RequestVote term 1: last log entry 0/0", "0 receive", "0 state follower term 1",
		"0 answer term 1 ok : votes for y", "1 end delivered",
		`2 invoke : Say "hello"`, `2 send to 1 : Say "hello"`, "1 receive", `1 answer ok : "hello"`, "2 end delivered", `2 return ok : "hello"`,
		`2 invoke : Say "hello"`, `2 send to 0 : Say "hello"`, "0 receive", `0 answer ok : "hello"`, "2 end delivered", `2 return ok : "hello"`)
	net.Enable("ay", false)
	net.Enable("cx", false)
	add("y")
	net.DeleteServer("x")
	s.expect("0 link to 1", "2 link to 0", "1 crash", "1 start", "1 state term 1", "0 crash")
	d := dataOf(t, s.rec)
	if len(d.Lanes) != 3 || d.Lanes[0].Name != "x" || d.Lanes[2].Name != "client 1" || len(d.Notes) < 2 {
		t.Errorf("lanes %v, notes %q", d.Lanes, d.Notes)
	}
}

// A Raft grants every vote.
type Raft struct{}

func (*Raft) RequestVote(args *voteArgs, reply *voteReply) { *reply = voteReply{args.Term, true} }

// A client that asks one server after the other has one operation, and many clients share a lane.
func TestClients(t *testing.T) {
	type putArgs struct {
		Key      string
		ClientId int64
	}
	type putReply struct{ Err string }
	s := newScene(t, 0)
	s.Cluster = Watch(s.rec)
	for _, server := range []any{0, 1} {
		s.ServerChanged(server, true)
		s.EndChanged(labrpc.EndInfo{Name: server, Server: server, Enabled: true})
	}
	s.skip()
	number := int64(0)
	put := func(client int64, server int, err string) {
		number++
		call := labrpc.CallInfo{Number: number, End: server, Server: server, Method: "KV.Put"}
		args := &putArgs{"k", client}
		s.Sent(call, args)
		s.Handling(call, args)
		s.Handled(call, &putReply{err})
		s.Ended(call, labrpc.Delivered)
	}
	put(1, 0, "ErrWrongLeader")
	put(1, 1, "OK")
	const op = `Put {Key:"k" ClientId:1}`
	s.expect("2 invoke : "+op, "2 send to 0 : "+op, "0 receive", `0 answer : ErrWrongLeader`, "2 end delivered",
		"2 send to 1 : "+op, "1 receive", `1 answer ok : {Err:"OK"}`, "2 end delivered", `2 return ok : {Err:"OK"}`)
	for client := range int64(2 * maxClients) {
		put(client, 0, "OK")
	}
	d := dataOf(t, s.rec)
	if last := d.Lanes[len(d.Lanes)-1].Name; len(d.Lanes) != 2+maxClients+1 || last != "other clients" {
		t.Errorf("%d lanes, the last one is %s", len(d.Lanes), last)
	}
}

// A client whose ends are known has a lane, too.
func TestClient(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	lane := s.Client("clerk", []any{"c0", "c1"})
	s.Sent(labrpc.CallInfo{Number: 1, End: "c1", Server: 1, Method: "KV.Get"}, "key")
	s.expect(`2 send to 1 : Get "key"`)
	if d := dataOf(t, s.rec); lane != 2 || d.Lanes[2].Name != "clerk" {
		t.Errorf("lane %d of %v", lane, d.Lanes)
	}
	var _ labrpc.LinkObserver = s.Cluster
	_ = picture.NoLane
}
