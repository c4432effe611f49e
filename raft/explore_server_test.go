package raft

// A server as the explorer drives it: the library's own code, without its goroutines. Each step calls the functions that a
// goroutine calls between two waits, and time is what the step says it is.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"6.824/labrpc"
)

// A stepKind is what a server does or undergoes in one step.
type stepKind uint8

const (
	stepNone     stepKind = iota
	stepTimeout           // its election timer fires; arg 1: its PreVote campaign has expired, too
	stepAsk               // a request for a vote leaves for peer
	stepVoted             // its outcome is here
	stepSend              // AppendEntries or InstallSnapshot leaves for peer, from index arg on
	stepBeat              // a heartbeat leaves for peer, for index arg
	stepReturned          // the outcome of call arg is here
	stepResign            // no majority has answered for long
	stepStart             // the service calls Start with command arg
	stepQueue             // it does, but its Start waits for the lock with the command in the queue
	stepAccept            // the Start that has waited longest gets the lock
	stepTake              // the applier takes a portion
	stepApply             // the portion goes to the service
	stepSnapshot          // the service has put everything up to index arg into a snapshot
	stepReceive           // a message is here; arg 1: the leader was heard lately
	stepCrash             // it crashes, and starts again from its disk
)

// A step is one input to one server.
type step struct {
	kind    stepKind
	peer    int
	arg     int
	message *wire
	reply   *wire
	late    bool // the outcome of what is sent takes so long that the sender gives it up, though it may still come
	crashAt int  // the server crashes at this save of the step, 1 for the first; 0: it does not
}

// A wire is a message or a reply. It is never changed.
type wire struct {
	id      int // in a search; otherwise 0
	message Message
	reply   Reply
	was     string                 // on live servers: the message as it was when it left
	relabel []atomic.Pointer[wire] // in a search: with the servers renamed, by permutation
}

// An outcome is what comes of a step besides the server's new state.
type outcome struct {
	message *wire // what leaves: a message
	slot    int   // and its place among the open calls
	reply   *wire // or a reply
	saves   int
	crashed bool
	broken  *breach // a property that the step violates
}

// A breach is a violation of one of the watch's properties, or of one that only the explorer looks at.
type breach struct{ property, text string }

func (b *breach) Error() string { return b.property + ": " + b.text }

const (
	savedIsHeld  = "what is saved is what is held"
	logSane      = "the log is sane"
	noHeartbeat  = "a leader may always send a heartbeat"
	noPanic      = "no correct input makes the code panic"
	neverWritten = "what has left a server is never written again"
	restarts     = "a server restarts from what it has saved"
)

// mostCommands is how many commands an exploration may start: none may ever wait for the service to read applyCh.
const mostCommands = 60

// patient are times so long that nothing is late unless a step says so.
func patient() []Option {
	return []Option{WithHeartbeat(time.Hour), WithElectionTimeout(2*time.Hour, 3*time.Hour)}
}

// A driven is a server and what its goroutines and its service hold.
type driven struct {
	rf      *Raft
	n       int
	live    bool // it shares memory with its messages, as servers of one process do
	lag     bool // handing over is a step of its own; otherwise it follows at once
	opts    []Option
	cut     func(*Persister) *Persister // takes the disk away at a crash
	disk    *Persister
	applyCh chan ApplyMsg
	decoder decoder

	portion toApply          // what the applier holds
	holds   bool             // it holds a portion that is not handed over
	asks    *RequestVoteArgs // what it asks for last
	open    []openCall       // calls whose outcome may still come, in the order of their sending
	spare   *call            // one that is not open any more
	tickets []int            // terms of the Starts that wait for the lock
	service []byte           // the commands that the service has applied, from index 1
	acked   place            // the last acknowledgement of the highest term it acknowledged in
	sent    Message          // what the step has sent
	broken  *breach          // the first violation of the step
	saves   int              // of the step
	crashAt int              // at which of them it crashes
}

type openCall struct {
	peer    int
	call    *call
	message *wire
}

