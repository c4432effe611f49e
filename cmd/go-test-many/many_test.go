package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli"
	"6.824/cmd/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

const toy = "testdata/toy"

// many runs the command on the toy's tests, with logs in a directory of the test's own.
func many(t *testing.T, args ...string) (code int, stdout, stderr, logs string) {
	t.Helper()
	logs = filepath.Join(t.TempDir(), "new", "logs")
	code, stdout, stderr = clitest.Run(t, append([]string{"-C", toy, "-o", logs}, args...)...)
	return code, stdout, stderr, logs
}

// match fails unless the text matches the expression.
func match(t *testing.T, what, text, expression string) {
	t.Helper()
	if !regexp.MustCompile(expression).MatchString(text) {
		t.Errorf("%s does not match %q:\n%s", what, expression, text)
	}
}

func TestStyle(t *testing.T) {
	t.Setenv("TOY_ADDRESS", "")
	long := []string{"-C", toy, "-o", t.TempDir(), "2", "1", "TestPasses", "--", "-linger"}
	clitest.Style(t, "go-test-many", []string{"x"}, long, "testing .: 2 runs, 1 at a time")
}

// Whatever a passing test prints, its run passes.
func TestPassing(t *testing.T) {
	code, stdout, stderr, logs := many(t, "4", "2", "TestPasses|TestBadFlag|TestWords$", "--", "-count=2", "-short")
	match(t, "stdout", stdout, `^\n4 of 4 runs finished in \S+: 4 passed, 0 failed\ntime of a run: min \S+, median \S+, max \S+\n$`)
	if code != 0 || stderr != "testing .: 4 runs, 2 at a time\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if files, err := os.ReadDir(logs); len(files) > 0 || err != nil {
		t.Errorf("logs are %v, error %v", files, err)
	}
}

// Each way to fail is told by one line.
func TestFailing(t *testing.T) {
	s := newToys(t)
	for pattern, want := range map[string]string{
		"TestWordsFails":       "TestWordsFails -> LOG: nul \uFFFD ]]> <tag>",
		"TestSubtests":         "TestSubtests -> LOG: bad subtest",
		"TestUnended":          "TestUnended (panic) -> LOG: elsewhere",
		"TestMany[123]":        "TestMany1, TestMany2, TestMany3 -> LOG: one",
		"TestMany":             "TestMany1, TestMany2, and 2 others -> LOG: one",
		`TestPanics\b`:         "TestPanics (panic) -> LOG: out of luck",
		"TestPanicsElsewhere":  "TestPanicsElsewhere (panic) -> LOG: elsewhere",
		"TestMany1|TestPanics": "TestMany1, TestPanics (panic) -> LOG: one",
		"TestUnlocks":          "TestUnlocks (fatal error) -> LOG: sync: unlock of unlocked mutex",
		"TestExits":            "TestExits (exit status 3) -> LOG",
	} {
		r, out := s.start(t, options{runs: 1, parallelism: 1, testFlags: []string{"-test.run=" + pattern}})
		if err := r.runAll(t.Context()); err != nil {
			t.Error(err)
		}
		r.summarize(out, io.Discard)
		log := filepath.Join(r.logs, "test-1.log")
		want = regexp.QuoteMeta(strings.ReplaceAll(want, "LOG", log))
		match(t, "stdout", out.String(), `^run 1 failed after \S+: `+want+
			`\n\n1 of 1 runs .*: 0 passed, 1 failed\ntime .*\n  run 1 failed after \S+: `+want+`\n$`)
		output, err := os.ReadFile(log)
		if match(t, log, string(output), "^=== RUN   "+pattern); err != nil {
			t.Error(err)
		}
	}
}

// A failing test's page lies beside the log, and the run's line and the report name it.
func TestPictures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	code, stdout, stderr, logs := many(t, "-json", file, "1", "1", "TestPictures")
	page := filepath.Join(logs, "TestPictures-1.html")
	match(t, "stdout", stdout, `TestPictures -> `+regexp.QuoteMeta(filepath.Join(logs, "test-1.log")+", "+page)+`, /nowhere/other\.html: a mistake\n`)
	if _, err := os.Stat(page); code != 1 || err != nil {
		t.Errorf("exit code %d, stderr %q; the page: %v", code, stderr, err)
	}
	if got, want := readJSON(t, file).Results[0].Pictures, []string{page, "/nowhere/other.html"}; !slices.Equal(got, want) {
		t.Errorf("the report's pictures are %q, want %q", got, want)
	}
}

