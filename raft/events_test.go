package raft

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// short formats an event as "Kind(term leader peer index)@commitIndex".
func short(e Event) string {
	return fmt.Sprintf("%v(%d %d %d %d)@%d", e.Kind, e.Term, e.Leader, e.Peer, e.Index, e.CommitIndex)
}

// taken removes all events from the queue of a quiet server, and formats them.
func taken(rf *Raft) string {
	var s []string
	for _, e := range rf.events.waiting {
		s = append(s, short(e))
	}
	rf.events.waiting = nil
	return strings.Join(s, " ")
}

// reporting makes a quiet server report events, as WithEvents does.
func reporting(rf *Raft) *Raft {
	rf.options.events = true
	rf.events.term = rf.currentTerm
	return rf
}

// locked runs steps with rf.mu held, because a campaign has goroutines.
func locked(rf *Raft, steps ...func()) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	for _, step := range steps {
		step()
	}
}

// eventSteps are changes of server 0 of three, and their events. It begins in term 3 with five entries, four of them
// committed.
var eventSteps = []struct {
	name string
	step func(t *testing.T, rf *Raft)
	want string
}{
	{"a candidate of a newer term", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &RequestVoteArgs{Term: 5, CandidateID: 1, LastLogIndex: 5, LastLogTerm: 3})
	}, "NewTerm(5 -1 -1 0)@4"},
	{"its heartbeat", func(t *testing.T, rf *Raft) { deliver(t, rf, appendMsg(5, 5, 3, 4)) }, "LeaderKnown(5 1 -1 0)@4"},
	{"the next heartbeat, which commits", func(t *testing.T, rf *Raft) { deliver(t, rf, appendMsg(5, 5, 3, 5)) }, ""},
	{"a request for a PreVote", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &RequestVoteArgs{Term: 9, CandidateID: 2, LastLogIndex: 9, LastLogTerm: 8, PreVote: true})
	}, ""},
	{"an old leader", func(t *testing.T, rf *Raft) { deliver(t, rf, appendMsg(4, 5, 3, 5)) }, ""},
	{"a snapshot of a newer leader", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &InstallSnapshotArgs{Term: 7, LeaderID: 2, LastIncludedIndex: 9, LastIncludedTerm: 6, Data: []byte("x")})
	}, "NewTerm(7 -1 -1 0)@5 LeaderKnown(7 2 -1 0)@5 SnapshotInstalled(7 2 -1 9)@9"},
	{"the same snapshot", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &InstallSnapshotArgs{Term: 7, LeaderID: 2, LastIncludedIndex: 9, LastIncludedTerm: 6, Data: []byte("x")})
	}, ""},
	{"the leader is silent", func(t *testing.T, rf *Raft) { locked(rf, rf.startElectionLocked) }, ""},
	{"and comes back", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &AppendEntriesArgs{Term: 7, LeaderID: 2, PrevLogIndex: 9, PrevLogTerm: 6})
	}, "LeaderKnown(7 2 -1 0)@9"},
	{"it is elected", func(t *testing.T, rf *Raft) { locked(rf, rf.becomeCandidateLocked, rf.becomeLeaderLocked) },
		"NewTerm(8 -1 -1 0)@9 BecameLeader(8 0 -1 9)@9"},
	{"no majority answers", func(t *testing.T, rf *Raft) { locked(rf, rf.stepDownLocked) }, "LostLeadership(8 -1 -1 0)@9"},
	{"it is elected again", func(t *testing.T, rf *Raft) { locked(rf, rf.becomeCandidateLocked, rf.becomeLeaderLocked) },
		"NewTerm(9 -1 -1 0)@9 BecameLeader(9 0 -1 9)@9"},
	{"a newer leader", func(t *testing.T, rf *Raft) {
		deliver(t, rf, &AppendEntriesArgs{Term: 12, LeaderID: 1, PrevLogIndex: 9, PrevLogTerm: 6})
	}, "LostLeadership(9 -1 -1 0)@9 NewTerm(12 -1 -1 0)@9 LeaderKnown(12 1 -1 0)@9"},
	{"it leads once more", func(t *testing.T, rf *Raft) { locked(rf, rf.becomeCandidateLocked, rf.becomeLeaderLocked) },
		"NewTerm(13 -1 -1 0)@9 BecameLeader(13 0 -1 9)@9"},
	{"Kill", func(t *testing.T, rf *Raft) {
		close(rf.applierDone)
		rf.Kill()
	}, ""},
}

func TestEventsOfEachChange(t *testing.T) {
	rf := reporting(committed(t))
	for _, s := range eventSteps {
		s.step(t, rf)
		mustEqual(t, s.name, taken(rf), s.want)
	}
}

