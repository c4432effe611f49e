package raft

// Random walks: random actions on a live cluster, without stored states. A walk gets deeper than a search, but does not
// cover all schedules.

import (
	"fmt"
	"math/rand"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A walk is a kind of cluster and a list of actions on it.
type walk struct {
	limits  limits
	variant variant
	trace   []action
}

// wide are the limits of walks.
func wide(servers int) limits {
	return limits{servers: servers, terms: 1000, commands: maxCommands, crashes: 1000, saves: true, snaps: 1000, flight: 4, repeats: true, queue: true, reads: 1000}
}

// walkFrom takes at most length random actions, drawn from a seed. It returns them, up to a violation if there is one.
func walkFrom(seed int64, length int, watched bool) (w walk, broken *violation) {
	random := rand.New(rand.NewSource(seed))
	w.limits = wide([]int{3, 3, 3, 4, 5, 5}[random.Intn(6)])
	w.limits.lag = random.Intn(3) == 0
	w.variant = mustVariant(pairwise[random.Intn(len(pairwise))])
	c := newLive(w.limits, w.variant, watched)
	bias := newBias(random, w.limits.servers)
	for broken == nil && len(w.trace) < length {
		bias.regroup()
		if random.Intn(3) > 0 {
			a := bias.choose(c, c.actions())
			w.trace = append(w.trace, a)
			c.do(a)
		} else {
			plan := bias.plan
			switch random.Intn(16) {
			case 0, 1:
				plan = bias.loseAndRegainLead
			case 2:
				plan = bias.readBehind
			}
			done, _ := c.playAll(plan(c))
			w.trace = append(w.trace, done...)
		}
		broken = c.verdict()
	}
	return w, broken
}

// A bias makes some kinds of actions rare in one walk and frequent in the next, so that walks differ. It also divides
// the servers into groups for a while, so that leaders change.
type bias struct {
	random  *rand.Rand
	weights [64]int // by action.kindNumber; 0: not drawn yet
	group   []int   // by server: only servers of the same group reach each other
	late    bool    // replies stay in flight until their server leads in a later term
	sums    []int
}

func newBias(random *rand.Rand, servers int) *bias {
	return &bias{random: random, group: make([]int, servers), late: random.Intn(3) == 0}
}

// kindNumber returns the number of an action's kind.
func (a *action) kindNumber() int {
	if a.kind == act {
		return int(a.step.kind)
	}
	return 24 + 5*int(a.kind) + int(a.fate)
}

// baseWeights are the weights of steps other than 10: steps that begin something are rarer than steps that continue it.
var baseWeights = map[stepKind]int{stepTimeout: 3, stepResign: 1, stepCrash: 1, stepStart: 6, stepQueue: 3, stepAccept: 20, stepSnapshot: 2, stepRead: 2}

func (b *bias) weight(a *action) int {
	w := &b.weights[a.kindNumber()]
	if *w == 0 {
		base := 10
		if u, ok := baseWeights[a.step.kind]; ok && a.kind == act {
			base = u
		}
		*w = 1 + base*[]int{0, 1, 2, 4, 8, 8}[b.random.Intn(6)]
	}
	if rpc := a.kind == actVote || a.kind == actSend; rpc && b.group[a.at] != b.group[a.to] {
		return *w / 16
	}
	return *w
}

// regroup divides the servers into new groups, on average once in 20 calls.
func (b *bias) regroup() {
	if b.random.Intn(20) == 0 {
		groups := 1 + b.random.Intn(3)
		for i := range b.group {
			b.group[i] = b.random.Intn(groups)
		}
	}
}

// weightOf returns the weight of an action on an item. If b.late, a reply most often waits until its receiver leads in
// a later term.
func (b *bias) weightOf(a *action, c *live) int {
	i := &c.items[a.item]
	_, term := i.request.message.sender()
	switch rf := c.servers[i.from].rf; {
	case !b.late || i.reply == nil || i.orphaned:
		return b.weight(a)
	case rf.role == Leader && rf.currentTerm > term && a.kind == actDeliver:
		return 80
	}
	return 1
}

// choose draws one of the possible actions.
func (b *bias) choose(c *live, all []action) action {
	b.sums = b.sums[:0]
	sum := 0
	for k := range all {
		if a := &all[k]; a.kind >= actDeliver {
			sum += b.weightOf(a, c)
		} else {
			sum += b.weight(a)
		}
		b.sums = append(b.sums, sum)
	}
	k, _ := slices.BinarySearch(b.sums, 1+b.random.Intn(sum))
	a := all[k]
	if b.random.Intn(40) == 0 {
		a.crashStep, a.crashSave = 1+b.random.Intn(3), 1+b.random.Intn(2)
	}
	return a
}

// walks takes random walks with consecutive seeds, several in parallel, while more returns true. It returns the number
// of walks and of actions, and the first counterexample, shrunk, or nil.
func walks(seed int64, more func(walks int) bool) (n, actions int, found *counterexample) {
	var next, done atomic.Int64
	var first atomic.Pointer[counterexample]
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for first.Load() == nil && more(int(next.Load())) {
				w, broken := walkFrom(seed+next.Add(1)-1, 150, true)
				done.Add(int64(len(w.trace)))
				if broken == nil {
					continue
				}
				w.shrink(broken, true)
				c := w.counterexample(broken)
				c.after = fmt.Sprintf("%d walks of %d actions", next.Load(), done.Load())
				first.CompareAndSwap(nil, &c)
			}
		})
	}
	group.Wait()
	return int(next.Load()), int(done.Load()), first.Load()
}

