//go:build go1.25

package raft

import (
	"slices"
	"sync"
	"time"
)

const (
	// maxBatch bounds the commands of one AppendEntries, in bytes.
	maxBatch = 64 << 10
	// maxFailures in a row, and a peer is taken for unreachable: it gets heartbeats only until it answers.
	maxFailures = 2
	// quorumHeartbeats without a majority's answers, and a leader resigns.
	quorumHeartbeats = 10
	// commitDelay is how long an idle leader waits for a next command to tell followers of a commit with.
	commitDelay = 5 * time.Millisecond
)

// A follower is what a leader knows of one peer, and the link to it. Raft.mu guards it.
type follower struct {
	id         int
	nextIndex  int // index of the next entry to send; entries before it are on their way or there
	matchIndex int // index of the highest entry known to be there; never falls during a term

	work       sync.Cond // the replicator waits for something to send
	waiting    int       // how many goroutines do: one at most, but for a moment
	due        bool      // a heartbeat must go out, whatever else is on its way
	tell       bool      // a new commitIndex must go out, if need be with nothing else
	blocking   *call     // the call that others wait for; nil if none, or if it takes too long
	failures   int       // calls in a row that failed or took too long
	lastSent   time.Time // when the last message went out
	commitSent int       // the commitIndex that it carried
	answered   time.Time // when the last reply came, at first when we became leader
}

func (rf *Raft) newFollowers() []*follower {
	followers := make([]*follower, len(rf.peers))
	for id := range followers {
		if id != rf.me {
			followers[id] = &follower{id: id, work: sync.Cond{L: &rf.mu}}
		}
	}
	return followers
}

// reset begins a term of leadership: nothing is known of the follower (Figure 2, "State on leaders").
func (f *follower) reset(lastLogIndex int) {
	f.nextIndex, f.matchIndex = lastLogIndex+1, 0
	f.due, f.tell, f.blocking, f.failures = true, false, nil, 0
	f.lastSent, f.commitSent = time.Time{}, 0
	f.answered = time.Now()
}

// A call is a message to a follower on its way. A replicator has one, which it uses again and again.
type call struct {
	message Message
	entries []entry // to be encoded into the message
	encoded []byte  // what they are encoded to
	first   int     // nextIndex before it
	last    int     // index of the last entry that the follower has if it succeeds
	sentAt  time.Time
}

// replicator sends one follower what it lacks, and heartbeats (§5.3). It waits for something to send, which
// wakeReplicatorsLocked tells it, and ends with Kill. While a call hangs, the ticker starts another replicator for
// the follower; when the call returns, the one that finds another waiting ends.
func (rf *Raft) replicator(f *follower) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	var c call
	for rf.waitForWork(f) {
		rf.nextCallLocked(f, &c)
		reply := rf.callUnlocked(f, &c)
		if !rf.killed && rf.role == Leader && rf.currentTerm == c.term() { // otherwise it is no news
			rf.settleLocked(f, &c, reply)
		}
		c.clear()
	}
}

// clear keeps nothing but the memory for the next call.
func (c *call) clear() {
	clear(c.entries)
	*c = call{entries: c.entries[:0], encoded: c.encoded}
}

func (c *call) term() int {
	_, term := c.message.sender()
	return term
}

func (rf *Raft) waitForWork(f *follower) bool {
	for !rf.killed && !rf.hasWorkLocked(f) {
		if f.waiting > 0 {
			return false
		}
		f.waiting++
		f.work.Wait()
		f.waiting--
	}
	return !rf.killed
}

// hasWorkLocked reports whether a message should go to the follower now: a heartbeat that is due; or, unless another
// is on its way, entries that it lacks, or again what was lost.
func (rf *Raft) hasWorkLocked(f *follower) bool {
	switch {
	case rf.role != Leader:
		return false
	case f.due:
		return true
	case f.blocking != nil || f.failures >= maxFailures:
		return false
	}
	return f.nextIndex <= rf.log.lastIndex() || f.failures > 0 || f.tell && f.commitSent < rf.commitIndex
}

func (rf *Raft) wakeReplicatorsLocked() {
	for _, f := range rf.followers {
		if f != nil && f.waiting > 0 && rf.hasWorkLocked(f) {
			f.work.Signal()
		}
	}
}

// tendFollowersLocked is the ticker's duty on a leader: it sees to it that each follower hears from us in time and
// that a call that hangs holds nothing up. It returns when it wants to be called again.
func (rf *Raft) tendFollowersLocked(now time.Time) time.Time {
	if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {
		rf.resignLocked()
		return rf.deadline
	}
	next := now.Add(rf.options.heartbeat)
	tell := !rf.commitTold.IsZero() && !now.Before(rf.commitTold)
	if tell {
		rf.commitTold = time.Time{}
	} else if !rf.commitTold.IsZero() {
		next = earlier(next, rf.commitTold)
	}
	for _, f := range rf.followers {
		if f != nil {
			next = earlier(next, rf.tendLocked(f, now, tell))
		}
	}
	return next
}

