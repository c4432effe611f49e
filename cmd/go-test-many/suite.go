package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"6.824/cmd/cli"
)

// A suite is the tests of a package.
type suite struct {
	pkg    string // the package as the go command is told it
	path   string // its import path
	dir    string // its directory
	binary string
	race   bool     // it has the race detector
	tests  []string // the tests' names, benchmarks, examples and fuzz tests among them
}

// findPackage looks for a directory with tests.
func findPackage() (*suite, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for _, pkg := range []string{".", "./raft", "./raft1"} {
		dir := filepath.Join(here, pkg)
		files, err := os.ReadDir(dir)
		if err == nil && slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.HasSuffix(f.Name(), "_test.go") }) {
			return &suite{pkg: pkg, dir: dir}, nil
		}
	}
	return nil, fmt.Errorf("no Go tests in %s: cd to the package that you want to test", here)
}

// build compiles the tests into the directory scratch.
func (s *suite) build(ctx context.Context, race bool, scratch string, stderr io.Writer) error {
	s.binary = filepath.Join(scratch, "tests.exe") // Windows needs the ending
	args := []string{"test", "-c", "-o", s.binary}
	if race {
		args = append(args, "-race")
	}
	cmd := cli.Exec(ctx, scratch, "go", append(args, s.pkg)...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	if err := cmd.Run(); errors.As(err, new(*exec.ExitError)) {
		return fmt.Errorf("the tests of %s do not build", s.pkg)
	} else if err != nil {
		return err
	}
	if _, err := os.Stat(s.binary); err != nil {
		return fmt.Errorf("no Go tests in %s", s.pkg)
	}
	if info, err := buildinfo.ReadFile(s.binary); err == nil { // GOFLAGS may hold -race, too
		s.race = slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
	}
	path, err := cli.Exec(ctx, scratch, "go", "list", "-f", "{{.ImportPath}}", s.pkg).Output()
	if err != nil {
		return fmt.Errorf("go list %s: %w", s.pkg, err)
	}
	s.path = strings.TrimSpace(string(path))
	return nil
}

// command returns the test binary with these flags. Its temporary files go to the directory scratch.
func (s *suite) command(ctx context.Context, scratch string, flags ...string) *exec.Cmd {
	cmd := cli.Exec(ctx, scratch, s.binary, flags...)
	cmd.Dir = s.dir
	cmd.Env = append(cmd.Env, "PWD="+s.dir)
	return cmd
}

// testName matches the name of a test in a list. What the package prints without a newline comes before the first name.
var testName = regexp.MustCompile(`(?m)(?:Test|Benchmark|Example|Fuzz)\S*$`)

// list asks the test binary for its tests. The binary refuses flags that it does not know.
func (s *suite) list(ctx context.Context, flags []string, scratch string) error {
	if limit := limit(flags); limit > 0 {
		var cancel context.CancelFunc
		late := fmt.Errorf("the tests of %s do not list their names within %v", s.pkg, limit)
		ctx, cancel = context.WithTimeoutCause(ctx, limit, late)
		defer cancel()
	}
	var stdout, stderr bytes.Buffer
	cmd := s.command(ctx, scratch, append([]string{"-test.list=."}, flags...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	cli.KillLeft(cmd)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case cmd.ProcessState == nil:
		return err
	case !cmd.ProcessState.Success():
		return fmt.Errorf("the tests of %s do not start%s: %s", s.pkg, mention(flags),
			complaint(stdout.String()+stderr.String(), cmd.ProcessState.String()))
	}
	s.tests = testName.FindAllString(strings.ReplaceAll(stdout.String(), "\r", ""), -1)
	return nil
}

// complaint returns what a binary that did not start says: the line before package flag's usage, a panic or its last words.
func complaint(output, state string) string {
	said := state
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "Usage of "), strings.HasPrefix(said, "panic: "), strings.HasPrefix(said, "fatal error: "):
			return clean(said)
		case line != "":
			said = line
		}
	}
	return clean(said)
}

// check returns an error if the flags choose none of the tests.
func (s *suite) check(flags []string) error {
	if len(s.tests) == 0 {
		return fmt.Errorf("no tests in %s", s.pkg)
	}
	chosen, err := parsePattern(value(flags, "run"))
	if err != nil {
		return fmt.Errorf("invalid regexp for PATTERN or -run: %w", err)
	}
	skipped, err := parsePattern(value(flags, "skip"))
	if err != nil {
		return fmt.Errorf("invalid regexp for -skip: %w", err)
	}
	if count, err := strconv.Atoi(value(flags, "count")); err == nil && count == 0 {
		return fmt.Errorf("no tests to run in %s%s", s.pkg, mention(flags))
	}
	if value(flags, "bench") != "" {
		return nil
	}
	skips := value(flags, "skip") != ""
	for _, name := range s.tests {
		if !strings.HasPrefix(name, "Benchmark") && chosen.begins(name) && !(skips && skipped.ends(name)) {
			return nil
		}
	}
	return fmt.Errorf("no tests to run in %s%s", s.pkg, mention(flags))
}

// mention names the flags of the test binary that the user has chosen.
func mention(flags []string) string {
	if flags = flags[len(fixedFlags):]; len(flags) == 0 {
		return ""
	}
	return " with " + strings.Join(flags, " ")
}
