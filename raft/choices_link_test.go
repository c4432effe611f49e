package raft

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var links = []choice{
	{"LinkOrdered", []Option{WithLink(LinkOrdered)}},
	{"LinkPerMessage", []Option{WithLink(LinkPerMessage)}},
	{"LinkPool(1)", []Option{WithLink(LinkPool(1))}},
	{"LinkPool(4)", []Option{WithLink(LinkPool(4))}},
	{"LinkPool(16)", []Option{WithLink(LinkPool(16))}},
}

var backups = []choice{
	{"BackupByTerm", []Option{WithBackup(BackupByTerm)}},
	{"BackupByHalf", []Option{WithBackup(BackupByHalf)}},
	{"BackupByOne", []Option{WithBackup(BackupByOne)}},
}

var linkTable = choiceTable{
	name: "Link",
	title: "WithLink: five servers, a client that keeps 64 commands outstanding. A second of the reliable network is one of the wall\n" +
		"clock; of the others, a virtual one." + networkLegend + "\nReordering: like unreliable, and two replies of three are delayed by 200 to 2,400 ms.",
	columns: []string{"network   ", "choice        ", "commands/s", "RPCs each", "bytes each"},
	rows: func(t *testing.T, effort int, add func(cells ...any)) {
		for _, network := range sampleOf([]netKind{instant, slow, unreliable, reordering}, effort) {
			for _, c := range sampleOf(links, effort) {
				l := measureLoad(t, network, time.Duration(min(effort, 200))*50*time.Millisecond, c.options)
				add(network, c.name, int(l.commands/l.took.Seconds()), l.each(l.rpcs), l.each(l.bytes))
			}
		}
	},
}

// reordering is labrpc's unreliable network with long reordering.
const reordering netKind = "reordering"

// A load is the result of a client's commands.
type load struct {
	took                  time.Duration
	commands, rpcs, bytes float64
}

func (l *load) each(sum float64) string { return fmt.Sprintf("%.2f", sum/l.commands) }

// measureLoad keeps 64 commands outstanding until limit, on the network's own clock.
func measureLoad(t *testing.T, network netKind, limit time.Duration, options []Option) (l load) {
	nap := time.Millisecond
	body := func(t *testing.T) {
		cfg := network.start(t, 5, append([]Option{withObserver(nil)}, options...)...)
		defer cfg.cleanup()
		cfg.setlongreordering(network == reordering)
		leader, _ := awaitLeader(cfg, 0)
		l = load{rpcs: -float64(cfg.rpcTotal()), bytes: -float64(cfg.bytesTotal())}
		begun, first := time.Now(), cfg.raft(leader).Status().CommitIndex
		for time.Since(begun) < limit {
			leader = keepBusy(cfg, leader)
			time.Sleep(nap)
		}
		l.took = time.Since(begun)
		l.rpcs += float64(cfg.rpcTotal())
		l.bytes += float64(cfg.bytesTotal())
		l.commands = float64(max(1, cfg.raft(leader).Status().CommitIndex-first))
	}
	if network == instant && *choicesFlag {
		nap = 50 * time.Microsecond
		body(t) // in a bubble, its messages would take no time
	} else {
		lab(t, body)
	}
	return l
}

// keepBusy starts commands until 64 are outstanding on the leader. It returns the leader.
func keepBusy(cfg *config, leader int) int {
	const outstanding = 64
	s := cfg.raft(leader).Status()
	if s.Role != Leader {
		leader, _ = awaitLeader(cfg, 0)
		return leader
	}
	for n := s.LastIndex - s.CommitIndex; n < outstanding; n++ {
		cfg.raft(leader).Start(n)
	}
	return leader
}

var scenarioColumns = []string{"test                       ", "choice        ", "seconds", "RPCs  ", "bytes   ", "snapshots sent"}

// compareScenarios returns a function that adds a row for each of the lab's tests and each choice, with the medians of
// several runs.
func compareScenarios(scenarios []labScenario, choices []choice) func(t *testing.T, effort int, add func(cells ...any)) {
	return func(t *testing.T, effort int, add func(cells ...any)) {
		measured := scenarios
		if effort == 1 {
			measured = scenarios[len(scenarios)-1:]
		}
		for _, s := range measured {
			for _, c := range sampleOf(choices, effort) {
				var runs [4][]float64
				for range min(effort, 51) {
					for k, figure := range s.run(t, c.options) {
						runs[k] = append(runs[k], figure)
					}
				}
				cells := []any{s.name, c.name}
				for k, figures := range runs {
					slices.Sort(figures)
					cells = append(cells, fmt.Sprintf("%.*f", map[int]int{0: 1}[k], figures[len(figures)/2]))
				}
				add(cells...)
			}
		}
	}
}

// sampleOf returns all cases, or only the first and the last if effort is small.
func sampleOf[T any](cases []T, effort int) []T {
	if effort == 1 && len(cases) > 2 {
		return []T{cases[0], cases[len(cases)-1]}
	}
	return cases
}