func TestRace(t *testing.T) {
	for variable, value := range map[string]string{"RACE": "1", "GOFLAGS": "-race"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			code, stdout, stderr, _ := many(t, "1", "1", "TestRaces")
			if strings.Contains(stderr, "-race requires cgo") || strings.Contains(stderr, "-race is not supported") {
				t.Skip(stderr)
			}
			match(t, "stdout", stdout, `run 1 failed after \S+: TestRaces \(data race\) -> \S+\n\n`)
			if code != 1 {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
}

// What is wrong from the start ends the command before a run.
func TestUnusable(t *testing.T) {
	t.Setenv("TOY_ADDRESS", "")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"1", "1", "Nothing"}, `^go-test-many: no tests to run in \. with -test\.run=Nothing\n$`},
		{[]string{"1", "1", "", "--", "-race"}, `^go-test-many: '-race' is a flag of the build, .*\nTry `},
		{[]string{"-frob"}, `^go-test-many: flag provided but not defined: -frob \(flags for the tests go after --\)\nTry `},
		{[]string{"0"}, `^go-test-many: RUNS must be a whole number from 1 to 9999999, not '0'\nTry `},
		{[]string{"1", "1", "x", "y"}, `^go-test-many: unexpected argument "y"\nTry `},
		{[]string{"-failfast", "0"}, `^go-test-many: -failfast must be at least 1\nTry `},
		{[]string{"-json", "a", "-junit", "a"}, `^go-test-many: -json and -junit name the same file\nTry `},
		{[]string{"-json", "."}, `^go-test-many: \. is not a regular file\n$`},
		{[]string{"-junit", "missing/a"}, `^go-test-many: open missing/.*\n$`},
		{[]string{"-o", "toy_test.go"}, `^go-test-many: mkdir toy_test\.go: .*\n$`},
		{[]string{"-C", ".."}, `^go-test-many: no Go tests in .*: cd to the package that you want to test\nTry `},
	} {
		code, stdout, stderr, logs := many(t, c.args...)
		if match(t, strings.Join(c.args, " "), stderr, c.want); code != 2 || stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q", c.args, code, stdout)
		}
		if _, err := os.Stat(logs); err == nil {
			t.Errorf("%q: the directory for logs was made", c.args)
		}
	}
}

// Flags that the tests do not know, and patterns that are wrong or choose no test, are found before a run.
func TestFlags(t *testing.T) {
	t.Setenv("TOY_ADDRESS", "")
	s := newToys(t)
	for flags, want := range map[string]string{
		"-test.run=TestPasses":                         "",
		"-test.run=B -test.run=Passes/x -test.short":   "",
		"-test.run=TestPasses -test.skip=TestPasses/x": "",
		"-test.run=Nothing -test.bench=.":              "",
		"-test.count 0":                                `^no tests to run in \. with -test\.count 0$`,
		"-test.skip .":                                 `^no tests to run in \. with -test\.skip \.$`,
		"-test.run=A|(":                                `^invalid regexp for PATTERN or -run: .*$`,
		"-test.skip=(":                                 `^invalid regexp for -skip: .*$`,
		"-frob":                                        `^the tests of \. do not start with -frob: flag provided but not defined: -frob$`,
		"-test.count=x":                                `: invalid value "x" for flag -test\.count: parse error$`,
		"-test.short=x":                                `: invalid boolean value "x" for -test\.short: parse error$`,
		"-test.timeout=10":                             `: invalid value "10" for flag -test\.timeout: parse error$`,
	} {
		all := append(slices.Clone(fixedFlags), strings.Fields(flags)...)
		err := s.list(t.Context(), all, s.scratch)
		if err == nil {
			err = s.check(all)
		}
		if want == "" && err != nil || want != "" && !regexp.MustCompile(want).MatchString(fmt.Sprint(err)) {
			t.Errorf("%s: %v, want %q", flags, err, want)
		}
	}
}

