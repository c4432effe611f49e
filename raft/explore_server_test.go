package raft

// A server of the explorer: the library's own code without its goroutines. Each step calls the functions that a
// goroutine calls between two waits, after setting the times on which they depend.

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"6.824/labrpc"
)

// A stepKind is a kind of step.
type stepKind uint8

const (
	stepNone     stepKind = iota
	stepTimeout           // its election timer fires; arg 1: its PreVote campaign has expired, too
	stepAsk               // it sends a request for a vote to peer
	stepVoted             // it gets the reply to a request for a vote, or learns that it was lost
	stepSend              // it sends AppendEntries from index arg on, or InstallSnapshot, to peer
	stepBeat              // it sends a heartbeat to peer, with nextIndex arg
	stepReturned          // it gets the reply of call arg, or learns that it was lost
	stepResign            // it steps down, because no majority has answered for too long
	stepStart             // the service calls Start with command arg
	stepQueue             // likewise, but Start waits for the lock with the command in the queue
	stepAccept            // the Start that waits longest gets the lock
	stepTake              // the applier takes the next portion
	stepApply             // the applier hands the portion to the service
	stepSnapshot          // the service calls Snapshot for index arg
	stepReceive           // it receives a message; arg 1: it has heard from the leader lately
	stepCrash             // it crashes and restarts from its disk
	stepRead              // a read begins; leaders have committed up to index arg
)

// A step is one input to one server.
type step struct {
	kind    stepKind
	peer    int
	arg     int
	message *wire
	reply   *wire
	late    bool // the reply takes so long that the sender gives the call up, but it may still come
	crashAt int  // the server crashes at this save of the step, 1 for the first; 0: it does not
}

// A wire is a message or a reply. It is immutable.
type wire struct {
	id      int // in a search; otherwise 0
	message Message
	reply   Reply
	was     string                 // on live servers: the message, formatted when it was sent
	relabel []atomic.Pointer[wire] // in a search: with the servers renamed, by permutation
}

// An outcome is the result of a step, apart from the server's new state.
type outcome struct {
	message *wire // the message that was sent
	slot    int   // its index among the open calls
	reply   *wire // the reply that was sent
	saves   int
	crashed bool
	broken  *violation // a property that the step violates
}

// A violation is a violation of one of the watch's properties, or of one that only the explorer checks.
type violation struct{ property, text string }

func (b *violation) Error() string { return b.property + ": " + b.text }

const (
	savedEqualsMemory = "the saved state equals the state in memory"
	logWellFormed     = "the log is well formed"
	noHeartbeat       = "a leader may always send a heartbeat"
	noPanic           = "no valid input makes the code panic"
	sentNeverWritten  = "the memory of a sent message is never written again"
	restarts          = "a server restarts from what it has saved"
)

// maxCommands is how many commands an exploration may start, so that the buffer of applyCh never fills.
const maxCommands = 60

// longTimeouts returns timeouts so long that none expires by itself.
func longTimeouts() []Option {
	return []Option{WithHeartbeat(time.Hour), WithElectionTimeout(2*time.Hour, 3*time.Hour)}
}

// A drivenServer is a server that runs step by step, with the state of its goroutines and its service.
type drivenServer struct {
	rf      *Raft
	n       int
	live    bool // its messages share memory with it, as between servers in one process
	lag     bool // applying is a separate step; otherwise each step includes it
	opts    []Option
	cut     func(*Persister) *Persister // returns the disk that a crash leaves
	disk    *Persister
	applyCh chan ApplyMsg
	decoder decoder

	portion toApply          // the applier's portion
	holds   bool             // the applier has a portion that is not handed over yet
	asks    *RequestVoteArgs // its last request for votes
	open    []openCall       // calls that have not ended, in the order in which they were sent
	spare   *call            // a call that has ended, for reuse
	tickets []int            // terms of the calls of Start that wait for the lock
	reads   []openRead       // reads that wait, oldest first
	service []byte           // the commands that the service has applied, from index 1
	acked   entryID          // the highest index acknowledged in the latest such term
	sent    Message          // the message that the step has sent
	broken  *violation       // the first violation of the step
	saves   int              // number of saves in the step
	crashAt int              // the save at which it crashes
}

