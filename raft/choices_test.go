package raft

import (
	"flag"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"6.824/labrpc"
)

var choicesFlag = flag.Bool("choices", false, "TestChoices takes its full measurements and prints its tables")

// A choiceTable compares the values of an option. rows calls add as soon as a row is known, with a cell for each
// column; a column is as wide as its title.
type choiceTable struct {
	name    string
	title   string
	columns []string
	rows    func(t *testing.T, effort int, add func(cells ...any))
}

// choiceTables are all tables, in the order in which they are printed.
var choiceTables = []choiceTable{
	votePolicyTable,
	narrowTable,
	concessionTable,
	preVoteTable,
	preVoteCostTable,
	linkTable,
	figure8Table,
	backupTable,
	repairTable,
	trailingTable,
}

// TestChoices measures options that have several reasonable values. It checks that each value elects at most one leader
// per term, and a leader within five seconds. With -choices, on the virtual clock, it prints its measurements;
// otherwise it measures only a few cases of each row.
func TestChoices(t *testing.T) {
	parallel(t)
	effort := 1
	if *choicesFlag {
		if !virtualClock() {
			t.Fatal("-choices needs the virtual clock: on the real one it would take many hours")
		}
		effort = 2000
	}
	for _, table := range choiceTables {
		t.Run(table.name, func(t *testing.T) { table.run(t, effort) })
	}
}

func (c *choiceTable) run(t *testing.T, effort int) {
	if !*choicesFlag {
		c.rows(t, effort, func(...any) {})
		return
	}
	rule := make([]any, len(c.columns))
	titles := make([]any, len(c.columns))
	for k, title := range c.columns {
		titles[k], rule[k] = title, "---"
	}
	fmt.Printf("\n%s\n\n", c.title)
	c.print(titles...)
	c.print(rule...)
	c.rows(t, effort, c.print)
}

func (c *choiceTable) print(cells ...any) {
	for k, cell := range cells {
		text := fmt.Sprint(cell)
		if d, ok := cell.(time.Duration); ok {
			text = fmt.Sprintf("%.1f ms", d.Seconds()*1000)
		}
		fmt.Printf("| %s%*s ", text, max(0, len(c.columns[k])-len(text)), "")
	}
	fmt.Println("|")
}

// A netKind is a network to measure on.
type netKind string

const (
	instant    netKind = "reliable"   // labrpc's reliable network: messages take no time at all
	slow       netKind = "delays"     // each request and each reply takes 0 to 26 ms; none is lost
	unreliable netKind = "unreliable" // labrpc's: a request takes 0 to 26 ms, a tenth of them and of the replies are lost
)

var netKinds = []netKind{instant, slow, unreliable}

const networkLegend = "\nNetworks: reliable, messages take no time; delays, 0 to 26 ms for each request and each reply, none lost;\n" +
	"unreliable, 0 to 26 ms for each request, a tenth of the requests and a tenth of the replies are lost."

// start starts a cluster of n on the network, all with the same options. The caller defers cleanup.
func (kind netKind) start(t *testing.T, n int, opts ...Option) *config {
	cfg := setup{n: n, unreliable: kind == unreliable, options: func(int) []Option { return opts }}.start(t)
	if kind == slow {
		for i := range n {
			server := labrpc.MakeServer()
			server.AddService(slowService(cfg.raft(i)))
			cfg.net.AddServer(i, server)
		}
	}
	return cfg
}

// slowService is rf behind delays like those of an unreliable network.
func slowService(rf *Raft) *labrpc.Service {
	type Raft struct{ *slowly } // labrpc names a service after its type
	return labrpc.MakeService(&Raft{&slowly{rf}})
}

type slowly struct{ rf *Raft }

func (s *slowly) pass() { time.Sleep(time.Duration(rand.Intn(labrpc.SHORTDELAY)) * time.Millisecond) }

func (s *slowly) RequestVote(args *RequestVoteArgs, reply *RequestVoteReply) {
	s.pass()
	defer s.pass()
	handlers{s.rf}.RequestVote(args, reply)
}

func (s *slowly) AppendEntries(args *AppendEntriesArgs, reply *AppendEntriesReply) {
	s.pass()
	defer s.pass()
	handlers{s.rf}.AppendEntries(args, reply)
}

func (s *slowly) InstallSnapshot(args *InstallSnapshotArgs, reply *InstallSnapshotReply) {
	s.pass()
	defer s.pass()
	handlers{s.rf}.InstallSnapshot(args, reply)
}

// watchStep is the precision with which the tests below measure times.
const watchStep = time.Millisecond