// packageOf makes a module with one test file and changes to it.
func packageOf(t *testing.T, dir, source string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for path, text := range map[string]string{"go.mod": "module m\n\ngo 1.25\n", filepath.Join(dir, "a_test.go"): source} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPackages(t *testing.T) {
	for _, c := range []struct{ dir, source, want string }{
		{".", "package m\n\nvar x int = \"y\"\n", `\ngo-test-many: the tests of \. do not build\n$`},
		{".", "package m\n", `^go-test-many: no tests in \.\n$`},
		{"raft", "package raft\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n", `^testing \./raft: 1 runs, 1 at a time\n$`},
		{"raft1", "package raft\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n", `^testing \./raft1: 1 runs, 1 at a time\n$`},
		{"raft", "package raft\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc init() { os.Stdout.WriteString(\"init\") }\n\nfunc TestA(*testing.T) {}\n", `^testing \./raft: 1 runs, 1 at a time\n$`},
		{".", "package m\n\nfunc init() { panic(\"no way\") }\n", `^go-test-many: the tests of \. do not start: panic: no way\n$`},
	} {
		packageOf(t, c.dir, c.source)
		code, _, stderr := clitest.Run(t, "1", "1")
		if match(t, c.source, stderr, c.want); (code == 0) != strings.HasPrefix(stderr, "testing ./") {
			t.Errorf("%s: exit code %d", c.source, code)
		}
	}
}

func TestFailfast(t *testing.T) {
	code, stdout, stderr, logs := many(t, "-failfast", "2", "50", "2", "TestMany1")
	match(t, "stdout", stdout, `^(run \d+ failed .*\n){2}\n2 of 50 runs finished in \S+: 0 passed, 2 failed\n`)
	match(t, "stderr", stderr, `\nstopped after 2 failed runs \(-failfast\); runs killed: \d+\n$`)
	files, _ := os.ReadDir(logs)
	if code != 1 || len(files) != 2 {
		t.Errorf("exit code %d, logs %v", code, files)
	}
}

// Runs that end after the last one that -failfast allows, but before they are killed, do not count.
func TestFailfastCounts(t *testing.T) {
	r := &runner{options: options{failfast: 1, runs: 9, logs: t.TempDir()}, screen: newScreen(io.Discard, io.Discard)}
	finished := make(chan result, 9)
	for n := range 3 {
		output := filepath.Join(t.TempDir(), "output")
		if err := os.WriteFile(output, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		finished <- result{run: n, output: output, failure: &failure{}}
	}
	stops := 0
	err := r.collect(finished, func() { stops++; close(finished) })
	if err != nil || stops != 1 || r.failed != 1 || len(r.results) != 1 || r.killed.Load() != 2 {
		t.Errorf("error %v, %d stops, %d failed, %d results, %d killed", err, stops, r.failed, len(r.results), r.killed.Load())
	}
}

// A log gets a new name if an earlier one is there.
func TestLogsStay(t *testing.T) {
	packageOf(t, ".", "package m\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Error() }\n")
	for name, text := range map[string]string{"test-1.log": "old", "test-1-2.log": "older"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := clitest.Run(t, "1")
	match(t, "stdout", stdout, `run 1 failed after \S+: TestA -> test-1-3\.log\n`)
	if match(t, "stderr", stderr, `\nnote: keeping the logs of earlier runs \(test-\*\.log\)\n$`); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for name, want := range map[string]string{"test-1.log": "old", "test-1-2.log": "older"} {
		if text, _ := os.ReadFile(name); string(text) != want {
			t.Errorf("%s holds %q", name, text)
		}
	}
}

// listen lets processes of the toy connect, and returns a function that waits until n of them have lived and ended.
func listen(t *testing.T, connected func()) (ended func(n int)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("TOY_ADDRESS", l.Addr().String())
	ends := make(chan error, 9)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				lines := bufio.NewReader(conn)
				_, err := lines.ReadString('\n')
				if connected(); err == nil {
					io.Copy(io.Discard, lines)
				}
				conn.Close()
				ends <- err
			}()
		}
	}()
	return func(n int) {
		t.Helper()
		for range n {
			select {
			case err := <-ends:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("a process still lives")
			}
		}
	}
}

