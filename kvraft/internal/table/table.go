// Package table is a map that can be captured in little time, however large it is. The services keep their state in it.
package table

import (
	"hash/maphash"
	"maps"
	"runtime"
)

// A Table consists of many small maps. After a capture they belong to the captured table, and the first write to one of them
// copies it. It is not safe for concurrent use.
type Table[K comparable, V any] struct {
	seed     maphash.Seed
	n        int // entries
	captures int // so far
	parts    []map[K]V
	owned    []int // the number of captures when the part was last copied
}

// parts is the number of small maps. Of a million entries, one holds a thousand, which takes some 50 µs to copy.
const parts = 1024

// New returns an empty table.
func New[K comparable, V any]() *Table[K, V] {
	return &Table[K, V]{seed: maphash.MakeSeed(), parts: make([]map[K]V, parts), owned: make([]int, parts)}
}

func (t *Table[K, V]) part(key K) int { return int(maphash.Comparable(t.seed, key) % parts) }

// Get returns the value of key, and reports whether there is one.
func (t *Table[K, V]) Get(key K) (V, bool) {
	v, ok := t.parts[t.part(key)][key]
	return v, ok
}

// Set makes v the value of key.
func (t *Table[K, V]) Set(key K, v V) {
	k := t.part(key)
	switch {
	case t.parts[k] == nil:
		t.parts[k] = make(map[K]V)
	case t.owned[k] < t.captures:
		t.parts[k] = maps.Clone(t.parts[k])
	}
	t.owned[k] = t.captures
	before := len(t.parts[k])
	t.parts[k][key] = v
	t.n += len(t.parts[k]) - before
}

// A Captured is the contents of a table at one moment.
type Captured[K comparable, V any] struct {
	n     int
	parts []map[K]V
}

// Capture returns the contents, which later calls of Set do not change.
func (t *Table[K, V]) Capture() Captured[K, V] {
	t.captures++
	return Captured[K, V]{t.n, append([]map[K]V(nil), t.parts...)}
}

// Len returns the number of entries.
func (c Captured[K, V]) Len() int { return c.n }

// turn is how many entries All yields before it lets other goroutines run.
const turn = 64

// All yields each entry, in no order. Now and then it lets other goroutines run. Otherwise a loop over a large table would keep a
// processor for ten milliseconds at a time from those that carry out operations.
func (c Captured[K, V]) All(yield func(K, V) bool) {
	n := 0
	for _, part := range c.parts {
		for key, v := range part {
			if !yield(key, v) {
				return
			}
			if n++; n%turn == 0 {
				runtime.Gosched()
			}
		}
	}
}