// awaitLeader waits until a connected server leads in a term later than after, for at most five seconds, as the lab
// allows.
func awaitLeader(cfg *config, after int) (leader, term int) {
	cfg.t.Helper()
	for begun := time.Now(); time.Since(begun) <= 5*time.Second; time.Sleep(watchStep) {
		leader, err := leaderOf(cfg.connectedStatus())
		cfg.check(err)
		if leader == nobody {
			continue
		}
		if term, leads := cfg.raft(leader).GetState(); leads && term > after {
			return leader, term
		}
	}
	cfg.t.Fatalf("no leader within five seconds after term %d", after)
	return nobody, 0
}

// awaitCalm waits until all servers follow one leader, and then for a random part of a heartbeat interval.
func awaitCalm(cfg *config) (leader, term int) {
	cfg.t.Helper()
	for begun := time.Now(); time.Since(begun) <= 5*time.Second; time.Sleep(watchStep) {
		s := cfg.raft(0).Status()
		calm := s.Leader != nobody
		for i := range cfg.n {
			other := cfg.raft(i).Status()
			calm = calm && other.Leader == s.Leader && other.Term == s.Term
		}
		if calm {
			cfg.sleep(time.Duration(rand.Int63n(int64(cfg.raft(0).options.heartbeat))))
			return s.Leader, s.Term
		}
	}
	cfg.t.Fatal("no common leader within five seconds")
	return nobody, 0
}

// elections are the results of several elections: their times, and the number of terms with candidates but without a
// leader.
type elections struct {
	took   sample
	splits int
}

// A sample is a set of measured times.
type sample []time.Duration

func (s sample) quantile(q float64) time.Duration {
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))]
}

func (s sample) mean() time.Duration {
	var sum time.Duration
	for _, d := range s {
		sum += d
	}
	return sum / time.Duration(len(s))
}

// add waits for a leader of a term later than term, and adds the time since begun.
func (e *elections) add(cfg *config, begun time.Time, term int) {
	cfg.t.Helper()
	_, now := awaitLeader(cfg, term)
	e.took = append(e.took, time.Since(begun))
	e.splits += now - term - 1
}

// inBubbles calls body for n cases in total, a few in each bubble, because a cluster may run for only 120 s.
func inBubbles(t *testing.T, n int, body func(t *testing.T, n int)) {
	const few = 20
	for ; n > 0; n -= few {
		lab(t, func(t *testing.T) { body(t, min(n, few)) })
	}
}

// coldStarts elects the first leaders of n clusters.
func coldStarts(t *testing.T, n, servers int, kind netKind, opts ...Option) (e elections) {
	inBubbles(t, n, func(t *testing.T, n int) {
		for range n {
			begun := time.Now()
			cfg := kind.start(t, servers, opts...)
			e.add(cfg, begun, 0)
			cfg.cleanup()
		}
	})
	return e
}

// losses disconnects n leaders, one at a time, and waits for the next leader each time.
func losses(t *testing.T, n, servers int, kind netKind, opts ...Option) (e elections) {
	inBubbles(t, n, func(t *testing.T, n int) {
		cfg := kind.start(t, servers, opts...)
		defer cfg.cleanup()
		for range n {
			leader, term := awaitCalm(cfg)
			begun := time.Now()
			cfg.disconnect(leader)
			e.add(cfg, begun, term)
			cfg.connect(leader)
		}
	})
	return e
}

// A choice is one value of an option.
type choice struct {
	name    string
	options []Option
}

var electionColumns = []string{
	"occasion      ", "servers", "network   ", "choice       ", "elections", "median  ", "p99     ", "mean    ",
	"split votes each",
}

// compareElections returns a function that adds a row for each occasion, size of cluster, network and choice.
func compareElections(choices []choice) func(t *testing.T, effort int, add func(cells ...any)) {
	type electing func(t *testing.T, n, servers int, kind netKind, opts ...Option) elections
	return func(t *testing.T, effort int, add func(cells ...any)) {
		compare := func(occasion string, elect electing, servers int, kind netKind) {
			for _, c := range choices {
				e := elect(t, effort, servers, kind, c.options...)
				add(occasion, servers, kind, c.name, len(e.took), e.took.quantile(0.5), e.took.quantile(0.99), e.took.mean(),
					fmt.Sprintf("%.3f", float64(e.splits)/float64(len(e.took))))
			}
		}
		for _, servers := range sampleOf([]int{3, 5, 7}, effort) {
			for _, kind := range sampleOf(netKinds, effort) {
				compare("cold start", coldStarts, servers, kind)
				compare("loss of leader", losses, servers, kind)
			}
		}
	}
}

// votePolicies returns the vote policies as choices, each combined with options.
func votePolicies(options ...Option) []choice {
	with := func(more Option) []Option { return append([]Option{more}, options...) }
	return []choice{
		{"VoteSelfFirst", with(WithVotePolicy(VoteSelfFirst))},
		{"VoteSelfLast", with(WithVotePolicy(VoteSelfLast))},
	}
}

