package browser

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/raft"
	"6.824/record"
)

// A script makes the events of a run by hand, a millisecond apart.
type script struct {
	*picture.Recorder
	now    time.Duration
	calls  int64
	events int
}

func newScript(title string, servers int) *script {
	s := &script{Recorder: picture.New(picture.Options{Title: title, Command: "go test -run " + title, Max: 1 << 20})}
	for i := range servers {
		s.Lane(fmt.Sprint("server ", i), false)
	}
	return s
}

// do adds an event and returns its number.
func (s *script) do(e picture.Event) int {
	s.now += time.Millisecond
	e.At = s.now
	s.Add(e)
	s.events++
	return s.events - 1
}

// A message is the numbers of its events.
type message struct{ send, receive, answer, end int }

// send adds a message with all its events, and with what happens while it is handled. No refusal means that it is granted.
func (s *script) send(from, to int, e picture.Event, refusal string, during ...picture.Event) (m message) {
	s.calls++
	e.Kind, e.Lane, e.Peer, e.Call = picture.Send, from, to, s.calls
	m.send = s.do(e)
	m.receive = s.do(picture.Event{Kind: picture.Receive, Lane: to, Peer: from, Call: e.Call})
	for _, d := range during {
		d.Lane = to
		s.do(d)
	}
	m.answer = s.do(picture.Event{Kind: picture.Answer, Lane: to, Peer: from, Call: e.Call, OK: refusal == "", Text: refusal,
		Detail: fmt.Sprintf("Term: %d\nGranted: %v", e.Term, refusal == "")})
	m.end = s.do(picture.Event{Kind: picture.End, Lane: from, Peer: to, Call: e.Call, Fate: picture.Delivered})
	return m
}

// begin starts all servers and makes server 0 the leader of term 1.
func (s *script) begin(servers int) (vote message) {
	for i := range servers {
		s.do(picture.Event{Kind: picture.Start, Lane: i})
		s.do(picture.Event{Kind: picture.State, Lane: i, Role: picture.Follower, Peer: picture.NoLane})
	}
	s.do(picture.Event{Kind: picture.State, Lane: 0, Term: 1, Role: picture.Candidate, Peer: picture.NoLane})
	for i := 1; i < servers; i++ {
		vote = s.send(0, i, picture.Event{Term: 1, Name: "RequestVote", Text: "RequestVote term 1: last entry 0/0", Detail: "Term: 1\nCandidateId: 0"}, "",
			picture.Event{Kind: picture.State, Term: 1, Role: picture.Follower, Peer: picture.NoLane},
			picture.Event{Kind: picture.Save, Text: "term 1, vote for server 0"})
	}
	s.do(picture.Event{Kind: picture.State, Lane: 0, Term: 1, Role: picture.Leader})
	return vote
}

func (s *script) heartbeats(n int) {
	for range n {
		s.send(0, 1, picture.Event{Term: 1, Name: "AppendEntries", Text: "AppendEntries term 1: heartbeat"}, "")
	}
}