// cutDisk takes a disk away as a crash leaves it.
var cutDisk = (*Persister).Copy

// errCrash ends a step in its middle.
type errCrash struct{}

// newDriven starts server me of n from a disk.
func newDriven(n, me int, disk *Persister, lag bool, opts []Option) *driven {
	s := &driven{n: n, lag: lag, cut: cutDisk}
	s.opts = append(patient(), opts...)
	s.opts = append(s.opts, WithTransport(s.send), func(o *options) { o.sendVoteRequest = s.ask })
	if err := s.boot(me, disk); err != nil {
		s.violate(restarts, "%v", err)
	}
	return s
}

func (s *driven) boot(me int, disk *Persister) error {
	s.applyCh = make(chan ApplyMsg, mostCommands)
	rf, err := newRaft(make([]*labrpc.ClientEnd, s.n), me, disk, s.applyCh, s.opts)
	if err != nil {
		return err
	}
	for _, f := range rf.followers {
		if f != nil {
			f.waiting = true // or else a replicator would be started
		}
	}
	rf.proposals.singles.Store(1) // a Start looks for no others
	s.rf, s.disk = rf, disk
	s.decoder = decoder{definitions: &rf.definitions, streams: make(map[uint64]*stream)}
	s.portion, s.holds, s.asks, s.open, s.tickets = toApply{}, false, nil, nil, nil
	s.service = disk.ReadSnapshot()
	rf.appliedLocked(&s.portion) // as the applier does before its first portion
	return nil
}

func (s *driven) violate(property, format string, args ...any) {
	if s.broken == nil {
		s.broken = &breach{property, fmt.Sprintf(format, args...)}
	}
}

// send is the server's transport: the step ends with the message, and its outcome is another step.
func (s *driven) send(peer int, m Message) Reply {
	s.checkSaved("a message leaves")
	switch m := m.(type) {
	case *AppendEntriesArgs:
		if m.LeaderCommit > s.rf.commitIndex {
			s.violate(onlyCommitted, "it tells server %d of commitIndex %d, but its own is %d", peer, m.LeaderCommit, s.rf.commitIndex)
		}
	case *InstallSnapshotArgs:
		if own := &s.rf.snapshot; m.LastIncludedIndex != own.index || m.LastIncludedTerm != own.term || string(m.Data) != string(own.data) {
			s.violate(stateMachineSafety, "it sends server %d a snapshot at %d of term %d, but has one at %d of term %d",
				peer, m.LastIncludedIndex, m.LastIncludedTerm, own.index, own.term)
		}
	}
	s.sent = m
	return nil
}

func (s *driven) ask(_ int, args *RequestVoteArgs) { s.asks = args }

// step takes one step.
func (s *driven) step(in step) (out outcome) {
	s.sent, s.broken, s.saves, s.crashAt = nil, nil, 0, in.crashAt
	var before view
	if s.safely(func() { before = s.look() }); s.broken != nil {
		return outcome{broken: s.broken}
	}
	s.disk.saved = func() {
		if s.saves++; s.saves == s.crashAt {
			panic(errCrash{})
		}
	}
	disk := s.disk
	if s.try(in, &out) {
		s.restart()
		out = outcome{crashed: true}
	}
	disk.saved = nil
	out.saves = s.saves
	s.safely(func() { s.check(before, in, &out) })
	out.broken = s.broken
	return out
}

// safely calls f unless something is violated already. A panic is a violation.
func (s *driven) safely(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.violate(noPanic, "%v", r)
		}
	}()
	if s.broken == nil {
		f()
	}
}

// try carries out the step, and reports whether the server has crashed.
func (s *driven) try(in step, out *outcome) (crashed bool) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case errCrash:
			crashed = true
		default:
			s.violate(noPanic, "%v", r)
		}
	}()
	s.carryOut(in, out)
	if !s.lag && in.kind != stepCrash {
		s.applyAll()
	}
	return in.kind == stepCrash
}