var votePolicyTable = choiceTable{
	name:    "VotePolicy",
	title:   "WithVotePolicy: time until there is a leader." + networkLegend,
	columns: electionColumns,
	rows:    compareElections(votePolicies()),
}

var narrowTable = choiceTable{
	name: "NarrowTimeout",
	title: "WithVotePolicy, with election timeouts of 160 to 200 ms, which split many votes: time until there is a leader." +
		networkLegend,
	columns: electionColumns,
	rows:    compareElections(votePolicies(WithElectionTimeout(160*time.Millisecond, 200*time.Millisecond))),
}

var concessionTable = choiceTable{
	name:    "Concession",
	title:   "WithConcession, under both vote policies: time until there is a leader." + networkLegend,
	columns: electionColumns,
	rows: compareElections([]choice{
		{"first, false", []Option{WithConcession(false), WithVotePolicy(VoteSelfFirst)}},
		{"first, true", []Option{WithConcession(true), WithVotePolicy(VoteSelfFirst)}},
		{"last, false", []Option{WithConcession(false), WithVotePolicy(VoteSelfLast)}},
		{"last, true", []Option{WithConcession(true), WithVotePolicy(VoteSelfLast)}},
	}),
}

var preVoteTable = choiceTable{
	name: "PreVote",
	title: "WithPreVote and WithStandSoon: how long nobody leads within two seconds after a server of five comes back, with a\n" +
		"log that is behind. All reach it at once, or (deaf) it reaches them a second before they reach it." + networkLegend,
	columns: []string{
		"network   ", "deaf ", "PreVote", "StandSoon", "returns", "undisturbed", "median  ", "p99     ", "mean    ",
		"terms each",
	},
	rows: func(t *testing.T, effort int, add func(cells ...any)) {
		compare := func(kind netKind, deaf, preVote, standSoon bool) {
			r := measureReturns(t, (effort+1)/2, kind, deaf, WithPreVote(preVote), WithStandSoon(standSoon))
			n := len(r.leaderless)
			add(kind, deaf, preVote, standSoon, n, fmt.Sprintf("%d%%", 100*r.undisturbed/n), r.leaderless.quantile(0.5),
				r.leaderless.quantile(0.99), r.leaderless.mean(), fmt.Sprintf("%.2f", float64(r.terms)/float64(n)))
		}
		for _, kind := range sampleOf(netKinds, effort) {
			for _, deaf := range []bool{false, true} {
				compare(kind, deaf, true, true)
				compare(kind, deaf, false, true)
				compare(kind, deaf, false, false)
			}
		}
	},
}

var preVoteCostTable = choiceTable{
	name:    "PreVoteCost",
	title:   "WithPreVote: time until there is a leader, for which it is a round trip more." + networkLegend,
	columns: electionColumns,
	rows: compareElections([]choice{
		{"PreVote", []Option{WithPreVote(true)}},
		{"none", []Option{WithPreVote(false)}},
	}),
}

// returns are the results of reconnecting servers.
type returns struct {
	leaderless  sample // how long no server led
	undisturbed int    // how often the leader stayed the same
	terms       int    // number of new terms
}

// measureReturns disconnects and reconnects a follower of five n times. If deaf, the follower reaches the others for a
// second before they reach it.
func measureReturns(t *testing.T, n int, kind netKind, deaf bool, opts ...Option) (r returns) {
	inBubbles(t, n, func(t *testing.T, n int) {
		cfg := kind.start(t, 5, opts...)
		defer cfg.cleanup()
		for range n {
			leader, _ := awaitCalm(cfg)
			lonely := (leader + 1 + rand.Intn(4)) % 5
			cfg.disconnect(lonely)
			cfg.one(randstring(8), 4, true)
			cfg.sleep(time.Second + time.Duration(rand.Int63n(int64(time.Second))))
			_, before := awaitLeader(cfg, 0)
			r.leaderless = append(r.leaderless, leaderless(cfg, lonely, deaf))
			_, now := awaitCalm(cfg)
			r.terms += now - before
			if now == before {
				r.undisturbed++
			}
		}
	})
	return r
}

// leaderless reconnects a server and returns how long no server led in the next two seconds.
func leaderless(cfg *config, lonely int, deaf bool) (without time.Duration) {
	cfg.t.Helper()
	if deaf {
		cfg.speak(lonely)
	} else {
		cfg.connect(lonely)
	}
	for begun := time.Now(); time.Since(begun) < 2*time.Second; time.Sleep(watchStep) {
		if deaf && time.Since(begun) >= time.Second {
			cfg.connect(lonely)
			deaf = false
		}
		leader, err := leaderOf(cfg.connectedStatus())
		cfg.check(err)
		if leader == nobody {
			without += watchStep
		}
	}
	return without
}

// speak lets a disconnected server reach the others, which still do not reach it.
func (cfg *config) speak(server int) {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	for _, name := range cfg.endnames[server] {
		cfg.net.Enable(name, true)
	}
}
