package table

import (
	"maps"
	"math/rand"
	"testing"
)

// A table does what a map does, and each capture has what the map had.
func TestTable(t *testing.T) {
	table, twin := New[int, int](), make(map[int]int)
	var captures []Captured[int, int]
	var twins []map[int]int
	for n := range 20000 {
		key := rand.Intn(5000)
		switch {
		case n%4000 == 3999:
			captures, twins = append(captures, table.Capture()), append(twins, maps.Clone(twin))
		case n%3 == 0:
			if v, ok := table.Get(key); v != twin[key] || ok != (v != 0) {
				t.Fatalf("%d: %d, %v, want %d", key, v, ok, twin[key])
			}
		default:
			table.Set(key, n)
			twin[key] = n
		}
	}
	for k, c := range captures {
		if got := maps.Collect(c.All); !maps.Equal(got, twins[k]) || c.Len() != len(got) {
			t.Errorf("capture %d has %d entries, says %d, want %d", k, len(got), c.Len(), len(twins[k]))
		}
	}
	for range captures[0].All {
		break // a loop may end early
	}
}
