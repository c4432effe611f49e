package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// mainEnv makes the test binary behave as the program itself.
const mainEnv = "REPLAY_MAIN"

func TestMain(m *testing.M) {
	workIfChild()
	if os.Getenv(mainEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// do runs replay on a toy.
func do(t *testing.T, line string) (code int, stdout, stderr string) {
	t.Helper()
	opts := parse(t, append([]string{"-C", "testdata/toys"}, strings.Fields(line)...)...)
	var out, log bytes.Buffer
	code, err := replay(t.Context(), opts, &out, &log)
	if err != nil {
		fmt.Fprintf(&log, "replay: %v\n", err)
	}
	return code, out.String(), log.String()
}

// want checks an exit code, and that stderr matches a pattern.
func want(t *testing.T, line string, wantCode int, pattern string) (stdout string) {
	t.Helper()
	code, out, log := do(t, line)
	if code != wantCode || !regexp.MustCompile("(?s)"+pattern).MatchString(log) {
		t.Errorf("%s: exit code %d, want %d; stdout %q; stderr does not match %q:\n%s", line, code, wantCode, out, pattern, log)
	}
	return out
}

const draws = "-run Scheduling|Select|Random"

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	first := want(t, "-seed 3 "+draws+" ./order", exitPass, "seed 3 passed")
	if again := want(t, "-seed 3 "+draws+" ./order", exitPass, "seed 3 passed"); again != first {
		t.Errorf("first %q, then %q", first, again)
	}
	if other := want(t, "-seed 4 "+draws+" ./order", exitPass, "seed 4 passed"); other == first {
		t.Errorf("seeds 3 and 4 both print %q", first)
	}
	want(t, "-seed 3 -check "+draws+" ./order", exitPass, "the second run was the same")
	want(t, "-seed 3 -check ./busy", exitPass, "the second run was the same")
}

// Each kind of choice must differ between seeds by itself: goroutines that take turns, select, random numbers.
func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	for _, test := range []string{"TestScheduling", "TestSelect", "TestRandom"} {
		out := want(t, "-seeds 1-30 -keep-going -run ^"+test+"$ ./order -args -test.failfast", exitPass, "a seed")
		if !strings.Contains(out, "seeds 1-30: 30 passed, 0 failed") {
			t.Errorf("%s: %s", test, out)
		}
	}
	different := map[string]bool{}
	for seed := range 8 {
		different[want(t, fmt.Sprintf("-seed %d -run ^TestScheduling$ ./order", seed), exitPass, "passed")] = true
	}
	if len(different) < 4 {
		t.Errorf("8 seeds order the same four goroutines in %d ways", len(different))
	}
}

func TestVirtualHour(t *testing.T) {
	t.Parallel()
	start := time.Now()
	want(t, "-run TestHour ./busy", exitPass, `1h0m0\.\d+s of virtual time`)
	if d := time.Since(start); d > 10*time.Minute {
		t.Errorf("an hour of virtual time took %v", d)
	}
}

// Whatever the pace of the workers, the first failure reported is that of the lowest seed, and its
// command fails again with the same words.
func TestFirstFailure(t *testing.T) {
	t.Parallel()
	out := want(t, "-seeds 1-40 -run TestLuck ./order", exitFail, "seeds in")
	m := regexp.MustCompile(`(?s)^(--- FAIL: TestLuck.*FAIL\n)seed (\d+) failed: TestLuck\n\t\S.* -seed (\d+) -run TestLuck -C testdata/toys ./order\n$`).FindStringSubmatch(out)
	if m == nil || m[2] != m[3] {
		t.Fatalf("stdout is %q", out)
	}
	if again := want(t, "-seed "+m[2]+" -run TestLuck ./order", exitFail, "failed"); again != m[1] {
		t.Errorf("first %q, then %q", m[1], again)
	}
	all := want(t, "-seeds 1-40 -keep-going -j 3 -run TestLuck ./order", exitFail, "a seed")
	if !strings.HasPrefix(all, "seed "+m[2]+" failed: TestLuck\n") || !strings.Contains(all, "different schedules") {
		t.Errorf("first %s, then %q", m[2], all)
	}
}

func TestExplains(t *testing.T) {
	for line, expect := range map[string]struct {
		code    int
		pattern string
	}{
		"-run Spin -timeout 5s ./endless":  {exitFail, `did not end within 5s: for \ds it has neither slept.*endless.TestSpin`},
		"-run Ticks -timeout 4s ./endless": {exitFail, "did not end within 4s .*Raise -timeout"},
		"-run Deadlock ./endless":          {exitFail, "still at it after that much virtual time"},
		"-run Dial ./network":              {exitFail, "need the network"},
		"-run Process ./network":           {exitFail, "need processes"},
		"-run WriteHere ./network":         {exitFail, "read-only"},
		"-run Files ./network":             {exitPass, "passed"},
		"./broken":                         {exitUsage, `but not for GOOS=wasip1.*undefined: syscall.Flock.*//go:build !wasip1`},
		"./invalid":                        {exitUsage, "do not build, here or for wasm:.*Frobnicate"},
		"./none":                           {exitUsage, "has no tests"},
		"./nowhere":                        {exitUsage, "there is no directory testdata/toys/nowhere"},
		"./...":                            {exitUsage, "one package at a time"},
		"-run NoSuchTest ./order":          {exitUsage, "no test matches -run"},
		"-run ( ./order":                   {exitUsage, "not a regular expression"},
		"./order -args -frob":              {exitUsage, "does not know a flag"},
		"-seeds 1-9 ./order -args -frob":   {exitUsage, "does not know a flag"},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			want(t, line, expect.code, expect.pattern)
		})
	}
}

// An interrupt ends the program at once, even while the tests spin, and its exit code is a shell's.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-C", "testdata/toys", "-run", "Spin", "./endless")
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	buf := make([]byte, 1)
	io.ReadFull(log, buf) // "built …": the tests are about to run
	cmd.Process.Signal(os.Interrupt)
	rest, _ := io.ReadAll(log)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(string(rest), "interrupted") {
		t.Errorf("exit code %d, stderr %q", code, rest)
	}
}

func TestUsageExitCode(t *testing.T) {
	for line, code := range map[string]int{"-h": exitPass, "-seeds 9-1": exitUsage} {
		cmd := exec.Command(os.Args[0], strings.Fields(line)...)
		cmd.Env = append(os.Environ(), mainEnv+"=1")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%s: exit code %d, want %d:\n%s", line, got, code, out)
		}
	}
}

// -check must be able to find a difference.
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
		t.Error("a run that never ended is no difference")
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
			t.Errorf("%s and %s have one digest", name, other)
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
