//go:build go1.25

package raft

import (
	"slices"
	"sync"
	"time"
)

const (
	// maxBatch bounds the records of one AppendEntries, in bytes: the whole message should fit into 256 KB.
	maxBatch = 255 << 10
	// maxEntries bounds their number: a server takes them into its log under its lock, and heartbeats wait.
	maxEntries = 8192
	// maxFailures in a row, and a peer is taken for unreachable: it gets heartbeats only until it answers.
	maxFailures = 2
	// quorumHeartbeats without a majority's answers, and a leader resigns. A service that waits under a leader without a
	// majority may count on it for more than a second (TestLeaderPartition4A of 2025).
	quorumHeartbeats = 20
	// snapshotHeartbeats are given to an InstallSnapshot to a follower that answers before another one is sent.
	snapshotHeartbeats = 5
)

// room reports whether entries or a snapshot may go out while so many messages wait for an answer.
func (l Link) room(waiting int) bool {
	switch l {
	case LinkOrdered:
		return waiting == 0
	case LinkPerMessage:
		return true
	}
	return waiting < int(l)
}

// roomForHeartbeat reports whether a heartbeat may.
func (l Link) roomForHeartbeat(waiting int) bool { return l != LinkOrdered || waiting == 0 }

// A follower is what a leader knows of one peer, and the link to it. Raft.mu guards it.
type follower struct {
	id         int
	nextIndex  int  // index of the next entry to send; entries before it are on their way or there
	matchIndex int  // index of the highest entry known to be there; never falls during a term
	probing    bool // the logs differ before nextIndex; it moves on only when they are known to agree

	work       sync.Cond // a replicator waits for something to send
	waiting    bool      // one does
	due        bool      // a heartbeat must go out, whatever else is on its way
	tell       bool      // a new commitIndex must go out, if need be with nothing else
	calls      []*call   // messages on their way that were not given up, the oldest first
	failures   int       // calls in a row that failed or took too long
	lastSent   time.Time // when the last message went out
	commitSent int       // the commitIndex that it carried
	commitHas  int       // the highest one that the follower has answered to
	answered   time.Time // when it last took a message, at first when we became leader
	answeredTo time.Time // when the last message that was answered had gone out
	installing *call     // the last InstallSnapshot, until it returns, if the message before it was answered
	caughtUp   bool      // it was seen to hold what is committed, and was not out of reach since
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
	f.probing, f.due, f.tell, f.calls, f.failures, f.installing = false, true, false, nil, 0, nil
	f.lastSent, f.commitSent, f.commitHas = time.Time{}, 0, 0
	f.answered, f.answeredTo, f.caughtUp = time.Now(), time.Time{}, false
}

// forget takes c from the calls that others wait for, and reports whether it was one.
func (f *follower) forget(c *call) bool {
	k := slices.Index(f.calls, c)
	if k < 0 {
		return false
	}
	f.calls = slices.Delete(f.calls, k, k+1)
	return true
}

// A call is a message to a follower on its way. A replicator has one, which it uses again and again.
type call struct {
	message Message
	entries batch    // to be put into the message
	records []string // their records, as the message carries them
	first   int      // nextIndex before it
	match   int      // matchIndex before it
	last    int      // index of the last entry that the follower has if it succeeds
	sentAt  time.Time
}

// clear keeps nothing but the memory for the next call.
func (c *call) clear() {
	clear(c.entries)
	clear(c.records)
	*c = call{entries: c.entries[:0], records: c.records[:0]}
}

func (c *call) term() int {
	_, term := c.message.sender()
	return term
}

// replicator sends one follower what it lacks, and heartbeats (§5.3). It waits for something to send, which
// rouseLocked tells it, and ends with Kill. While its call is under way others may be started, as far as the link has
// room; whoever then finds another one waiting ends.
func (rf *Raft) replicator(f *follower) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	var c call
	for rf.waitForWork(f) {
		rf.nextCallLocked(f, &c)
		rf.returnedLocked(f, &c, rf.callUnlocked(f, &c))
		c.clear()
	}
}

// returnedLocked takes the outcome of a call, nil if there is no reply. One of an earlier term is no news.
func (rf *Raft) returnedLocked(f *follower, c *call, reply Reply) {
	if !rf.killed && rf.role == Leader && rf.currentTerm == c.term() {
		rf.settleLocked(f, c, reply)
	}
}

