package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// epoch is where the guest's wall clock starts, the same as in a testing/synctest bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

const (
	maxStep   = 4 * time.Microsecond // the longest time that a clock reading takes, except for a stall
	maxStall  = time.Millisecond     // the longest stall, as if the thread had lost its core
	stallOdds = 256                  // on average, one clock reading in this many is a stall
)

// host answers the host calls of one guest from a seed. Only the guest's goroutine may call its methods, except for status.
type host struct {
	now      atomic.Int64 // virtual nanoseconds since the start
	readings atomic.Int64 // of a clock, and sleeps
	steps    *rand.Rand
	random   *rand.ChaCha8
	preempt  *preempter
	trace    *tracer   // or nil
	pictures *pictures // or nil
	output   io.Writer
	sum      hash.Hash
	events   *bufio.Writer // writes to sum
	record   [17]byte
}

// Each use of randomness has its own stream, so that one use does not change the values of another.
const (
	streamSteps = iota + 1
	streamRandom
	streamPreempt
)

func newHost(seed uint64, output io.Writer) *host {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	key[8] = streamRandom
	sum := sha256.New()
	return &host{
		steps:   rand.New(rand.NewPCG(seed, streamSteps)),
		random:  rand.NewChaCha8(key),
		preempt: newPreempter(rand.New(rand.NewPCG(seed, streamPreempt))),
		output:  output,
		sum:     sum,
		events:  bufio.NewWriter(sum),
	}
}

// walltime is the guest's clock_time_get for the real-time clock.
func (h *host) walltime() (sec int64, nsec int32) {
	t := epoch + h.read('w')
	return t / 1e9, int32(t % 1e9)
}

// nanotime is the guest's clock_time_get for the monotonic clock.
func (h *host) nanotime() int64 { return h.read('m') }

// sleep is the guest's poll_oneoff. The runtime calls it when no goroutine can run, with the time
// left until its next timer.
func (h *host) sleep(ns int64) {
	if ns > 0 {
		h.now.Add(ns)
	}
	h.readings.Add(1)
	h.note('s', ns)
}

// read moves the clock by a random step and returns it. So no two events have the same time, and the order of timers that
// expire at about the same time differs between seeds.
func (h *host) read(clock byte) int64 {
	bound := maxStep
	if h.steps.IntN(stallOdds) == 0 {
		bound = maxStall
	}
	now := h.advance(bound)
	h.readings.Add(1)
	h.note(clock, now)
	return now
}

// advance moves the clock by a random step of at most bound and returns it.
func (h *host) advance(bound time.Duration) int64 {
	return h.now.Add(1 + h.steps.Int64N(int64(bound)))
}

// note adds a change of the clock to the digest.
func (h *host) note(kind byte, value int64) {
	h.record[0] = kind
	binary.LittleEndian.PutUint64(h.record[1:], uint64(value))
	binary.LittleEndian.PutUint64(h.record[9:], h.preempt.order)
	h.events.Write(h.record[:])
}

// Read is the guest's random_get.
func (h *host) Read(p []byte) (int, error) {
	h.random.Read(p)
	h.events.WriteByte('r')
	h.events.Write(p)
	return len(p), nil
}

// Write is the guest's standard output and standard error, which are one stream as in go test.
func (h *host) Write(p []byte) (int, error) {
	h.events.WriteByte('o')
	h.events.Write(p)
	if h.trace != nil {
		h.trace.output(p)
	}
	if h.pictures != nil {
		h.pictures.output(p)
	}
	return h.output.Write(p)
}

// digest returns a hash of the run so far: output, clock calls, random bytes and scheduling.
func (h *host) digest() [sha256.Size]byte {
	h.events.Flush()
	return [sha256.Size]byte(h.sum.Sum(nil))
}

// status returns the state of the run. It is safe for concurrent use.
func (h *host) status() status {
	s := status{Virtual: time.Duration(h.now.Load()), Readings: h.readings.Load(), Preempts: h.preempt.count.Load()}
	if last := h.preempt.last.Load(); last != nil {
		s.Last = last.name
	}
	return s
}
