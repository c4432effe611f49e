package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli"
	"6.824/cmd/cli/clitest"
)

func TestMain(m *testing.M) {
	workIfChild()
	clitest.Main(m, main)
}

// do runs replay on a toy.
func do(t *testing.T, line string) (stdout, stderr string, err error) {
	t.Helper()
	opts := parse(t, append([]string{"-C", "testdata/toys"}, strings.Fields(line)...)...)
	var out, log bytes.Buffer
	err = replay(t.Context(), opts, &out, &log)
	if err != nil {
		fmt.Fprintf(&log, "replay: %v\n", err)
	}
	return out.String(), log.String(), err
}

// An exit is an exit code.
type exit int

const (
	pass     exit = cli.ExitOK
	failed   exit = cli.ExitFailed
	unusable exit = cli.ExitUsage
)

// want checks the exit code, and that stderr matches a pattern.
func want(t *testing.T, line string, wantCode exit, pattern string) (stdout string) {
	t.Helper()
	out, log, err := do(t, line)
	code := exit(cli.ExitCode(err))
	if code != wantCode || !regexp.MustCompile("(?s)"+pattern).MatchString(log) {
		t.Errorf("%s: exit code %d, want %d; stdout %q; stderr does not match %q:\n%s", line, code, wantCode, out, pattern, log)
	}
	return out
}

const draws = "-run Scheduling|Select|Random"

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	first := want(t, "-seed 3 "+draws+" ./order", pass, "seed 3 passed")
	if again := want(t, "-seed 3 "+draws+" ./order", pass, "seed 3 passed"); again != first {
		t.Errorf("first %q, then %q", first, again)
	}
	if other := want(t, "-seed 4 "+draws+" ./order", pass, "seed 4 passed"); other == first {
		t.Errorf("seeds 3 and 4 both print %q", first)
	}
	want(t, "-seed 3 -check "+draws+" ./order", pass, "the second run had the same")
	want(t, "-seed 3 -check ./busy", pass, "the second run had the same")
}

// Each kind of choice differs between seeds: the order of goroutines, select, and random numbers.
func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	for _, test := range []string{"TestScheduling", "TestSelect", "TestRandom"} {
		out := want(t, "-seeds 1-30 -keep-going -run ^"+test+"$ ./order -args -test.failfast", pass, "replay: 30 seeds in ")
		if !strings.Contains(out, "seeds 1-30: 30 passed, 0 failed") {
			t.Errorf("%s: %s", test, out)
		}
	}
	different := map[string]bool{}
	for seed := range 8 {
		different[want(t, fmt.Sprintf("-seed %d -run ^TestScheduling$ ./order", seed), pass, "passed")] = true
	}
	if len(different) < 4 {
		t.Errorf("8 seeds order the same four goroutines in %d ways", len(different))
	}
}

func TestVirtualHour(t *testing.T) {
	t.Parallel()
	start := time.Now()
	want(t, "-run TestHour ./busy", pass, `1h0m0\.\d+s of virtual time`)
	if d := time.Since(start); d > 10*time.Minute {
		t.Errorf("an hour of virtual time took %v", d)
	}
}

// The first reported failure is that of the lowest seed, at any speed of the workers. Its command fails again with the same
// output.
func TestFirstFailure(t *testing.T) {
	t.Parallel()
	out := want(t, "-seeds 1-40 -run TestLuck ./order", failed, "seeds in")
	m := regexp.MustCompile(`(?s)^(--- FAIL: TestLuck.*FAIL\n)seed (\d+) failed: TestLuck\n\t\S.* -seed (\d+) -run TestLuck -C testdata/toys ./order\n$`).FindStringSubmatch(out)
	if m == nil || m[2] != m[3] {
		t.Fatalf("stdout is %q", out)
	}
	if again := want(t, "-seed "+m[2]+" -run TestLuck ./order", failed, "failed"); again != m[1] {
		t.Errorf("first %q, then %q", m[1], again)
	}
	all := want(t, "-seeds 1-40 -keep-going -j 3 -run TestLuck ./order", failed, "replay: 40 seeds in ")
	if !strings.HasPrefix(all, "seed "+m[2]+" failed: TestLuck\n") || !strings.Contains(all, "different schedules") {
		t.Errorf("first %s, then %q", m[2], all)
	}
}

