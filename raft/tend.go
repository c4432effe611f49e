//go:build go1.25

package raft

import "time"

// tendFollowersLocked is the ticker's duty on a leader: it sees to it that each follower hears from us in time and
// that a call that hangs holds nothing up. It returns when it wants to be called again.
func (rf *Raft) tendFollowersLocked(now time.Time) time.Time {
	next := now.Add(rf.options.heartbeat)
	if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {
		if rf.silence.certain(now) {
			rf.resignLocked()
			return rf.silence.next()
		}
		next = rf.silence.next()
	} else {
		rf.silence.begin(now, rf.options.timeoutMin)
	}
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
	late := rf.giveUpLocked(f, now)
	f.due = f.due || now.Sub(f.beatSent) >= rf.options.heartbeat
	f.tell = f.tell || tell
	if rf.hasWorkLocked(f) {
		rf.rouseLocked(f)
	}
	if f.due { // it goes out now, or waits for room
		return earlier(late, now.Add(rf.patience()))
	}
	return earlier(late, f.beatSent.Add(rf.options.heartbeat))
}

// giveUpLocked gives up the calls that have taken too long. It returns when the next one will have.
func (rf *Raft) giveUpLocked(f *follower, now time.Time) (next time.Time) {
	next = now.Add(rf.options.heartbeat)
	if free := rf.freeLocked(f); rf.options.link == LinkOrdered && now.Before(free) {
		next = earlier(next, free)
	}
	for k := 0; k < len(f.calls); {
		c := f.calls[k]
		if late := c.sentAt.Add(rf.patienceWith(f, c)); now.Before(late) {
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

// patience is how long we wait at least for an answer to a message before we give it up.
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
