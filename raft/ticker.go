//go:build go1.25

package raft

import (
	"math/rand"
	"time"
)

// ticker starts elections and, on a leader, tells the replicators when heartbeats are due. It is a goroutine that sleeps
// until tick is due again. wakeTickerAtLocked wakes it earlier; Kill ends it.
func (rf *Raft) ticker() {
	defer rf.observePanic()
	timer := time.NewTimer(rf.tick())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-rf.wakeTicker:
		case <-rf.done:
			return
		}
		if rf.options.onTickerWake != nil {
			rf.options.onTickerWake()
		}
		timer.Reset(rf.tick())
	}
}

// tick does what is due and returns how long the ticker may sleep. "If election timeout elapses without receiving
// AppendEntries RPC from current leader or granting vote to candidate: convert to candidate" (Figure 2, Followers). "If
// election timeout elapses: start new election" (Candidates).
func (rf *Raft) tick() time.Duration {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	now := time.Now()
	switch {
	case rf.killed:
		return time.Hour // the ticker ends
	case rf.role != Leader && rf.electionTimer.expired(now):
		rf.startElectionLocked()
	}
	if rf.role == Leader {
		rf.nextTick = rf.heartbeatDutyLocked(now)
	} else {
		rf.nextTick = rf.electionTimer.next()
	}
	return time.Until(rf.nextTick)
}

// wakeTickerAtLocked makes the ticker run at time t, or earlier.
func (rf *Raft) wakeTickerAtLocked(t time.Time) {
	if t.Before(rf.nextTick) {
		rf.nextTick = t
		select {
		case rf.wakeTicker <- struct{}{}:
		default:
		}
	}
}

// resetElectionTimerLocked starts a new election timeout (§5.2) of a server that hears from others. The timeout doubles
// after two failed elections in a row, and again after the third. A network that loses or delays most messages needs more
// time for the replies, and in a minority partition no election can succeed.
func (rf *Raft) resetElectionTimerLocked() { rf.drawTimeoutLocked(rf.electionsStarted - 2) }

// drawTimeoutLocked sets the election timer. "Election timeouts are chosen randomly from a fixed interval" (§5.2). The
// timeout is doubled the given number of times, but at most twice.
func (rf *Raft) drawTimeoutLocked(doublings int) {
	o := &rf.options
	timeout := o.timeoutMin + time.Duration(rand.Int63n(int64(o.timeoutMax-o.timeoutMin)+1))
	rf.electionTimer.start(time.Now().Add(timeout<<max(0, min(doublings, 2))), timeout)
	rf.wakeTickerAtLocked(rf.electionTimer.next())
}
