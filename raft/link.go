//go:build go1.25

package raft

import "time"

const (
	// maxBatch bounds the records of one AppendEntries, in bytes: the whole message should fit into 256 KB.
	maxBatch = 255 << 10
	// maxEntries bounds their number: a server takes them into its log under its lock, and heartbeats wait.
	maxEntries = 8192
	// maxFailures in a row, and a peer is taken for unreachable: it gets heartbeats only until it answers.
	maxFailures = 2
	// quorumHeartbeats without a majority's answers, and a leader resigns. A service may count on more than a second under
	// a leader without a majority (TestLeaderPartition4A of 2025).
	quorumHeartbeats = 20
	// snapshotHeartbeats are given to an InstallSnapshot to a follower that answers before another one is sent.
	snapshotHeartbeats = 5
	// maxOnTheWay bounds the entries on their way to a follower, and those that it keeps since they overtook others, in bytes.
	maxOnTheWay = 16 << 20
)

// replicator sends one follower what it lacks, and heartbeats (§5.3). It waits for something to send, which
// wakeReplicatorLocked tells it, and ends with Kill. While its call is under way others may be started, as far as the link has
// room; whoever then finds another one waiting ends.
func (rf *Raft) replicator(f *follower) {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	var c call
	for rf.waitForWork(f) {
		rf.nextCallLocked(f, &c)
		if rf.hasWorkLocked(f) {
			rf.wakeReplicatorLocked(f)
		}
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
	case f.heartbeatDue:
		return rf.hasRoomForHeartbeatLocked(f)
	case !rf.hasRoomLocked(f):
		return false
	}
	last := rf.log.lastIndex()
	return f.nextIndex <= last || f.commitDue && f.missing == 0 && f.commitSent < rf.commitIndex ||
		f.failures > 0 && len(f.calls) == 0 && f.matchIndex < last
}

// hasRoomForHeartbeatLocked reports whether a heartbeat may go to the follower now.
func (rf *Raft) hasRoomForHeartbeatLocked(f *follower) bool {
	return rf.options.link != LinkOrdered || !time.Now().Before(rf.freeLocked(f))
}

// freeLocked returns when an ordered link lets another message pass the last one.
func (rf *Raft) freeLocked(f *follower) time.Time {
	if n := len(f.calls); n > 0 {
		return f.calls[n-1].sentAt.Add(rf.minCallTimeout())
	}
	return time.Time{}
}

// hasRoomLocked reports whether more than a heartbeat may.
func (rf *Raft) hasRoomLocked(f *follower) bool {
	switch link := rf.options.link; {
	case f.failures >= maxFailures || f.full, f.probing && f.entries+f.snapshots > 0, f.bytes >= maxOnTheWay:
		return false
	case f.nextIndex <= rf.log.base:
		return rf.hasRoomForSnapshotLocked(f)
	case link == LinkOrdered:
		return f.entries+f.snapshots == 0 && rf.hasRoomForHeartbeatLocked(f)
	case !f.hasAnswered && link > 0: // until its log is known, entries may not fit
		return len(f.calls) < link.entries()
	default:
		return f.snapshots == 0 && f.entries < link.maxInFlight()
	}
}

func (rf *Raft) hasRoomForSnapshotLocked(f *follower) bool {
	switch link := rf.options.link; {
	case link == LinkOrdered && !rf.hasRoomForHeartbeatLocked(f):
		return false
	case link > 0 && link.snapshots() > 1:
		return f.snapshots < link.snapshots()
	case link > 0 && f.entries > 0: // if they are lost, so is a snapshot, which takes much longer to time out
		return false
	}
	c := f.installing
	return f.snapshots == 0 && (c == nil || time.Since(c.sentAt) >= rf.callTimeoutLocked(f, c))
}

// callTimeoutLocked is how long we wait for the answer to a call before we give it up, and a snapshot before it is sent again.
func (rf *Raft) callTimeoutLocked(f *follower, c *call) time.Duration {
	least := rf.minCallTimeout()
	if c == f.installing {
		least = snapshotHeartbeats * rf.options.heartbeat
	}
	return f.callTimeout(c, least)
}

func (rf *Raft) wakeReplicatorsLocked() {
	for _, f := range rf.followers {
		if f != nil && rf.hasWorkLocked(f) {
			rf.wakeReplicatorLocked(f)
		}
	}
}

// wakeReplicatorLocked has a replicator send what there is for the follower: one that waits, or a new one if each has a call
// under way.
func (rf *Raft) wakeReplicatorLocked(f *follower) {
	if f.waiting {
		f.work.Signal()
	} else {
		go rf.replicator(f)
	}
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
		f.nextIndex = f.firstUnsent(max(f.nextIndex, c.last+1))
	}
	f.add(c)
	if c.isHeartbeat() { // anything else may take its time, and counts when it is answered
		f.heartbeatDue, f.heartbeatSent = false, c.sentAt
	}
	f.commitDue, f.commitSent = false, min(rf.commitIndex, c.last) // it takes no more for committed than it has
	rf.wakeTickerAtLocked(c.sentAt.Add(rf.minCallTimeout()))
}

// appendEntriesLocked makes c an AppendEntries, if more than a heartbeat with what comes from nextIndex on and is not on its
// way: all of it as one batch, as far as it fits.
func (rf *Raft) appendEntriesLocked(f *follower, c *call, more bool) {
	prev := max(f.nextIndex-1, rf.log.base)
	if more {
		c.entries = rf.log.appendTo(c.entries, f.nextIndex, min(rf.options.entries, f.gap(f.nextIndex)), maxBatch)
		c.bytes = c.entries.size()
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
