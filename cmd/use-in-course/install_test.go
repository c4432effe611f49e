package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"6.824/cmd/cli/clitest"
)

var full = flag.Bool("full", false, "compile in every toy tree, run this repository's tests of raft there, and all tests of -harness; some minutes")

// compiles reports whether a test compiles in the tree l: with -full in all trees, otherwise in the given ones.
func compiles(l layout, names ...string) bool { return *full || slices.Contains(names, l.name) }

func TestMain(m *testing.M) { clitest.Main(m, main) }

// snapshot returns mode and contents of every file and directory below dir.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found[name] = info.Mode().String()
		if !d.IsDir() {
			hash, err := hashFile(name)
			found[name] += " " + hash
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// compare complains about the differences between a tree and its snapshot.
func compare(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	have := snapshot(t, dir)
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is new", name)
		}
	}
	for name, text := range want {
		if have[name] != text {
			t.Errorf("%s is %q, was %q", name, have[name], text)
		}
	}
}

// succeed runs the command, which must succeed, and returns its output.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := clitest.Run(t, args...)
	if code != 0 || stderr != "" {
		t.Fatalf("%q: exit code %d, stdout:\n%s\nstderr:\n%s", args, code, stdout, stderr)
	}
	return stdout
}

// shell runs lines of a POSIX shell, as printed for the user. All toy trees share their builds, as far as they are the same.
func shell(t *testing.T, dir string, lines ...string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.Join(lines, "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s\n%v\n%s", strings.Join(lines, "\n"), err, out)
	}
}

// printed returns the commands that the command has told the user to run.
func printed(t *testing.T, stdout string) (lines []string) {
	t.Helper()
	_, rest, ok := strings.Cut(stdout, "Now run, with Go 1.25 or newer:\n")
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "  ") {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	if !ok || len(lines) < 3 {
		t.Fatalf("no commands in %q", stdout)
	}
	return lines
}

// The library alone builds, passes vet and the tree's own test, and goes away without a trace.
func TestLibraryAlone(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			src := l.make(t)
			before := snapshot(t, src)
			if out := succeed(t, "-n", src); !strings.Contains(out, l.raftDir()+"/raft.go") {
				t.Errorf("-n prints %q", out)
			}
			compare(t, src, before)
			out := succeed(t, src)
			if want := "a tree like that of " + l.years + " ("; !strings.Contains(out, want) {
				t.Errorf("no %q in %q", want, out)
			}
			for _, name := range []string{"my_notes.md", "util.go"} {
				if !exists(filepath.Join(src, l.raftDir(), name)) {
					t.Errorf("%s is gone", name)
				}
			}
			if lines := printed(t, out); compiles(l, "2020", "2023", "2025") {
				shell(t, src, lines...)
			}
			succeed(t, "-n", "-undo", src)
			succeed(t, "-undo", src)
			compare(t, src, before)
		})
	}
}

// With -all, everything of ours builds, and goes away without a trace. Without -full, only labgob's tests are compiled and
// run, and raft's are vetted in one tree.
func TestAll(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			src := l.make(t)
			before := snapshot(t, src)
			lines := printed(t, succeed(t, "-all", src))
			if *full {
				shell(t, src, lines...)
			}
			for _, dir := range []string{"labgob", "labrpc"} {
				if exists(filepath.Join(src, dir, "old.go")) {
					t.Errorf("%s/old.go is still there", dir)
				}
			}
			env := l.env(src)
			if compiles(l, "2023") {
				shell(t, filepath.Join(src, l.raftDir()), env+"go vet .")
			}
			if compiles(l, "2026") {
				shell(t, filepath.Join(src, "labgob"), env+"go vet .", env+"go test -run 'TestGOB|TestCapital|TestDefault' .")
				shell(t, filepath.Join(src, "labrpc"), env+"go build .")
				shell(t, filepath.Join(src, l.raftDir()), env+"go build .")
			}
			succeed(t, "-undo", src)
			compare(t, src, before)
		})
	}
}

// The second run replaces the library and keeps the first backup.
func TestTwice(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	before := snapshot(t, src)
	succeed(t, src)
	first := snapshot(t, src)
	succeed(t, src)
	compare(t, src, first)
	succeed(t, "-all", src)
	if !exists(filepath.Join(src, "raft", "chaos_test.go")) || exists(filepath.Join(src, "raft", "config.go")) {
		t.Error("-all after a run without it has not replaced the tests")
	}
	succeed(t, src)
	compare(t, src, first)
	succeed(t, "-undo", src)
	compare(t, src, before)
	if code, _, stderr := clitest.Run(t, "-undo", src); code != 2 || !strings.Contains(stderr, "nothing to undo") {
		t.Errorf("a second -undo: exit code %d, %q", code, stderr)
	}
}

// Files that were changed after the installation are kept, and said.
func TestChangedFiles(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	before := snapshot(t, src)
	succeed(t, src)
	raft := filepath.Join(src, "raft")
	write(t, filepath.Join(raft, "raft.go"), "package raft // mine\n", 0o644)  // the library's, in place of a student's
	write(t, filepath.Join(raft, "vote.go"), "package raft // mine\n", 0o644)  // the library's
	write(t, filepath.Join(raft, "log.go"), "package raft // mine\n", 0o644)   // the library's, in place of a student's
	write(t, filepath.Join(raft, "extra.go"), "package raft // more\n", 0o644) // new
	if err := os.Remove(filepath.Join(raft, "apply.go")); err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(src, changedDir)
	out := succeed(t, "-undo", src)
	for _, name := range []string{"raft.go", "vote.go", "log.go"} {
		if got := read(t, filepath.Join(changed, "raft", name)); got != "package raft // mine\n" {
			t.Errorf("%s is kept as %q", name, got)
		}
		if want := fmt.Sprintf("raft/%s is now %s/raft/%s\n", name, changedDir, name); !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if err := os.RemoveAll(changed); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(raft, "extra.go")); err != nil {
		t.Fatal(err)
	}
	compare(t, src, before)
}

// Without its backup, a file is said to be lost, and the library's file stays.
func TestLostBackup(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	succeed(t, src)
	if err := os.Remove(filepath.Join(src, stateDir, backupName, "raft", "raft.go")); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := clitest.Run(t, "-undo", src)
	if code != 1 || !strings.Contains(stdout, "LOST: raft/raft.go") || !exists(filepath.Join(src, "raft", "raft.go")) {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
}
