//go:build go1.25

package raft

import (
	"math/rand"
	"time"
)

// ticker starts elections and keeps a leader's messages going. It sleeps until the next of these duties; wake
// wakes it earlier, and Kill ends it.
func (rf *Raft) ticker() {
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

// tick does what is due and returns how long the ticker may sleep.
func (rf *Raft) tick() time.Duration {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	now := time.Now()
	switch {
	case rf.killed:
		return time.Hour // the ticker ends
	case rf.role != Leader && rf.silence.expired(now):
		rf.startElectionLocked()
	}
	if rf.role == Leader {
		rf.nextTick = rf.heartbeatDutyLocked(now)
	} else {
		rf.nextTick = rf.silence.next()
	}
	return time.Until(rf.nextTick)
}

// wakeTickerAtLocked makes sure that the ticker looks at its duties at t at the latest.
func (rf *Raft) wakeTickerAtLocked(t time.Time) {
	if t.Before(rf.nextTick) {
		rf.nextTick = t
		select {
		case rf.wakeTicker <- struct{}{}:
		default:
		}
	}
}

// postponeElectionLocked sets a new election timeout, that of a server which hears others. After two failed elections
// in a row it doubles, and once more after the next: on a network that loses or delays most messages there must be
// time for the answers, and in a minority partition elections are in vain.
func (rf *Raft) postponeElectionLocked() { rf.drawTimeoutLocked(rf.attempts - 2) }

// drawTimeoutLocked draws an election timeout (§5.2) that is doubled so many times, twice at most.
func (rf *Raft) drawTimeoutLocked(doublings int) {
	o := &rf.options
	timeout := o.timeoutMin + time.Duration(rand.Int63n(int64(o.timeoutMax-o.timeoutMin)+1))
	rf.silence.begin(time.Now().Add(timeout<<max(0, min(doublings, 2))), timeout)
	rf.wakeTickerAtLocked(rf.silence.next())
}
