package main

import (
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"6.824/cmd/cli"
)

// options are the values of the flags, the arguments and the environment.
type options struct {
	dir         string
	runs        int
	parallelism int
	race        bool
	failfast    int // 0: never stop
	logs        string
	json, junit string
	testFlags   []string // for the test binary, in its own spelling
}

var command = cli.Command{
	Name:    "go-test-many",
	Summary: "Go-test-many runs a package's tests many times and keeps the output of failed runs.",
	Usage:   "[flags] [RUNS [PARALLELISM [PATTERN]]] [-- TEST_FLAG...]",
	About: `It builds the test binary of the package in the current directory once, or of
./raft or ./raft1 if the current directory has no tests, and runs it RUNS times.

  RUNS         number of runs (default 100)
  PARALLELISM  number of runs at a time (default: the number of CPUs)
  PATTERN      run only the tests whose names match, like go test -run
               (default: all tests)
  TEST_FLAG    a flag for each run: a flag of go test that does not concern the
               build, such as -short or -count=2, or one that the tests define,
               such as -clock=real

Each run starts in the package's directory, is verbose (-test.v), and ends after
ten minutes unless TEST_FLAG sets -timeout. A run fails if its exit code is not 0.
If it does not end by itself 15 seconds after its timeout, it is killed. Processes
that the tests leave behind are killed too (on Unix).

If run 7 fails, its output is saved as test-7.log, or as test-7-2.log and so on if
that file exists. The output of passed and interrupted runs is not kept. For each
failed run a line names the failed tests, the log and the first message.

Each run finds the directory of the logs in the environment variable PICTURES. The
tests of this repository's raft write a page there that shows a failed test's run,
and the line names it, too. The line also names any other HTML file that a failing
test names in a line of its own on t.Output(), such as "picture: /tmp/run.html".

Ctrl-C kills all runs at once, writes the reports and prints the summary of the
finished runs. Progress goes to standard error, failed runs and the summary go to
standard output.

RACE=1 in the environment builds with the race detector.`,
	Examples: `./go-test-many.sh
./go-test-many.sh 1000 8 2B
./go-test-many.sh -failfast 1 -o logs 1000
RACE=1 ./go-test-many.sh 20 2 '' -- -clock=real
./go-test-many.sh -junit report.xml -json report.json 50 4 '2[ABCD]'
go run ./cmd/go-test-many -C raft 100`,
	OK:       "every run passed",
	Failed:   "a run failed, or a log or a report could not be written",
	Unusable: "wrong usage, tests that do not build, no tests, or no test that matches",
}

func parseOptions(args []string) (options, error) {
	var o options
	var forTests []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, forTests = args[:i], args[i+1:]
	}
	f := command.Flags()
	f.StringVar(&o.dir, "C", ".", "change to this `directory` first")
	f.IntVar(&o.failfast, "failfast", 0, "stop after `N` failed runs (default: never)")
	f.StringVar(&o.logs, "o", ".", "save logs in this `directory`, which is created if it is missing")
	f.StringVar(&o.json, "json", "", "write a report to this `file` as JSON")
	f.StringVar(&o.junit, "junit", "", "write a report to this `file` as JUnit XML")
	others, err := command.Parse(f, args)
	if err != nil {
		return o, explainDash(err)
	}
	for _, name := range []string{"C", "o", "json", "junit"} {
		if cli.Given(f, name) && f.Lookup(name).Value.String() == "" {
			return o, cli.Usagef("-%s is empty", name)
		}
	}
	if o.failfast < 0 || o.failfast == 0 && cli.Given(f, "failfast") {
		return o, cli.Usagef("-failfast must be at least 1")
	}
	if o.json != "" && o.json == o.junit {
		return o, cli.Usagef("-json and -junit name the same file")
	}
	return o, o.parseArguments(others, forTests)
}

