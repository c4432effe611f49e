package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var toy = Command{Name: "toy", Summary: "toy plays", Usage: "[flags] [game]", About: "It plays\na game.",
	Examples: "toy\ntoy -n 2 chess", OK: "won", Failed: "lost", Unusable: "wrong usage"}

// parse returns toy's -n and the other arguments.
func parse(args ...string) (int, []string, error) {
	flags := toy.Flags()
	n := flags.Int("n", 1, "`number` of players")
	others, err := toy.Parse(flags, args)
	return *n, others, err
}

func TestParse(t *testing.T) {
	n, others, err := parse("chess", "-n", "2", "go")
	if n != 2 || !slices.Equal(others, []string{"chess", "go"}) || err != nil {
		t.Errorf("-n is %d, the others are %q, error %v", n, others, err)
	}
	n, others, err = parse("-n", "2", "--", "chess", "-n", "3", "--", "go")
	if n != 2 || !slices.Equal(others, []string{"chess", "-n", "3", "--", "go"}) || err != nil {
		t.Errorf("with --: -n is %d, the others are %q, error %v", n, others, err)
	}
}

const help = `toy plays

usage: toy [flags] [game]

It plays
a game.

flags:
  -n number
    	number of players (default 1)

examples:
  toy
  toy -n 2 chess

exit codes (go run turns each one but 0 into 1):
  0    won
  1    lost
  2    wrong usage
  129, 130, 141, 143
       stopped by SIGHUP, SIGINT (Ctrl-C), SIGPIPE, SIGTERM
`

func TestReport(t *testing.T) {
	parseError := func(args ...string) error {
		_, _, err := parse(args...)
		return err
	}
	hint := "Try 'toy -h'.\n"
	for _, c := range []struct {
		err            error
		code           int
		stdout, stderr string
	}{
		{nil, 0, "", ""},
		{parseError("-h"), 0, help, ""},
		{parseError("--help"), 0, help, ""},
		{parseError("chess", "-n", "two"), 2, "", "toy: invalid value \"two\" for flag -n: parse error\n" + hint},
		{parseError("-m"), 2, "", "toy: flag provided but not defined: -m\n" + hint},
		{Usagef("-n must be at least %d", 1), 2, "", "toy: -n must be at least 1\n" + hint},
		{fmt.Errorf("game: %w", Unusable(io.EOF)), 2, "", "toy: game: EOF\n"},
		{Unusable(nil), 0, "", ""},
		{ErrFailed, 1, "", ""},
		{io.EOF, 1, "", "toy: EOF\n"},
		{stopped{os.Interrupt}, 130, "", "toy: stopped (interrupt)\n"},
		{stopped{syscall.SIGTERM}, 143, "", "toy: stopped (terminated)\n"},
	} {
		var stdout, stderr strings.Builder
		code := toy.report(c.err, &stdout, &stderr)
		if code != c.code || stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("%v: exit code %d, want %d; stdout %q; stderr %q", c.err, code, c.code, stdout.String(), stderr.String())
		}
	}
}

func TestErrorsUnwrap(t *testing.T) {
	if !errors.Is(Unusable(io.EOF), io.EOF) || !errors.Is(Usagef("%w", io.EOF), io.EOF) {
		t.Error("the cause of an error is lost")
	}
}

func TestGiven(t *testing.T) {
	flags := toy.Flags()
	flags.Int("n", 1, "")
	flags.Int("m", 1, "")
	if _, err := toy.Parse(flags, []string{"-n", "1"}); err != nil || !Given(flags, "n") || Given(flags, "m") {
		t.Errorf("-n %v, -m %v, error %v", Given(flags, "n"), Given(flags, "m"), err)
	}
}

func TestNeeds(t *testing.T) {
	flags := toy.Flags()
	flags.Int("n", 1, "")
	flags.Int("m", 1, "")
	if _, err := toy.Parse(flags, []string{"-n", "1"}); err != nil {
		t.Fatal(err)
	}
	if err := Needs(flags, "-x", false, "m", "n"); err == nil || err.Error() != "-n needs -x" {
		t.Errorf("-n without -x: %v", err)
	}
	if err := errors.Join(Needs(flags, "-x", true, "m", "n"), Needs(flags, "-x", false, "m")); err != nil {
		t.Error(err)
	}
}

func TestCount(t *testing.T) {
	if got := Count(0, "line") + ", " + Count(1, "line") + ", " + Count(2, "line"); got != "0 lines, 1 line, 2 lines" {
		t.Error(got)
	}
}

func TestIsTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if IsTerminal(f) || IsTerminal(io.Discard) {
		t.Error("a file is taken for a terminal")
	}
}

// Exec's commands find their temporary directory, and end with the context.
func TestExec(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	dir := t.TempDir()
	out, err := Exec(t.Context(), dir, "/bin/sh", "-c", `printf %s "$TMPDIR $GOTMPDIR"`).Output()
	if err != nil || string(out) != dir+" "+dir {
		t.Errorf("temporary directories are %q, error %v", out, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := Exec(ctx, dir, "/bin/sh", "-c", "echo begun; sleep 600 & wait")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.ReadFull(stdout, make([]byte, len("begun\n")))
	cancel()
	io.Copy(io.Discard, stdout) // sleep holds the pipe as long as it lives
	if cmd.Wait() == nil {
		t.Error("a killed command has succeeded")
	}
}

func TestCommandLine(t *testing.T) {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.Int("servers", 5, "")
	f.String("input", "", "")
	f.String("picture", "", "")
	f.Bool("faults", true, "")
	if err := f.Parse([]string{"-servers=5", "-input", "my text", "-picture=p.html", "-faults=false"}); err != nil {
		t.Fatal(err)
	}
	if line := CommandLine("demo", f, "picture"); line != "demo -faults=false -input='my text'" {
		t.Errorf("%q", line)
	}
}
