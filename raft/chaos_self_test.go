package raft

// Tests of TestChaos's parts: how scenarios are generated, printed and shrunk.

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"math/rand"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScenarioComesFromSeed(t *testing.T) {
	kinds := make(map[faultKind]int)
	for seed := range int64(50) {
		s := scenarioOf(seed)
		if !reflect.DeepEqual(s, scenarioOf(seed)) {
			t.Errorf("seed %d: two different scenarios", seed)
		}
		if reflect.DeepEqual(s, scenarioOf(seed+1)) {
			t.Errorf("seeds %d and %d: the same scenario", seed, seed+1)
		}
		if n := len(s.faults); n < chaosSteps*3/4 {
			t.Errorf("seed %d: only %d faults", seed, n)
		}
		for _, f := range s.faults {
			kinds[f.kind]++
			if max(f.server, f.to) >= s.servers {
				t.Errorf("seed %d: a fault of a server that does not exist (%d servers): %s", seed, s.servers, f.goLiteral())
			}
		}
	}
	everyKind := map[faultKind]bool{letTimePass: true}
	for _, f := range everyFault.faults {
		everyKind[f.kind] = true
		if f.kind != letTimePass && kinds[f.kind] < 50 {
			t.Errorf("%s: only %d in 50 scenarios", f.kind, kinds[f.kind])
		}
	}
	for kind := range kinds {
		if !everyKind[kind] {
			t.Errorf("everyFault lacks %s", kind)
		}
	}
}

// TestScenarioPartsAreScenarios checks that any part of a scenario's faults, with any number of servers, is a scenario.
func TestScenarioPartsAreScenarios(t *testing.T) {
	parallel(t)
	scenarios := int64(10)
	if !virtualClock() {
		scenarios = 1
	}
	random := rand.New(rand.NewSource(1))
	for seed := range scenarios {
		s := scenarioOf(seed)
		s.faults = slices.DeleteFunc(s.faults, func(fault) bool { return random.Intn(2) == 0 })
		if s.servers > 1 {
			s = s.without(random.Intn(s.servers))
		}
		s.servers = 1 + random.Intn(s.servers) // faults of removed servers remain
		errs, done := s.run(t, nil)
		if len(errs) > 0 || done != len(s.faults) {
			t.Errorf("after %d faults: %v\n%s", done, errs, s.goLiteral())
		}
	}
}

// everyFault has every kind of fault and sets every field of a scenario. goLiteral must return the text of its value
// below.
var everyFault = scenario{
	servers:     3,
	whole:       true,
	snapshots:   true,
	slowReaders: true,
	longDelays:  true,
	seed:        17,
	options:     []string{"", "link=ordered,trailing=8", ""},
	faults: []fault{
		{kind: letTimePass, pause: 300 * time.Millisecond},
		{kind: startCommands, commands: "iskb", pause: 20 * time.Millisecond},
		{kind: readEverywhere, pause: 20 * time.Millisecond},
		{kind: crashServer, server: 0},
		{kind: restartServer, server: 0, options: "backup=half"},
		{kind: crashAtMessage, server: 1, pause: 1500 * time.Microsecond},
		{kind: crashAll},
		{kind: restartServer, server: 2, pause: 1000 * time.Millisecond},
		{kind: cutLink, server: 2, to: 0},
		{kind: restoreLink, server: 2, to: 0},
		{kind: isolateServer, server: 1},
		{kind: isolateLeader},
		{kind: restoreLinks},
		{kind: unreliableNetwork},
		{kind: reliableNetwork},
		{kind: reorderReplies},
		{kind: orderReplies},
	},
}

func TestScenarioIsPrintedAsGo(t *testing.T) {
	const file = "chaos_self_test.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "everyFault" {
			want = string(source[files.Position(v.Values[0].Pos()).Offset:files.Position(v.Values[0].End()).Offset])
		}
		return true
	})
	got, err := format.Source([]byte("var everyFault = " + everyFault.goLiteral()))
	if err != nil {
		t.Fatalf("%v\n%s", err, everyFault.goLiteral())
	}
	if got := strings.TrimPrefix(string(got), "var everyFault = "); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestScenarioWithEveryFault(t *testing.T) {
	if !virtualClock() {
		t.Skip("takes minutes on the real clock")
	}
	parallel(t)
	playChaos(t, everyFault)
}

// mustBeTest checks that source is a test function of this name, in gofmt's format.
func mustBeTest(t *testing.T, name, source string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package raft\n\n"+source, 0)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	if f, ok := file.Decls[0].(*ast.FuncDecl); !ok || len(file.Decls) != 1 || f.Name.Name != name {
		t.Errorf("not a function %s:\n%s", name, source)
	}
	if formatted, err := format.Source([]byte(source)); err != nil || string(formatted) != source {
		t.Errorf("gofmt would change it (%v):\n%s", err, source)
	}
}

