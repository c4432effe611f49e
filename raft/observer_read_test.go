package raft

import "context"

// committedIndex returns the highest index that a leader has committed.
func (w *watch) committedIndex() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.committed) - 1
}

// readIndex calls ReadIndex on a server of the cluster, which may have crashed, and checks its result: the index is
// committed, and not below one that a leader had committed before the call. Any goroutine may call it.
func (w *watch) readIndex(ctx context.Context, rf *Raft) (index int, err error) {
	committed := w.committedIndex()
	index, err = rf.ReadIndex(ctx)
	if err != nil || !*watchFlag {
		return index, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch s := w.servers[rf.me]; {
	case index < committed:
		w.violated(s, readsAreRecent, s.term, index, "a read ends with this index, but leaders had committed up to %d when it began", committed)
	case index >= len(w.committed):
		w.violated(s, onlyCommitted, s.term, index, "a read ends with this index, but leaders have committed only up to %d", len(w.committed)-1)
	}
	return index, err
}
