package engine

import "sync"

// A queue passes values from any number of goroutines to one. It never blocks its writers, so it is only for values whose
// number something else bounds.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	wake  chan struct{} // holds a value if there may be items
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

// put appends items and wakes the reader.
func (q *queue[T]) put(items ...T) {
	if len(items) == 0 {
		return
	}
	q.leave(items...)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// leave appends items that may wait until the next put: it does not wake the reader.
func (q *queue[T]) leave(items ...T) {
	q.mu.Lock()
	q.items = append(q.items, items...)
	q.mu.Unlock()
}

// take returns all items, in order, and leaves the queue empty.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}
