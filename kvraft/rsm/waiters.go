package rsm

import (
	"math"
	"sync"
	"sync/atomic"

	"6.824/kvraft/rpc"
)

// waiters holds the calls of Submit that wait for a result, and those of Read that wait for a command to be carried out. A
// call of Submit waits from before its Start until its command has been carried out, or cannot be any more, or nobody can
// tell.
//
// The number of an operation identifies it: its command is in the log at most once. If this server carries out another
// command at the index that Start returned, the operation is lost. If the term that Start returned is over, it may be.
type waiters struct {
	n    atomic.Int64 // how many wait
	pool sync.Pool    // of *waiter; not shared with other RSMs, since a channel belongs to its synctest bubble

	mu      sync.Mutex
	closed  bool
	last    int64             // number of the last operation
	waiting map[int64]*waiter // by number
	reading []*waiter         // reads that wait for their index to be carried out
	applied int               // index of the last command carried out
	over    int               // this server does not lead in any term up to this one
}

// A waiter is a call of Submit. The fields are guarded by waiters.mu.
type waiter struct {
	number      int64
	index, term int          // what Start has returned; 0 until then
	outcome     chan outcome // of capacity 1
}

type outcome struct {
	err    rpc.Err
	result any
}

var maybe = outcome{err: rpc.ErrMaybe}

func (ws *waiters) init() {
	ws.waiting = make(map[int64]*waiter)
	ws.pool.New = func() any { return &waiter{outcome: make(chan outcome, 1)} }
}

// add adds a waiter for a new operation. It returns nil after close.
func (ws *waiters) add() *waiter {
	w := ws.pool.Get().(*waiter)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return nil
	}
	ws.last++
	w.number, w.index, w.term = ws.last, 0, 0
	ws.waiting[w.number] = w
	ws.n.Add(1)
	return w
}

// addRead adds a read that waits for the command at index. It returns nil if that has been carried out, as applied tells.
func (ws *waiters) addRead(index int, applied func() int) *waiter {
	w := ws.pool.Get().(*waiter)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.n.Add(1) // before applied: the reader looks at n after it has raised that
	if applied() >= index {
		ws.n.Add(-1)
		return nil
	}
	w.number, w.index, w.term = 0, index, 0
	if ws.closed {
		ws.n.Add(-1)
		w.outcome <- maybe
		return w
	}
	ws.reading = append(ws.reading, w)
	return w
}

// wakeReadsLocked ends the waiting of the reads up to index.
func (ws *waiters) wakeReadsLocked(index int, o outcome) {
	kept := ws.reading[:0]
	for _, w := range ws.reading {
		if w.index > index {
			kept = append(kept, w)
			continue
		}
		ws.n.Add(-1)
		w.outcome <- o
	}
	clear(ws.reading[len(kept):])
	ws.reading = kept
}

// withdraw removes a waiter whose operation Raft has not accepted.
func (ws *waiters) withdraw(w *waiter) {
	ws.mu.Lock()
	settled := ws.waiting[w.number] != w
	if !settled {
		ws.removeLocked(w)
	}
	ws.mu.Unlock()
	if settled { // by close
		<-w.outcome
	}
	ws.pool.Put(w)
}

// started records what Start has returned. The command may have been carried out already. If the reader has passed
// its index or heard that its term is over, it will not tell this waiter.
func (ws *waiters) started(w *waiter, index, term int) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.waiting[w.number] != w {
		return
	}
	w.index, w.term = index, term
	if index <= ws.applied || term <= ws.over {
		ws.settleLocked(w, maybe)
	}
}

// wait waits for the outcome of w, which must not be used afterwards.
func (ws *waiters) wait(w *waiter) outcome {
	o := <-w.outcome
	ws.pool.Put(w)
	return o
}

// carriedOut tells the waiter of an operation that it was carried out. Number is 0 if the command at index comes from
// another server. A waiter for another operation at this index learns that its operation is lost.
func (ws *waiters) carriedOut(index int, number int64, result any) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.applied = index
	ws.wakeReadsLocked(index, outcome{err: rpc.OK})
	if w := ws.waiting[number]; w != nil {
		ws.settleLocked(w, outcome{rpc.OK, result})
		return
	}
	for _, w := range ws.waiting {
		if w.index == index {
			ws.settleLocked(w, outcome{err: rpc.ErrWrongLeader})
		}
	}
}

// covered tells the waiters up to index that a snapshot stands for the commands there, so that nobody will see them.
func (ws *waiters) covered(index int) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.applied = index
	ws.wakeReadsLocked(index, outcome{err: rpc.OK})
	for _, w := range ws.waiting {
		if 0 < w.index && w.index <= index {
			ws.settleLocked(w, maybe)
		}
	}
}

// termOver tells the waiters that this server no longer leads in any term up to this one.
func (ws *waiters) termOver(term int) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.over = max(ws.over, term)
	for _, w := range ws.waiting {
		if 0 < w.term && w.term <= term {
			ws.settleLocked(w, maybe)
		}
	}
}

// close ends all waiting, now and later.
func (ws *waiters) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.closed = true
	ws.wakeReadsLocked(math.MaxInt, maybe)
	for _, w := range ws.waiting {
		ws.settleLocked(w, maybe)
	}
}

func (ws *waiters) settleLocked(w *waiter, o outcome) {
	ws.removeLocked(w)
	w.outcome <- o
}

func (ws *waiters) removeLocked(w *waiter) {
	delete(ws.waiting, w.number)
	ws.n.Add(-1)
}

// accepted returns the waiters whose Start has returned.
func (ws *waiters) accepted() []started {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var all []started
	for number, w := range ws.waiting {
		if w.term > 0 {
			all = append(all, started{number, w.term})
		}
	}
	return all
}

// A started is an operation that Raft has accepted in a term.
type started struct {
	number int64
	term   int
}

// giveUp tells the waiters of the operations that this server has lost its leadership.
func (ws *waiters) giveUp(lost []started) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, s := range lost {
		if w := ws.waiting[s.number]; w != nil {
			ws.settleLocked(w, maybe)
		}
	}
}
