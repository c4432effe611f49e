// Package mutants tests the tests of the services. It plants one mistake after another in the packages of this module, and
// runs their tests, which must find it. A mistake that they do not find shows that a test is missing.
//
//	go test ./internal/mutants -mutants -timeout 1h -v
//
// Without the flag it only checks that each mistake still fits its source.
package mutants

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	runMutants = flag.Bool("mutants", false, "run the tests on each mutant")
	only       = flag.String("mutants.run", "", "only the mutants whose names match this regular expression")
)

// module is the directory of the module.
const module = "../.."

// A mutant is a mistake: a snippet of a file that is replaced by another. The old snippet must occur once in the file, but
// its white space may differ in kind and length.
type mutant struct {
	name, file string
	old, new   string
}

// mutate returns the changed source.
func (m mutant) mutate() (string, error) {
	source, err := os.ReadFile(filepath.Join(module, m.file))
	if err != nil {
		return "", err
	}
	words := strings.Fields(m.old)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	places := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllIndex(source, -1)
	if len(places) != 1 {
		return "", fmt.Errorf("the snippet occurs %d times in %s, not once:\n%s", len(places), m.file, m.old)
	}
	return string(source[:places[0][0]]) + m.new + string(source[places[0][1]:]), nil
}

// Each mutant fits its source, and its name is unique.
func TestMutantsFit(t *testing.T) {
	seen := make(map[string]bool)
	for _, m := range table {
		source, err := m.mutate()
		if err == nil {
			_, err = parser.ParseFile(token.NewFileSet(), m.file, source, parser.SkipObjectResolution)
		}
		if err != nil || seen[m.name] {
			t.Errorf("%s (seen %v): %v", m.name, seen[m.name], err)
		}
		seen[m.name] = true
	}
	t.Logf("%d mutants", len(table))
}

// stages are the arguments of the test runs, in their order. Those that usually find a mistake soonest come first.
var stages = [][]string{
	{"-skip", "[34][ABC]$|^TestChaos", ".", "./rsm", "./versioned", "./internal/table"},
	{"-run", "[34][ABC]$", ".", "./rsm", "./versioned"},
	{"-run", "^TestChaos", ".", "./versioned", "-chaos.seeds=200"},
}

// The tests kill each mutant.
func TestMutants(t *testing.T) {
	if !*runMutants {
		t.Skip("without -mutants")
	}
	chosen := regexp.MustCompile(*only)
	for _, m := range table {
		if !chosen.MatchString(m.name) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			start := time.Now()
			killer, err := kill(t.TempDir(), m)
			switch {
			case err != nil:
				t.Error(err)
			case killer == "":
				t.Error("SURVIVED")
			default:
				t.Logf("killed by %s after %.1f s", killer, time.Since(start).Seconds())
			}
		})
	}
}

// kill runs the tests on a mutant, and returns which test fails first, or "" if none does.
func kill(dir string, m mutant) (killer string, err error) {
	source, err := m.mutate()
	if err != nil {
		return "", err
	}
	mutated, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	file, err := filepath.Abs(filepath.Join(module, m.file))
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err = errors.Join(err, os.WriteFile(mutated, []byte(source), 0o600), os.WriteFile(overlay, data, 0o600)); err != nil {
		return "", err
	}
	for _, args := range stages {
		args = append([]string{"test", "-vet=off", "-count=1", "-failfast", "-v", "-timeout=100s", "-overlay", overlay}, args...)
		cmd := exec.Command("go", args...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "PICTURES="+dir) // where tests that fail leave their pages
		output, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch {
		case err == nil:
			continue
		case !errors.As(err, &exit) || bytes.Contains(output, []byte("[build failed]")):
			return "", fmt.Errorf("%w\n%s", err, output)
		}
		return failure(string(output)), nil
	}
	return "", nil
}

var (
	fails  = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	raises = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.+)$`)
	begins = regexp.MustCompile(`(?m)^=== (?:RUN|NAME|CONT)\s+(\S+)$`)
	says   = regexp.MustCompile(`(?m)^\s+[\w.-]+_test\.go:\d+: (.+)$`)
)

// failure describes the first failure in the output of go test.
func failure(output string) string {
	at, name := len(output), "a test"
	reason := ""
	if m := fails.FindStringSubmatchIndex(output); m != nil {
		at, name = m[0], output[m[2]:m[3]]
		if s := says.FindStringSubmatch(output[at:]); s != nil {
			reason = s[1]
		}
		for _, s := range says.FindAllStringSubmatch(output[:at], -1) { // with -v a message precedes the line
			reason = s[1]
		}
	}
	if m := raises.FindStringSubmatchIndex(output); m != nil && m[0] < at {
		reason = output[m[2]:m[3]]
		for _, b := range begins.FindAllStringSubmatch(output[:m[0]], -1) {
			name = b[1]
		}
	}
	if len(reason) > 90 {
		reason = reason[:90] + "…"
	}
	return name + ": " + reason
}
