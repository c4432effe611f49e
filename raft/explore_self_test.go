package raft

// Tests of the explorer: it must find planted mistakes, print counterexamples that can be repeated and kept as tests,
// and find nothing in correct code.

import (
	"errors"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand"
	"os"
	"strings"
	"testing"
	"time"
)

// forgetVote plants a mistake: it returns a disk without the saved vote.
func forgetVote(ps *Persister) *Persister {
	state := ps.ReadRaftState()
	h, body, err := readHead(state)
	if err != nil {
		return ps.Copy()
	}
	h.votedFor = nobody
	forgetful := MakePersister()
	forgetful.Save(append(h.append(nil), body...), ps.ReadSnapshot())
	return forgetful
}

// plant makes crash return the disk that every crash leaves, until the test ends.
func plant(t *testing.T, crash func(*Persister) *Persister) {
	cutDisk = crash
	t.Cleanup(func() { cutDisk = (*Persister).Copy })
}

// TestExploreFindsShortestTrace checks that a search finds a planted mistake by the shortest trace, and that the trace
// can be repeated.
func TestExploreFindsShortestTrace(t *testing.T) {
	for _, planted := range []struct {
		crash    func(*Persister) *Persister
		property string
		watched  bool // the watch cannot tell a candidate's lost vote for itself from a conceded one
	}{
		{forgetVote, oneVote, false},
		{func(*Persister) *Persister { return MakePersister() }, termsRise, true},
	} {
		plant(t, planted.crash)
		m := searchCase{"self-first+no-prevote", limits{servers: 3, terms: 2, commands: 1, crashes: 1, flight: 1}, 0}
		_, c := m.explore(time.Time{}, nil)
		if c == nil {
			t.Fatal("nothing found")
		}
		// Two actions suffice: a timeout, and the candidate crashes.
		if len(c.trace) > 2 || c.property != planted.property || c.watched != planted.watched {
			t.Errorf("found %v by %s (seen by the watch: %v)", c.violation, textOf(c.trace), c.watched)
		}
		checkCounterexample(t, *c)
	}
}

// TestExploreWalkIsShrunk checks that a walk finds the mistake, too, and is shrunk to the same few actions.
func TestExploreWalkIsShrunk(t *testing.T) {
	plant(t, forgetVote)
	for seed := range int64(500) {
		w, broken := walkFrom(seed, 150, true)
		if broken == nil {
			continue
		}
		before := len(w.trace)
		w.shrink(broken, true)
		// With VoteSelfLast the candidate needs the votes of others first: of half of the servers, rounded down.
		if len(w.trace) > 2+w.limits.servers/2 || before < len(w.trace) {
			t.Errorf("%d actions shrunk to %d: %s", before, len(w.trace), textOf(w.trace))
		}
		checkCounterexample(t, w.counterexample(broken))
		return
	}
	t.Fatal("500 walks found nothing")
}

// checkCounterexample checks the text of a counterexample, and that its trace finds the violation again.
func checkCounterexample(t *testing.T, c counterexample) {
	t.Helper()
	c.after = "7 states"
	text := c.Error()
	for _, want := range []string{"explore: found after 7 states, a trace of ", c.property, "server 2", "make explore TRACE='" + c.code() + "'"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	again, err := parseCode(c.code())
	if err != nil {
		t.Fatal(err)
	}
	if _, broken := again.play(again.trace, true); broken == nil || broken.property != c.property {
		t.Errorf("the trace, played again, finds %v, want %s", broken, c.property)
	}
	source := "package raft\n\n" + c.test() + "\n"
	if _, err := parser.ParseFile(token.NewFileSet(), "", source, 0); err != nil {
		t.Errorf("the test does not parse: %v\n%s", err, source)
	}
	if formatted, err := format.Source([]byte(source)); err != nil || string(formatted) != source {
		t.Errorf("gofmt would change the test (%v):\n%s", err, source)
	}
}

// TestExploreTraceText checks that the trace of a walk can be printed and parsed, and then has the same result.
func TestExploreTraceText(t *testing.T) {
	for seed := range int64(20) {
		w, _ := walkFrom(seed, 60, false)
		again, err := parseCode(w.code())
		if err != nil {
			t.Fatal(err)
		}
		if again.code() != w.code() {
			t.Fatalf("parsed:\n%s\nprinted:\n%s", again.code(), w.code())
		}
		if done, broken := again.play(again.trace, false); broken != nil || len(done) != len(w.trace) {
			t.Fatalf("seed %d: only %d of %d actions were possible again (%v)", seed, len(done), len(w.trace), broken)
		}
		one, two := newLive(w.limits, w.variant, false), newLive(again.limits, again.variant, false)
		a, _ := one.show(w.trace)
		if b, ok := two.show(again.trace); a != b || !ok {
			t.Fatalf("seed %d: the servers differ:\n%s\n%s", seed, a, b)
		}
	}
}

func TestExploreTraceErrors(t *testing.T) {
	for code, want := range map[string]string{
		"timeout 0":                   "want SERVERS VARIANT: ACTION",
		"x default: timeout 0":        `"x" servers`,
		"9 default: timeout 0":        `"9" servers`,
		"3 nonsense: timeout 0":       `no option "nonsense"`,
		"3 default: jump 0":           `action 1, "jump 0": there is no action "jump"`,
		"3 default: timeout 0, vote":  `action 2, "vote": want a verb and a server`,
		"3 default: vote 0>1 quickly": `unknown word "quickly"`,
		"3 default: vote 0":           `want vote FROM>TO`,
		"3 default: send 0>1":         `want send FROM>TO@INDEX`,
		"3 default: snapshot 0":       `want snapshot SERVER@INDEX`,
		"3 default: deliver 0":        `want deliver #N`,
		"3 default: timeout 0x":       `only "timeout 0" was understood`,
		"3 default lagg: timeout 0":   `want SERVERS VARIANT`,
		"1 default: timeout 0":        `want 2 to 5`,
		"3 default: timeout 7":        `there is no server 7`,
		"3 default: vote 0>3":         `there is no server 3`,
	} {
		if _, err := parseCode(code); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", code, err, want)
		}
	}
}