type openCall struct {
	peer    int
	call    *call
	message *wire
}

// cutDisk returns the disk that a crash leaves.
var cutDisk = (*Persister).Copy

// errCrash is the panic that ends a step at a crash.
type errCrash struct{}

// newDrivenServer returns server me of n, started from a disk.
func newDrivenServer(n, me int, disk *Persister, lag bool, opts []Option) *drivenServer {
	s := &drivenServer{n: n, lag: lag, cut: cutDisk}
	s.opts = append(longTimeouts(), opts...)
	s.opts = append(s.opts, WithTransport(s.send), func(o *options) { o.sendVoteRequest = s.ask })
	if err := s.boot(me, disk); err != nil {
		s.violate(restarts, "%v", err)
	}
	return s
}

func (s *drivenServer) boot(me int, disk *Persister) error {
	s.applyCh = make(chan ApplyMsg, maxCommands)
	rf, err := newRaft(make([]*labrpc.ClientEnd, s.n), me, disk, s.applyCh, s.opts)
	if err != nil {
		return err
	}
	for _, f := range rf.followers {
		if f != nil {
			f.waiting = true // otherwise Raft would start a replicator
		}
	}
	rf.proposals.crowd.singles.Store(maxSingles) // a Start does not wait for others to join
	s.rf, s.disk = rf, disk
	s.decoder = decoder{definitions: &rf.definitions, streams: make(map[uint64]*stream)}
	s.portion, s.holds, s.asks, s.open, s.tickets, s.reads = toApply{}, false, nil, nil, nil, nil
	s.service = disk.ReadSnapshot()
	rf.appliedLocked(&s.portion) // as in the applier before its first portion
	return nil
}

func (s *drivenServer) violate(property, format string, args ...any) {
	if s.broken == nil {
		s.broken = &violation{property, fmt.Sprintf(format, args...)}
	}
}

// send is the server's transport. It only records the message: a later step brings the reply.
func (s *drivenServer) send(peer int, m Message) Reply {
	s.checkSaved("a message leaves")
	switch m := m.(type) {
	case *AppendEntriesArgs:
		if m.LeaderCommit > s.rf.commitIndex {
			s.violate(onlyCommitted, "it sends server %d commitIndex %d, but its own is %d", peer, m.LeaderCommit, s.rf.commitIndex)
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

func (s *drivenServer) ask(_ int, args *RequestVoteArgs) { s.asks = args }

// step executes one step and checks the server.
func (s *drivenServer) step(in step) (out outcome) {
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

// safely calls f unless there already is a violation. A panic in f is a violation.
func (s *drivenServer) safely(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.violate(noPanic, "%v", r)
		}
	}()
	if s.broken == nil {
		f()
	}
}

// try executes the step and reports whether the server has crashed.
func (s *drivenServer) try(in step, out *outcome) (crashed bool) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case errCrash:
			crashed = true
		default:
			s.violate(noPanic, "%v", r)
		}
	}()
	s.execute(in, out)
	if !s.lag && in.kind != stepCrash {
		s.applyAll()
	}
	return in.kind == stepCrash
}

// restart restarts the server from the disk that a crash leaves.
func (s *drivenServer) restart() {
	me := s.rf.me
	s.disk.saved = nil
	if err := s.boot(me, s.cut(s.disk)); err != nil {
		s.violate(restarts, "%v", err)
	}
}

// settle resets the fields that decide when a leader sends and from which nextIndex, because the explorer chooses both:
// no heartbeat or commit notice is due, and no call has failed.
func (s *drivenServer) settle() {
	now := time.Now()
	s.rf.commitNoticeAt = time.Time{}
	for _, f := range s.rf.followers {
		if f != nil && s.rf.role == Leader {
			f.failures, f.heartbeatDue, f.commitDue, f.heartbeatSentAt, f.lastAnswer, f.snapshotCall, f.backlogFull = 0, false, false, now, now, nil, false
			f.nextIndex, f.probing = s.rf.log.lastIndex()+1, false
		}
	}
}

