package raft

// The states that a search has found, each stored once.

import (
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// maxFlight is the largest number of messages in flight in a search.
const maxFlight = 3

// A packed is a state of the cluster: its servers, the messages in flight, past leaders and commits, and the budget.
type packed struct {
	servers [5]uint32
	items   [maxFlight]uint64
	past    uint32
	leaders leaders
	used    budget
}

// less orders states that differ only in the servers' names, so that the smallest represents them all.
func (p *packed) less(q *packed) bool {
	if c := slices.Compare(p.servers[:], q.servers[:]); c != 0 {
		return c < 0
	}
	if c := slices.Compare(p.items[:], q.items[:]); c != 0 {
		return c < 0
	}
	return p.leaders < q.leaders
}

// words are the stored form of a packed state. Its length depends on the limits.
type words [4 + maxFlight]uint64

// stride returns the number of words in a state.
func (l *limits) stride() int {
	if l.servers <= 3 {
		return 3 + l.flight
	}
	return 4 + l.flight
}

func (p *packed) words(servers int) (w words) {
	w[0] = uint64(p.servers[0]) | uint64(p.servers[1])<<32
	w[1] = uint64(p.servers[2]) | uint64(p.past)<<32
	w[2] = uint64(p.leaders) | uint64(p.used.commands)<<32 | uint64(p.used.crashes)<<40 | uint64(p.used.snaps)<<48 | uint64(p.used.reads)<<56
	if servers <= 3 {
		copy(w[3:], p.items[:])
		return w
	}
	w[3] = uint64(p.servers[3]) | uint64(p.servers[4])<<32
	copy(w[4:], p.items[:])
	return w
}

func (w *words) packed(servers int) (p packed) {
	p.servers = [5]uint32{uint32(w[0]), uint32(w[0] >> 32), uint32(w[1])}
	p.past = uint32(w[1] >> 32)
	p.leaders = leaders(w[2])
	p.used = budget{uint8(w[2] >> 32), uint8(w[2] >> 40), uint8(w[2] >> 48), uint8(w[2] >> 56)}
	if servers <= 3 {
		copy(p.items[:], w[3:])
		return p
	}
	p.servers[3], p.servers[4] = uint32(w[3]), uint32(w[3]>>32)
	copy(p.items[:], w[4:])
	return p
}

func hashOf(w []uint64) (h uint64) {
	const odd = 0x9e3779b97f4a7c15
	for _, x := range w {
		h = bits.RotateLeft64((h^x)*odd, 29)
	}
	h ^= h >> 32
	return h * odd
}

// states keeps states by number, in chunks that never move, and finds them by their hash.
type states struct {
	servers, stride int

	count  atomic.Uint32
	chunks list[*chunk]
	mu     sync.Mutex // guards chunks
	shards [256]shard
}

const chunkSize = 1 << 16

type chunk struct {
	words   []uint64
	parents []uint32
}

// A shard is a hash table with open addressing. The lower half of a slot is a state's number plus 1; the upper half is
// half of the state's hash, so that a look-up rarely reads other states.
type shard struct {
	mu    sync.Mutex
	slots []uint64
	count int
}

func newStates(l *limits) *states { return &states{servers: l.servers, stride: l.stride()} }

// raw returns the words of state k.
func (s *states) raw(k uint32) []uint64 {
	at := int(k%chunkSize) * s.stride
	return s.chunks.at(int(k / chunkSize)).words[at : at+s.stride : at+s.stride]
}

// at returns state k.
func (s *states) at(k uint32) packed {
	var w words
	copy(w[:], s.raw(k))
	return w.packed(s.servers)
}

// parent returns the state from which k was found.
func (s *states) parent(k uint32) uint32 {
	return s.chunks.at(int(k / chunkSize)).parents[k%chunkSize]
}

func (s *states) length() int { return int(s.count.Load()) }

// insert stores a state unless it is stored already.
func (s *states) insert(p *packed, parent uint32) {
	w := p.words(s.servers)
	raw := w[:s.stride]
	h := hashOf(raw)
	sh := &s.shards[h>>56]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if 3*len(sh.slots) <= 4*sh.count {
		sh.grow(s)
	}
	tag := h >> 8 << 32
	mask := uint64(len(sh.slots) - 1)
	for k := h & mask; ; k = (k + 1) & mask {
		switch slot := sh.slots[k]; {
		case slot == 0:
			sh.slots[k] = tag | uint64(s.add(raw, parent)+1)
			sh.count++
			return
		case slot>>32<<32 == tag && slices.Equal(s.raw(uint32(slot)-1), raw):
			return
		}
	}
}

// grow doubles the table.
func (sh *shard) grow(s *states) {
	old := sh.slots
	sh.slots = make([]uint64, max(64, 2*len(old)))
	mask := uint64(len(sh.slots) - 1)
	for _, slot := range old {
		if slot != 0 {
			k := hashOf(s.raw(uint32(slot)-1)) & mask
			for sh.slots[k] != 0 {
				k = (k + 1) & mask
			}
			sh.slots[k] = slot
		}
	}
}

// add stores a state and returns its number.
func (s *states) add(raw []uint64, parent uint32) uint32 {
	k := s.count.Add(1) - 1
	for int(k/chunkSize) >= s.chunks.length() {
		s.mu.Lock()
		if int(k/chunkSize) >= s.chunks.length() {
			s.chunks.add(&chunk{make([]uint64, chunkSize*s.stride), make([]uint32, chunkSize)})
		}
		s.mu.Unlock()
	}
	copy(s.raw(k), raw)
	s.chunks.at(int(k / chunkSize)).parents[k%chunkSize] = parent
	return k
}