func TestLeftProcessesAreKilled(t *testing.T) {
	ended := listen(t, func() {})
	code, stdout, stderr, _ := many(t, "2", "2", "TestLeaves")
	if match(t, "stdout", stdout, "2 passed, 0 failed"); code != 0 {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	ended(2)
}

func TestTimeout(t *testing.T) {
	listen(t, func() {})
	code, stdout, _, _ := many(t, "1", "1", "TestHangs$", "--", "-timeout", "3s")
	if match(t, "stdout", stdout, `TestHangs \(timeout\) -> \S+: test timed out after 3s\n`); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// toys is the toy's tests, built.
type toys struct {
	*suite
	scratch string
}

func newToys(t *testing.T) toys {
	t.Helper()
	t.Chdir(toy)
	s := toys{scratch: t.TempDir()}
	var err error
	if s.suite, err = prepare(t.Context(), options{logs: ".", testFlags: fixedFlags}, s.scratch, io.Discard); err != nil {
		t.Fatal(err)
	}
	return s
}

// start returns a runner with the options, and what it prints.
func (s toys) start(t *testing.T, o options) (*runner, *strings.Builder) {
	o.testFlags = append(slices.Clone(fixedFlags), o.testFlags...)
	o.logs = t.TempDir()
	var out strings.Builder
	return &runner{options: o, suite: s.suite, scratch: s.scratch, screen: newScreen(&out, io.Discard), begun: time.Now()}, &out
}

// A run that outlives its timeout is killed after it has printed its goroutines, if it does.
func TestKilledAfterLimit(t *testing.T) {
	s := newToys(t)
	for _, flag := range []string{"-deaf=false", "-deaf"} {
		r, out := s.start(t, options{runs: 1, parallelism: 1, testFlags: []string{"-test.run=TestPasses", "-linger", flag}})
		r.limit = 500 * time.Millisecond
		if err := r.runAll(t.Context()); err != nil {
			t.Error(err)
		}
		match(t, "stdout", out.String(), `^run 1 failed after \S+: (no test|TestPasses) \(killed after 0\.50s\) -> \S+\n$`)
		if output, _ := os.ReadFile(filepath.Join(r.logs, "test-1.log")); flag != "-deaf" && runtime.GOOS != "windows" {
			match(t, "the log", string(output), `\ngoroutine `)
		}
	}
}

// On a terminal the live line is there again, and up to date, as soon as a failed run is printed.
func TestLiveLine(t *testing.T) {
	r, _ := newToys(t).start(t, options{runs: 2, parallelism: 1, testFlags: []string{"-test.run=TestMany1"}})
	var terminal strings.Builder
	r.screen = &screen{stdout: &terminal, stderr: &terminal, live: true, width: func() int { return 25 }}
	if err := r.runAll(t.Context()); err != nil {
		t.Error(err)
	}
	r.summarize(&terminal, &terminal)
	match(t, "the terminal", terminal.String(), `^\r0/2 done, \d running, 0 f(\r.*)?\r {24}\rrun 1 failed .*\n`+
		`\r1/2 done, \d running, 1 f(\r.*)?\r {24}\rrun 2 failed .*\n\r2/2 done, \d running, 2 f(\r.*)?\r {24}\r\n2 of 2 runs`)
}

// Ctrl-C kills the runs at once, and the reports hold the finished ones.
func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	ended := listen(t, interrupt)
	t.Setenv("TOY_ONCE", filepath.Join(t.TempDir(), "once"))
	dir := t.TempDir()
	o := options{dir: toy, runs: 9, parallelism: 1, logs: dir, json: filepath.Join(dir, "a.json"), junit: filepath.Join(dir, "a.xml"),
		testFlags: append(slices.Clone(fixedFlags), "-test.run=TestHangsLater")}
	t.Chdir(".") // run changes the directory
	var stdout, stderr strings.Builder
	if err := run(ctx, o, &stdout, &stderr); cli.ExitCode(err) != cli.ExitOK {
		t.Errorf("error %v", err) // Main reports the signal
	}
	ended(1)
	match(t, "stdout", stdout.String(), `^\n1 of 9 runs finished in \S+: 1 passed, 0 failed\n`)
	match(t, "stderr", stderr.String(), `\ncontext canceled; runs killed: 1\n$`)
	if j := readJSON(t, o.json); j.Finished != 1 || len(j.Results) != 1 || !j.Results[0].Passed || j.Stopped == "" {
		t.Errorf("JSON: %+v", j)
	}
	if x := readJUnit(t, o.junit); len(x.Suites) != 1 || len(x.Suites[0].Cases) != 1 {
		t.Errorf("JUnit: %+v", x)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("files are %v", files)
	}
}
