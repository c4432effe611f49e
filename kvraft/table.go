package kvraft

import (
	"hash/maphash"
	"maps"
)

// A table is a map that can be captured in little time, however large it is. It consists of many small maps. After a capture
// they belong to the captured table, and the first write to one of them copies it.
type table[K comparable, V any] struct {
	seed     maphash.Seed
	n        int // entries
	captures int // so far
	parts    []map[K]V
	owned    []int // the number of captures when the part was last copied
}

// partsOfTable is the number of small maps. Of a million entries, one holds a thousand, which takes some 50 µs to copy.
const partsOfTable = 1024

func newTable[K comparable, V any]() table[K, V] {
	return table[K, V]{seed: maphash.MakeSeed(), parts: make([]map[K]V, partsOfTable), owned: make([]int, partsOfTable)}
}

func (t *table[K, V]) part(key K) int { return int(maphash.Comparable(t.seed, key) % partsOfTable) }

func (t *table[K, V]) get(key K) (V, bool) {
	v, ok := t.parts[t.part(key)][key]
	return v, ok
}

func (t *table[K, V]) set(key K, v V) {
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

// captured is the contents of a table at one moment.
type captured[K comparable, V any] struct {
	n     int
	parts []map[K]V
}

// capture returns the contents, which later calls of set do not change.
func (t *table[K, V]) capture() captured[K, V] {
	t.captures++
	return captured[K, V]{t.n, append([]map[K]V(nil), t.parts...)}
}

// all yields each entry.
func (c captured[K, V]) all(yield func(K, V) bool) {
	for _, part := range c.parts {
		for key, v := range part {
			if !yield(key, v) {
				return
			}
		}
	}
}
