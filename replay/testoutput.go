package main

import (
	"bytes"
	"io"
	"maps"
	"regexp"
	"slices"
)

// The tests always run as with -v, since -v would change the run. They mark the lines of the testing package with a byte, as
// for go test -json. testOutput removes these marks, and without -v it also removes what go test would not show.
const mark = 0x16

// testOutput forwards the output of tests.
type testOutput struct {
	out     io.Writer
	verbose bool
	began   bool              // a test has begun
	current string            // the test that logs
	logs    map[string][]byte // of tests without a result
	logged  bool              // the last line was logged
	inLine  bool              // the last line has not ended
}

func newTestOutput(out io.Writer, verbose bool) *testOutput {
	return &testOutput{out: out, verbose: verbose, logs: map[string][]byte{}}
}

// Write never fails.
func (t *testOutput) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		printed, framed, isFramed := bytes.Cut(line, []byte{mark})
		t.print(printed)
		if isFramed {
			t.frame(framed)
		}
	}
	return len(p), nil
}

// Lines of T.Log, and their further lines.
var (
	logLine     = regexp.MustCompile(`^    [^\s:]+\.go:\d+: `)
	moreOfALine = []byte("        ")
)

// print forwards a line, or keeps it if the test has logged it.
func (t *testOutput) print(line []byte) {
	if len(line) == 0 {
		return
	}
	t.logged = !t.inLine && (logLine.Match(line) || t.logged && bytes.HasPrefix(line, moreOfALine))
	t.inLine = line[len(line)-1] != '\n'
	if t.logged && !t.verbose {
		t.logs[t.current] = append(t.logs[t.current], line...)
		return
	}
	t.out.Write(line)
}

// results matches the lines of the testing package that name a test.
var results = regexp.MustCompile(`^ *(===|---) (\w+):? +(\S*)`)

// frame handles a line of the testing package.
func (t *testOutput) frame(line []byte) {
	t.logged, t.inLine = false, false
	m := results.FindSubmatch(line)
	if m == nil {
		t.out.Write(line)
		return
	}
	kind, result, test := string(m[1]), string(m[2]), string(m[3])
	t.current = test
	t.began = t.began || result == "RUN"
	if result == "FAIL" || t.verbose && test != "" {
		t.out.Write(line)
	}
	if kind == "---" {
		if result == "FAIL" {
			t.out.Write(t.logs[test])
		}
		delete(t.logs, test)
	}
}

// flush forwards what tests have logged that did not end.
func (t *testOutput) flush() {
	for _, test := range slices.Sorted(maps.Keys(t.logs)) {
		t.out.Write(t.logs[test])
	}
}