// Without WithEvents, no event is sent or kept.
func TestNoEventsByDefault(t *testing.T) {
	rf := committed(t)
	for _, s := range eventSteps {
		s.step(t, rf)
		if rf.events.waiting != nil {
			t.Fatalf("%s: %v is queued", s.name, rf.events.waiting)
		}
	}
	f, leader := reportProgress(t, newLeader(t, 3, 3, from(1).terms(1, 1)))
	mustEqual(t, "caught up", f.caughtUp, true)
	mustEqual(t, "events", len(leader.events.waiting), 0)
}

// reportProgress brings follower 1 of a leader up to date.
func reportProgress(t *testing.T, rf *Raft) (*follower, *Raft) {
	f := rf.followers[1]
	settle(t, rf, f, &AppendEntriesReply{Term: rf.currentTerm, Success: true})
	return f, rf
}

// settle sends a follower the next message and takes this reply, where nil means that the message was lost.
func settle(t *testing.T, rf *Raft, f *follower, reply Reply) {
	t.Helper()
	var c call
	rf.nextCallLocked(f, &c)
	if r, ok := reply.(*AppendEntriesReply); ok && r == nil {
		reply = nil
	}
	rf.onReplyLocked(f, &c, reply)
}

// PeerCaughtUp is reported once a term, and again after the peer was unreachable. Two lost messages or new entries
// change nothing.
func TestPeerCaughtUp(t *testing.T) {
	rf := reporting(newLeader(t, 3, 3, from(1).terms(1, 1, 2)))
	rf.commitIndex = 2
	taken(rf)
	f := rf.followers[1]
	yes := &AppendEntriesReply{Term: 3, Success: true}
	for _, s := range []struct {
		name  string
		reply *AppendEntriesReply
		want  string
	}{
		{"its log is behind", &AppendEntriesReply{Term: 3, ConflictIndex: 1}, ""},
		{"it has everything", yes, "PeerCaughtUp(3 0 1 3)@2"},
		{"again", yes, ""},
		{"a message is lost", nil, ""},
		{"and the next arrives", yes, ""},
		{"one is lost", nil, ""},
		{"two are lost", nil, ""},
		{"it is back", yes, "PeerCaughtUp(3 0 1 3)@2"},
		{"one is lost", nil, ""},
		{"two are lost", nil, ""},
		{"it is back with less", &AppendEntriesReply{Term: 3, ConflictIndex: 1}, ""},
		{"and it was the reply of a repeated message", yes, "PeerCaughtUp(3 0 1 3)@2"},
	} {
		settle(t, rf, f, s.reply)
		mustEqual(t, s.name, taken(rf), s.want)
	}
	rf.Start("more") // the peer lacks an entry, but no committed one
	settle(t, rf, f, yes)
	mustEqual(t, "one more", taken(rf), "")
	deliver(t, rf, &AppendEntriesArgs{Term: 4, LeaderID: 2})
	rf.becomeCandidateLocked()
	rf.becomeLeaderLocked()
	taken(rf)
	settle(t, rf, f, &AppendEntriesReply{Term: 5, Success: true})
	mustEqual(t, "another term", taken(rf), "PeerCaughtUp(5 0 1 4)@4")
}

// A server reports events only for changes after Make has returned.
func TestEventsAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newFollower(t, 3, 7, from(1).terms(1, 5, 5, 6))
		before.commitIndex = 2
		before.Snapshot(2, []byte("two"))
		s := newScene(t, 3, before.store.persister.Copy(), WithEvents())
		defer s.end()
		s.intercept(loseAll)
		synctest.Wait()
		mustEqual(t, "before anything happens", applyText(s.received()), "")
		s.deliver(appendMsg(7, 4, 6, 3))
		s.deliver(appendMsg(9, 4, 6, 4))
		synctest.Wait()
		mustEqual(t, "afterwards", applyText(s.received()),
			"LeaderKnown(7 1 -1 0)@2 3 NewTerm(9 -1 -1 0)@3 LeaderKnown(9 1 -1 0)@3 4")
	})
}

