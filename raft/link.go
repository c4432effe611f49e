//go:build go1.25

package raft

import "time"

const (
	// maxBatch bounds the records of one AppendEntries, in bytes, so that the whole message fits into 256 KB.
	maxBatch = 255 << 10
	// maxEntries bounds the entries of one AppendEntries. The receiver appends them under its lock, which delays heartbeats.
	maxEntries = 8192
	// After maxFailures consecutive failures a peer counts as unreachable, and gets only heartbeats until it replies.
	maxFailures = 2
	// A leader steps down after quorumHeartbeats heartbeat intervals without replies from a majority. The lab expects a
	// leader without a majority to keep the role for more than a second (TestLeaderPartition4A of 2025).
	quorumHeartbeats = 20
	// snapshotHeartbeats is how long, in heartbeat intervals, an InstallSnapshot may take at least before it is sent again.
	snapshotHeartbeats = 5
	// While maxBytesInFlight bytes of entries and snapshots are in flight to a follower, no further ones are sent. It also
	// bounds the entries in a follower's reorder buffer, in bytes.
	maxBytesInFlight = 16 << 20
)

// replicator sends entries, snapshots and heartbeats to one follower (§5.3). It is a goroutine that waits for work, sends
// one message at a time and handles the reply. wakeReplicatorLocked wakes it; Kill ends it. While its call is in flight,
// wakeReplicatorLocked may start another replicator for the same follower, as far as WithLink allows. A replicator that
// finds another one waiting ends.
func (rf *Raft) replicator(f *follower) {
	defer rf.observePanic()
	rf.mu.Lock()
	defer rf.mu.Unlock()
	var c call
	for rf.waitForWorkUnlocked(f) {
		if rf.gatherReadsUnlocked(f); !rf.hasWorkLocked(f) {
			continue
		}
		rf.nextCallLocked(f, &c)
		if rf.hasWorkLocked(f) {
			rf.wakeReplicatorLocked(f)
		}
		rf.onCallReturnLocked(f, &c, rf.callUnlocked(f, &c))
		c.clear()
	}
}

// onCallReturnLocked handles the return of a call; reply is nil if no reply came. It ignores calls of earlier terms.
func (rf *Raft) onCallReturnLocked(f *follower, c *call, reply Reply) {
	if !rf.killed && rf.role == Leader && rf.currentTerm == c.term() {
		rf.onReplyLocked(f, c, reply)
	}
}