// play performs the actions that are possible, up to the first violation. It returns the performed actions and the
// violation, or nil.
func (w *walk) play(trace []action, watched bool) (done []action, broken *violation) {
	return newLive(w.limits, w.variant, watched).playAll(trace)
}

// shrink removes and simplifies actions as long as the same property is violated.
func (w *walk) shrink(broken *violation, watched bool) {
	play := func(trace []action) (done []action, broken *violation) {
		c := newLive(w.limits, w.variant, watched)
		c.loose = true
		return c.playAll(trace)
	}
	fails := func(trace []action) bool {
		_, b := play(trace)
		return b != nil && b.property == broken.property
	}
	for before := -1; before != len(w.trace); {
		before = len(w.trace)
		w.trace = shrinkList(w.trace, fails)
		w.trace, _ = play(w.trace)
		for k := range w.trace {
			for _, simpler := range w.trace[k].simpler() {
				trace := slices.Clone(w.trace)
				if trace[k] = simpler; fails(trace) {
					w.trace = trace
					break
				}
			}
		}
	}
	w.trace, _ = play(w.trace)
}

// simpler returns simpler forms of an action.
func (a action) simpler() (all []action) {
	if a.crashStep > 0 {
		b := a
		b.crashStep, b.crashSave = 0, 0
		all = append(all, b)
	}
	for _, f := range []fate{answered, noReply} {
		if (a.kind == actVote || a.kind == actSend) && a.fate > f {
			b := a
			b.fate = f
			all = append(all, b)
		}
	}
	return all
}

// A counterexample is a walk that violates a property.
type counterexample struct {
	walk
	*violation
	watched bool   // the watch finds the violation, too
	after   string // how much was explored before it
}

// counterexample replays the walk under the watch, and returns it with the violation.
func (w walk) counterexample(b *violation) counterexample {
	c := counterexample{w, b, false, ""}
	live := newLive(w.limits, w.variant, true)
	if done, seen := live.playAll(w.trace); seen != nil {
		c.trace, c.violation, c.watched = done, seen, live.watch.violation() != nil
	}
	return c
}

// fail fails the test. The page of the counterexample is the last line.
func (c *counterexample) fail(t *testing.T) {
	t.Helper()
	defer c.recorded(t).show(t)
	t.Fatal(c)
}

// Error returns the violated property, the trace as a table, and how to repeat it and keep it as a test.
func (c counterexample) Error() string {
	live := newLive(c.limits, c.variant, true)
	var b strings.Builder
	fmt.Fprintf(&b, "\nexplore: found after %s, a trace of %d actions: %v\n\n", c.after, len(c.trace), c.violation)
	fmt.Fprintf(&b, "%d servers, %s. L3 v1 [1 1 3] c2: leader in term 3, voted for server 1, entries of terms 1, 1 and 3, commitIndex 2.\n", c.limits.servers, c.variant.name)
	fmt.Fprintf(&b, "F follower, P candidate for PreVotes, C candidate; [5:2] in front: the log begins after index 5, whose term is 2.\n")
	text, _ := live.show(c.trace)
	b.WriteString(text)
	if !c.watched {
		b.WriteString("\nThe watch finds no violation in this trace; only the explorer's own check does.\n")
	}
	fmt.Fprintf(&b, "\nagain:      make explore TRACE='%s'\n", c.code())
	fmt.Fprintf(&b, "as a test:  %s\n", strings.ReplaceAll(c.test(), "\n", "\n            "))
	return b.String()
}

// code formats a walk for parseCode.
func (w walk) code() string {
	lag := ""
	if w.limits.lag {
		lag = " lag"
	}
	return fmt.Sprintf("%d %s%s: %s", w.limits.servers, w.variant.name, lag, textOf(w.trace))
}

func (w walk) test() string {
	return fmt.Sprintf("func TestTrace(t *testing.T) {\n\tplayTrace(t, %q)\n}", w.code())
}

// parseCode parses a walk: a number of servers, a variant and a trace.
func parseCode(code string) (w walk, err error) {
	head, trace, ok := strings.Cut(code, ":")
	words := strings.Fields(head)
	if !ok || len(words) < 2 || len(words) > 3 || len(words) == 3 && words[2] != "lag" {
		return w, fmt.Errorf("want SERVERS VARIANT: ACTION, ACTION, … or SERVERS VARIANT lag: …")
	}
	servers, err := strconv.Atoi(words[0])
	if err != nil || servers < 2 || servers > 5 {
		return w, fmt.Errorf("%q servers: want 2 to 5", words[0])
	}
	if w.variant, err = variantOf(words[1]); err != nil {
		return w, err
	}
	w.limits = wide(servers)
	w.limits.lag = len(words) == 3
	w.trace, err = parseTrace(trace, servers)
	return w, err
}
