package history

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"6.824/kvraft/rpc"
)

// blame sets Culprit and Before.
func (e *Error) blame(ops []Operation, deadline time.Time) {
	e.Culprit = e.Service.culprit(ops, deadline)
	if e.Culprit != nil {
		e.Before = lastWrite(ops, e.Culprit)
	}
}

// culprit returns, of the refused history of a key, the operation with which it stops being linearizable: all that had returned
// before can be explained, and with this one no longer. Whatever follows cannot repair that, so a binary search finds it. A
// beginning that is not decided by the deadline counts as explained. Then the operation may come later than the first one
// that cannot be explained. culprit returns nil if no beginning is refused.
func (s Service) culprit(ops []Operation, deadline time.Time) *Operation {
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b Operation) int { return cmp.Compare(a.Return, b.Return) })
	n := sort.Search(len(ops), func(n int) bool { return s.decide(s.until(ops, n+1), deadline) == refused })
	if n == len(ops) {
		return nil
	}
	return &ops[n]
}

// until returns the history of a key at the moment when the first n of the operations have returned. ops are in the order of
// their returns. A write that has begun by then may happen later or never, and a Get has no result yet.
func (s Service) until(ops []Operation, n int) []Operation {
	now := ops[n-1].Return
	part := slices.Clone(ops[:n])
	for _, op := range ops[n:] {
		if op.Call > now || op.Kind == Get {
			continue
		}
		if op.Return = math.MaxInt64; s == Versions {
			op.Err = rpc.ErrMaybe
		}
		part = append(part, op)
	}
	return part
}

// decide uses the check in linear time, and porcupine if that does not know.
func (s Service) decide(ops []Operation, deadline time.Time) verdict {
	if v := s.ordered(ops); v != undecided {
		return v
	}
	v, _ := search(s.model(), ops, max(time.Until(deadline), time.Millisecond))
	return v
}

// lastWrite returns the last write that had returned when op began, or nil.
func lastWrite(ops []Operation, op *Operation) (last *Operation) {
	for k := range ops {
		if w := &ops[k]; w.Kind != Get && w.Return < op.Call && (last == nil || w.Return > last.Return) {
			last = w
		}
	}
	return last
}
