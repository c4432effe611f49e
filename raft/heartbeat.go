//go:build go1.25

package raft

import "time"

// heartbeatDutyLocked is the ticker's work on a leader. It makes the replicators send heartbeats, "repeat during idle
// periods to prevent election timeouts" (Figure 2, §5.2), and a new commitIndex that has waited long enough. It times out
// calls. It steps down if no majority has replied for a while (§6.2 of Ongaro's dissertation). It returns the time at which
// it must be called again.
func (rf *Raft) heartbeatDutyLocked(now time.Time) time.Time {
	next := now.Add(rf.options.heartbeat)
	if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {
		if rf.electionTimer.expired(now) {
			rf.stepDownLocked()
			return rf.electionTimer.next()
		}
		next = rf.electionTimer.next()
	} else {
		rf.electionTimer.start(now, rf.options.timeoutMin)
	}
	commitDue := !rf.commitNoticeAt.IsZero() && !now.Before(rf.commitNoticeAt)
	if commitDue {
		rf.commitNoticeAt = time.Time{}
	} else if !rf.commitNoticeAt.IsZero() {
		next = earlier(next, rf.commitNoticeAt)
	}
	for _, f := range rf.followers {
		if f != nil {
			next = earlier(next, rf.followerDutyLocked(f, now, commitDue))
		}
	}
	return next
}

// hasQuorumLocked reports whether a majority, this server included, has processed a message within the given time.
func (rf *Raft) hasQuorumLocked(now time.Time, within time.Duration) bool {
	n := 1
	for _, f := range rf.followers {
		if f != nil && now.Sub(f.lastAnswer) < within {
			n++
		}
	}
	return rf.isMajority(n)
}

// followerDutyLocked does the part of heartbeatDutyLocked for one follower. commitDue says that a new commitIndex must be
// announced.
func (rf *Raft) followerDutyLocked(f *follower, now time.Time, commitDue bool) time.Time {
	next := rf.timeOutCallsLocked(f, now)
	f.heartbeatDue = f.heartbeatDue || now.Sub(f.heartbeatSentAt) >= rf.options.heartbeat
	f.commitDue = f.commitDue || commitDue
	if rf.hasWorkLocked(f) {
		rf.wakeReplicatorLocked(f)
	}
	if f.heartbeatDue { // it is sent now, or as soon as the link allows
		return earlier(next, now.Add(rf.minCallTimeout()))
	}
	return earlier(next, f.heartbeatSentAt.Add(rf.options.heartbeat))
}

// timeOutCallsLocked removes the calls to f that have timed out, and counts them as failures. After maxFailures consecutive
// failures it removes all calls. It returns the time at which it must be called again: when the next call times out or an
// ordered link is free, at most one heartbeat interval from now.
func (rf *Raft) timeOutCallsLocked(f *follower, now time.Time) (next time.Time) {
	next = now.Add(rf.options.heartbeat)
	if free := rf.linkFreeAtLocked(f); rf.options.link == LinkOrdered && now.Before(free) {
		next = earlier(next, free)
	}
	for k := 0; k < len(f.calls); {
		c := f.calls[k]
		if deadline := c.sentAt.Add(rf.callTimeoutLocked(f, c)); now.Before(deadline) {
			next = earlier(next, deadline)
			k++
			continue
		}
		f.remove(c)
		f.failures++
	}
	if f.failures >= maxFailures {
		f.removeAll()
	}
	return next
}

// minCallTimeout returns the shortest time after which a call times out: half a heartbeat interval.
func (rf *Raft) minCallTimeout() time.Duration { return rf.options.heartbeat / 2 }

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