// A peer that lacks committed entries has not caught up. The leader's three entries of older terms are so large that
// each takes a message of its own.
func TestPeerCaughtUpWithPartOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		large := from(1).terms(1, 1, 1)
		for k := range large {
			large[k].data = append(large[k].data, make([]byte, 200<<10)...)
		}
		s := newScene(t, 3, newFollower(t, 3, 1, large).store.persister.Copy(), WithEvents())
		defer s.end()
		s.peers[2] = newPeer(t, 2, 1, large)
		cut := func(peer int, m Message) (Reply, bool) {
			return nil, peer == 1 && entriesIn(m) > 0
		}
		s.intercept(cut)
		s.lead()
		s.start("of this term")
		time.Sleep(20 * time.Millisecond)
		mustEqual(t, "with one peer", applyText(s.received()), "NewTerm(2 -1 -1 0)@0 BecameLeader(2 0 -1 3)@0 PeerCaughtUp(2 0 2 3)@0 1 2 3 4")
		s.sentTo(1)
		s.intercept(nil)
		time.Sleep(time.Second)
		messages := slices.DeleteFunc(s.sentTo(1), func(l sentMessage) bool { return entriesIn(l.Message) == 0 })
		mustEqual(t, "messages with entries", messagesText(messages), "0+1/4 1+1/4 2+2/4")
		mustEqual(t, "with the other", applyText(s.received()), "PeerCaughtUp(2 0 1 4)@4")
	})
}

// A peer has caught up when it has all committed entries, even if it lacks others.
func TestPeerCaughtUpBehindTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, 5, MakePersister(), WithEvents())
		defer s.end()
		s.intercept(electing(func(peer int, m Message) (Reply, bool) {
			if peer == 1 && entriesIn(m) == 0 {
				time.Sleep(20 * time.Millisecond) // until there is an entry
			}
			return nil, peer > 1
		}))
		for s.rf.Status().Role != Leader {
			time.Sleep(time.Millisecond)
		}
		synctest.Wait() // a heartbeat is in flight
		s.start("not committed")
		time.Sleep(21 * time.Millisecond)
		mustEqual(t, "before it is answered", applyText(s.received()), "NewTerm(1 -1 -1 0)@0 BecameLeader(1 0 -1 0)@0")
		time.Sleep(time.Millisecond)
		mustEqual(t, "after that", applyText(s.received()), "PeerCaughtUp(1 0 1 0)@0")
	})
}

// feed starts the applier of a quiet server and returns a function that receives the next message, formatted: a command
// as its index, a snapshot as ">" and its index, an event as its kind, "-" for none.
func feed(rf *Raft) (next func() string) {
	applyCh := startApplier(rf)
	return func() string {
		synctest.Wait()
		select {
		case m := <-applyCh:
			switch {
			case m.EventValid && !m.CommandValid && !m.SnapshotValid:
				return m.Event.Kind.String()
			case m.SnapshotValid && !m.CommandValid:
				return fmt.Sprint(">", m.SnapshotIndex)
			default:
				return fmt.Sprint(m.CommandIndex)
			}
		default:
			return "-"
		}
	}
}

// Events and commands are sent in the order in which they happened, whatever the applier was sending then.
func TestEventsBetweenCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := reporting(newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3)))
		next := feed(rf)
		defer rf.Kill()
		deliver(t, rf, appendMsg(3, 5, 3, 2)) // LeaderKnown, then 1 and 2
		synctest.Wait()
		deliver(t, rf, appendMsg(3, 5, 3, 3))
		deliver(t, rf, appendMsg(4, 5, 3, 4)) // NewTerm and LeaderKnown, then 4
		deliver(t, rf, appendMsg(6, 5, 3, 4)) // twice
		deliver(t, rf, appendMsg(6, 5, 3, 5))
		deliver(t, rf, &RequestVoteArgs{Term: 7, CandidateID: 2, LastLogIndex: 4, LastLogTerm: 3})
		for _, want := range strings.Fields("LeaderKnown 1 2 3 NewTerm LeaderKnown 4 NewTerm LeaderKnown 5 NewTerm -") {
			mustEqual(t, "next", next(), want)
		}
		mustEqual(t, "lastApplied", rf.Status().LastApplied, 5)
	})
}

// Events that happened between the commands that a snapshot replaces follow the snapshot.
func TestEventsAroundSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := reporting(newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2, 3)))
		next := feed(rf)
		defer rf.Kill()
		deliver(t, rf, appendMsg(3, 5, 3, 2))
		mustEqual(t, "next", next(), "LeaderKnown")
		synctest.Wait()                                                                                                          // the applier has taken 1 and 2
		deliver(t, rf, appendMsg(4, 5, 3, 2))                                                                                    // after 2, before any snapshot
		deliver(t, rf, appendMsg(4, 5, 3, 4))                                                                                    // commits 3 and 4
		deliver(t, rf, &AppendEntriesArgs{Term: 5, LeaderID: 2})                                                                 // after 4, in the middle of the snapshot
		deliver(t, rf, &InstallSnapshotArgs{Term: 5, LeaderID: 2, LastIncludedIndex: 8, LastIncludedTerm: 4, Data: []byte("a")}) // superseded by the next
		deliver(t, rf, &InstallSnapshotArgs{Term: 5, LeaderID: 2, LastIncludedIndex: 9, LastIncludedTerm: 4, Data: []byte("b")})
		deliver(t, rf, &RequestVoteArgs{Term: 6, CandidateID: 1, LastLogIndex: 9, LastLogTerm: 5}) // after 9
		for _, want := range strings.Fields("1 2 NewTerm LeaderKnown >9 NewTerm LeaderKnown SnapshotInstalled SnapshotInstalled NewTerm -") {
			mustEqual(t, "next", next(), want)
		}
	})
}

