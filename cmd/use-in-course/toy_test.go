package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"6.824/cmd/cli"
	"6.824/cmd/coursetree"
)

// A layout describes the toy tree of a year. The toy trees have the directories, names and types of the course's trees that
// the installation depends on, and no line of the course's code.
type layout struct {
	name   string
	mod    string // text of go.mod
	prefix string // what precedes "labrpc" in import paths
	part   string // "2" or "3", the lab's number in the names of tests
	old    bool   // the Persister has SaveRaftState and SaveStateAndSnapshot
	split  bool   // raft1, raftapi, tester1
	remote bool   // 2026
	years  string // what recognize must find
}

var layouts = []layout{
	{name: "2018", prefix: "", part: "2", old: true, years: "2018 or 2019"},
	{name: "2020", prefix: "../", part: "2", old: true, years: "2020"},
	{name: "2021", mod: "module 6.824\n\ngo 1.15\n", prefix: "6.824/", part: "2", old: true, years: "2021 or 2022"},
	{name: "2023", mod: "module 6.5840\n\ngo 1.15\n", prefix: "6.5840/", part: "2", years: "2023 or 2024"},
	{name: "2024", mod: "module 6.5840\r\n\r\ngo 1.15\r\n", prefix: "6.5840/", part: "3", years: "2024"},
	{name: "2025", mod: "module 6.5840\n\ngo 1.22\n", prefix: "6.5840/", part: "3", split: true, years: "2025"},
	{name: "2026", mod: "module 6.5840\n\ngo 1.22\n", prefix: "6.5840/", part: "3", split: true, remote: true, years: "2026"},
	{name: "renamed", mod: "module example.org/my-lab // mine\n\ngo 1.20\n", prefix: "example.org/my-lab/", part: "2",
		years: "2023 or 2024"},
}

func layoutOf(t *testing.T, name string) layout {
	t.Helper()
	for _, l := range layouts {
		if l.name == name {
			return l
		}
	}
	t.Fatalf("no layout %s", name)
	return layout{}
}

// raftDir returns the directory of package raft.
func (l layout) raftDir() string {
	if l.split {
		return "raft1"
	}
	return "raft"
}

// env returns the variables that the go command needs in the tree, for a shell.
func (l layout) env(src string) string {
	switch {
	case l.mod != "":
		return ""
	case l.prefix == "":
		return "GO111MODULE=off GOPATH=" + cli.Quote(filepath.Dir(src)) + " "
	}
	return "GO111MODULE=off "
}

// make writes the tree and returns its src. There are spaces in its path.
func (l layout) make(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(root, "my lab", "src")
	for name, text := range l.files(t) {
		write(t, filepath.Join(src, filepath.FromSlash(name)), strings.ReplaceAll(text, "PREFIX", l.prefix), 0o644)
	}
	if err := os.Chmod(filepath.Join(src, l.raftDir(), "raft.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	return src
}

// files returns the files of the tree by name.
func (l layout) files(t *testing.T) map[string]string {
	raft := l.raftDir() + "/"
	files := map[string]string{
		raft + "raft.go":     toyStudent,
		raft + "log.go":      "package raft\r\n\r\ntype LogEntry struct{ Term int }\r\n",
		raft + "util.go":     "package raft\n\nconst Debug = false\n\nfunc DPrintf(format string, a ...interface{}) {}\n",
		raft + "my_notes.md": "vote only once\n",
		"labgob/old.go":      "package labgob\n\nconst old = 1\n",
		"labrpc/old.go":      "package labrpc\n\nconst old = 1\n",
	}
	if l.mod != "" {
		files["go.mod"] = l.mod
	}
	if l.name == "2024" {
		files["kvsrv/server.go"] = "package kvsrv\n"
	}
	maps.Copy(files, l.network(t))
	if l.split {
		maps.Copy(files, l.splitFiles())
		return files
	}
	files["raft/raft.go"] += toyApplyMsg
	files["raft/config.go"] = toyHarness + fmt.Sprintf(toyConfig, "MakePersister()", "")
	files["raft/persister.go"] = "package raft\n" + l.persister()
	files["raft/test_test.go"] = strings.ReplaceAll(toyTest, "PART", l.part+"A")
	return files
}

// network returns labrpc and labgob: this repository's, without the tests, stand in for the course's.
func (l layout) network(t *testing.T) map[string]string {
	t.Helper()
	root, err := coursetree.LibraryDir()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, dir := range []string{"labrpc", "labgob"} {
		library, err := coursetree.ReadPackage(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range library {
			if !f.IsTest() {
				files[f.Name] = string(f.ForTree(l.prefix, "raft"))
			}
		}
	}
	return files
}

// splitFiles returns the files that only trees from 2025 on have.
func (l layout) splitFiles() map[string]string {
	kill := "\tKill()\n"
	files := map[string]string{
		"tester1/persister.go": "package tester\n" + l.persister(),
		"raft1/test.go": strings.Replace(toyHarness, "import (", "import (\n\t\"PREFIXraftapi\"\n\ttester \"PREFIXtester1\"", 1) +
			strings.NewReplacer("chan ApplyMsg", "chan raftapi.ApplyMsg", "*Raft", "raftapi.Raft").
				Replace(fmt.Sprintf(toyConfig, "tester.MakePersister()", "type Test = config")),
		"raft1/server.go":    "package raft\n\nimport tester \"PREFIXtester1\"\n\ntype rfsrv struct{ cfg *tester.Config }\n",
		"tester1/config.go":  "package tester\n\ntype Config struct{}\n",
		"raft1/raft_test.go": strings.NewReplacer("PART", "3A", "rf.Kill()", "_ = rf").Replace(toyTest),
	}
	if l.remote {
		kill = ""
		files["tester1/sockrpc/rpcsrv.go"] = "package sockrpc\n"
		files["tester1/daemonsrv.go"] = "package tester\n\nimport \"PREFIXlabrpc\"\n\n" +
			"func lead(e *labrpc.ClientEnd, f labrpc.Fcall) { e.SetCall(f) }\n"
		files["Makefile"] = "raft1:\n\tgo test $(RUN) ./raft1\n.PHONY: raft1\n"
	}
	files["raftapi/raftapi.go"] = strings.Replace(toyAPI, "\tKill()\n", kill, 1)
	return files
}

// persister returns the Persister of the year.
func (l layout) persister() string {
	if l.old {
		return toyPersister + "\nfunc (ps *Persister) SaveRaftState(a []byte)           { ps.a = a }\n" +
			"func (ps *Persister) SaveStateAndSnapshot(a, b []byte) { ps.a, ps.b = a, b }\n"
	}
	return toyPersister + "\nfunc (ps *Persister) Save(a, b []byte)      { ps.a, ps.b = a, b }\n"
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