// restart is a crash and the next life.
func (s *driven) restart() {
	me := s.rf.me
	s.disk.saved = nil
	if err := s.boot(me, s.cut(s.disk)); err != nil {
		s.violate(restarts, "%v", err)
	}
}

// settle takes back what makes a message go out sooner or later, since the explorer sends one at any time: nothing is due,
// no commit is to be told, and no call has failed. Where the next message begins is the explorer's choice, too.
func (s *driven) settle() {
	now := time.Now()
	s.rf.commitNotice = time.Time{}
	for _, f := range s.rf.followers {
		if f != nil && s.rf.role == Leader {
			f.failures, f.heartbeatDue, f.commitDue, f.heartbeatSent, f.lastAnswer, f.snapshotCall, f.backlogFull = 0, false, false, now, now, nil, false
			f.nextIndex, f.probing = s.rf.log.lastIndex()+1, false
		}
	}
}

func (s *driven) carryOut(in step, out *outcome) {
	rf := s.rf
	s.settle()
	switch in.kind {
	case stepTimeout, stepResign:
		s.tick(in)
	case stepAsk:
		rf.call(in.peer, s.asks)
		out.message = s.captured()
	case stepVoted:
		reply, _ := replyOf(in.reply).(*RequestVoteReply)
		args := in.message.message.(*RequestVoteArgs)
		rf.onVoteReturn(in.peer, args, reply, time.Now())
	case stepSend, stepBeat:
		s.sendNext(in, out)
	case stepReturned:
		o := s.open[in.arg]
		s.open = append(s.open[:in.arg:in.arg], s.open[in.arg+1:]...)
		rf.mu.Lock()
		rf.onCallReturnLocked(rf.followers[o.peer], o.call, replyOf(in.reply))
		rf.mu.Unlock()
		o.call.clear()
		s.spare = o.call
	case stepStart:
		s.start(in.arg)
	case stepQueue:
		data, _, _ := encodeCommand(nil, in.arg)
		if t := rf.proposals.add(data, in.arg); t.first {
			s.tickets = append(s.tickets, t.term)
		}
	case stepAccept:
		term := s.tickets[0]
		s.tickets = s.tickets[1:]
		rf.accept(term)
	case stepTake:
		s.take()
	case stepApply:
		s.handOver()
	case stepSnapshot:
		rf.Snapshot(in.arg, s.service[:in.arg])
	case stepReceive:
		s.receive(in, out)
	}
}

// start calls Start, and checks what it returns. The command is in the log then, or in the queue behind one whose Start waits
// for the lock.
func (s *driven) start(command int) {
	rf := s.rf
	index, term, leads := rf.Start(command)
	now, still := rf.GetState()
	last, queued := rf.log.lastIndex(), rf.proposals.queue.length()
	switch {
	case leads != still || leads && term != now:
		s.violate(logSane, "Start returns (%d, %d, %v) in term %d, and that it leads is %v", index, term, leads, now, still)
	case leads && (index != last+queued || queued == 0 && rf.log.term(index) != term):
		s.violate(logSane, "Start returns (%d, %d, %v), but the log ends at %d and %d wait", index, term, leads, last, queued)
	}
}

func replyOf(w *wire) Reply {
	if w == nil {
		return nil
	}
	return w.reply
}

// captured returns the message that the step has sent, in memory of its own.
func (s *driven) captured() *wire {
	switch m := s.sent.(type) {
	case *RequestVoteArgs:
		c := *m
		return &wire{message: &c}
	case *AppendEntriesArgs:
		c := *m
		c.Entries = slices.Clone(m.Entries)
		if s.live {
			return &wire{message: &c, was: fmt.Sprintf("%+v", c)}
		}
		for k, records := range c.Entries {
			c.Entries[k] = strings.Clone(records)
		}
		return &wire{message: &c}
	case *InstallSnapshotArgs:
		c := *m
		c.Data = bytes.Clone(m.Data)
		return &wire{message: &c}
	}
	panic("nothing was sent")
}