// A slow reader loses nothing and delays no other goroutine. After Kill nothing is sent any more, and applyCh is
// closed.
func TestEventsForSlowReader(t *testing.T) {
	parallel(t)
	synctest.Test(t, func(t *testing.T) {
		const terms = 5000
		rf := reporting(newFollower(t, 3, 0, from(1).terms(slices.Repeat([]int{1}, terms)...)))
		rf.options.closeOnKill = true
		applyCh := startApplier(rf)
		for term := 1; term <= terms; term++ { // before command number term
			rf.OnMessage(sealed(&AppendEntriesArgs{Term: term, LeaderID: 1, PrevLogIndex: term, PrevLogTerm: 1, LeaderCommit: term}))
		}
		for term := 1; term <= terms; term++ {
			for _, want := range []Event{
				{Kind: NewTerm, Term: term, Leader: nobody, Peer: nobody, CommitIndex: term - 1},
				{Kind: LeaderKnown, Term: term, Leader: 1, Peer: nobody, CommitIndex: term - 1},
			} {
				if m := <-applyCh; !m.EventValid || m.Event != want {
					t.Fatalf("received %+v, want %+v", m, want)
				}
			}
			if m := <-applyCh; m.CommandIndex != term || m.EventValid {
				t.Fatalf("received %+v, want command %d", m, term)
			}
		}
		rf.OnMessage(sealed(&AppendEntriesArgs{Term: terms + 1, LeaderID: 2}))
		synctest.Wait() // the applier wants to send NewTerm, and has LeaderKnown
		rf.OnMessage(sealed(&AppendEntriesArgs{Term: terms + 2, LeaderID: 2}))
		rf.Kill()
		m, open := <-applyCh
		if open {
			t.Errorf("after Kill came %+v", m)
		}
	})
}

func TestEventKindNames(t *testing.T) {
	mustEqual(t, "names", fmt.Sprint(LostLeadership, PeerCaughtUp, EventKind(0), EventKind(7)),
		"LostLeadership PeerCaughtUp EventKind(0) EventKind(7)")
}

// An eventWitness checks the guarantees in the comment on Event, for all servers of a cluster.
type eventWitness struct {
	mu      sync.Mutex
	cfg     *config
	started map[any]int // the term in which Start accepted a command
	applied map[int]int // by index, the term of the command there
	led     map[int]Event
	ended   map[int]int // by term: the commitIndex at which its leader lost the lead
	kinds   map[EventKind]int
}

// start starts a command on every server.
func (w *eventWitness) start(command int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.cfg.all() {
		if rf := w.cfg.raft(i); rf != nil {
			// Commands differ by server too, so that each has one term.
			if _, term, ok := rf.Start(command*w.cfg.n + i); ok {
				w.started[command*w.cfg.n+i] = term
			}
		}
	}
}

// A witnessed is what a server has handed over since its start.
type witnessed struct {
	last     int   // the last index that was handed over
	snapFrom int   // the least CommitIndex that the next event may have
	event    Event // the last one
	leads    bool
}

// watch returns a reader that checks messages and passes them on to reader.
func (w *eventWitness) watch(reader func(int, chan ApplyMsg)) func(int, chan ApplyMsg) {
	return func(i int, applyCh chan ApplyMsg) {
		passed := make(chan ApplyMsg)
		done := make(chan struct{})
		go func() {
			defer close(done)
			reader(i, passed)
		}()
		w.cfg.mu.Lock()
		seen := witnessed{last: w.cfg.lastApplied[i]} // from the snapshot
		w.cfg.mu.Unlock()
		seen.snapFrom = seen.last
		for m := range applyCh {
			if err := w.check(i, &seen, m); err != "" {
				w.cfg.record(i, fmt.Sprintf("server %d: %s: %+v after %+v", i, err, m, seen))
			}
			passed <- m
		}
		close(passed)
		<-done
	}
}