// A labScenario is one of the lab's tests.
type labScenario struct {
	name string
	setup
	body func(cfg *config)
}

// run returns the seconds, RPCs, bytes and snapshots that it took.
func (s labScenario) run(t *testing.T, options []Option) (figures [4]float64) {
	lab(t, func(t *testing.T) {
		var sent snapshotCounter
		s.options = func(int) []Option { return append([]Option{withObserver(&sent)}, options...) }
		cfg := s.setup.start(t)
		defer cfg.cleanup()
		s.body(cfg)
		figures = [4]float64{time.Since(cfg.made).Seconds(), float64(cfg.rpcTotal()), float64(cfg.bytesTotal()), float64(sent.n.Load())}
	})
	return figures
}

// A snapshotCounter is an observer that counts the snapshots sent.
type snapshotCounter struct{ n atomic.Int64 }

func (c *snapshotCounter) started(*Raft)                   {}
func (c *snapshotCounter) changed(*Raft)                   {}
func (c *snapshotCounter) saved(*Raft)                     {}
func (c *snapshotCounter) answering(*Raft, Message, Reply) {}
func (c *snapshotCounter) applying(*Raft, ApplyMsg)        {}
func (c *snapshotCounter) panicked(_ *Raft, reason any)    { panic(reason) }

func (c *snapshotCounter) sending(_ *Raft, m Message, _ int) {
	if _, ok := m.(*InstallSnapshotArgs); ok {
		c.n.Add(1)
	}
}

var figure8 = []labScenario{{"Figure8Unreliable2C", setup{n: 5, unreliable: true}, (*config).figure8Unreliable}}

var figure8Table = choiceTable{
	name:    "LinkFigure8",
	title:   "WithLink in TestFigure8Unreliable2C: medians of many runs.",
	columns: scenarioColumns,
	rows:    compareScenarios(figure8, links),
}

var backupTable = choiceTable{
	name:    "Backup",
	title:   "WithBackup: medians of many runs. BackupByOne does not reach agreement in the time that Figure8Unreliable2C allows.",
	columns: scenarioColumns,
	rows:    compareScenarios([]labScenario{{"Backup2B", setup{n: 5}, (*config).backUp}}, backups),
}

var repairTable = choiceTable{
	name: "Repair",
	title: "WithBackup: a follower's log differs from the leader's in 100 terms of three entries each. Messages to it, and the time\n" +
		"until it holds the leader's log, when each message and each reply takes 13 ms.",
	columns: []string{"choice        ", "messages", "time     "},
	rows: func(t *testing.T, _ int, add func(cells ...any)) {
		for _, c := range backups {
			messages, took := measureRepair(t, c.options)
			add(c.name, messages, took)
		}
	},
}

// measureRepair measures how a leader repairs a follower's log over a slow transport.
func measureRepair(t *testing.T, options []Option) (messages int, took time.Duration) {
	lab(t, func(t *testing.T) {
		ours, theirs := divergingTerms(100)
		other := newPeer(t, 1, 250, from(1).terms(theirs...))
		rf := newLeader(t, 3, 300, from(1).terms(ours...), append([]Option{WithTransport(func(_ int, m Message) Reply {
			messages++
			time.Sleep(13 * time.Millisecond)
			defer time.Sleep(13 * time.Millisecond)
			return other.OnMessage(m)
		})}, options...)...)
		f, begun := rf.followers[1], time.Now()
		for f.matchIndex < rf.log.lastIndex() {
			carry(rf, f, new(call))
		}
		took = time.Since(begun)
	})
	return messages, took
}

var trailingLogs = []choice{
	{"0", []Option{WithTrailingLog(0)}},
	{"5", []Option{WithTrailingLog(5)}},
	{"10", []Option{WithTrailingLog(10)}},
	{"20", []Option{WithTrailingLog(20)}},
	{"50", []Option{WithTrailingLog(50)}},
}

var trailingTable = choiceTable{
	name:    "TrailingLog",
	title:   "WithTrailingLog: medians of many runs. Servers take a snapshot every ten commands.",
	columns: scenarioColumns,
	rows: compareScenarios([]labScenario{
		{"SnapshotInstall2D", setup{n: 3, snapshot: true}, disconnecting},
		{"SnapshotInstallUnreliable2D", setup{n: 3, snapshot: true, unreliable: true}, disconnecting},
		{"SnapshotInstallCrash2D", setup{n: 3, snapshot: true}, crashing},
		{"SnapshotInstallUnCrash2D", setup{n: 3, snapshot: true, unreliable: true}, crashing},
	}, trailingLogs),
}

func disconnecting(cfg *config) { cfg.snapshots(disconnectVictim) }
func crashing(cfg *config)      { cfg.snapshots(crashVictim) }
