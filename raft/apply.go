//go:build go1.25

package raft

import "math"

// maxApply bounds the entries that the applier takes at once.
const maxApply = 1024

// applier hands over to applyCh what is committed, in order (§5.3). It alone sends on applyCh and closes it.
// commitLocked wakes it; Kill ends it, whether or not anybody reads.
func (rf *Raft) applier() {
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

// toApply is a portion: events, then a snapshot or else the entries that end at index last. When they are handed over,
// the log is applied up to and including last.
type toApply struct {
	events   []Event
	snapshot snapshot
	entries  batch
	commands []any // of the entries; nil where it must be decoded
	last     int
}

// waitToApply notes that the last portion is applied and waits for the next. It reports whether the server still runs.
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

func (rf *Raft) hasToApplyLocked() bool {
	return rf.commitIndex > rf.lastApplied || len(rf.events.waiting) > 0
}

// appliedLocked notes that t is applied, and empties it.
func (rf *Raft) appliedLocked(t *toApply) {
	rf.lastApplied = max(rf.lastApplied, t.last)
	clear(t.entries)
	clear(t.commands)
	t.snapshot, t.entries, t.commands = snapshot{}, t.entries[:0], t.commands[:0]
}

// takeToApplyLocked makes t the next portion. Whatever happens to the log meanwhile, what t holds is never written again.
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

// apply hands over t. It reports whether the server still runs.
func (rf *Raft) apply(d *decoder, t *toApply) bool {
	for _, e := range t.events {
		if !rf.send(newEventMsg(e)) {
			return false
		}
	}
	if t.snapshot.index > 0 {
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

// applySegment hands over entries. Where it has no command, it is decoded.
func (rf *Raft) applySegment(d *decoder, s *segment, commands []any) bool {
	for k := range s.ends {
		index, command := s.first+k, commands[k]
		if command == nil {
			var err error
			if command, err = d.decode(s.at(k).data); err != nil {
				panic(rf.undecodable(index, s.at(k).data, err))
			}
		}
		if !rf.send(newCommandMsg(rf.fillRaftState(command, index), index, s.term(k))) {
			return false
		}
	}
	return true
}

// send sends a message on applyCh, and reports whether it did; after Kill nothing is sent.
func (rf *Raft) send(m ApplyMsg) bool {
	select {
	case <-rf.done:
		return false
	default:
	}
	rf.observeApply(&m)
	select {
	case rf.applyCh <- m: // much cheaper than what follows, where there is room or somebody waits
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

// backlogLocked returns how much is committed but not handed over.
func (rf *Raft) backlogLocked() (entries, bytes int) {
	return rf.commitIndex - rf.lastApplied, rf.log.size(max(rf.lastApplied, rf.log.base)+1, rf.commitIndex)
}

// fullLocked reports whether the service lags so far behind that a follower takes no further entries: see WithMaxBacklog.
func (rf *Raft) fullLocked() bool {
	most := rf.options.backlog
	if rf.full {
		most /= 2
	}
	if rf.full = rf.log.end.at-rf.log.start.at > most; rf.full {
		_, bytes := rf.backlogLocked()
		rf.full = bytes > most
	}
	return rf.full
}