// waitForWorkUnlocked waits until there is a message to send to f. It reports false if the replicator must end.
func (rf *Raft) waitForWorkUnlocked(f *follower) bool {
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

// hasWorkLocked reports whether a message should be sent to f now: a heartbeat that is due or that a read needs or, if the
// link has room, a new commitIndex, lost entries or new ones. "If last log index ≥ nextIndex for a follower: send
// AppendEntries RPC with log entries starting at nextIndex" (Figure 2, Leaders).
func (rf *Raft) hasWorkLocked(f *follower) bool {
	switch {
	case rf.role != Leader:
		return false
	case f.heartbeatDue, rf.roundDueLocked(f):
		return rf.hasRoomForHeartbeatLocked(f)
	case !rf.hasRoomForDataLocked(f):
		return false
	}
	last := rf.log.lastIndex()
	return f.nextIndex <= last || f.commitDue && f.missingIndex == 0 && f.commitSent < rf.commitIndex ||
		f.failures > 0 && len(f.calls) == 0 && f.matchIndex < last
}

// hasRoomForHeartbeatLocked reports whether the link allows a heartbeat now.
func (rf *Raft) hasRoomForHeartbeatLocked(f *follower) bool {
	return rf.options.link != LinkOrdered || !time.Now().Before(rf.linkFreeAtLocked(f))
}

// linkFreeAtLocked returns the time from which an ordered link allows a message after the last one in flight.
func (rf *Raft) linkFreeAtLocked(f *follower) time.Time {
	if n := len(f.calls); n > 0 {
		return f.calls[n-1].sentAt.Add(rf.minCallTimeout())
	}
	return time.Time{}
}

// hasRoomForDataLocked reports whether the link and the follower can take a message with data now: the entries from
// nextIndex on, or the snapshot if the log no longer has the entry at nextIndex.
func (rf *Raft) hasRoomForDataLocked(f *follower) bool {
	switch link := rf.options.link; {
	case f.failures >= maxFailures || f.backlogFull, f.probing && f.entries+f.snapshots > 0, f.bytes >= maxBytesInFlight:
		return false
	case f.nextIndex <= rf.log.base:
		return rf.hasRoomForSnapshotLocked(f)
	case link == LinkOrdered:
		return f.entries+f.snapshots == 0 && rf.hasRoomForHeartbeatLocked(f)
	case !f.hasAnswered && link > 0: // its log is unknown: entries may fail the consistency check
		return len(f.calls) < link.entries()
	default:
		return f.snapshots == 0 && f.entries < link.maxInFlight()
	}
}

// hasRoomForSnapshotLocked reports whether the link allows an InstallSnapshot now.
func (rf *Raft) hasRoomForSnapshotLocked(f *follower) bool {
	switch link := rf.options.link; {
	case link == LinkOrdered && !rf.hasRoomForHeartbeatLocked(f):
		return false
	case link > 0 && link.snapshots() > 1:
		return f.snapshots < link.snapshots()
	case link > 0 && f.entries > 0: // if they are lost, a snapshot may be too, and takes much longer to time out
		return false
	}
	c := f.snapshotCall
	return f.snapshots == 0 && (c == nil || time.Since(c.sentAt) >= rf.callTimeoutLocked(f, c))
}

// callTimeoutLocked returns how long c may take before it times out. A snapshot is not sent again before that.
func (rf *Raft) callTimeoutLocked(f *follower, c *call) time.Duration {
	least := rf.minCallTimeout()
	if c == f.snapshotCall {
		least = snapshotHeartbeats * rf.options.heartbeat
	}
	return f.callTimeout(c, least)
}

// wakeReplicatorsLocked wakes a replicator for each follower that a message should be sent to.
func (rf *Raft) wakeReplicatorsLocked() {
	for _, f := range rf.followers {
		if f != nil && rf.hasWorkLocked(f) {
			rf.wakeReplicatorLocked(f)
		}
	}
}

// wakeReplicatorLocked wakes the waiting replicator of f, or starts a new one if the others all have calls in flight.
func (rf *Raft) wakeReplicatorLocked(f *follower) {
	if f.waiting {
		f.work.Signal()
	} else {
		go rf.replicator(f)
	}
}

// nextCallLocked makes c the next message to f, and records that it is in flight. nextIndex advances at once, unless the
// leader is still looking for where the logs agree; onReplyLocked moves it back if the message is lost. If the log no longer
// has the entry at nextIndex, the message is an InstallSnapshot (§7).
func (rf *Raft) nextCallLocked(f *follower, c *call) {
	withData := rf.hasRoomForDataLocked(f)
	if withData && f.nextIndex <= rf.log.base {
		rf.makeInstallSnapshotLocked(c)
		if f.failures == 0 { // otherwise this one may be lost too: do not wait for it
			f.snapshotCall = c
		}
	} else {
		rf.makeAppendEntriesLocked(f, c, withData)
	}
	rf.reads.sent++
	c.first, c.match, c.number, c.sentAt = f.nextIndex, f.matchIndex, rf.reads.sent, time.Now()
	if !f.probing {
		f.nextIndex = f.firstUnsent(max(f.nextIndex, c.last+1))
	}
	f.add(c)
	if c.isHeartbeat() { // anything larger may take longer: it counts when its reply comes
		f.heartbeatDue, f.heartbeatSentAt = false, c.sentAt
	}
	f.commitDue, f.commitSent = false, min(rf.commitIndex, c.last) // a follower commits no more than it has
	rf.wakeTickerAtLocked(c.sentAt.Add(rf.minCallTimeout()))
}

// makeAppendEntriesLocked makes c an AppendEntries, on the leader (§5.3); takeAppendEntriesLocked is the follower's side.
// withData adds the "log entries starting at nextIndex" (Figure 2), up to the next one in flight, as one batch of at most
// maxEntries entries and maxBatch bytes. Without entries c is a heartbeat.
func (rf *Raft) makeAppendEntriesLocked(f *follower, c *call, withData bool) {
	prev := max(f.nextIndex-1, rf.log.base)
	if withData {
		c.entries = rf.log.appendTo(c.entries, f.nextIndex, min(rf.options.maxEntries, f.countUnsent(f.nextIndex)), maxBatch)
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

// callUnlocked sends c and returns the reply, nil if no reply came. It releases mu meanwhile.
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
