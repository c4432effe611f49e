// Package seek finds the leader of a cluster, for the clients of a service. Both Clerks of this module use it.
package seek

import (
	"math/rand"
	"time"
)

// The back-off between rounds in which no server has answered as the leader. An election of this library takes 160 to 320
// ms.
const (
	minBackOff = 4 * time.Millisecond
	maxBackOff = 64 * time.Millisecond
)

// A Seeker remembers which server has led. It is not safe for concurrent use.
type Seeker struct {
	n      int // servers
	leader int
}

// New returns a Seeker for n servers.
func New(n int) *Seeker { return &Seeker{n: n} }

// Leader returns the server that has led last, or 0.
func (s *Seeker) Leader() int { return s.leader }

// Do calls try with one server after the other, until it reports true. It begins with the server for which it has done so
// last. When no server is left it waits before it begins again: for a random time around minBackOff at first, and up to
// maxBackOff later.
func (s *Seeker) Do(try func(server int) bool) {
	for backOff := minBackOff; ; backOff = min(2*backOff, maxBackOff) {
		for range s.n {
			if try(s.leader) {
				return
			}
			s.leader = (s.leader + 1) % s.n
		}
		time.Sleep(backOff/2 + time.Duration(rand.Int63n(int64(backOff))))
	}
}
