package history

import (
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"6.824/kvraft/rpc"
)

// simulate returns the history of clients of one server with one key; puts says whether they also Put, if the service has no versions. Each operation takes effect at a random moment between
// its call and its return.
func simulate(r *rand.Rand, s Service, clients, each int, puts bool) []Operation {
	value, version := "", rpc.Tversion(0)
	open, left := make([]*Operation, clients), make([]int, clients)
	for k := range left {
		left[k] = each
	}
	effect := make([]bool, clients)
	var done []Operation
	for clock, running := int64(0), clients; running > 0; clock++ {
		c := r.Intn(clients)
		switch {
		case left[c] == 0:
		case open[c] == nil:
			op := draw(r, s, version, puts)
			op.Client, op.Call, op.Key = c, clock, "k"
			if op.Kind == Append {
				op.Value = fmt.Sprintf("x%d.%dy", c, left[c])
			} else if op.Kind == Put {
				op.Value = fmt.Sprintf("p%d.%dq", c, left[c])
			}
			open[c] = &op
		case !effect[c]:
			effect[c] = true
			open[c].act(r, s, &value, &version)
		default:
			open[c].Return = clock
			done = append(done, *open[c])
			open[c], effect[c] = nil, false
			if left[c]--; left[c] == 0 {
				running--
			}
		}
	}
	return done
}

// draw returns an operation. A versioned Put has the current version or one near it.
func draw(r *rand.Rand, s Service, version rpc.Tversion, puts bool) Operation {
	switch {
	case r.Intn(2) == 0:
		return Operation{Kind: Get}
	case s == Versions:
		return Operation{Kind: Put, Version: max(1, version+rpc.Tversion(r.Intn(3))) - 1}
	case puts && r.Intn(20) == 0:
		return Operation{Kind: Put}
	default:
		return Operation{Kind: Append}
	}
}

// act lets op take effect. One in ten Puts with versions is lost, or its answer is.
func (op *Operation) act(r *rand.Rand, s Service, value *string, version *rpc.Tversion) {
	op.Err = rpc.OK
	switch {
	case op.Kind == Get:
		if op.Value = *value; s == Versions {
			if op.Version = *version; *version == 0 {
				op.Err = rpc.ErrNoKey
			}
		}
	case op.Kind == Append:
		*value += op.Value
	case s == Values:
		*value = op.Value
	case r.Intn(20) == 0:
		op.Err = rpc.ErrMaybe
	case op.Version == *version:
		*value, *version = op.Value, *version+1
		if r.Intn(20) == 0 {
			op.Err = rpc.ErrMaybe
		}
	case *version == 0:
		op.Err = rpc.ErrNoKey
	default:
		op.Err = rpc.ErrVersion
	}
}

// spoil changes something in a history, so that it may no longer be linearizable.
func spoil(r *rand.Rand, s Service, ops []Operation) {
	a, b := &ops[r.Intn(len(ops))], &ops[r.Intn(len(ops))]
	switch r.Intn(4) {
	case 0:
		a.Value, b.Value = b.Value, a.Value
	case 1:
		a.Err, b.Err = b.Err, a.Err
	case 2:
		if a.Kind == Get && b.Kind == Get {
			a.Value, a.Version, a.Err, b.Value, b.Version, b.Err = b.Value, b.Version, b.Err, a.Value, a.Version, a.Err
		}
	default: // it happened later than it did
		n := int64(r.Intn(12))
		a.Call, a.Return = a.Call+n, a.Return+n
		for k := range ops { // the times stay different
			ops[k].Call, ops[k].Return = 2*ops[k].Call, 2*ops[k].Return
		}
		a.Call, a.Return = a.Call+1, a.Return+1
	}
}