func (w *eventWitness) check(i int, seen *witnessed, m ApplyMsg) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case m.CommandValid:
		if m.CommandIndex != seen.last+1 {
			return "a gap"
		}
		seen.last, seen.snapFrom = m.CommandIndex, m.CommandIndex
		term, ok := w.started[m.Command]
		if !ok {
			return "a command that was not started"
		}
		w.applied[m.CommandIndex] = term
		return ""
	case m.SnapshotValid:
		seen.last = m.SnapshotIndex // snapFrom stays: events from before the snapshot may follow
		return ""
	case !m.EventValid:
		return "an empty message"
	}
	return w.checkEvent(i, seen, m.Event)
}

func (w *eventWitness) checkEvent(i int, seen *witnessed, e Event) string {
	last := seen.event
	seen.event = e
	w.kinds[e.Kind]++
	switch {
	case e.CommitIndex > seen.last:
		return "an event before commands that it should follow"
	case e.CommitIndex < seen.snapFrom:
		return "an event after commands that it should precede"
	case e.CommitIndex < last.CommitIndex || e.Term < last.Term && e.Kind != LostLeadership:
		return "events out of order"
	case e.Kind == NewTerm && e.Term == last.Term:
		return "not a new term"
	case (e.Kind == BecameLeader) == seen.leads && (e.Kind == BecameLeader || e.Kind == LostLeadership):
		return "it leads already, or does not"
	case (e.Kind == PeerCaughtUp) != (e.Peer >= 0) || e.Kind == PeerCaughtUp && e.Leader != i:
		return "the wrong peer"
	}
	if e.Kind == BecameLeader {
		if _, other := w.led[e.Term]; other || e.Leader != i {
			return "two leaders in a term"
		}
		w.led[e.Term] = e
	}
	if e.Kind == LostLeadership {
		w.ended[e.Term] = e.CommitIndex
	}
	if e.Kind == BecameLeader || e.Kind == LostLeadership {
		seen.leads = e.Kind == BecameLeader
	}
	return ""
}

// conclude checks the events of leaders against the commands of earlier terms, and that each kind of event happened.
func (w *eventWitness) conclude(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for T, e := range w.led {
		for index, term := range w.applied {
			if index <= w.ended[T] && (index > e.Index) != (term == T) {
				t.Errorf("%+v, and lost at commitIndex %d, but the command at index %d is of term %d", e, w.ended[T], index, term)
			}
			if index <= e.CommitIndex && term >= T {
				t.Errorf("%+v came after command %d of term %d", e, index, term)
			}
		}
	}
	for kind := LostLeadership; kind <= PeerCaughtUp; kind++ {
		if w.kinds[kind] == 0 {
			t.Errorf("%v never happened", kind)
		}
	}
}

// The guarantees in the comment on Event hold for five servers whose leaders change, whose messages are lost, and that
// crash.
func TestEventsInCluster(t *testing.T) {
	parallel(t)
	for _, unreliable := range []bool{false, true} {
		t.Run(fmt.Sprint("unreliable: ", unreliable), func(t *testing.T) {
			lab(t, func(t *testing.T) {
				cfg := setup{n: 5, unreliable: unreliable, snapshot: true,
					options: func(int) []Option { return []Option{WithEvents()} }}.start(t)
				defer cfg.cleanup()
				w := &eventWitness{cfg: cfg, started: make(map[any]int), applied: make(map[int]int),
					led: make(map[int]Event), ended: make(map[int]int), kinds: make(map[EventKind]int)}
				w.scenario(w.watch(cfg.applierSnap))
				w.conclude(t)
			})
		})
	}
}

func (w *eventWitness) scenario(reader func(int, chan ApplyMsg)) {
	cfg := w.cfg
	restart := func(i int) {
		cfg.start1(i, reader)
		cfg.connect(i)
	}
	for _, i := range cfg.all() {
		restart(i)
	}
	for round := range 12 {
		leader := cfg.checkOneLeader()
		victim := (leader + 1 + round%3) % cfg.n
		if round%2 == 0 {
			cfg.disconnect(victim)
		}
		for k := range 2*SnapShotInterval + round {
			w.start(100*round + k)
			time.Sleep(time.Duration(k) * time.Millisecond)
		}
		w.start(100*round + 90)
		cfg.disconnect(leader)
		w.start(100*round + 91) // the old leader's will not commit
		time.Sleep(RaftElectionTimeout)
		w.start(100*round + 92)
		if round%4 == 3 {
			restart(leader)
		}
		cfg.connectEach(leader, victim)
		time.Sleep(RaftElectionTimeout / 2)
	}
	if err := cfg.applyError(); err != nil {
		cfg.t.Error(err)
	}
}
