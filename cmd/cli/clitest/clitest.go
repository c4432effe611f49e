// Package clitest tests that a command keeps to the style of package cli.
package clitest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mainEnv makes the test binary behave as the command.
const mainEnv = "CLITEST_MAIN"

// patience is how long a command may take to begin or to end.
const patience = 2 * time.Minute

// Main is TestMain for the tests of a command. In a process that Run or Style has started it runs main instead.
func Main(m *testing.M, main func()) {
	if os.Getenv(mainEnv) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command returns the test binary as the command with these arguments. Its temporary files go to dir.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	// Otherwise the race detector makes each command wait for a second at its end.
	cmd.Env = append(os.Environ(), mainEnv+"="+dir, "TMPDIR="+dir, "GORACE=atexit_sleep_ms=0")
	cmd.WaitDelay = time.Second
	return cmd
}

// Run runs the command and returns its exit code and what it has written.
func Run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := command(ctx, t.TempDir(), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// Style runs the command for help, with an unknown flag and with the wrong arguments, and checks exit codes and streams.
// Then it starts the command with the arguments long, sends SIGINT as soon as a line of standard error contains ready,
// and checks that the command ends soon, with exit code 130, and leaves no process and no temporary file.
func Style(t *testing.T, name string, wrong, long []string, ready string) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		code, stdout, stderr := Run(t, flag)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, stderr)
		}
		for _, part := range []string{"usage: " + name + " ", "\nflags:\n", "\nexamples:\n", "\nexit codes"} {
			if !strings.Contains(stdout, part) {
				t.Errorf("%s: no %q in %q", flag, part, stdout)
			}
		}
	}
	for _, args := range [][]string{{"-no-such-flag"}, wrong} {
		code, stdout, stderr := Run(t, args...)
		lines := strings.Split(stderr, "\n")
		if code != 2 || stdout != "" || len(lines) != 3 || !strings.HasPrefix(lines[0], name+": ") || lines[1] != "Try '"+name+" -h'." {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	interrupt(t, name, long, ready)
}

func interrupt(t *testing.T, name string, args []string, ready string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := t.TempDir()
	cmd := command(ctx, dir, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	for line := ""; !strings.Contains(line, ready); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("%q: no line with %q: %v", args, ready, err)
		}
	}
	begun := time.Now()
	cmd.Process.Signal(os.Interrupt)
	rest, _ := io.ReadAll(lines)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.HasSuffix(string(rest), name+": stopped (interrupt)\n") {
		t.Errorf("%q after SIGINT: exit code %d, stderr %q", args, code, rest)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("%q ended %v after SIGINT", args, took)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%q left temporary files: %v", args, left)
	}
	if left := processes(mainEnv + "=" + dir); left != "" {
		t.Errorf("%q left processes: %s", args, left)
	}
}

// processes lists the processes, if there is a /proc, with this variable in their environment. Those that were killed may
// take a moment to disappear.
func processes(variable string) (left string) {
	for range 50 {
		left = ""
		files, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, file := range files {
			if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte(variable)) {
				words, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
				left += fmt.Sprintf("%s %q; ", filepath.Dir(file), words)
			}
		}
		if left == "" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left
}