// sendNext has a heartbeat fall due, and goes a replicator's way to its call.
func (s *driven) sendNext(in step, out *outcome) {
	rf, c := s.rf, s.spare // a replicator uses its call again
	if s.spare = nil; c == nil {
		c = new(call)
	}
	f := rf.followers[in.peer]
	f.nextIndex = in.arg
	if in.kind == stepBeat || in.arg > rf.log.lastIndex() { // with nothing to send, a heartbeat goes
		f.heartbeatSent = time.Now().Add(-1000 * time.Hour)
	}
	if in.kind == stepBeat {
		f.failures = maxFailures // nothing but heartbeats goes to a peer that does not answer
	}
	rf.tick()
	rf.mu.Lock()
	if !rf.hasWorkLocked(f) {
		s.violate(noHeartbeat, "to server %d, from index %d on", in.peer, in.arg)
	}
	rf.nextCallLocked(f, c)
	rf.callUnlocked(f, c)
	rf.mu.Unlock()
	if in.late {
		sentAt := c.sentAt
		c.sentAt = time.Time{}
		rf.tick()
		c.sentAt = sentAt // when it was sent, beside others, still matters
	}
	out.message, out.slot = s.captured(), len(s.open)
	s.open = append(s.open, openCall{in.peer, c, out.message})
}

// receive has a message enter by labrpc's handlers.
func (s *driven) receive(in step, out *outcome) {
	if w := in.message; w.was != "" && w.was != fmt.Sprintf("%+v", *w.message.(*AppendEntriesArgs)) {
		s.violate(neverWritten, "%s left, %+v arrives", w.was, w.message)
	}
	s.rf.lastHeard = time.Time{}
	if in.arg == 1 {
		s.rf.lastHeard = time.Now()
	}
	var reply Reply
	switch m := in.message.message.(type) {
	case *RequestVoteArgs:
		r := new(RequestVoteReply)
		s.rf.RequestVote(m, r)
		reply = r
	case *AppendEntriesArgs:
		r := new(AppendEntriesReply)
		s.rf.AppendEntries(m, r)
		reply = r
	case *InstallSnapshotArgs:
		r := new(InstallSnapshotReply)
		s.rf.InstallSnapshot(m, r)
		reply = r
	}
	s.checkSaved("a reply leaves")
	s.promises(in.message.message, reply)
	out.reply = &wire{reply: reply}
}

// tick has the ticker find something due.
func (s *driven) tick(in step) {
	rf, now := s.rf, time.Now()
	long := now.Add(-1000 * time.Hour)
	switch in.kind {
	case stepTimeout:
		rf.silence = silence{deadline: now, checked: checks}
		if rf.campaign.begun = now; in.arg == 1 {
			rf.campaign.begun = long
		}
	case stepResign:
		for _, f := range rf.followers {
			if f != nil {
				f.lastAnswer = long
			}
		}
		rf.silence = silence{deadline: now, checked: checks}
	}
	rf.tick()
}

// take is the applier's way to its next portion.
func (s *driven) take() {
	s.rf.mu.Lock()
	s.rf.takeToApplyLocked(&s.portion)
	s.rf.mu.Unlock()
	s.holds = true
}

// handOver is its way from there to its next wait.
func (s *driven) handOver() {
	s.checkSaved("a portion leaves")
	s.rf.apply(&s.decoder, &s.portion)
	for len(s.applyCh) > 0 {
		s.serve(<-s.applyCh)
	}
	s.rf.mu.Lock()
	s.rf.appliedLocked(&s.portion)
	s.rf.mu.Unlock()
	s.portion.last, s.holds = 0, false
}

// applyAll lets the applier run until it waits.
func (s *driven) applyAll() {
	for s.broken == nil && s.hasToApply() {
		s.take()
		s.handOver()
	}
}

func (s *driven) hasToApply() bool {
	s.rf.mu.Lock()
	defer s.rf.mu.Unlock()
	return s.rf.hasToApplyLocked()
}