// hasQuorumLocked reports whether a majority, ourselves included, has answered lately.
func (rf *Raft) hasQuorumLocked(now time.Time, lately time.Duration) bool {
	n := 1
	for _, f := range rf.followers {
		if f != nil && now.Sub(f.answered) < lately {
			n++
		}
	}
	return rf.isMajority(n)
}

func (rf *Raft) tendLocked(f *follower, now time.Time, tell bool) time.Time {
	if c := f.blocking; c != nil && now.Sub(c.sentAt) >= rf.patience() {
		f.blocking = nil
		f.failures++
	}
	if heartbeat := f.lastSent.Add(rf.options.heartbeat); !now.Before(heartbeat) {
		f.due = true
	}
	f.tell = f.tell || tell
	if rf.hasWorkLocked(f) {
		if f.waiting > 0 {
			f.work.Signal()
		} else {
			go rf.replicator(f)
		}
		return now.Add(rf.patience())
	}
	next := f.lastSent.Add(rf.options.heartbeat)
	if f.blocking != nil {
		next = earlier(next, f.blocking.sentAt.Add(rf.patience()))
	}
	return next
}

// patience is how long a call holds up what else there is to send.
func (rf *Raft) patience() time.Duration { return rf.options.heartbeat / 2 }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// nextCallLocked makes the message that the follower needs next, and takes note that it goes out.
func (rf *Raft) nextCallLocked(f *follower, c *call) {
	if f.nextIndex <= rf.log.base && f.failures < maxFailures && f.blocking == nil {
		rf.installSnapshotLocked(c)
	} else {
		rf.appendEntriesLocked(f, c)
	}
	c.first, c.sentAt = f.nextIndex, time.Now()
	f.nextIndex = max(f.nextIndex, c.last+1)
	f.due, f.tell, f.lastSent, f.commitSent = false, false, c.sentAt, rf.commitIndex
	f.blocking = c
	rf.tickLocked(c.sentAt.Add(rf.patience()))
}

// appendEntriesLocked makes c an AppendEntries with what comes from nextIndex on: all of it as one batch, as far as it
// fits; nothing while the follower does not answer.
func (rf *Raft) appendEntriesLocked(f *follower, c *call) {
	prev := max(f.nextIndex-1, rf.log.base)
	if f.failures < maxFailures && f.blocking == nil {
		c.entries = rf.log.appendTo(c.entries, f.nextIndex, maxBatch)
	}
	c.last = prev + len(c.entries)
	c.message = &AppendEntriesArgs{
		Term:         rf.currentTerm,
		LeaderID:     rf.me,
		PrevLogIndex: prev,
		PrevLogTerm:  rf.log.term(prev),
		LeaderCommit: rf.commitIndex,
	}
}

// callUnlocked sends the message and waits for the reply, nil if there is none. It lets go of mu meanwhile.
func (rf *Raft) callUnlocked(f *follower, c *call) Reply {
	rf.mu.Unlock()
	defer rf.mu.Lock()
	switch m := c.message.(type) {
	case *AppendEntriesArgs:
		if len(c.entries) > 0 {
			c.encoded = encodeEntries(c.encoded[:0], c.entries)
			m.Entries, m.Definitions = c.encoded, rf.definitions.collect(c.entries)
		}
		reply := new(AppendEntriesReply)
		if rf.peers[f.id].Call("Raft.AppendEntries", m, reply) {
			return reply
		}
	case *InstallSnapshotArgs:
		reply := new(InstallSnapshotReply)
		if rf.peers[f.id].Call("Raft.InstallSnapshot", m, reply) {
			return reply
		}
	}
	return nil
}

// settleLocked takes the outcome of a call of the current term. reply is nil if there was none.
func (rf *Raft) settleLocked(f *follower, c *call, reply Reply) {
	blocked := f.blocking == c
	if blocked {
		f.blocking = nil
	}
	if reply != nil {
		f.answered = time.Now()
	}
	switch {
	case reply == nil:
		f.nextIndex = max(f.matchIndex+1, min(f.nextIndex, c.first))
		if blocked { // a call that took too long has counted as a failure already
			f.failures++
		}
	case !plausible(reply.term()):
		f.failures++
	case reply.term() > rf.currentTerm:
		rf.becomeFollowerLocked(reply.term())
	case rf.acceptedLocked(f, c, reply):
		f.failures = 0
	default:
		f.failures++
	}
}

// acceptedLocked takes a reply, and reports whether the follower dealt with the message at all.
func (rf *Raft) acceptedLocked(f *follower, c *call, reply Reply) bool {
	switch reply := reply.(type) {
	case *InstallSnapshotReply:
		if !reply.Success {
			return false
		}
	case *AppendEntriesReply:
		if !reply.Success {
			return rf.backUpLocked(f, c.message.(*AppendEntriesArgs), reply)
		}
	}
	f.matchIndex = max(f.matchIndex, c.last) // what was sent, not what the log holds by now
	f.nextIndex = max(f.nextIndex, f.matchIndex+1)
	rf.advanceCommitLocked()
	return true
}

