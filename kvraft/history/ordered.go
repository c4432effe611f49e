package history

import "math"

// This check takes linear time. It needs to know the order of the writes to a key. State k is the key's value after the k-th
// write, and state 0 the one before. Write k happens at some moment c(k) between its call and its return, and c never falls.
// An operation that saw state k happened between c(k) and c(k+1). So each operation only says that some c are at least the
// time of its call, or at most the time of its return. The smallest c that obey the lower bounds are found by one pass. If one
// of them exceeds an upper bound, so does every other choice.

// An order holds the bounds of c(1), c(2), …: low[k] ≤ c(k) ≤ high[k]. Index 0 is not used.
type order struct {
	low, high []int64
}

// newOrder returns an order of n writes without bounds.
func newOrder(n int) *order {
	o := &order{make([]int64, n+2), make([]int64, n+2)}
	for k := range o.high {
		o.high[k] = math.MaxInt64
	}
	return o
}

// n is the number of writes.
func (o *order) n() int { return len(o.low) - 2 }

// wrote says that op was write k.
func (o *order) wrote(k int, op *Operation) {
	o.after(k, op.Call)
	o.before(k, op.Return)
}

// saw says that op saw state k.
func (o *order) saw(k int, op *Operation) {
	o.before(k, op.Return)
	o.after(k+1, op.Call)
}

func (o *order) after(k int, t int64)  { o.low[k] = max(o.low[k], t) }
func (o *order) before(k int, t int64) { o.high[k] = min(o.high[k], t) }

// earliest returns the smallest possible moments of the writes; the one after the last write is when a further write could
// have happened. It reports false if there are none.
func (o *order) earliest() (c []int64, ok bool) {
	c = make([]int64, len(o.low))
	for k := 1; k < len(c); k++ {
		if c[k] = max(c[k-1], o.low[k]); k <= o.n() && c[k] > o.high[k] {
			return nil, false
		}
	}
	return c, true
}
