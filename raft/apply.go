//go:build go1.25

package raft

import "math"

// maxApply is the most entries that the applier takes from the log at once.
const maxApply = 1024

// applier sends committed commands on applyCh, in log order: "if commitIndex > lastApplied: increment lastApplied, apply
// log[lastApplied] to state machine" (Figure 2, §5.3). It also sends snapshots and events. It is the only goroutine that
// sends on applyCh or closes it. commitLocked and events wake it; Kill ends it, even if applyCh is never read.
func (rf *Raft) applier() {
	defer rf.observePanic()
	defer close(rf.applierDone)
	if rf.options.closeOnKill {
		defer close(rf.applyCh)
	}
	d := decoder{definitions: &rf.definitions, streams: make(map[uint64]*stream)}
	var todo toApply
	for rf.waitToApply(&todo) {
		if !rf.apply(&d, &todo) {
			return
		}
	}
}

// A toApply is what the applier sends before it takes the lock again: events, then either a snapshot or entries.
type toApply struct {
	events   []Event
	snapshot snapshot // index 0 if none
	entries  batch
	commands []any // of the entries; nil for each that must be decoded
	last     int   // lastApplied once all is sent
}

// waitToApply records that the previous t was sent, waits until there is more to send, and puts that into t. It reports
// false after Kill.
func (rf *Raft) waitToApply(t *toApply) bool {
	rf.mu.Lock()
	defer rf.mu.Unlock()
	rf.appliedLocked(t)
	for !rf.killed && !rf.hasToApplyLocked() {
		rf.applyCond.Wait()
	}
	rf.takeToApplyLocked(t)
	return !rf.killed
}

// hasToApplyLocked reports whether there is something to send on applyCh.
func (rf *Raft) hasToApplyLocked() bool {
	return rf.commitIndex > rf.lastApplied || len(rf.events.waiting) > 0
}

// appliedLocked raises lastApplied after t was sent, and empties t.
func (rf *Raft) appliedLocked(t *toApply) {
	rf.lastApplied = max(rf.lastApplied, t.last)
	clear(t.entries)
	clear(t.commands)
	t.snapshot, t.entries, t.commands = snapshot{}, t.entries[:0], t.commands[:0]
}

// takeToApplyLocked puts into t what to send next. A snapshot that covers unsent entries takes their place (§7). The log
// never writes again to memory that t shares with it.
func (rf *Raft) takeToApplyLocked(t *toApply) {
	var limit int
	t.events, limit = rf.events.due(t.events[:0], rf.lastApplied, rf.commitIndex)
	if rf.snapshot.index > rf.lastApplied {
		t.snapshot, t.last = rf.snapshot, rf.snapshot.index
		return
	}
	t.last = min(limit, rf.lastApplied+maxApply)
	t.entries = rf.log.appendTo(t.entries, rf.lastApplied+1, t.last-rf.lastApplied, math.MaxInt)
	t.commands = rf.log.accepted.take(t.commands, rf.lastApplied+1, t.last)
}

// apply sends t on applyCh, without holding the lock. It reports false after Kill.
func (rf *Raft) apply(d *decoder, t *toApply) bool {
	for _, e := range t.events {
		if !rf.send(newEventMsg(e)) {
			return false
		}
	}
	if t.snapshot.index > 0 {
		rf.tellApplied(t.snapshot.index, nil)
		return rf.send(newSnapshotMsg(&t.snapshot))
	}
	commands := t.commands
	for _, s := range t.entries {
		if !rf.applySegment(d, &s, commands) {
			return false
		}
		commands = commands[s.length():]
	}
	return true
}

// applySegment sends the commands of s, the first of which is commands[0]. It decodes those that are nil there, and panics
// if one cannot be decoded. It reports false after Kill.
func (rf *Raft) applySegment(d *decoder, s *segment, commands []any) bool {
	for k := range s.ends {
		index, command := s.first+k, commands[k]
		if command == nil {
			var err error
			if command, err = d.decode(s.at(k).data); err != nil {
				panic(rf.undecodable(index, s.at(k).data, err))
			}
		}
		command = rf.fillRaftState(command, index)
		rf.tellApplied(index, command)
		if !rf.send(newCommandMsg(command, index, s.term(k))) {
			return false
		}
	}
	return true
}

// send sends m on applyCh. After Kill it sends nothing and reports false.
func (rf *Raft) send(m ApplyMsg) bool {
	select {
	case <-rf.done:
		return false
	default:
	}
	rf.observeApply(&m)
	select {
	case rf.applyCh <- m: // much cheaper than a select with two channels
		return true
	default:
	}
	select {
	case rf.applyCh <- m:
		return true
	case <-rf.done:
		return false
	}
}

// backlogLocked returns how many entries are committed but not yet applied, and the bytes of those that the log still has.
func (rf *Raft) backlogLocked() (entries, bytes int) {
	return rf.commitIndex - rf.lastApplied, rf.log.size(max(rf.lastApplied, rf.log.base)+1, rf.commitIndex)
}

// backlogFullLocked reports whether the backlog exceeds WithMaxBacklog, so that a follower accepts no entries. Once it does,
// that lasts until the backlog has shrunk to half of the bound.
func (rf *Raft) backlogFullLocked() bool {
	most := rf.options.maxBacklog
	if rf.backlogFull {
		most /= 2
	}
	// The backlog is part of the log, and measuring the log is cheaper.
	if rf.backlogFull = rf.log.end.at-rf.log.start.at > most; rf.backlogFull {
		_, bytes := rf.backlogLocked()
		rf.backlogFull = bytes > most
	}
	return rf.backlogFull
}