func TestExplains(t *testing.T) {
	for line, expect := range map[string]struct {
		code    exit
		pattern string
	}{
		"-run Exp -timeout 10s ./endless":  {failed, `did not end within 10s: for \d+s its clock has stood still.*standard library.*endless.TestExp`},
		"-run Ticks -timeout 4s ./endless": {failed, "did not end within 4s .*Raise -timeout"},
		"-run Deadlock ./endless":          {failed, "did not end within that virtual time"},
		"-run Dial ./network":              {failed, "need the network"},
		"-run Process ./network":           {failed, "need processes"},
		"-run WriteHere ./network":         {failed, "read-only"},
		"-run Files ./network":             {pass, "passed"},
		"./broken":                         {unusable, `but not for GOOS=wasip1.*undefined: syscall.Flock.*//go:build !wasip1`},
		"./invalid":                        {unusable, "do not build:.*Frobnicate"},
		"./none":                           {unusable, "has no tests"},
		"./nowhere":                        {unusable, "there is no directory testdata/toys/nowhere"},
		"./...":                            {unusable, "one package at a time"},
		"-run NoSuchTest ./order":          {unusable, "no test matches -run"},
		"-run ( ./order":                   {unusable, "not a regular expression"},
		"./order -args -frob":              {unusable, "does not know a flag"},
		"-seeds 1-9 ./order -args -frob":   {unusable, "does not know a flag"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			want(t, line, expect.code, expect.pattern)
		})
	}
}

// An overlay replaces a file, and a tag adds one.
func TestOverlayAndTags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"new.go":       "package variant\n\nconst word = \"replaced\"\n",
		"overlay.json": fmt.Sprintf(`{"Replace": {"testdata/toys/variant/variant.go": %q}}`, filepath.Join(dir, "new.go")),
		"broken.json":  "{",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for flags, expect := range map[string]string{
		"": "original\n", "-overlay " + dir + "/overlay.json": "replaced\n", "-tags louder": "original!\n",
	} {
		if out := want(t, flags+" ./variant", pass, "passed"); !strings.Contains(out, expect) {
			t.Errorf("with flags %q: %q, want %q", flags, out, expect)
		}
	}
	want(t, "-overlay "+dir+"/broken.json ./variant", unusable, "broken.json")
	want(t, "-overlay "+dir+"/missing.json ./variant", unusable, "missing.json")
}

// Loops that poll let the goroutines run that they wait for, and a loop without calls does not keep others from running. The
// tests fail, or never end, if loops do not yield.
func TestPolling(t *testing.T) {
	t.Parallel()
	want(t, "-seeds 1-2 -check ./polling", pass, "2 seeds in")
}

// Without a directory for temporary files, nothing runs.
func TestNoScratch(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	want(t, "./order", unusable, "no such file")
}

func TestStyle(t *testing.T) {
	t.Parallel()
	clitest.Style(t, "replay", []string{"-seeds", "9-1"}, []string{"-C", "testdata/toys", "-run", "Exp", "./endless"}, "built")
}

// -check finds a difference.
func TestDifference(t *testing.T) {
	a, b := &result{}, &result{}
	if d := difference(a, b, true); d != "" {
		t.Errorf("equal runs differ: %s", d)
	}
	b.Digest[0], b.Status.Readings = 1, 5
	if d := difference(a, b, true); d != "0 clock calls, then 5" {
		t.Errorf("got %q", d)
	}
	if d := difference(a, b, false); d != "different output" {
		t.Errorf("got %q", d)
	}
	if d := difference(a, &result{late: true}, false); d == "" {
		t.Error("a run that never ended counts as equal")
	}
}

func TestDigestCoversEverything(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, act := range map[string]func(*host){
		"nothing":     func(*host) {},
		"clock":       func(h *host) { h.nanotime() },
		"other clock": func(h *host) { h.walltime() },
		"sleep":       func(h *host) { h.sleep(1) },
		"random":      func(h *host) { h.Read(make([]byte, 8)) },
		"output":      func(h *host) { h.Write([]byte("x")) },
	} {
		h := newHost(1, io.Discard)
		act(h)
		if other, ok := seen[h.digest()]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[h.digest()] = name
	}
}

func TestTail(t *testing.T) {
	var w tail
	for range 5 {
		w.Write(bytes.Repeat([]byte("a"), maxTail))
	}
	w.Write([]byte("end"))
	if len(w.kept) > 2*maxTail || !bytes.HasSuffix(w.kept, []byte("aend")) || w.lost+int64(len(w.kept)) != 5*maxTail+3 {
		t.Errorf("kept %d, lost %d", len(w.kept), w.lost)
	}
}
