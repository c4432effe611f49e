//go:build go1.25

package raft

import "math"

// An Observer is told what one server does (WithObserver). Its methods take builtin types only, so an observer need not
// import this package. They are called one at a time, in the order in which things happen: all but Applied with the
// server's lock held. They must return soon and must not call the server. The applier's goroutine calls Applied, possibly
// while another method runs.
//
// When the server starts, Make tells what the server has restored: State, then Snapshot, Log and Commit unless there is
// none. A change is told before it is saved, so Saved follows what the save holds.
type Observer interface {
	// State tells the term, the role ("follower", "candidate" or "leader"), the server known to lead in that term and the
	// server that got this one's vote in it; each of these two is -1 if there is none. It follows each change, and may
	// repeat what it told before.
	State(term int, role string, leader, votedFor int)

	// Commit tells a higher commitIndex.
	Commit(index int)

	// Log tells that the log has entries of these terms from index first on, and nothing after them. The entries before
	// first have not changed. command returns the command of the entry with index first+k, or an error if it cannot be
	// decoded; any goroutine may call it, also later. The observer may keep terms.
	Log(first int, terms []int, command func(k int) any)

	// Saved tells that the server has saved its state: the term, the vote or -1, the index of the last entry, the index up
	// to which the snapshot reaches, and the size of the Raft state in bytes, without the snapshot.
	Saved(term, votedFor, lastIndex, snapshotIndex, size int)

	// Snapshot tells that a snapshot now stands for the entries up to index, the last of which is of this term. received
	// reports whether a leader has sent it; otherwise it is from the service or was restored. The entries after index stay,
	// unless a call of Log follows at once.
	Snapshot(index, term int, received bool)

	// Applied tells that the server is about to send the command at index on applyCh, or a snapshot up to index: then
	// command is nil.
	Applied(index int, command any)
}

// WithObserver makes the server tell o what it does. By default it tells nobody, which costs a nil check at each place. The
// option changes nothing that the server does.
func WithObserver(o Observer) Option {
	return func(options *options) { options.told = o }
}

// tellStartLocked tells what the server has restored.
func (rf *Raft) tellStartLocked() {
	if rf.options.told == nil {
		return
	}
	rf.tellStateLocked()
	if rf.snapshot.index > 0 {
		rf.options.told.Snapshot(rf.snapshot.index, rf.snapshot.term, false)
	}
	if first := rf.snapshot.index + 1; first <= rf.log.lastIndex() {
		rf.tellLogLocked(first)
	}
	if rf.commitIndex > 0 {
		rf.tellCommitLocked()
	}
}

func (rf *Raft) tellStateLocked() {
	if o := rf.options.told; o != nil {
		o.State(rf.currentTerm, rf.role.String(), rf.leader, rf.votedFor)
	}
}

func (rf *Raft) tellCommitLocked() {
	if o := rf.options.told; o != nil {
		o.Commit(rf.commitIndex)
	}
}

// tellLogLocked tells of the entries from first on, which are new. The log never writes again to memory that the observer
// can reach.
func (rf *Raft) tellLogLocked(first int) {
	o := rf.options.told
	if o == nil {
		return
	}
	entries := rf.log.appendTo(nil, first, math.MaxInt, math.MaxInt)
	types := new(definitions) // a copy, so that command does not keep the server from the garbage collector
	types.byKey.Store(rf.definitions.byKey.Load())
	terms := make([]int, 0, entries.length())
	for i := range entries {
		for k := range entries[i].ends {
			terms = append(terms, entries[i].term(k))
		}
	}
	o.Log(first, terms, func(k int) any {
		i := 0
		for k >= entries[i].length() {
			k -= entries[i].length()
			i++
		}
		return decodeOnce(types, entries[i].at(k).data)
	})
}

// decodeOnce returns a command, or an error if it cannot be decoded.
func decodeOnce(types *definitions, data []byte) any {
	d := decoder{definitions: types}
	if _, ok := definitionKey(data); ok {
		d.streams = make(map[uint64]*stream, 1)
	}
	command, err := d.decode(data)
	if err != nil {
		return err
	}
	return command
}

// tellSnapshotLocked tells of a new snapshot. If the log ends where a received one does, entries that conflicted with it may
// be gone (takeSnapshotLocked).
func (rf *Raft) tellSnapshotLocked(received bool) {
	o, s := rf.options.told, &rf.snapshot
	if o == nil {
		return
	}
	o.Snapshot(s.index, s.term, received)
	if received && rf.log.lastIndex() == s.index {
		rf.tellLogLocked(s.index + 1)
	}
}

func (rf *Raft) tellSavedLocked() {
	if o := rf.options.told; o != nil {
		size := headSize + rf.store.front + rf.log.end.at - rf.log.start.at
		o.Saved(rf.currentTerm, rf.votedFor, rf.log.lastIndex(), rf.snapshot.index, size)
	}
}

// tellApplied tells of a command, or with nil of a snapshot, that goes out next, unless the server was killed.
func (rf *Raft) tellApplied(index int, command any) {
	o := rf.options.told
	if o == nil {
		return
	}
	select {
	case <-rf.done:
	default:
		o.Applied(index, command)
	}
}
