package raft

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// CommandTerm is the term of the command's entry, also under a later leader and after a restart.
func TestCommandTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := newLeader(t, 3, 7, from(1).terms(1, 4))
		rf.Start(pointCommand{3, 4})
		settle(t, rf, rf.followers[1], &AppendEntriesReply{Term: 7, Success: true})
		applyCh := startApplier(rf)
		for _, want := range [][2]int{{1, 1}, {2, 4}, {3, 7}} {
			m := <-applyCh
			mustEqual(t, "index, term", [2]int{m.CommandIndex, m.CommandTerm}, want)
		}
		disk := rf.store.persister.Copy()
		rf.Kill()
		again := newQuiet(t, 3, disk)
		applyCh = startApplier(again)
		defer again.Kill()
		deliver(t, again, &AppendEntriesArgs{Term: 8, LeaderID: 1, PrevLogIndex: 3, PrevLogTerm: 7, LeaderCommit: 3})
		for _, want := range [][2]int{{1, 1}, {2, 4}, {3, 7}} {
			m := <-applyCh
			mustEqual(t, "index, term after a restart", [2]int{m.CommandIndex, m.CommandTerm}, want)
		}
	})
}

// Only applymsg.go makes an ApplyMsg and names the fields that the course's ApplyMsg lacks, so that a course tree can
// use its own.
func TestApplyMsgInOneFile(t *testing.T) {
	own := []string{"CommandValid", "CommandIndex", "CommandTerm", "SnapshotValid", "SnapshotTerm", "EventValid"}
	files, _ := filepath.Glob("*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "applymsg.go" {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if slices.Contains(own, n.Name) {
					t.Errorf("%v: %s", fset.Position(n.Pos()), n.Name)
				}
			case *ast.CompositeLit:
				if of, ok := n.Type.(*ast.Ident); ok && of.Name == "ApplyMsg" {
					t.Errorf("%v: an ApplyMsg is made", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}