// explainDash adds to a complaint about an unknown flag where the flags of the tests belong.
func explainDash(err error) error {
	if strings.HasPrefix(err.Error(), "flag provided but not defined") {
		return cli.Usagef("%w (flags for the tests go after --)", err)
	}
	return err
}

// parseArguments reads RUNS, PARALLELISM, PATTERN, RACE and the flags for the tests.
func (o *options) parseArguments(others, forTests []string) (err error) {
	if len(others) > 3 {
		return cli.Usagef("unexpected argument %q", others[3])
	}
	o.runs, o.parallelism = 100, runtime.NumCPU()
	if len(others) > 0 {
		o.runs, err = number("RUNS", others[0])
	}
	if err == nil && len(others) > 1 {
		o.parallelism, err = number("PARALLELISM", others[1])
	}
	if err != nil {
		return err
	}
	o.parallelism = min(o.parallelism, o.runs)
	switch race := os.Getenv("RACE"); race {
	case "1":
		o.race = true
	case "", "0":
	default:
		return cli.Usagef("RACE must be 0 or 1, not '%s'", race)
	}
	o.testFlags = slices.Clone(fixedFlags)
	if len(others) > 2 && others[2] != "" {
		o.testFlags = append(o.testFlags, "-test.run="+others[2])
	}
	translated, err := translate(forTests)
	o.testFlags = append(o.testFlags, translated...)
	return err
}

var wholeNumber = regexp.MustCompile(`^[1-9][0-9]{0,6}$`)

func number(name, value string) (int, error) {
	if !wholeNumber.MatchString(value) {
		return 0, cli.Usagef("%s must be a whole number from 1 to 9999999, not '%s'", name, value)
	}
	return strconv.Atoi(value)
}

var (
	buildFlag = regexp.MustCompile(`^--?(race|tags|cover|covermode|coverpkg|gcflags|ldflags|mod)(=.*)?$`)
	// verbose matches what fixedFlags hold already.
	verbose  = regexp.MustCompile(`^--?test\.v(=true)?$`)
	testFlag = regexp.MustCompile(`^--?(bench|benchmem|benchtime|count|cpu|failfast|fullpath|parallel|run|short|shuffle|skip|timeout|v)(=.*)?$`)
)

// translate gives the flags of go test the form that the test binary knows: -run becomes -test.run.
func translate(flags []string) (translated []string, err error) {
	for i, flag := range flags {
		if flag == "-args" || flag == "--args" {
			return append(translated, flags[i+1:]...), nil
		}
		if buildFlag.MatchString(flag) {
			return nil, cli.Usagef("'%s' is a flag of the build, not of the tests (for -race set RACE=1; GOFLAGS takes others)", flag)
		}
		if flag = testFlag.ReplaceAllString(flag, "-test.$1$2"); !verbose.MatchString(flag) {
			translated = append(translated, flag)
		}
	}
	return translated, nil
}

// fixedFlags are the flags of each run. The user's flags come after them. With test2json the testing package puts a mark
// before its own lines, so that nothing that tests print passes for them.
var fixedFlags = []string{"-test.v=" + marking, "-test.paniconexit0", "-test.timeout=10m"}

const marking = "test2json"

// grace is for the stacks that a run prints after its timeout.
const grace = 15 * time.Second

// limit returns how long a run with these flags of the test binary may take, or 0 for no limit.
func limit(testFlags []string) time.Duration {
	timeout, err := time.ParseDuration(value(testFlags, "timeout"))
	if err != nil || timeout <= 0 {
		return 0
	}
	return timeout + grace
}

// value returns the value that flag -test.name gets last.
func value(testFlags []string, name string) (v string) {
	for i, flag := range testFlags {
		word := strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
		if after, ok := strings.CutPrefix(word, "test."+name+"="); ok && word != flag {
			v = after
		} else if word == "test."+name && word != flag && i+1 < len(testFlags) {
			v = testFlags[i+1]
		}
	}
	return v
}
