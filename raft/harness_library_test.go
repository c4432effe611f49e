package raft

// What the harness does for this library alone. The rest of it, and the lab's tests, know only the course's interface and
// the names declared here. For a student's Raft, cmd/overlay has another file with these names.

import (
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
	return Make(ends, i, persister, applyCh, cfg.makeOptions(i)...), applyCh
}

// makeOptions returns all options of a server. With WithCloseOnKill, a killed server closes applyCh after its last
// send, which tells the harness that nothing more comes.
func (cfg *config) makeOptions(server int) []Option {
	options := append([]Option{WithCloseOnKill(), cfg.watch.option()}, defaultOptions...)
	if cfg.options != nil {
		options = append(options, cfg.options(server)...)
	}
	return options
}

// crashing does nothing: a crash begins with takeDisk.
func (w *watch) crashing(int) {}

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