// page writes the page and returns its path.
func (s *script) page(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.html")
	if err := s.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// A story is a run in which server 2 votes twice in term 2.
type story struct {
	file                                string
	append, first, second               message
	heartbeat, cut, crash, lost, broken int
}

func tell(t testing.TB) (r story) {
	t.Helper()
	s := newScript("TestStory", 3)
	client := s.Lane("client 0", true)
	s.begin(3)
	s.heartbeats(1)
	r.heartbeat = s.events
	s.heartbeats(14)
	s.now += time.Millisecond // so that what follows is no consequence of a reply
	done := s.Operation(client, "Put x 1")
	s.events++
	entry := []picture.Entry{{Term: 1, Text: "x = 1"}}
	s.do(picture.Event{Kind: picture.Log, Lane: 0, Index: 1, Entries: entry})
	r.append = s.send(0, 1, picture.Event{Term: 1, Index: 1, Last: 1, Name: "AppendEntries", Text: "AppendEntries term 1 after 0/0: entry 1",
		Detail: "Term: 1\nPrevLogIndex: 0\nLeaderCommit: 0"}, "", picture.Event{Kind: picture.Log, Index: 1, Entries: entry})
	s.do(picture.Event{Kind: picture.Commit, Lane: 0, Index: 1})
	s.do(picture.Event{Kind: picture.Apply, Lane: 0, Index: 1, Text: "x = 1"})
	done("OK", true)
	s.events++
	s.do(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: "cut off server 0"})
	r.cut = s.events
	for _, link := range [][2]int{{0, 1}, {1, 0}, {0, 2}, {2, 0}} {
		s.now -= time.Millisecond // at once
		s.do(picture.Event{Kind: picture.Link, Lane: link[0], Peer: link[1]})
	}
	s.calls++
	r.lost = s.do(picture.Event{Kind: picture.Send, Lane: 0, Peer: 2, Call: s.calls, Term: 1, Name: "AppendEntries"})
	s.do(picture.Event{Kind: picture.End, Lane: 0, Peer: 2, Call: s.calls, Fate: picture.Unreachable})
	vote := func(candidate int) message {
		s.do(picture.Event{Kind: picture.State, Lane: candidate, Term: 2, Role: picture.Candidate, Peer: picture.NoLane})
		return s.send(candidate, 2, picture.Event{Term: 2, Name: "RequestVote", Text: fmt.Sprintf("RequestVote term 2 for server %d", candidate)}, "",
			picture.Event{Kind: picture.State, Term: 2, Role: picture.Follower, Peer: picture.NoLane})
	}
	r.first = vote(1)
	r.crash = s.do(picture.Event{Kind: picture.Crash, Lane: 2})
	s.do(picture.Event{Kind: picture.Start, Lane: 2})
	s.do(picture.Event{Kind: picture.Link, Lane: 0, Peer: 2, Up: true})
	r.second = vote(0)
	r.broken = s.do(picture.Event{Kind: picture.Violation, Lane: 2, Term: 2, Call: s.calls, Name: "two votes in one term (§5.2)",
		Text: "server 2 votes for server 0 after it has voted for server 1"})
	r.file = s.page(t)
	return r
}

// cluster records three servers of package raft in virtual time. They elect a leader and agree, and the leader crashes.
func cluster(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "cluster.html")
	synctest.Test(t, func(t *testing.T) {
		const n = 3
		begun := time.Now()
		rec := picture.New(picture.Options{Title: "a cluster", Now: func() time.Duration { return time.Since(begun) }})
		c, net := record.New(rec, n), labrpc.MakeNetwork()
		defer net.Cleanup()
		net.Observe(c)
		var servers []*raft.Raft
		for i := range n {
			peers, ends := make([]*labrpc.ClientEnd, n), make([]any, n)
			for j := range n {
				ends[j] = fmt.Sprint(i, "-", j)
				peers[j] = net.MakeEnd(ends[j])
				net.Connect(ends[j], j)
				net.Enable(ends[j], true)
			}
			c.Started(i, ends)
			applied := make(chan raft.ApplyMsg)
			rf := raft.Make(peers, i, raft.MakePersister(), applied, raft.WithObserver(c.Server(i)), raft.WithCloseOnKill())
			go func() {
				for range applied {
				}
			}()
			servers = append(servers, rf)
			host := labrpc.MakeServer()
			host.AddService(labrpc.MakeService(rf))
			net.AddServer(i, host)
		}
		for command := range 3 {
			time.Sleep(2 * time.Second)
			for i, rf := range servers {
				_, _, leads := rf.Start(fmt.Sprint("command ", command))
				if leads && command == 1 {
					time.Sleep(time.Second)
					c.Crashed(i)
					net.DeleteServer(i)
					rf.Kill()
				}
			}
		}
		time.Sleep(time.Second)
		for _, rf := range servers {
			rf.Kill()
		}
		if err := rec.WriteFile(file); err != nil {
			t.Error(err)
		}
	})
	return file
}
