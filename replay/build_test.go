package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The course's trees of some years have no module.
func TestGOPATH(t *testing.T) {
	gopath := t.TempDir()
	t.Setenv("GOPATH", gopath)
	t.Setenv("GO111MODULE", "off")
	for name, text := range map[string]string{
		"labrpc/labrpc.go": "package labrpc\n\nfunc Answer() (n int) {\n\tfor n < 42 {\n\t\tn++\n\t}\n\treturn n\n}\n",
		"raft/raft_test.go": "package raft\n\nimport (\n\t\"labrpc\"\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestAnswer(t *testing.T) {\n" +
			"\tif _, err := os.Stat(\"raft_test.go\"); err != nil || labrpc.Answer() != 42 {\n\t\tt.Error(err)\n\t}\n}\n",
	} {
		name = filepath.Join(gopath, "src", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "-C "+filepath.Join(gopath, "src")+" raft", pass, "built raft in .* passed")
}

// The go tool refuses an overlay of files in the module cache.
func TestModuleCache(t *testing.T) {
	dir, err := filepath.Abs("testdata/toys")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", dir)
	want(t, "./busy", pass, "passed")
}