func (rf *Raft) waitForWork(f *follower) bool {
	for !rf.killed && !rf.hasWorkLocked(f) {
		if f.waiting {
			return false
		}
		f.waiting = true
		f.work.Wait()
		f.waiting = false
	}
	return !rf.killed
}

// hasWorkLocked reports whether a message should go to the follower now: a heartbeat that is due; or, if the link has
// room and the follower answers, entries that it lacks, the new commitIndex, or again what was lost.
func (rf *Raft) hasWorkLocked(f *follower) bool {
	switch {
	case rf.role != Leader:
		return false
	case f.due:
		return rf.options.link.roomForHeartbeat(len(f.calls))
	case !rf.hasRoomLocked(f):
		return false
	}
	last := rf.log.lastIndex()
	return f.nextIndex <= last || f.tell && f.commitSent < rf.commitIndex ||
		f.failures > 0 && len(f.calls) == 0 && f.matchIndex < last
}

// hasRoomLocked reports whether more than a heartbeat may go to the follower now.
func (rf *Raft) hasRoomLocked(f *follower) bool {
	if f.probing && len(f.calls) > 0 {
		return false
	}
	if c := f.installing; c != nil && f.nextIndex <= rf.log.base && time.Since(c.sentAt) < snapshotHeartbeats*rf.options.heartbeat {
		return false
	}
	return f.failures < maxFailures && rf.options.link.room(len(f.calls))
}

func (rf *Raft) wakeReplicatorsLocked() {
	for _, f := range rf.followers {
		if f != nil && rf.hasWorkLocked(f) {
			rf.rouseLocked(f)
		}
	}
}

// rouseLocked has a replicator send what there is for the follower: one that waits, or a new one if each has a call
// under way.
func (rf *Raft) rouseLocked(f *follower) {
	if f.waiting {
		f.work.Signal()
	} else {
		go rf.replicator(f)
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
	for len(f.calls) > 0 && now.Sub(f.calls[0].sentAt) >= rf.patience() {
		f.forget(f.calls[0])
		f.failures++
	}
	f.due = f.due || now.Sub(f.lastSent) >= rf.options.heartbeat
	f.tell = f.tell || tell
	if rf.hasWorkLocked(f) {
		rf.rouseLocked(f)
		return now.Add(rf.patience())
	}
	next := f.lastSent.Add(rf.options.heartbeat)
	if len(f.calls) > 0 {
		next = earlier(next, f.calls[0].sentAt.Add(rf.patience()))
	}
	return next
}

// patience is how long we wait for an answer to a message before we give it up.
func (rf *Raft) patience() time.Duration { return rf.options.heartbeat / 2 }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// nextCallLocked makes the message that the follower needs next, and takes note that it goes out.
func (rf *Raft) nextCallLocked(f *follower, c *call) {
	more := rf.hasRoomLocked(f)
	if more && f.nextIndex <= rf.log.base {
		rf.installSnapshotLocked(c)
		if f.failures == 0 { // otherwise it is as likely to be lost, and nothing to wait for
			f.installing = c
		}
	} else {
		rf.appendEntriesLocked(f, c, more)
	}
	c.first, c.match, c.sentAt = f.nextIndex, f.matchIndex, time.Now()
	if !f.probing {
		f.nextIndex = max(f.nextIndex, c.last+1)
	}
	f.due, f.tell, f.lastSent, f.commitSent = false, false, c.sentAt, rf.commitIndex
	f.calls = append(f.calls, c)
	rf.tickLocked(c.sentAt.Add(rf.patience()))
}

// appendEntriesLocked makes c an AppendEntries, if more than a heartbeat with what comes from nextIndex on: all of it as
// one batch, as far as it fits.
func (rf *Raft) appendEntriesLocked(f *follower, c *call, more bool) {
	prev := max(f.nextIndex-1, rf.log.base)
	if more {
		c.entries = rf.log.appendTo(c.entries, f.nextIndex, rf.options.entries, maxBatch)
	}
	c.last = prev + c.entries.length()
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
	if m, ok := c.message.(*AppendEntriesArgs); ok {
		if len(c.entries) > 0 {
			c.records = c.entries.appendRecords(c.records)
			m.Entries, m.Definitions = c.records, rf.definitions.collect(c.entries)
		}
		m.Checksum = uint64(m.sum())
	}
	return rf.call(f.id, c.message)
}
