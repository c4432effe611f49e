package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"6.824/cmd/cli"
)

// Every server ends with the lines of the input, with any number of servers, faults and network. The test runs in virtual
// time.
func TestRunDemo(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprint("line ", i%7)
	}
	for _, c := range []struct {
		name  string
		o     options
		lines []string
	}{
		{"story", options{servers: 5, faults: true, seed: 1, spread: 8 * time.Second}, splitLines(story)},
		{"unreliable", options{servers: 5, faults: true, unreliable: true, seed: 2, spread: 8 * time.Second}, many},
		{"no faults", options{servers: 3}, many},
		{"one server", options{servers: 1, faults: true, seed: 3, spread: 4 * time.Second}, splitLines(story)},
		{"two servers", options{servers: 2, faults: true, seed: 4, spread: 4 * time.Second}, []string{"", "", "a"}},
		{"snapshot after each line", options{servers: 3, faults: true, seed: 5, spread: 20 * time.Second, snapshot: 1}, splitLines(story)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				r := &reporter{Reporter: cli.Reporter{W: &out}}
				r.begin(len(c.lines))
				res := runDemo(c.o, c.lines, r)
				if len(res.problems) > 0 {
					t.Errorf("problems: %q\n%s", res.problems, out.String())
				}
				for _, r := range res.rows {
					if !slices.Equal(r.lines, c.lines) {
						t.Errorf("server %d applied %d lines, which are not the %d of the input", r.id, len(r.lines), len(c.lines))
					}
				}
				if c.o.faults && !strings.Contains(out.String(), "restarted from") {
					t.Errorf("no server crashed:\n%s", out.String())
				}
			})
		})
	}
}

// The client gives up a cluster without a majority, and the verdict on it is wrong.
func TestClientGivesUpWithoutAMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(3, 10, nil)
		defer c.stop()
		c.disconnect(0)
		c.disconnect(1)
		lines := []string{"a", "b"}
		r := &reporter{Reporter: cli.Reporter{W: io.Discard}}
		r.begin(len(lines))
		if err := newClient(c, lines, 0, r).run(); err == nil {
			t.Error("a minority applied the client's lines")
		}
		if problems := judge(c.rows(), 3, lines); len(problems) != 3 {
			t.Errorf("three servers without lines gave the problems %q", problems)
		}
	})
}

func TestMachineAppliesEachLineOnceInOrder(t *testing.T) {
	var m machine
	for i, number := range []int{1, 2, 2, 1, 4, 3, 4, 0} {
		m.apply(i+1, Line{number, fmt.Sprint(number)})
	}
	if want := []string{"1", "2", "3", "4"}; !slices.Equal(m.lines, want) || m.skipped != 4 || m.applied != 8 {
		t.Errorf("machine is %+v, want lines %q, 4 skipped, 8 applied", m, want)
	}
	var copied machine
	if err := copied.restore(m.snapshot()); err != nil || !slices.Equal(copied.lines, m.lines) || copied.applied != 8 {
		t.Errorf("restored machine is %+v, %v", copied, err)
	}
	if err := copied.restore([]byte{1, 2, 3}); err == nil || len(copied.lines) != 4 {
		t.Errorf("a broken snapshot gave %+v, %v", copied, err)
	}
}

func TestHistoryNoticesAnotherCommandAtAnIndex(t *testing.T) {
	h := newHistory()
	h.check(0, 1, Line{1, "a"})
	h.check(1, 1, Line{1, "a"})
	h.check(1, 2, Line{2, "b"})
	if found := h.found(); len(found) != 0 {
		t.Errorf("equal commands gave the problems %q", found)
	}
	h.check(2, 2, Line{3, "b"})
	if found := h.found(); len(found) != 1 {
		t.Errorf("another command at index 2 gave the problems %q", found)
	}
}