// backUpLocked moves nextIndex back after a failed consistency check, past a whole term at once: to the conflicting
// term's first index at the follower, or just past it if the logs agree there (§5.3). A reply that was overtaken
// by a later one changes nothing.
func (rf *Raft) backUpLocked(f *follower, args *AppendEntriesArgs, reply *AppendEntriesReply) bool {
	if reply.ConflictIndex < 1 || reply.ConflictIndex > args.PrevLogIndex || !plausible(reply.ConflictTerm) {
		return false
	}
	next := reply.ConflictIndex
	if reply.ConflictTerm > 0 && next < args.PrevLogIndex && rf.log.matches(next, reply.ConflictTerm) {
		next++
	}
	f.nextIndex = max(f.matchIndex+1, min(f.nextIndex, next))
	return args.PrevLogIndex > f.matchIndex
}

// advanceCommitLocked is the leader's commit rule: "if there exists an N such that N > commitIndex, a majority of
// matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N" (Figure 2, §5.4.2).
//
// An older term's entry commits behind one of ours, since a majority alone does not keep a later leader from lacking
// it (Figure 8). But it commits too when every server has it: each of them took it in this term, before it could
// vote in a later one, so no later leader lacks it.
func (rf *Raft) advanceCommitLocked() {
	if rf.role != Leader {
		return
	}
	match := make([]int, 0, 8)
	for _, f := range rf.followers {
		if f == nil {
			match = append(match, rf.log.lastIndex())
		} else {
			match = append(match, f.matchIndex)
		}
	}
	slices.Sort(match)
	everywhere, majority := match[0], match[(len(match)-1)/2]
	commit := everywhere
	if majority > rf.commitIndex && rf.log.term(majority) == rf.currentTerm {
		commit = majority
	}
	if commit > rf.commitIndex {
		rf.commitLocked(commit)
		if rf.commitTold.IsZero() {
			rf.commitTold = time.Now().Add(commitDelay)
			rf.tickLocked(rf.commitTold)
		}
	}
}

// commitLocked raises commitIndex, which never falls, and wakes the applier.
func (rf *Raft) commitLocked(index int) {
	if index > rf.commitIndex {
		rf.commitIndex = index
		rf.applyCond.Signal()
	}
}

// check reports what no leader can have sent, and decodes the entries.
func (args *AppendEntriesArgs) check() (batch, error) {
	if !plausible(args.Term, args.PrevLogIndex, args.PrevLogTerm, args.LeaderCommit) || args.Term < 1 ||
		args.PrevLogTerm > args.Term || (args.PrevLogIndex == 0) != (args.PrevLogTerm == 0) {
		return batch{}, errMalformed
	}
	return decodeEntries(args.Entries, args.PrevLogTerm, args.Term)
}

// learn takes over the type definitions of a message, and reports whether the entries have all that they need.
func (rf *Raft) learn(args *AppendEntriesArgs, entries []entry) bool {
	for _, d := range args.Definitions {
		rf.definitions.add(definition(d).key(), d)
	}
	for k := range entries {
		if !rf.definitions.suffice(entries[k].data) {
			return false
		}
	}
	return true
}

// onAppendEntries answers a leader (§5.3).
func (rf *Raft) onAppendEntries(args *AppendEntriesArgs) *AppendEntriesReply {
	reply := new(AppendEntriesReply)
	d, err := args.check()
	malformed := err != nil || !rf.learn(args, d.entries)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if !malformed && rf.admitLeaderLocked(args) {
		rf.appendEntriesFromLocked(args, d, reply)
	}
	reply.Term = rf.currentTerm
	return reply
}

// appendEntriesFromLocked carries out the receiver's rules 2 to 5 of AppendEntries (Figure 2).
func (rf *Raft) appendEntriesFromLocked(args *AppendEntriesArgs, d batch, reply *AppendEntriesReply) {
	prev, last := args.PrevLogIndex, args.PrevLogIndex+len(d.entries)
	if prev < rf.log.base {
		// What the snapshot covers is committed, so there the logs agree.
		covered := min(rf.log.base-prev, len(d.entries))
		if prev += covered; prev == rf.log.base && d.entries[covered-1].term != rf.log.baseTerm {
			return
		}
		d = d.drop(covered)
	} else if !rf.log.matches(prev, args.PrevLogTerm) {
		reply.ConflictTerm, reply.ConflictIndex = rf.log.conflict(prev)
		return
	}
	if len(d.entries) > 0 {
		known := rf.log.firstNew(prev+1, d.entries)
		if d = d.drop(known); !rf.takeEntriesLocked(prev+1+known, d) {
			return
		}
	}
	reply.Success = true
	rf.commitLocked(min(args.LeaderCommit, last))
}

// takeEntriesLocked puts entries that the log lacks at index first: "if an existing entry conflicts with a new one,
// delete the existing entry and all that follow it; append any new entries not already in the log". What is
// committed cannot conflict; then it refuses.
func (rf *Raft) takeEntriesLocked(first int, d batch) bool {
	switch {
	case len(d.entries) == 0:
		return true
	case first <= rf.commitIndex:
		return false
	case first <= rf.log.lastIndex():
		rf.log.truncateFrom(first)
		rf.log.append(d.entries...)
		rf.saveAllLocked(false)
	default:
		rf.saveEntriesLocked(d)
	}
	return true
}
