package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"6.824/cmd/cli/clitest"
	"6.824/cmd/coursetree"
)

// refused runs the command, which must change nothing and say why it refuses.
func refused(t *testing.T, dir, why string, args ...string) {
	t.Helper()
	before := snapshot(t, dir)
	code, stdout, stderr := clitest.Run(t, args...)
	if code != 2 || stdout != "" || !strings.Contains(stderr, why) {
		t.Errorf("%q: exit code %d, stdout %q, stderr %q, want %q", args, code, stdout, stderr, why)
	}
	compare(t, dir, before)
}

func TestNoCourseTree(t *testing.T) {
	empty := t.TempDir()
	src := layoutOf(t, "2023").make(t)
	root, err := coursetree.LibraryDir()
	if err != nil {
		t.Fatal(err)
	}
	refused(t, empty, "is no course tree: there are no Go files in labrpc, labgob, raft", empty)
	refused(t, empty, "nothing to undo", "-undo", empty)
	refused(t, empty, "no such file", filepath.Join(empty, "none"))
	refused(t, src, "is not a directory", filepath.Join(src, "go.mod"))
	refused(t, src, src+" may be one", filepath.Join(src, "raft"))
	refused(t, src, src+" may be one", filepath.Dir(src))
	refused(t, empty, "is this library itself", root)
	refused(t, empty, "DIR is missing")
	refused(t, empty, "unexpected argument", src, src)
	refused(t, empty, "exclude each other", "-all", "-undo", src)
}

