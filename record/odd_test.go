package record

import (
	"math"
	"slices"
	"strings"
	"testing"

	"6.824/labrpc"
	"6.824/picture"
)

// Two messages that differ only in what their texts leave out are told apart.
func TestReadingsOfCutTexts(t *testing.T) {
	type Header struct{ Cluster, Term, LeaderId, PrevLogIndex, PrevLogTerm, LeaderCommit int }
	type nested struct{ Header }
	s := newScene(t, 2)
	s.startAll()
	for commit := range 2 {
		s.send(0, 1, "AppendEntries", &nested{Header{1e6, 1e6, 0, 1e6, 1e6, commit}})
	}
	long := strings.Repeat("x", maxValue)
	for _, end := range []string{"a", "b"} {
		s.send(0, 1, "Put", struct{ Key string }{long + end})
	}
	lines := slices.DeleteFunc(s.lines(), func(line string) bool { return !strings.Contains(line, "send") })
	for k, want := range []string{"commit 0", "commit 1", `xa"}`, `xb"}`} {
		if !strings.HasSuffix(lines[k], want) {
			t.Errorf("message %d is %s, want %s", k, lines[k], want)
		}
	}
}

// What makes no sense does not panic.
func TestOddServers(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	numbers := []int{math.MinInt, -2, -1, 0, 1, 5, math.MaxInt - 1, math.MaxInt}
	r := s.Server(0)
	for _, n := range numbers {
		for _, m := range numbers {
			r.State(m, "emperor", n, m)
			r.Log(n, []int{m, m}, func(int) any { return nil })
			r.Snapshot(n, m, true)
			r.Accepted(n, m, nil)
			for _, to := range []int{0, 1} {
				s.send(1-to, to, "AppendEntries", entries(n, m, n, m, n, m, m)).done(&conflict{m, false, n, m})
				s.send(1-to, to, "AppendEntries", entries(n, m, n, m, n, m, m)).done(&conflict{m, true, n, m})
				s.send(1-to, to, "RequestVote", &voteArgs{m, n, n, m}).done(&voteReply{m, n > 0})
				s.send(1-to, to, "InstallSnapshot", &snapshotArgs{m, n, n, m}).done(&snapshotReply{m})
			}
		}
	}
	s.lines()
}

// A reply of a service does not reach a server that has crashed.
func TestReplyAfterCrash(t *testing.T) {
	s := newScene(t, 2)
	s.startAll()
	other := s.send(0, 1, "Other", 7).handling().handled(8)
	s.Crashed(0)
	other.ended(labrpc.Delivered)
	if lines := s.lines(); lines[len(lines)-1] != "0 end thrown away" {
		t.Errorf("events %q", lines)
	}
}

// Clients that leave are forgotten, and their operations end.
func TestClientsLeave(t *testing.T) {
	rec := picture.New(picture.Options{})
	c := Watch(rec)
	c.ServerChanged(0, true)
	for k := range 2 * maxClients {
		c.EndChanged(labrpc.EndInfo{Name: k, Server: 0, Enabled: true})
		c.Sent(labrpc.CallInfo{Number: int64(k + 1), End: k, Server: 0, Method: "KV.Get"}, struct{ Key string }{"x"})
		c.Ended(labrpc.CallInfo{Number: int64(k + 1)}, labrpc.RequestLost)
		c.EndChanged(labrpc.EndInfo{Name: k, Deleted: true})
	}
	if f := c.foreign; len(f.clients)+len(f.groups)+len(c.ends)+len(c.infos)+len(c.calls) > 0 {
		t.Errorf("after all clients have left: %d clients, %d groups, %d ends, %d infos, %d calls", len(f.clients), len(f.groups), len(c.ends), len(c.infos), len(c.calls))
	}
	d := dataOf(t, rec)
	ends := 0
	for _, kind := range d.Events.Kind {
		if picture.Kind(kind) == picture.Return {
			ends++
		}
	}
	if lanes := len(d.Lanes); lanes != 1+maxClients+1 || ends != 2*maxClients {
		t.Errorf("%d lanes, %d operations have ended", lanes, ends)
	}
}
