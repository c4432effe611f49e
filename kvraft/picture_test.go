package kvraft

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"6.824/kvraft/history"
	"6.824/kvraft/internal/labtest"
	"6.824/picture"
)

var mistake = flag.String("mistake", "", "a mistake for TestMistake: get (a Get returns what was there before) or test (the test itself fails)")

// TestMistake fails if the flag -mistake says so.
func TestMistake(t *testing.T) {
	lab(t, 3, false, -1, func(cfg *config) {
		cl, other := cfg.newClient(0, cfg.All()), cfg.newClient(1, cfg.All())
		cl.put("k", "a")
		other.append("k", "b")
		switch *mistake {
		case "get":
			op := history.Operation{Client: cl.id, Kind: history.Get, Key: "k"}
			end := cl.begin(op)
			cl.ck.Get("k")
			op.Value = "a"
			end(op)
		case "test":
			cfg.t.Errorf("planted in %s", "the test")
		}
		other.check("k", "ab")
		cl.append("k", "c")
	})
}

// A test that fails leaves a page, whose name is the last line of its output. If the history is refused, the page opens at the
// operation that cannot be explained. A test that passes leaves nothing.
func TestPages(t *testing.T) {
	t.Parallel()
	last := regexp.MustCompile(`(?m)^ +picture: (.+)\nFAIL$`)
	for _, c := range []struct {
		mistake, says, violation, lane string
		ops                            int
	}{
		{"", "", "", "", 0},
		{"get", `no order of the operations explains client 0: get("k") -> "a". The last write before it was client 1: append("k", "b") -> done`,
			"not linearizable", "client 0", 5},
		{"test", "planted in the test", "failure", "", 4},
	} {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestMistake$", "-mistake="+c.mistake)
		cmd.Env = append(os.Environ(), "PICTURES="+dir)
		output, err := cmd.CombinedOutput()
		files, _ := os.ReadDir(dir)
		if c.mistake == "" {
			if err != nil || len(files) > 0 {
				t.Errorf("without a mistake: %v, %d files\n%s", err, len(files), output)
			}
			continue
		}
		m := last.FindSubmatch(output)
		if err == nil || m == nil || !strings.Contains(string(output), c.says) || !strings.Contains(string(output), "to run it again: go test ") {
			t.Errorf("%s: %v\n%s", c.mistake, err, output)
			continue
		}
		p := labtest.ReadPage(t, string(m[1]))
		if p.Title != "TestMistake" || p.Violation < 0 || p.Name(p.Violation) != c.violation || !strings.Contains(p.Text(p.Violation), c.says) || p.Lane(p.Open) != c.lane {
			t.Errorf("%s: page %s, violation %d, opens at %d", c.mistake, p.Title, p.Violation, p.Open)
		}
		if c.lane != "" && (p.Events.Kind[p.Open] != int(picture.Return) || p.Text(p.Open) != `"a"`) {
			t.Errorf("%s: opens at an event of kind %d: %s", c.mistake, p.Events.Kind[p.Open], p.Text(p.Open))
		}
		if p.Count(picture.Apply, `append("k", "b")`) < 2 || p.Count(picture.Send, `Value:"b"`) == 0 || p.Count(picture.Invoke, "") != c.ops {
			t.Errorf("%s: %d commands applied, %d operations", c.mistake, p.Count(picture.Apply, ""), p.Count(picture.Invoke, ""))
		}
	}
}