func TestHelp(t *testing.T) {
	if code, stdout, _ := clitest.Run(t, "-h"); code != 0 || !strings.Contains(stdout, "usage: use-in-course ") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
	if code, _, stderr := clitest.Run(t, "-x", "."); code != 2 || !strings.HasSuffix(stderr, "Try 'use-in-course -h'.\n") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

// A link to the tree is followed. A package that is a link is not, because it is not in the tree.
func TestLinks(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	other := t.TempDir()
	link := filepath.Join(other, "tree")
	if err := os.Symlink(src, link); err != nil {
		t.Skip(err)
	}
	if err := os.Rename(filepath.Join(src, "raft", "log.go"), filepath.Join(other, "log.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(other, "log.go"), filepath.Join(src, "raft", "log.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere.go", filepath.Join(src, "raft", "broken.go")); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, src)
	succeed(t, link)
	if !strings.HasPrefix(read(t, filepath.Join(other, "log.go")), "package raft\r\n\r\ntype LogEntry") {
		t.Error("the file behind a link has changed")
	}
	succeed(t, "-undo", link)
	compare(t, src, before)

	if err := os.Rename(filepath.Join(src, "raft"), filepath.Join(other, "raft")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(other, "raft"), filepath.Join(src, "raft")); err != nil {
		t.Fatal(err)
	}
	refused(t, src, "is a symbolic link", src)
}

// In a directory that cannot be written nothing changes.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	src := layoutOf(t, "2023").make(t)
	raft := filepath.Join(src, "raft")
	if err := os.Chmod(raft, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(raft, 0o755)
	before := snapshot(t, src)
	if code, _, stderr := clitest.Run(t, src); code != 1 || !strings.Contains(stderr, "the tree is as it was before") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	compare(t, src, before)
}

// The course's util.go makes way if it needs the student's types; then DPrintf comes from the adapter. Other files of the
// course stay, with a warning.
func TestStudentsHelpers(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	util := filepath.Join(src, "raft", "util.go")
	write(t, util, read(t, util)+"\nfunc last(log []LogEntry) LogEntry { return log[len(log)-1] }\n", 0o644)
	mine := filepath.Join(src, "raft", "mine_test.go")
	write(t, mine, "package raft\n\nimport \"testing\"\n\nfunc TestMine2A(t *testing.T) { _ = LogEntry{} }\n", 0o644)
	out := succeed(t, src)
	if exists(mine) {
		t.Error("a test of the student's that needs the student's types has stayed")
	}
	if text := read(t, filepath.Join(src, "raft", "course_tree.go")); exists(util) || !strings.Contains(text, "func DPrintf(") {
		t.Errorf("util.go is there: %v; the adapter is %q; output %q", exists(util), text, out)
	}
	succeed(t, "-undo", src)
	config := filepath.Join(src, "raft", "config.go")
	write(t, config, read(t, config)+"\nvar myFirst LogEntry\n", 0o644)
	if out := succeed(t, src); !strings.Contains(out, "WARNING: raft/config.go uses LogEntry") {
		t.Errorf("no warning in %q", out)
	}
	succeed(t, "-undo", src)
	write(t, config, read(t, config)+"\nfunc newCommandMsg() {}\n", 0o644)
	refused(t, src, "raft/config.go declares newCommandMsg, as the library does", src)
	if exists(filepath.Join(src, stateDir)) {
		t.Error("a refusal leaves traces")
	}
}

// On a disk that ignores case, a file would be overwritten that differs only by case from a file of the library.
func TestCase(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	write(t, filepath.Join(src, "raft", "Ticker.go"), "package raft\n", 0o644)
	refused(t, src, "raft/Ticker.go differs only by case from raft/ticker.go", src)
}

// An adapter whose installation has lost its backup makes way like a student's file.
func TestOldAdapter(t *testing.T) {
	src := layoutOf(t, "2025").make(t)
	old := filepath.Join(src, "raft1", coursetree.AdapterName)
	write(t, old, "package raft\n\ntype Persister = int // edited\n", 0o644)
	succeed(t, src)
	succeed(t, "-undo", src)
	if text := read(t, old); !strings.Contains(text, "edited") {
		t.Errorf("the file is %q after -undo", text)
	}
}

// rename replaces no file, such as one that another program has just saved.
func TestRenameReplacesNothing(t *testing.T) {
	d := &disk{dir: t.TempDir(), before: always}
	write(t, d.path("a"), "a", 0o644)
	write(t, d.path("b"), "b", 0o644)
	if err := d.rename("a", "b"); err == nil || read(t, d.path("b")) != "b" {
		t.Errorf("rename gives %v, and b is %q", err, read(t, d.path("b")))
	}
}

// -all refuses a tree whose other packages need what this repository's labrpc does not have.
func TestMissingInLabrpc(t *testing.T) {
	src := layoutOf(t, "2025").make(t)
	write(t, filepath.Join(src, "labrpc", "more.go"), "package labrpc\n\nfunc (rn *Network) Slow() {}\n\nfunc Unused() {}\n", 0o644)
	write(t, filepath.Join(src, "tester1", "slow.go"),
		"package tester\n\nimport \"6.5840/labrpc\"\n\nfunc slow(rn *labrpc.Network) { rn.Slow() }\n", 0o644)
	refused(t, src, "-all cannot replace labrpc: the tree uses Slow, which", "-all", src)
}

// A service that calls a method of the student's Raft that the library does not have causes a warning.
func TestServiceUses(t *testing.T) {
	src := layoutOf(t, "2023").make(t)
	log := filepath.Join(src, "raft", "log.go")
	write(t, log, read(t, log)+"\nfunc (rf *Raft) StateSize() int { return 0 }\n\nfunc (rf *Raft) Unused() {}\n", 0o644)
	write(t, filepath.Join(src, "kvraft", "server.go"),
		"package kvraft\n\nimport \"6.5840/raft\"\n\nfunc size(rf *raft.Raft) int { return rf.StateSize() + rf.PersistBytes() }\n", 0o644)
	for _, all := range []string{"-all=false", "-all"} {
		if out := succeed(t, "-n", all, src); !strings.Contains(out, "WARNING: other packages use StateSize, which") {
			t.Errorf("%s: no warning in %q", all, out)
		}
	}
}

// A field CommandTerm in the tree's ApplyMsg is set.
func TestCommandTerm(t *testing.T) {
	src := layoutOf(t, "2025").make(t)
	api := filepath.Join(src, "raftapi", "raftapi.go")
	write(t, api, strings.Replace(read(t, api), "\tCommandIndex  int\n", "\tCommandIndex  int\n\tCommandTerm   int\n", 1), 0o644)
	if out := succeed(t, src); strings.Contains(out, "WARNING") {
		t.Errorf("a warning in %q", out)
	}
	if text := read(t, filepath.Join(src, "raft1", "course_tree.go")); !strings.Contains(text, "CommandTerm: term}") {
		t.Errorf("the adapter is %q", text)
	}
	shell(t, src, "go build ./raft1")
	write(t, api, strings.Replace(read(t, api), "\tKill()\n", "\tKill()\n\tHasLease() bool\n", 1), 0o644)
	if out := succeed(t, src); !strings.Contains(out, "WARNING: raftapi.Raft has HasLease, which") {
		t.Errorf("no warning in %q", out)
	}
}

func TestHasOldGo(t *testing.T) {
	if !exists("/bin/sh") {
		t.Skip("no /bin/sh")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for version, want := range map[string]bool{"go1.24.11": true, "go1.25.0": false, "go1.26-custom": false, "devel": false} {
		write(t, filepath.Join(dir, "go"), "#!/bin/sh\necho "+version+"\n", 0o755)
		if have := hasOldGo(dir); have != want {
			t.Errorf("%s: %v, want %v", version, have, want)
		}
	}
}
