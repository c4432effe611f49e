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

// benchEach runs a benchmark of roundTrip for each value. roundTrip encodes value, decodes it into the variable that target
// points to, and returns the size of the encoding, which is reported as wire-B.
func benchEach(b *testing.B, roundTrip func(value, target any) (size int, err error)) {
	for _, bench := range benchValues {
		b.Run(bench.name, func(b *testing.B) {
			typ := reflect.TypeOf(bench.value)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				var err error
				if size, err = roundTrip(bench.value, reflect.New(typ).Interface()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size), "wire-B")
		})
	}
}

// BenchmarkMessage encodes each value as a Message.
func BenchmarkMessage(b *testing.B) {
	benchEach(b, func(value, target any) (int, error) {
		msg, err := Marshal(value)
		if err != nil {
			return 0, err
		}
		return msg.Len(), msg.Unmarshal(target)
	})
}

// BenchmarkStream encodes each value as the course's labrpc does, with a new stream.
func BenchmarkStream(b *testing.B) {
	benchEach(b, func(value, target any) (int, error) {
		var stream bytes.Buffer
		if err := NewEncoder(&stream).Encode(value); err != nil {
			return 0, err
		}
		size := stream.Len()
		return size, NewDecoder(&stream).Decode(target)
	})
}

// BenchmarkChecks measures both checks for a type that is already checked.
func BenchmarkChecks(b *testing.B) {
	args := new(appendArgs)
	b.ReportAllocs()
	for b.Loop() {
		checkType(reflect.TypeOf(args))
		checkDefault(args)
	}
}