func (s *drivenServer) execute(in step, out *outcome) {
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
	case stepRead:
		s.read(in.arg)
	}
}

// start calls Start and checks its results. Afterwards the command is in the log, or in the queue if another Start
// waits for the lock.
func (s *drivenServer) start(command int) {
	rf := s.rf
	index, term, leads := rf.Start(command)
	now, still := rf.GetState()
	last, queued := rf.log.lastIndex(), rf.proposals.queue.length()
	switch {
	case leads != still || leads && term != now:
		s.violate(logWellFormed, "Start returns (%d, %d, %v), but GetState returns (%d, %v)", index, term, leads, now, still)
	case leads && (index != last+queued || queued == 0 && rf.log.term(index) != term):
		s.violate(logWellFormed, "Start returns (%d, %d, %v), but the log ends at %d and %d commands are in the queue", index, term, leads, last, queued)
	}
}

func replyOf(w *wire) Reply {
	if w == nil {
		return nil
	}
	return w.reply
}

// captured returns a copy of the message that the step has sent.
func (s *drivenServer) captured() *wire {
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

// sendNext makes a heartbeat due if it is to be sent, and does what a replicator does up to its call.
func (s *drivenServer) sendNext(in step, out *outcome) {
	rf, c := s.rf, s.spare // a replicator reuses its call
	if s.spare = nil; c == nil {
		c = new(call)
	}
	f := rf.followers[in.peer]
	f.nextIndex = in.arg
	if in.kind == stepBeat || in.arg > rf.log.lastIndex() { // without entries to send, a heartbeat is sent
		f.heartbeatSentAt = time.Now().Add(-1000 * time.Hour)
	}
	if in.kind == stepBeat {
		f.failures = maxFailures // a peer that does not answer gets only heartbeats
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
		c.sentAt = sentAt // the order in which calls were sent still matters
	}
	out.message, out.slot = s.captured(), len(s.open)
	s.open = append(s.open, openCall{in.peer, c, out.message})
}

// receive passes a message to the RPC handler.
func (s *drivenServer) receive(in step, out *outcome) {
	if w := in.message; w.was != "" && w.was != fmt.Sprintf("%+v", *w.message.(*AppendEntriesArgs)) {
		s.violate(sentNeverWritten, "%s left, %+v arrives", w.was, *w.message.(*AppendEntriesArgs))
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

// tick makes an election or a step down due, and runs the ticker.
func (s *drivenServer) tick(in step) {
	rf, now := s.rf, time.Now()
	long := now.Add(-1000 * time.Hour)
	switch in.kind {
	case stepTimeout:
		rf.electionTimer = electionTimer{deadline: now, checked: checks}
		if rf.campaign.startedAt = now; in.arg == 1 {
			rf.campaign.startedAt = long
		}
	case stepResign:
		for _, f := range rf.followers {
			if f != nil {
				f.lastAnswer = long
			}
		}
		rf.electionTimer = electionTimer{deadline: now, checked: checks}
	}
	rf.tick()
}

// take does what the applier does up to its next portion.
func (s *drivenServer) take() {
	s.rf.mu.Lock()
	s.rf.takeToApplyLocked(&s.portion)
	s.rf.mu.Unlock()
	s.holds = true
}

// handOver does what the applier does from there to its next wait.
func (s *drivenServer) handOver() {
	s.checkSaved("a portion leaves")
	s.rf.apply(&s.decoder, &s.portion)
	for len(s.applyCh) > 0 {
		s.handleApplyMsg(<-s.applyCh)
	}
	s.rf.mu.Lock()
	s.rf.appliedLocked(&s.portion)
	s.rf.mu.Unlock()
	s.portion.last, s.holds = 0, false
}

// applyAll runs the applier until it has nothing to apply.
func (s *drivenServer) applyAll() {
	for s.broken == nil && s.hasToApply() {
		s.take()
		s.handOver()
	}
}

func (s *drivenServer) hasToApply() bool {
	s.rf.mu.Lock()
	defer s.rf.mu.Unlock()
	return s.rf.hasToApplyLocked()
}
