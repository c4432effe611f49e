package wire

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"6.824/labrpc"
)

// Two fields of other names, pointers, and an RPC of its own for heartbeats.
type (
	otherVote struct {
		Current_Term int32
		Candidate    string
		LastIndex    uint64
		LastTerm     int64
		PreVote      bool
	}
	otherVoted  struct{ Granted bool }
	otherEntry  struct{ Cmd, Term, Index int }
	otherHead   struct{ Term, PrevIndex, PrevTerm int }
	otherAppend struct {
		otherHead
		*otherTail
	}
	otherTail struct {
		Log         []*otherEntry
		CommitIndex int
	}
	otherReply struct{ Ok bool }
)

func TestNames(t *testing.T) {
	c := New(3, func() time.Duration { return 0 })
	v := c.readMessage(kindOf("Raft.HandleRequestVote"), otherVote{5, "a", 4, 3, false})
	if v == nil || v.kind != vote || v.term.n != 5 || v.lastIndex.n != 4 || v.lastTerm.n != 3 {
		t.Errorf("got %+v", v)
	}
	args := &otherAppend{otherHead{5, 2, 1}, &otherTail{[]*otherEntry{{7, 1, 3}, {8, 4, 4}}, 2}}
	m := c.readMessage(kindOf("Raft.append_entries"), args)
	c.readEntries(m, args)
	if m.kind != appendEntries || m.term.n != 5 || m.prevIndex.n != 2 || m.prevTerm.n != 1 || m.commit.n != 2 ||
		m.last != (number{4, true}) || m.lastNewTerm.n != 4 || len(m.entries) != 2 || m.entries[0].command == m.entries[1].command {
		t.Errorf("got %+v", m)
	}
	if a := c.readAnswer(&otherReply{true}); !a.success.yes || a.granted.ok || a.term.ok {
		t.Errorf("got %+v", a)
	}
	if a := c.readAnswer(&otherVoted{true}); !a.granted.yes {
		t.Errorf("got %+v", a)
	}
	if c.readMessage(vote, voteReply{5, true}) != nil || c.readMessage(appendEntries, &appendReply{5, true}) != nil {
		t.Error("an answer is taken for a request")
	}
	for method, want := range map[string]kind{
		"Raft.Heartbeat": heartbeat, "Raft.InstallSnapshot": snapshot, "Raft.PreVote": preVote, "Raft.Prepare": unknown, "Raft.Get": unknown, "": unknown,
		"KVServer.PutAppend": unknown, "KVServer.Append": unknown, "Server.PutAppend": unknown, "AppendEntries": appendEntries,
	} {
		if got := kindOf(method); got != want {
			t.Errorf("%s is of kind %v, want %v", method, got, want)
		}
	}
	if c.readMessage(vote, otherVote{PreVote: true}) != nil {
		t.Error("a PreVote is taken for a vote")
	}
}

// What cannot be read turns rules off, and no others.
func TestOff(t *testing.T) {
	cl := newCluster(t, 3)
	expect := func(want ...string) {
		t.Helper()
		off := cl.Off()
		for k, line := range off {
			off[k], _, _ = strings.Cut(line, " (")
		}
		slices.Sort(want)
		if !slices.Equal(off, want) {
			t.Errorf("off:\n%s\nwant\n%s", strings.Join(cl.Off(), "\n"), strings.Join(want, "\n"))
		}
	}
	const incomplete = "a leader that lacks a committed entry"
	restriction, votes := "a vote for a candidate whose log is behind", []string{
		"a leader without a majority of votes", "two votes of one server in one term", "a vote refused without a reason", incomplete}
	logs := []string{"an acknowledgement that is taken back", "a commit that no majority holds",
		"an entry of an earlier term committed by counting", "logs that do not match", "a leader that changes its log"}
	expect(append(append(logs, votes...), restriction, "two leaders in one term")...)
	cl.elect(0, 1, 0, 0, 1)
	expect(append(logs, restriction, "two leaders in one term")...)
	cl.append(1, entries(0, 1, 0, 0, 0, 1))
	expect()
	s := cl.send(0, 1, &appendArgs{})
	s.args = struct {
		Term, PrevLogIndex, PrevLogTerm, LeaderCommit int
		Entries                                       []string
	}{1, 1, 1, 0, []string{"encoded"}}
	s.begin()
	expect(append(logs, restriction)...)
	s.end(struct{ Success bool }{true})
	expect(append(logs, restriction, "a term that goes back")...)
	cl = newCluster(t, 3)
	cl.elect(0, 1, -1, 0, 1)
	cl.append(1, entries(0, 1, -1, 0, -1, 1))
	expect("a commit that no majority holds", "an entry of an earlier term committed by counting", incomplete)
	cl = newCluster(t, 3)
	cl.elect(0, 1, 0, 0, 1)
	s = cl.send(0, 1, &appendArgs{})
	s.args = &otherAppend{otherHead{1, 0, 0}, &otherTail{[]*otherEntry{{7, 1, 0}}, 0}}
	s.begin()
	expect(append(logs, restriction)...)
}

// A Raft with an RPC for heartbeats sends no AppendEntries until there is a command.
func TestOff_heartbeats(t *testing.T) {
	type heartbeatArgs struct{ Term, CommitIndex int }
	methods[reflect.TypeFor[*heartbeatArgs]()] = "Raft.Heartbeat"
	cl := newCluster(t, 3)
	cl.elect(0, 1, 0, 0, 1)
	cl.send(0, 1, &heartbeatArgs{1, 0}).handle(&snapshotReply{1})
	if off := cl.Off(); len(off) != 0 {
		t.Errorf("off without a command:\n%s", strings.Join(off, "\n"))
	}
	cl.Applied(1, 1)
	if off := cl.Off(); !slices.ContainsFunc(off, func(line string) bool { return strings.Contains(line, "no RPC with a name like AppendEntries") }) {
		t.Errorf("off with a command:\n%s", strings.Join(off, "\n"))
	}
}

