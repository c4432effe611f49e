//go:build go1.25

package raft

import (
	"runtime"
	"sync/atomic"
)

// A crowd tells whether callers come several at a time. If they do, the first of a group yields the processor, so that others
// join the group before the work begins that serves all of them. It costs a single caller nearly nothing.
type crowd struct {
	singles atomic.Int64 // how many groups in a row had a single member
}

const (
	// After maxSingles groups in a row with a single member, callers seem to come one at a time. In a crowd, too, every
	// second group or so has a single member.
	maxSingles = 8
	// After singlesBeforeGather such groups, one group waits for others to join, since callers that wait for the end of
	// their group may have come to take turns.
	singlesBeforeGather = 128
	// maxYields bounds how often gather yields.
	maxYields = 8
)

// count records that a group had n members.
func (c *crowd) count(n int) {
	switch n {
	case 0:
	case 1:
		c.singles.Add(1)
	default:
		c.singles.Store(0)
	}
}

// isExpected reports whether others will probably join a group. If retry, it also does so once after singlesBeforeGather
// groups with a single member.
func (c *crowd) isExpected(retry bool) bool {
	if retry && c.singles.Load() >= singlesBeforeGather {
		c.singles.Store(maxSingles - 1)
	}
	return c.singles.Load() < maxSingles
}

// gather yields as long as the group grows, which has the given number of members now.
func gather(members func() int) {
	for n, had, has := 0, 0, 1; n < maxYields && has > had; n++ {
		runtime.Gosched()
		had, has = has, members()
	}
}