// The check in linear time and porcupine say the same, of histories that are linearizable and of such that are not.
func TestChecksAgree(t *testing.T) {
	for _, s := range []Service{Values, Versions} {
		said := make(map[verdict]int)
		for seed := range int64(5000) {
			r := rand.New(rand.NewSource(seed))
			ops := simulate(r, s, 1+r.Intn(min(4, 1+int(seed/500))), 1+r.Intn(1+int(seed/400)), true)
			if found, _ := search(s.model(), ops, time.Minute); found != linearizable {
				t.Fatalf("service %d, seed %d: porcupine refuses the history of one server: %+v", s, seed, ops)
			}
			if v := s.ordered(ops); v == refused {
				t.Fatalf("service %d, seed %d: refuses the history of one server: %+v", s, seed, ops)
			}
			spoil(r, s, ops)
			fast := s.ordered(ops)
			found, _ := search(s.model(), ops, time.Minute)
			if fast != undecided && fast != found {
				t.Fatalf("service %d, seed %d: %v, porcupine %v: %+v", s, seed, fast, found, ops)
			}
			said[fast]++
		}
		t.Logf("service %d: %v", s, said)
		if said[linearizable] < 1000 || said[refused] < 400 {
			t.Errorf("service %d: too few of a kind: %v", s, said)
		}
	}
}

// The culprit is the first operation to return whose history porcupine refuses.
func TestCulprit(t *testing.T) {
	for _, s := range []Service{Values, Versions} {
		found, early := 0, 0
		for seed := range int64(1000) {
			r := rand.New(rand.NewSource(seed))
			ops := simulate(r, s, 1+r.Intn(3), 1+r.Intn(8), true)
			spoil(r, s, ops)
			e, _ := Check(s, ops, time.Minute).(*Error)
			if e == nil {
				continue
			}
			sort.Slice(ops, func(i, j int) bool { return ops[i].Return < ops[j].Return })
			n := 1
			for ; n < len(ops); n++ {
				if v, _ := search(s.model(), s.until(ops, n), time.Minute); v == refused {
					break
				}
			}
			if e.Culprit == nil || *e.Culprit != ops[n-1] {
				t.Fatalf("service %d, seed %d: culprit %+v, want operation %d of %+v", s, seed, e.Culprit, n, ops)
			}
			if found++; n < len(ops) {
				early++
			}
		}
		t.Logf("service %d: %d culprits, %d of them not the last operation", s, found, early)
		if early < 50 {
			t.Errorf("service %d: only %d of %d culprits are not the last operation", s, early, found)
		}
	}
}

// Twenty clients on one key, and 20,000 operations: the check in linear time decides at once.
func TestManyClients(t *testing.T) {
	for _, s := range []Service{Values, Versions} {
		ops := simulate(rand.New(rand.NewSource(1)), s, 20, 1000, false)
		start := time.Now()
		if err := Check(s, ops, time.Second); err != nil {
			t.Error(err)
		}
		t.Logf("%d operations: %v", len(ops), time.Since(start))
	}
}

// A history that cannot be decided in time does not pass, and the error has its size. A refused one has a page.
func TestErrors(t *testing.T) {
	ops := simulate(rand.New(rand.NewSource(1)), Values, 20, 200, true)
	err := Check(Values, ops, time.Nanosecond)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d operations: undecided", len(ops))) {
		t.Errorf("got %v", err)
	}
	ops = []Operation{{Client: 1, Kind: Put, Key: "k", Value: "a", Call: 1, Return: 2}, {Kind: Get, Key: "k", Call: 3, Return: 4}}
	e, ok := Check(Values, ops, time.Second).(*Error)
	if !ok || e.Why != "not linearizable" {
		t.Fatalf("got %v", e)
	}
	if text, want := e.Error(), `client 0: get("k") -> "". The last write before it was client 1: put("k", "a") -> done`; !strings.HasSuffix(text, want) {
		t.Errorf("got %s, want %s", text, want)
	}
	name, err := e.WritePage(t.TempDir())
	if page, _ := os.ReadFile(name); err != nil || !strings.Contains(string(page), "get(") {
		t.Errorf("a page of %d bytes, error %v", len(page), err)
	}
}

// While a value grows, the values that were read share its memory.
func TestRecorderShares(t *testing.T) {
	var rec Recorder
	for _, value := range []string{"a", "ab", "a", "abc", "x", "xy", "", "ab"} {
		call := rec.Begin()
		rec.End(Operation{Kind: Get, Value: value, Call: call})
	}
	var got []string
	for k, op := range rec.History() {
		if op.Call >= op.Return || k > 0 && op.Call <= rec.History()[k-1].Return {
			t.Errorf("operation %d from %d to %d", k, op.Call, op.Return)
		}
		got = append(got, op.Value)
	}
	if fmt.Sprintf("%q", got) != `["a" "ab" "a" "abc" "x" "xy" "" "ab"]` {
		t.Errorf("got %q", got)
	}
}