// A rule that is off says why.
func TestOff_reason(t *testing.T) {
	cl := newCluster(t, 3)
	s := cl.send(0, 1, &appendArgs{})
	s.args = struct{ PrevLogIndex int }{1}
	s.handle(struct{}{})
	cl.elect(0, 1, 0, 0, 1)
	for _, line := range cl.Off() {
		if !strings.Contains(line, ": Raft.AppendEntries: no usable field ") {
			t.Errorf("no reason: %s", line)
		}
	}
}

type loop struct {
	Next  *loop
	Any   any
	Loops []loop
}

// Whatever is sent, nothing panics.
func TestHostile(t *testing.T) {
	cycle := &loop{}
	cycle.Next, cycle.Any, cycle.Loops = cycle, cycle, make([]loop, 3)
	for k := range cycle.Loops {
		cycle.Loops[k] = loop{cycle, cycle.Loops, cycle.Loops}
	}
	var nobody *appendArgs
	var self any
	self = &self
	values := []any{
		nil, nobody, self, cycle, 5, "text", []byte("bytes"), []int(nil), map[string]int{}, func() {}, make(chan int), math.NaN(),
		struct{}{}, struct{ Term string }{"5"}, struct{ Term uint64 }{math.MaxUint64}, struct{ term int }{3}, &otherAppend{},
		&appendArgs{math.MaxInt, math.MinInt, math.MaxInt, math.MaxInt, make([]logEntry, 3), math.MaxInt},
		&appendArgs{3, -1, -1, -1, []logEntry{{3, cycle}, {-1, self}, {math.MinInt, map[any]any{1: cycle}}}, math.MinInt},
		&voteArgs{math.MaxInt, -1, math.MaxInt, math.MinInt}, &voteReply{math.MinInt, true}, &appendReply{math.MaxInt, true},
		struct {
			Term, PrevLogIndex int
			Entries            []*logEntry
		}{1, 0, make([]*logEntry, 2)},
		struct {
			Term, PrevLogIndex int
			Entries            []struct{}
		}{1, 0, make([]struct{}, 1<<30)},
	}
	methods := []string{"Raft.RequestVote", "Raft.AppendEntries", "Raft.Heartbeat", "Raft.InstallSnapshot", "", ".", "Vote"}
	for _, method := range methods {
		for _, first := range values {
			cl := newCluster(t, 3)
			for k, second := range values {
				info := labrpc.CallInfo{Number: int64(k), End: endName{0, 1 + k%2, 1}, Method: method}
				cl.Sent(info, first)
				cl.Handling(info, second)
				cl.Handled(info, first)
				cl.Ended(info, labrpc.Fate(k%6))
				info.Number += 1000
				cl.Handling(info, second) // of an unknown call
				cl.Handled(info, second)
				cl.Applied(k%3, k-2)
			}
			cl.clock += time.Hour
			cl.Err()
			cl.Off()
		}
	}
}

// Copies of a command have the same hash, and commands that differ do not.
func TestHash(t *testing.T) {
	type op struct {
		Kind  string
		Key   *string
		Value any
		Bytes []byte
	}
	text := func(s string) *string { return &s }
	commands := func() []any {
		return []any{
			nil, 1, 2, -1, "1", uint8(1), true, 1.5, []int{1, 2}, []int{2, 1}, [2]int{1, 2}, []byte("12"),
			op{}, op{Kind: "put"}, op{Key: text("put")}, op{Value: "put"}, op{Bytes: []byte("put")}, &op{Value: 7}, op{Value: op{Value: 7}},
		}
	}
	c := newCluster(t, 1)
	hashes := func() (all []uint64) {
		for _, command := range commands() {
			m := &message{kind: appendEntries}
			c.readEntries(m, &appendArgs{Entries: []logEntry{{1, command}}})
			all = append(all, m.entries[0].command)
		}
		return all
	}
	first, second := hashes(), hashes()
	for j := range first {
		if first[j] != second[j] {
			t.Errorf("copies of %#v differ", commands()[j])
		}
		for k := range j {
			if first[j] == first[k] {
				t.Errorf("%#v and %#v do not differ", commands()[j], commands()[k])
			}
		}
	}
}

// A violation comes with the last events of each server, in the order in which they happened.
func TestPicture(t *testing.T) {
	cl := newCluster(t, 3)
	for range 20 {
		cl.Applied(2, 0)
	}
	cl.clock += 1500 * time.Microsecond
	cl.elect(0, 1, 0, 0, 1)
	cl.append(1, entries(0, 1, 0, 0, 0, 1))
	cl.reject(1, entries(0, 1, 1, 1, 0, 1))
	lines := strings.Split(cl.Err().Error(), "\n")
	if len(lines) != 1+1+8+12+1 || !strings.Contains(lines[1], " | server 0 ") {
		t.Fatalf("%d lines: %s", len(lines), cl.Err())
	}
	last := lines[len(lines)-2]
	if !strings.HasPrefix(last, "       1.5ms | ") || !strings.HasSuffix(last, " | term 1: rejects entries of 0 after 1, sent in term 1 |") {
		t.Errorf("the last line is %q", last)
	}
}
