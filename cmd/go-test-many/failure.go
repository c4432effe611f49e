package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A failure says why a run failed, as far as its output tells.
type failure struct {
	tests    []string // that failed, or that were running when the process ended
	kind     string   // such as "panic", "timeout" or "exit status 3"; "" if tests failed in the ordinary way
	reason   string   // the first line of the first message
	pictures []string // the files that tests which did not pass have named in lines of their own, as "picture: FILE"
}

// An ending is how the process of a failed run ended.
type ending struct {
	code  int
	state string
	race  bool // the tests were built with the race detector
	marks bool // the testing package has marked its lines
}

// mark is the byte with which the testing package marks its lines, with -test.v=test2json.
const mark = 0x16

// readFailure reads the output of a failed run of these tests.
func readFailure(path string, tests []string, end ending) (*failure, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	o := output{known: make(map[string]bool), says: make(map[string]string), marks: end.marks}
	for _, name := range tests {
		o.known[name] = true
	}
	lines := bufio.NewReaderSize(file, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		o.read(strings.TrimRight(string(line), "\r\n"))
		for errors.Is(err, bufio.ErrBufferFull) { // nobody needs the rest of such a line
			_, err = lines.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return o.failure(end), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// An output collects facts from the output of a run. Tests may print anything, so a line counts only if the exit code and
// the list of tests agree with it.
type output struct {
	known    map[string]bool
	marks    bool
	current  string            // the test that a message would belong to
	running  []string          // in the order in which they began
	failed   []string          // in the order of their verdicts
	says     map[string]string // the first message of each test
	empty    bool              // the first line of the current test's message is empty
	verdict  string            // the test that the line before reports as failed
	crash    *crash            // the last one
	pages    []page
	dataRace bool
}

// A page is a file that a test has named as its picture.
type page struct{ test, file string }

// A crash is a panic or a fatal error that ends the process.
type crash struct {
	kind, reason string
	tests        []string
}

var (
	eventLine   = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) +([^\s/]+)(/?)`)
	verdictLine = regexp.MustCompile(`^( *)--- (PASS|FAIL|SKIP): ([^\s/]+)`)
	// What a test prints without a newline comes before its message and before a crash.
	pictureLine = regexp.MustCompile(`^ {4,}picture: (.+\.html)$`)
	messageLine = regexp.MustCompile(` {4}\S+\.go:\d+: ?(.*)$`)
	crashLine   = regexp.MustCompile(`^(?:[^\t].*?)??(panic|fatal error): (.*)$`)
)

// read takes in a line. If the testing package marks its lines, no other one counts as such.
func (o *output) read(line string) {
	verdict := o.verdict
	o.verdict = ""
	printed, framed, isFramed := strings.Cut(line, string(rune(mark)))
	if o.marks && isFramed {
		o.frame(framed)
	} else if o.marks || !o.frame(line) {
		o.message(printed, verdict)
	}
}

// frame takes in a line of the testing package. It reports whether the line is one.
func (o *output) frame(line string) bool {
	if m := eventLine.FindStringSubmatch(line); m != nil && o.known[m[2]] {
		o.event(m[1], m[2], m[3] == "")
		return true
	}
	m := verdictLine.FindStringSubmatch(line)
	if m == nil || !o.known[m[3]] {
		return false
	}
	o.end(m[2], m[3], m[1] == "")
	return true
}

// message takes in any other line. The one before it was the verdict on a failed test, unless that is "".
func (o *output) message(line, verdict string) {
	says := o.says[o.current] != ""
	if m := pictureLine.FindStringSubmatch(line); m != nil {
		o.pages = append(o.pages, page{o.current, m[1]})
	} else if m := messageLine.FindStringSubmatch(line); m != nil {
		if !says {
			o.says[o.current] = m[1]
			o.empty = m[1] == ""
		}
	} else if m := crashLine.FindStringSubmatch(line); m != nil {
		c := &crash{kind: m[1], tests: slices.Clone(o.running)}
		c.reason, _, _ = strings.Cut(m[2], " [recovered")
		if verdict != "" {
			c.tests = []string{verdict}
		}
		if strings.HasPrefix(c.reason, "test timed out") {
			c.kind = "timeout"
		}
		o.crash = c
	} else if o.empty && strings.HasPrefix(line, "    ") && !says {
		o.says[o.current] = strings.TrimSpace(line)
		o.empty = false
	} else if line == "WARNING: DATA RACE" {
		o.dataRace = true
	}
}

// event takes in that a test, or one of its subtests, begins, pauses or goes on.
func (o *output) event(what, test string, itself bool) {
	o.current, o.empty = test, false
	if itself {
		o.running = slices.DeleteFunc(o.running, func(t string) bool { return t == test })
		if what != "PAUSE" {
			o.running = append(o.running, test)
		}
	}
}

// end takes in that a test, or one of its subtests, ends.
func (o *output) end(how, test string, itself bool) {
	o.current, o.empty = test, false
	if !itself {
		return
	}
	o.running = slices.DeleteFunc(o.running, func(t string) bool { return t == test })
	switch {
	case how == "FAIL":
		o.verdict = test
		o.add(test)
	case !slices.Contains(o.failed, test):
		delete(o.says, test) // its messages were no failures
		o.pages = slices.DeleteFunc(o.pages, func(p page) bool { return p.test == test })
	}
}

// add adds a failed test.
func (o *output) add(test string) {
	if !slices.Contains(o.failed, test) {
		o.failed = append(o.failed, test)
	}
}

// failure concludes from the output and the way in which the process ended.
func (o *output) failure(end ending) *failure {
	f := &failure{}
	for _, p := range o.pages {
		f.pictures = append(f.pictures, p.file)
	}
	switch {
	case end.code == 2 && o.crash != nil: // a test that fails in the ordinary way gives exit code 1
		f.kind, f.reason = o.crash.kind, o.crash.reason
		for _, test := range o.crash.tests {
			o.add(test)
			o.says[test] = o.crash.reason
		}
	case end.race && o.dataRace:
		f.kind, f.reason = "data race", "data race"
	case end.code != 1 || len(o.failed) == 0:
		f.kind = end.state
	}
	if len(o.failed) == 0 {
		o.failed = o.running
	}
	f.tests = o.failed
	for _, test := range f.tests {
		if says := o.says[test]; says != "" && !strings.HasPrefix(says, "race detected during execution") {
			f.reason = says
			break
		}
	}
	f.reason = clean(f.reason)
	return f
}

// clean returns a line of output in a form that fits into a line of a terminal and of a report.
func clean(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(s, string(unicode.ReplacementChar))))
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return s
}