// TestShrinkScenario shrinks scenarios of which those fail that have snapshots and at least two servers, start a string
// as a command after at least 100 ms, and crash one server later. Each must be shrunk to just that.
func TestShrinkScenario(t *testing.T) {
	for seed := range int64(20) {
		s := scenarioOf(seed)
		s.servers, s.snapshots = 7, true
		s.faults = append(s.faults, fault{kind: startCommands, commands: "ksi"}, fault{kind: crashServer, server: 4})
		fails := func(s scenario) bool {
			var elapsed time.Duration
			started := false
			for _, f := range s.faults {
				if elapsed >= 100*time.Millisecond && strings.Contains(f.commands, "s") {
					started = true
				}
				if started && f.kind == crashServer {
					return s.snapshots && s.servers > 1
				}
				elapsed += f.pause
			}
			return false
		}
		got := shrinkScenario(s, fails)
		crashed := got.faults[len(got.faults)-1].server
		want := scenario{
			servers: 2, snapshots: true,
			faults: []fault{
				{kind: letTimePass, pause: got.faults[0].pause},
				{kind: startCommands, commands: "s"},
				{kind: crashServer, server: crashed},
			},
		}
		if pause := got.faults[0].pause; pause < 100*time.Millisecond || pause > 200*time.Millisecond {
			t.Errorf("seed %d: a pause of %v", seed, pause)
		}
		if strings.Join(got.options, "") == "" {
			got.options = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: shrunk to\n%s\nwant\n%s", seed, got.goLiteral(), want.goLiteral())
		}
	}
}

// newShrinking returns a search that prints nothing. It is faster than that of TestChaos, but more often wrong.
func newShrinking(t *testing.T, first scenario, prepare func(*chaos)) *shrinking {
	parallel(t)
	if !virtualClock() || !*watchFlag {
		t.Skip("needs the virtual clock and the watch")
	}
	return &shrinking{
		t: t, prepare: prepare, criteria: []criterion{{5, 3, 18, 12}}, end: time.Now().Add(20 * time.Second), progress: io.Discard, first: first,
	}
}

// loseThirdDisk plants a mistake: a server's third crash erases its disk.
func loseThirdDisk(c *chaos) {
	c.watch.show = func(string) {}
	crashes := make(map[int]int)
	c.corrupt = func(server int, disk *Persister) *Persister {
		if crashes[server]++; crashes[server] == 3 {
			return MakePersister()
		}
		return disk
	}
}

func TestShrinkPlantedMistake(t *testing.T) {
	z := newShrinking(t, scenarioOf(8), loseThirdDisk)
	errs, done := z.first.run(t, loseThirdDisk)
	if len(errs) == 0 {
		t.Fatal("the mistake was not found")
	}
	z.kind = kindOf(errs[0])
	mustEqual(t, "kind of error", z.kind, termsRise)
	report := z.report("TestChaosSeed8", done)
	inTime := !z.over() // usually true on an idle machine
	t.Logf("%v\n%s", errs[0], report)
	_, source, _ := strings.Cut(report, "\n\n")
	mustBeTest(t, "TestChaosSeed8", source)
	if faults, commands := z.smallest.size(); inTime && (faults > 10 || commands > 4) || faults > done {
		t.Error("the scenario is not small")
	}
	if z.count(z.smallest) == 0 {
		t.Error("the scenario does not fail again")
	}
	if line := z.picture("TestChaosSeed8"); line != "" {
		checkScenarioPage(t, line, termsRise, "its saved term was")
	}
	if errs, _ := z.smallest.run(t, nil); len(errs) > 0 {
		t.Errorf("the scenario fails without the mistake, too: %v", errs)
	}
}

// TestShrinkWithoutMistake checks that a scenario that passes is not shrunk, and that nothing runs after the time
// limit.
func TestShrinkWithoutMistake(t *testing.T) {
	z := newShrinking(t, everyFault, nil)
	z.kind = electionSafety
	if s, ok := z.shrink(len(z.first.faults)); ok || !reflect.DeepEqual(s, z.first) {
		t.Errorf("shrunk to %s", s.goLiteral())
	}
	runs := z.runs
	z.end = time.Now()
	if report := z.report("TestNothing", 3); !strings.Contains(report, "did not fail") || z.runs != runs {
		t.Errorf("after %d more runs: %s", z.runs-runs, report)
	}
}

// TestShrinkEndsInTime checks that, when the time is over, the search ends with the smallest scenario found so far.
func TestShrinkEndsInTime(t *testing.T) {
	s := scenarioOf(1)
	calls := 0
	got := shrinkScenario(s, func(s scenario) bool {
		calls++
		return calls <= 5
	})
	if len(got.faults) >= len(s.faults) || calls > 20*len(s.faults) {
		t.Errorf("%d faults of %d after %d calls", len(got.faults), len(s.faults), calls)
	}
}
