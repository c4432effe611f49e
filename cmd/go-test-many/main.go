// Go-test-many runs a package's tests many times and keeps the output of the runs that fail.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"6.824/cmd/cli"
)

// temporaryEnv is set by go-test-many.sh, which replaces itself by this executable and so cannot remove it.
const temporaryEnv = "GO_TEST_MANY_TEMPORARY"

func main() {
	if os.Getenv(temporaryEnv) != "" {
		os.Unsetenv(temporaryEnv)
		if self, err := os.Executable(); err == nil {
			os.Remove(self)
			os.Remove(filepath.Dir(self))
		}
	}
	cli.Main(&command, parseOptions, run)
}

// run tests the package. When it returns, it has left no process and no file but logs and reports.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if err := os.Chdir(o.dir); err != nil {
		return cli.Unusable(err)
	}
	scratch, err := os.MkdirTemp("", "go-test-many-")
	if err != nil {
		return cli.Unusable(err)
	}
	defer os.RemoveAll(scratch)
	if scratch, err = filepath.Abs(scratch); err != nil { // the tests run in another directory
		return cli.Unusable(err)
	}
	s, err := prepare(ctx, o, scratch, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "testing %s: %d runs, %d at a time\n", s.pkg, o.runs, o.parallelism)
	if earlier, _ := filepath.Glob(filepath.Join(o.logs, "test-*.log")); len(earlier) > 0 {
		fmt.Fprintf(stderr, "note: keeping the logs of earlier runs (%s)\n", filepath.Join(o.logs, "test-*.log"))
	}
	r := &runner{options: o, suite: s, scratch: scratch, limit: limit(o.testFlags),
		screen: newScreen(stdout, stderr), begun: time.Now()}
	err = r.runAll(ctx)
	r.took = time.Since(r.begun)
	slices.SortFunc(r.results, func(a, b result) int { return a.run - b.run })
	r.stopped = stopReason(ctx, err, r)
	err = errors.Join(err, r.writeReports())
	r.summarize(stdout, stderr)
	if err == nil && r.failed > 0 {
		err = cli.ErrFailed
	}
	return err
}

// prepare builds the tests and checks flags, pattern and paths, so that a mistake in them ends the command before a run.
func prepare(ctx context.Context, o options, scratch string, stderr io.Writer) (*suite, error) {
	s, err := findPackage()
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	for _, path := range []string{o.json, o.junit} {
		if err := checkReportPath(path); err != nil {
			return nil, cli.Unusable(err)
		}
	}
	if err := s.build(ctx, o.race, scratch, stderr); err != nil {
		return nil, cli.Unusable(err)
	}
	if err := s.list(ctx, o.testFlags, scratch); err != nil {
		return nil, cli.Unusable(err)
	}
	if err := s.check(o.testFlags); err != nil {
		return nil, cli.Unusable(err)
	}
	if err := os.MkdirAll(o.logs, 0o777); err != nil {
		return nil, cli.Unusable(err)
	}
	return s, cli.Unusable(checkWritable(o.logs))
}

// stopReason says why not all runs have finished. It returns "" if they have.
func stopReason(ctx context.Context, err error, r *runner) string {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx).Error()
	case err != nil:
		return "stopped: " + err.Error()
	case len(r.results) < r.runs:
		return fmt.Sprintf("stopped after %s (-failfast)", cli.Count(r.failed, "failed run"))
	}
	return ""
}