// TestExploreDocs checks that the trace in docs/explore.md can be played, and that the library does not have its
// mistake.
func TestExploreDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/explore.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there are no docs here: the package is in a course tree")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(text), "again:      make explore TRACE='")
	if !ok {
		t.Fatal("there is no trace")
	}
	code, _, _ = strings.Cut(code, "'")
	playTrace(t, code)
}

// TestExploreImpossibleTrace checks that a trace with an impossible action is shown up to that action.
func TestExploreImpossibleTrace(t *testing.T) {
	w, err := parseCode("3 default: timeout 0, vote 0>1, vote 2>1, timeout 1")
	if err != nil {
		t.Fatal(err)
	}
	text, ok := newLive(w.limits, w.variant, true).show(w.trace)
	if ok || !strings.Contains(text, " 3  vote 2>1  | not possible here") || strings.Contains(text, "timeout 1") {
		t.Errorf("possible: %v, shown:\n%s", ok, text)
	}
}

// TestExploreWalksRepeat checks that the same seed gives the same walk.
func TestExploreWalksRepeat(t *testing.T) {
	a, _ := walkFrom(7, 80, true)
	b, _ := walkFrom(7, 80, true)
	if a.code() != b.code() || len(a.trace) < 80 {
		t.Errorf("%s\n%s", a.code(), b.code())
	}
}

// TestExploreWalksTryEverything checks that every kind of action occurs in walks.
func TestExploreWalksTryEverything(t *testing.T) {
	seen := make(map[string]int)
	for seed := range int64(120) {
		w, broken := walkFrom(seed, 100, false)
		if broken != nil {
			t.Fatal(w.counterexample(broken))
		}
		for _, a := range w.trace {
			verb, _, _ := strings.Cut(a.text(), " ")
			seen[verb+fateNames[a.fate]]++
			if a.crashStep > 0 {
				seen["crash="]++
			}
			if a.heard {
				seen["heard"]++
			}
		}
	}
	for _, want := range []string{
		"timeout", "resign", "start", "queue", "accept", "take", "apply", "snapshot", "read", "crash", "crash=", "heard",
		"vote", "vote no-reply", "vote held", "vote reply-held", "send", "send lost", "send no-reply", "send held", "send reply-held",
		"beat", "beat lost", "beat no-reply", "beat held", "beat reply-held", "deliver", "deliver no-reply", "deliver reply-held", "drop lost", "repeat no-reply",
	} {
		if seen[want] == 0 {
			t.Errorf("no walk does %q: %v", want, seen)
		}
	}
}

// TestExploreStatesUnderTheWatch checks that the watch finds no violation on the way to the states of a search.
func TestExploreStatesUnderTheWatch(t *testing.T) {
	m := searchCase{"default", limits{servers: 2, terms: 2, commands: 1, flight: 2, crashes: 1, saves: true, repeats: true}, 0}
	if exploreBriefly {
		m.limits.terms = 1
	}
	v := mustVariant(m.variant)
	x := newSearch(m.limits, v.opts)
	r := x.run(2, nil)
	random := rand.New(rand.NewSource(1))
	for range 40 {
		w := walk{limits: wide(m.limits.servers), variant: v, trace: x.traceTo(uint32(random.Intn(r.states)))}
		if done, broken := w.play(w.trace, true); broken != nil || len(done) != len(w.trace) {
			t.Fatalf("%d of %d actions: %v\n%s", len(done), len(w.trace), broken, w.code())
		}
	}
}

// TestExploreRareEffects checks that different effects have different numbers, also those of server 0 and of its first
// call.
func TestExploreRareEffects(t *testing.T) {
	x := newSearch(limits{servers: 3, terms: 1}, nil)
	b := &violation{logWellFormed, "x"}
	numbers := make(map[uint32]bool)
	all := []rareEffect{
		{}, {closed: []openSlot{{0, 0}}}, {closed: []openSlot{{0, 1}}}, {closed: []openSlot{{1, 0}}}, {closed: []openSlot{{0, 0}, {0, 0}}},
		{down: []int{0}}, {down: []int{1}}, {down: []int{0, 1}}, {adds: item{to: 1}}, {adds: item{slot: 1}}, {broken: b},
	}
	for k := range all {
		numbers[x.rareEffect(&all[k])] = true
		if n := x.rareEffect(&all[k]); !numbers[n] {
			t.Errorf("effect %d has two numbers", k)
		}
	}
	if len(numbers) != len(all) {
		t.Errorf("%d effects have %d numbers", len(all), len(numbers))
	}
}
