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

	"6.824/cmd/cli"
)

// ours matches the tests in the lab's file that the course of 2023 does not have.
const ours = "^(TestPersistShutdown2C|TestSnapshot2021Rules2D|TestSnapshotAllCrashUnreliable2D|TestSnapshotInitUnreliable2D)$"

const (
	labTests   = "2[ABCD]$"
	chaosTests = "^(TestChaos|TestChoices)$" // random faults

	// toolTests are left out. Those of chaos find only what chaos finds too. The explorer runs with -explore; its expected
	// numbers of states would change with mistakes that no test names.
	toolTests = "^Test(Explore|Scenario|Shrink)"
)

// stages are the arguments of the test runs, in their order. Those that usually kill soonest come first. TestChaos reports
// a failed seed only when it ends, so it must not spend time on shrinking the scenario.
var stages = [][]string{
	{"-test.skip=" + labTests + "|" + chaosTests + "|" + toolTests},
	{"-test.run=" + labTests},
	{"-test.run=" + chaosTests, "-chaos.seeds=100", "-chaos.shrink=0"},
}

// A laboratory compiles mutants and runs tests on them. Its methods are safe for concurrent use on different mutants.
type laboratory struct {
	options
	module  string // directory of the module
	scratch string // directory for all temporary files; close removes it
}

// newLaboratory finds the module that the working directory belongs to.
func newLaboratory(ctx context.Context, o options) (*laboratory, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, cli.Unusable(fmt.Errorf("go env GOMOD: %w", err))
	}
	module := filepath.Dir(strings.TrimSpace(string(out)))
	if _, err := os.Stat(filepath.Join(module, "raft", "raft.go")); err != nil {
		return nil, cli.Unusable(errors.New("run this in the module that holds raft/raft.go"))
	}
	scratch, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, cli.Unusable(err)
	}
	return &laboratory{options: o, module: module, scratch: scratch}, nil
}

func (l *laboratory) close() { os.RemoveAll(l.scratch) }

func (l *laboratory) raft() string { return filepath.Join(l.module, "raft") }

// A result is the outcome of one mutant.
type result struct {
	mutant mutant
	err    error         // why it could not be tested
	killed *failure      // nil: it survived
	after  time.Duration // from the first test to the failure

	explored bool     // only the explorer ran; killed then is a failure without a counterexample
	found    *finding // nil: the explorer found nothing

	labRuns int      // how often the lab's own tests were to run at most
	lab     *failure // their first failure; nil: they passed
}

// checkHealthy returns an error if the tests fail without a mutant. If a mutant needs the race detector, checkHealthy runs
// the tests with it too.
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

// testAll tests the mutants, l.parallel at a time, and prints each outcome to w.
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

// try tests one mutant: with -explore by the explorer, for at most limit, and otherwise by the tests.
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

// build compiles the tests with the mutant into dir.
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

// run runs tests until one fails, and returns that failure. It returns nil if all tests pass.
func (l *laboratory) run(ctx context.Context, binary string, deadline time.Time, args ...string) (*failure, error) {
	left := max(time.Until(deadline), time.Second)
	ctx, cancel := context.WithTimeout(ctx, left+10*time.Second) // in case the binary does not end by itself
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
		cancel() // the other tests do not matter
	}
	err = cmd.Wait()
	if found == nil && err != nil {
		return nil, fmt.Errorf("%s ended without a failed test: %w", filepath.Base(binary), err)
	}
	return found, nil
}

// command returns a command in directory dir. It leaves no process when ctx ends, and no file after close.
func (l *laboratory) command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := cli.Exec(ctx, l.scratch, name, args...)
	cmd.Dir = dir
	return cmd
}
