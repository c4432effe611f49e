package labgob

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

type entry struct {
	Term    int
	Command string
}

type appendArgs struct {
	Term, LeaderId, PrevLogIndex, PrevLogTerm int
	Entries                                   []entry
	LeaderCommit                              int
}

var benchValues = []struct {
	name  string
	value interface{}
}{
	{"int", 111},
	{"small", &appendArgs{3, 1, 7, 2, nil, 6}},
	{"10-entries", &appendArgs{3, 1, 7, 2, make([]entry, 10), 6}},
	{"1KB", strings.Repeat("x", 1024)},
	{"interface", &holder{111}},
}

// BenchmarkMessage sends a value as a Message; wire-B is its size.
func BenchmarkMessage(b *testing.B) {
	for _, bench := range benchValues {
		b.Run(bench.name, func(b *testing.B) {
			typ := reflect.TypeOf(bench.value)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				msg, err := Marshal(bench.value)
				if err != nil {
					b.Fatal(err)
				}
				if err := msg.Unmarshal(reflect.New(typ).Interface()); err != nil {
					b.Fatal(err)
				}
				size = msg.Len()
			}
			b.ReportMetric(float64(size), "wire-B")
		})
	}
}

// BenchmarkStream sends the same values the way the course's labrpc does, each over a new stream.
func BenchmarkStream(b *testing.B) {
	for _, bench := range benchValues {
		b.Run(bench.name, func(b *testing.B) {
			typ := reflect.TypeOf(bench.value)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				var stream bytes.Buffer
				if err := NewEncoder(&stream).Encode(bench.value); err != nil {
					b.Fatal(err)
				}
				size = stream.Len()
				if err := NewDecoder(&stream).Decode(reflect.New(typ).Interface()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size), "wire-B")
		})
	}
}

// BenchmarkChecks is what both diagnostics cost for a type that is known.
func BenchmarkChecks(b *testing.B) {
	args := new(appendArgs)
	b.ReportAllocs()
	for b.Loop() {
		checkType(reflect.TypeOf(args))
		checkDefault(args)
	}
}
