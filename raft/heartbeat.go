//go:build go1.25

package raft

import "time"

// heartbeatDutyLocked is the ticker's duty on a leader: it sees to it that each follower hears from us in time and
// that a call that hangs holds nothing up. It returns when it wants to be called again.
func (rf *Raft) heartbeatDutyLocked(now time.Time) time.Time {
	next := now.Add(rf.options.heartbeat)
	if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {
		if rf.silence.expired(now) {
			rf.stepDownLocked()
			return rf.silence.next()
		}
		next = rf.silence.next()
	} else {
		rf.silence.begin(now, rf.options.timeoutMin)
	}
	tell := !rf.commitNotice.IsZero() && !now.Before(rf.commitNotice)
	if tell {
		rf.commitNotice = time.Time{}
	} else if !rf.commitNotice.IsZero() {
		next = earlier(next, rf.commitNotice)
	}
	for _, f := range rf.followers {
		if f != nil {
			next = earlier(next, rf.followerDutyLocked(f, now, tell))
		}
	}
	return next
}

// hasQuorumLocked reports whether a majority, ourselves included, has answered lately.
func (rf *Raft) hasQuorumLocked(now time.Time, lately time.Duration) bool {
	n := 1
	for _, f := range rf.followers {
		if f != nil && now.Sub(f.lastAnswer) < lately {
			n++
		}
	}
	return rf.isMajority(n)
}

func (rf *Raft) followerDutyLocked(f *follower, now time.Time, tell bool) time.Time {
	late := rf.giveUpLocked(f, now)
	f.heartbeatDue = f.heartbeatDue || now.Sub(f.heartbeatSent) >= rf.options.heartbeat
	f.commitDue = f.commitDue || tell
	if rf.hasWorkLocked(f) {
		rf.wakeReplicatorLocked(f)
	}
	if f.heartbeatDue { // it goes out now, or waits for room
		return earlier(late, now.Add(rf.minCallTimeout()))
	}
	return earlier(late, f.heartbeatSent.Add(rf.options.heartbeat))
}

// giveUpLocked gives up the calls that have taken too long. It returns when the next one will have.
func (rf *Raft) giveUpLocked(f *follower, now time.Time) (next time.Time) {
	next = now.Add(rf.options.heartbeat)
	if free := rf.freeLocked(f); rf.options.link == LinkOrdered && now.Before(free) {
		next = earlier(next, free)
	}
	for k := 0; k < len(f.calls); {
		c := f.calls[k]
		if late := c.sentAt.Add(rf.callTimeoutLocked(f, c)); now.Before(late) {
			next = earlier(next, late)
			k++
			continue
		}
		f.forget(c)
		f.failures++
	}
	if f.failures >= maxFailures {
		f.giveUp()
	}
	return next
}

// minCallTimeout is how long we wait at least for an answer to a message before we give it up.
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
