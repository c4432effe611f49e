// Package mutants tests the tests of the engine. It plants one mistake after another in package engine, and runs the test
// that is for it, which must fail.
//
//	go test ./internal/mutants -mutants -timeout 1h -v
//
// Without the flag it only checks that each mistake still fits its source. Syncs that etcd's packages make, and those that
// engine makes, are left out by TestPower_mutants, too.
package mutants

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	runMutants = flag.Bool("mutants", false, "run the test that is for each mutant")
	only       = flag.String("mutants.run", "", "only the mutants whose names match this regular expression")
)

// module is the directory of the module.
const module = "../.."

// A mutant is a mistake: a snippet of a file that is replaced by another. The old snippet must occur once in the file, but
// its white space may differ in kind and length.
type mutant struct {
	name, file string
	old, new   string
	test       string // finds it every time
}

// mutate returns the changed source.
func (m mutant) mutate(t *testing.T) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(module, m.file))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(m.old)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	places := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllIndex(source, -1)
	if len(places) != 1 {
		t.Fatalf("the snippet occurs %d times in %s, not once:\n%s", len(places), m.file, m.old)
	}
	return []byte(string(source[:places[0][0]]) + m.new + string(source[places[0][1]:]))
}

func TestMutants(t *testing.T) {
	chosen := regexp.MustCompile(*only)
	seen := map[string]bool{}
	for _, m := range table {
		t.Run(m.name, func(t *testing.T) {
			source := m.mutate(t)
			if _, err := parser.ParseFile(token.NewFileSet(), m.file, source, parser.SkipObjectResolution); err != nil || seen[m.name] {
				t.Errorf("seen %v, error %v", seen[m.name], err)
			}
			seen[m.name] = true
			if *runMutants && chosen.MatchString(m.name) {
				m.kill(t, source)
			}
		})
	}
}

var fails = regexp.MustCompile(`(?m)^\s*--- FAIL: \S+|^panic: .*`)

// kill runs the mutant's test.
func (m mutant) kill(t *testing.T, source []byte) {
	dir := t.TempDir()
	mutated, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	file, err := filepath.Abs(filepath.Join(module, m.file))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err = errors.Join(err, os.WriteFile(mutated, source, 0o600), os.WriteFile(overlay, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	test := exec.Command("go", "test", "-vet=off", "-count=1", "-failfast", "-v", "-timeout=100s", "-overlay", overlay, "-run", "^"+m.test+"$", ".")
	test.Dir = filepath.Join(module, filepath.Dir(m.file))
	output, err := test.CombinedOutput()
	switch {
	case err == nil && bytes.Contains(output, []byte("--- SKIP")):
		t.Skipf("%s cannot be run here", m.test)
	case err == nil:
		t.Error("SURVIVED")
	case bytes.Contains(output, []byte("[build failed]")):
		t.Errorf("%s", output)
	default:
		t.Logf("killed: %s", fails.Find(output))
	}
}
