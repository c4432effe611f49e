package raft

// What the harness does for this library alone. The rest of it, and the lab's tests, know only the course's interface and
// the names declared here. For a student's Raft, cmd/overlay has another file with these names.

import (
	"flag"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"6.824/labrpc"
)

// defaultOptions are the options that the flag -options names. Every server of every cluster gets them.
var defaultOptions []Option

// setUp applies the flags that only this library's tests have.
func setUp() (err error) {
	defaultOptions, err = chosen(*optionsFlag)
	return err
}

// An applyChannel is the channel that a server is made with.
type applyChannel = chan ApplyMsg

// makeRaft starts server i, but does not connect it.
func (cfg *config) makeRaft(i int, ends []*labrpc.ClientEnd, persister *Persister) (*Raft, applyChannel) {
	applyCh := make(applyChannel)
	cfg.recording.started(i, cfg.endnames[i], cfg.net)
	return Make(ends, i, persister, applyCh, cfg.makeOptions(i)...), applyCh
}

// makeOptions returns all options of a server. With WithCloseOnKill, a killed server closes applyCh after its last
// send, which tells the harness that nothing more comes.
func (cfg *config) makeOptions(server int) []Option {
	options := append([]Option{WithCloseOnKill(), cfg.watch.option(), cfg.recording.option(server)}, defaultOptions...)
	if cfg.options != nil {
		options = append(options, cfg.options(server)...)
	}
	return options
}

// recorded reports whether clusters are recorded. The thousands of clusters that "make choices" starts are not.
func recorded() bool { return !*choicesFlag }

// option makes the recording the Observer of a server that has started in it.
func (r *recording) option(server int) Option {
	if r == nil {
		return WithObserver(nil)
	}
	return WithObserver(r.observer(server))
}

// runAgain returns the command that runs a test with the flags that it has now, except those of package testing.
func runAgain(test string) string {
	line := fmt.Sprintf("go test ./raft -run '^%s$'", strings.ReplaceAll(test, "/", "$/^"))
	args := ""
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") && f.Name != "picture" {
			args += fmt.Sprintf(" -%s='%v'", f.Name, f.Value)
		}
	})
	if args != "" {
		line += " -args" + args
	}
	return line
}

// recordIn records violations in r. A crash is recorded from crashing on, and checked from takeDisk on.
func (w *watch) recordIn(r *recording) { w.recording = r }

// crashing is called before server i is cut off, if it runs.
func (w *watch) crashing(i int) { w.recording.crashing(i) }

// messages returns what a server sends on applyCh until it closes the channel.
func (cfg *config) messages(applyCh applyChannel) iter.Seq[ApplyMsg] {
	return func(yield func(ApplyMsg) bool) {
		for m := range applyCh {
			if !yield(m) {
				return
			}
		}
	}
}

// awaitReader waits for the reader of a killed server to end, which it does once the server closes applyCh.
func (cfg *config) awaitReader(i int, reader <-chan struct{}) {
	const timeout = 5 * time.Second
	select {
	case <-reader:
	case <-time.After(timeout):
		cfg.t.Errorf("server %v: applyCh is still open %v after Kill", i, timeout)
	}
}

// leakTimeout covers the longest call to an unreachable server, which may go on after Kill.
const leakTimeout = 10 * time.Second

// checkLeaks fails the test if goroutines of this module that are not in before do not end.
func checkLeaks(t testing.TB, before map[string]string) {
	t.Helper()
	left := leaked(before, leakTimeout)
	if len(left) == 0 {
		return
	}
	names := make([]string, len(left))
	for i, stack := range left {
		names[i] = topFunction(stack)
	}
	slices.Sort(names)
	t.Errorf("%d goroutines left behind: %s\n\n%s",
		len(left), strings.Join(slices.Compact(names), ", "), strings.Join(left, "\n\n"))
}

const modulePrefix = "6.824/"
