// Package traced has functions with arguments of all kinds.
package traced

import (
	"fmt"
	"sync/atomic"
	"time"
)

type voteArgs struct {
	Term      int
	Candidate int8
	Name      string
	Log       []entry
}

type entry struct {
	Term    int
	Command any
	Label   fmt.Stringer
}

var week = 7 * 24 * time.Hour

type voteReply struct {
	Term    int
	Granted bool
}

type server struct {
	me          int
	currentTerm int
	dead        atomic.Int32
	next        *server
	seen        map[string]int
}

//go:noinline
func (s *server) RequestVote(args *voteArgs, reply *voteReply) {
	s.grow()
	s.currentTerm = args.Term
	reply.Term, reply.Granted = args.Term, true
}

//go:noinline
func (s *server) grow() {
	s.seen = map[string]int{"a": 1, "b": 2}
	s.dead.Store(7)
}

type signal struct {
	one complex64
	two complex128
}

// dive calls itself n times.
//
//go:noinline
func dive(n int, z complex128, s signal) complex64 {
	if n == 0 {
		return s.one
	}
	return dive(n-1, z, s)
}

//go:noinline
func mixed(a int8, b bool, c float64, d uint16, e string) (x int, err error) {
	if b {
		panic("as the test wants")
	}
	return int(a) + int(d) + int(c), nil
}
