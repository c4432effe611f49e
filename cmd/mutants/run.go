package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ours are the tests of the lab's file that the course of 2023 does not have.
const ours = "^(TestPersistShutdown2C|TestSnapshot2021Rules2D|TestSnapshotAllCrashUnreliable2D|TestSnapshotInitUnreliable2D)$"

const (
	labTests   = "2[ABCD]$"
	chaosTests = "^(TestChaos|TestChoices)$" // those that look at everything, and at nothing in particular

	// testsTests are tests of how chaos works: what they find, chaos finds. The explorer has a column of its own (-explore), and
	// its golden numbers of states would take note of mistakes that no test names.
	testsTests = "^Test(Explore|Scenario|Shrink)"
)

// stages are the arguments of one test run after another, those that kill soonest first. TestChaos prints that a seed has
// failed when it ends, so it must not look for a smaller scenario before.
var stages = [][]string{
	{"-test.skip=" + labTests + "|" + chaosTests + "|" + testsTests},
	{"-test.run=" + labTests},
	{"-test.run=" + chaosTests, "-chaos.seeds=100", "-chaos.shrink=0"},
}

// A laboratory compiles mutants and runs tests on them.
type laboratory struct {
	options
	module  string // directory of the module
	scratch string // for everything that is written; removed at the end
}

// newLaboratory finds the module that the working directory belongs to.
func newLaboratory(ctx context.Context, o options) (*laboratory, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOMOD: %w", err)
	}
	module := filepath.Dir(strings.TrimSpace(string(out)))
	if _, err := os.Stat(filepath.Join(module, "raft", "raft.go")); err != nil {
		return nil, errors.New("this is to be run in the module that holds raft/raft.go")
	}
	scratch, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	return &laboratory{options: o, module: module, scratch: scratch}, nil
}

func (l *laboratory) close() { os.RemoveAll(l.scratch) }

func (l *laboratory) raft() string { return filepath.Join(l.module, "raft") }

// A result is what became of a mutant.
type result struct {
	mutant mutant
	err    error         // it could not be tested
	killed *failure      // nil: it survived
	after  time.Duration // from the first test to the failure

	explored bool     // only the explorer ran; killed is a failure without a counterexample
	found    *finding // nil: the explorer found nothing

	labRuns int      // how often the lab's own tests were to run
	lab     *failure // what they found; nil: nothing
}

// checkHealthy runs the tests without a mutant, and with the race detector too if a mutant needs it.
func (l *laboratory) checkHealthy(ctx context.Context, mutants []mutant) error {
	healthy := []mutant{{name: "none"}}
	if slices.ContainsFunc(mutants, func(m mutant) bool { return m.race }) {
		healthy = append(healthy, mutant{name: "none-race", race: true})
	}
	for _, m := range healthy {
		r := l.try(ctx, m, healthyLimit)
		switch {
		case r.err != nil:
		case r.found != nil:
			r.err = fmt.Errorf("%v", r.found)
		case r.killed != nil:
			r.err = fmt.Errorf("%v", r.killed)
		}
		if r.err != nil {
			return fmt.Errorf("the tests fail without a mutant: %w", r.err)
		}
	}
	return nil
}

// testAll tests the mutants, some at once, and says on w what becomes of each.
func (l *laboratory) testAll(ctx context.Context, mutants []mutant, w io.Writer) []result {
	results := make([]result, len(mutants))
	next := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range l.parallel {
		workers.Go(func() {
			for k := range next {
				results[k] = l.try(ctx, mutants[k], l.limit)
				mu.Lock()
				done++
				if ctx.Err() == nil {
					fmt.Fprintf(w, "mutants: %d/%d %v\n", done, len(mutants), &results[k])
				}
				mu.Unlock()
			}
		})
	}
	for k := range mutants {
		if ctx.Err() != nil {
			break
		}
		next <- k
	}
	close(next)
	workers.Wait()
	return results
}

// try runs the explorer on one mutant, for at most limit, or else the tests.
func (l *laboratory) try(ctx context.Context, m mutant, limit time.Duration) result {
	if l.explore {
		return l.search(ctx, m, min(limit, l.limit))
	}
	return l.test(ctx, m)
}

// test runs the tests on one mutant.
func (l *laboratory) test(ctx context.Context, m mutant) result {
	r := result{mutant: m}
	dir := filepath.Join(l.scratch, m.name)
	defer os.RemoveAll(dir)
	deadline := time.Now().Add(l.timeout)
	binary, err := l.build(ctx, m, dir)
	if err != nil {
		r.err = err
		return r
	}
	start := time.Now()
	for _, args := range stages {
		if r.killed, r.err = l.run(ctx, binary, deadline, args...); r.killed != nil || r.err != nil {
			break
		}
	}
	r.after = time.Since(start)
	if r.err == nil && l.lab > 0 {
		r.labRuns = l.lab
		r.lab, r.err = l.run(ctx, binary, time.Now().Add(l.timeout),
			"-watch=false", "-test.run="+labTests, "-test.skip="+ours, fmt.Sprint("-test.count=", l.lab))
	}
	return r
}

// build compiles the tests with the mutant in place into dir.
func (l *laboratory) build(ctx context.Context, m mutant, dir string) (binary string, err error) {
	files, err := m.mutate(l.raft())
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for name, source := range files {
		path := filepath.Join(dir, name)
		overlay.Replace[filepath.Join(l.raft(), name)] = path
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "raft.test")
	args := []string{"test", "-c", "-vet=off", "-overlay", path, "-o", binary}
	if m.race {
		args = append(args, "-race")
	}
	var out bytes.Buffer
	cmd := l.command(ctx, l.module, "go", append(args, "./raft")...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("mutant %s does not compile: %w\n%s", m.name, err, out.Bytes())
	}
	return binary, nil
}

// run runs tests until one fails, which it returns, or all have passed.
func (l *laboratory) run(ctx context.Context, binary string, deadline time.Time, args ...string) (*failure, error) {
	left := max(time.Until(deadline), time.Second)
	ctx, cancel := context.WithTimeout(ctx, left+10*time.Second) // should the binary not end itself
	defer cancel()
	args = append(args, "-test.v", "-test.failfast", fmt.Sprint("-test.timeout=", left))
	cmd := l.command(ctx, l.raft(), binary, args...)
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	found := readFailure(output)
	if found != nil {
		cancel() // the rest is silence
	}
	err = cmd.Wait()
	if found == nil && err != nil {
		return nil, fmt.Errorf("%s ended without a test that failed: %w", filepath.Base(binary), err)
	}
	return found, nil
}

// command makes a command whose end is the end of all that it started, and that leaves no file.
func (l *laboratory) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+l.scratch, "GOTMPDIR="+l.scratch)
	cmd.WaitDelay = time.Second
	killWhole(cmd)
	return cmd
}
