package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTranslate(t *testing.T) {
	got, err := translate(strings.Fields("-run A --count=2 -timeout 3s -clock=real -v=false -v -test.short -args -run x"))
	want := strings.Fields("-test.run A -test.count=2 -test.timeout 3s -clock=real -test.v=false -test.short -run x")
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("%q, error %v", got, err)
	}
	if _, err := translate([]string{"-tags=x"}); err == nil {
		t.Error("-tags is accepted")
	}
}

func TestLimit(t *testing.T) {
	for flags, want := range map[string]time.Duration{
		"":                       10*time.Minute + grace,
		"-test.timeout=5s":       5*time.Second + grace,
		"--test.timeout 1h":      time.Hour + grace,
		"-test.timeout=0":        0,
		"-test.timeout=5s x":     5*time.Second + grace,
		"-x test.timeout=5s":     10*time.Minute + grace,
		"-test.timeout=-1s":      0,
		"-test.timeout=1s -y -z": time.Second + grace,
	} {
		if got := limit(append(slices.Clone(fixedFlags), strings.Fields(flags)...)); got != want {
			t.Errorf("%q: %v, want %v", flags, got, want)
		}
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		begins, ends  bool
	}{
		{"", "TestA", true, true},
		{"A", "TestA", true, true},
		{"B", "TestA", false, false},
		{"A/x", "TestA", true, false},
		{"B/x|A", "TestA", true, true},
		{"(B|A)", "TestA", true, true},
		{"[/|]|A$", "TestA", true, true},
		{`B\|A`, "TestA", false, false},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil || p.begins(c.name) != c.begins || p.ends(c.name) != c.ends {
			t.Errorf("%q: begins %v, ends %v, error %v", c.pattern, p.begins(c.name), p.ends(c.name), err)
		}
	}
	for _, bad := range []string{"(", "A/(", "[|A", "*|A"} {
		if _, err := parsePattern(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestReadFailure(t *testing.T) {
	for _, c := range []struct {
		name, output string
		end          ending
		want         string // tests and kind, then the reason
	}{
		{"messages of a test that passes do not count",
			"=== RUN   TestA\n    a_test.go:1: log\n--- PASS: TestA (0.00s)\n=== RUN   TestA\n    a_test.go:2: error\n--- FAIL: TestA (0.00s)\n",
			ending{code: 1}, "TestA: error"},
		{"parallel tests",
			"=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\n=== PAUSE TestB\n=== CONT  TestA\n=== CONT  TestB\n    b_test.go:1: of B\n" +
				"=== NAME  TestA\n    a_test.go:1: of A\n--- FAIL: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n",
			ending{code: 1}, "TestA, TestB: of A"},
		{"not verbose", "--- FAIL: TestA (0.00s)\n    /path/to/a_test.go:1: error\nFAIL\n", ending{code: 1}, "TestA: error"},
		{"subtest, not verbose", "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\n        a_test.go:1: error\nFAIL\n", ending{code: 1}, "TestA: error"},
		{"a paused test does not run", "=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\npanic: boom [recovered, repanicked]\n", ending{code: 2}, "TestB (panic): boom"},
		{"words of a test", "=== RUN   TestA\npanic: no\n--- FAIL: TestX (0.00s)\nWARNING: DATA RACE\n--- FAIL: TestA (0.00s)\n", ending{code: 1}, "TestA: "},
		{"marked lines", "\x16=== RUN   TestA\n--- FAIL: TestB (0.00s)\n=== RUN   TestB\nno newline    a_test.go:1: error\nno newline\x16--- FAIL: TestA (0.00s)\n",
			ending{code: 1, marks: true}, "TestA: error"},
		{"killed", "=== RUN   TestA\npanic: no\n", ending{code: -1, state: "signal: killed"}, "TestA (signal: killed): "},
		{"no test", "FAIL\n", ending{code: 1, state: "exit status 1"}, "no test (exit status 1): "},
		{"race", "=== RUN   TestA\nWARNING: DATA RACE\n    testing.go:1: race detected during execution of test\n--- FAIL: TestA (0.00s)\n",
			ending{code: 1, race: true}, "TestA (data race): data race"},
		{"long line", "=== RUN   TestA\n" + strings.Repeat("x", 1<<20) + "\n    a_test.go:1: \t" + strings.Repeat("é", 300) + "\n--- FAIL: TestA (0.00s)",
			ending{code: 1}, "TestA: " + strings.Repeat("é", 199) + "…"},
	} {
		path := filepath.Join(t.TempDir(), "output")
		if err := os.WriteFile(path, []byte(c.output), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := readFailure(path, []string{"TestA", "TestB"}, c.end)
		if err != nil || f.String()+": "+f.reason != c.want {
			t.Errorf("%s: %v: %s, error %v; want %s", c.name, f, f.reason, err, c.want)
		}
	}
}

// With the flag -picture, tests that pass name pages, too.
func TestPicturesOfPassedTests(t *testing.T) {
	o := output{known: map[string]bool{"TestA": true, "TestB": true}, says: map[string]string{}}
	for _, line := range []string{"=== RUN   TestA", "    picture: a.html", "--- PASS: TestA (0.00s)", "=== RUN   TestB", "    picture: b.html",
		"--- FAIL: TestB (0.00s)"} {
		o.read(line)
	}
	if got := o.failure(ending{code: 1}).pictures; !slices.Equal(got, []string{"b.html"}) {
		t.Errorf("the pictures are %q, want that of TestB", got)
	}
}

// The live line is there again after each printed line, and never wider than the terminal.
func TestScreen(t *testing.T) {
	var terminal strings.Builder
	s := &screen{stdout: &terminal, stderr: &terminal, live: true, width: func() int { return 11 }}
	s.status("0/9 done, 2 running", 0)
	s.print("run 1 failed")
	s.status("1/9", 0)
	s.print("run 2 failed")
	s.status("2/9", 0)
	s.clear()
	want := "\r0/9 done, \r          \rrun 1 failed\n\r1/9\r   \rrun 2 failed\n\r2/9\r   \r"
	if terminal.String() != want {
		t.Errorf("%q, want %q", terminal.String(), want)
	}
}

// Elsewhere than on a terminal there is a line every ten seconds.
func TestScreenFile(t *testing.T) {
	var stdout, stderr strings.Builder
	s := newScreen(&stdout, &stderr)
	for i := range 25 {
		s.status(duration(time.Duration(i)*time.Second), time.Duration(i)*time.Second)
	}
	s.print("line")
	if stderr.String() != "10.0s\n20.0s\n" || stdout.String() != "line\n" {
		t.Errorf("stderr %q, stdout %q", stderr.String(), stdout.String())
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		314 * time.Millisecond: "0.31s", 12 * time.Second: "12.0s", 185 * time.Second: "3m05s", 3720 * time.Second: "1h02m",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
