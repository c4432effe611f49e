package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"6.824/cmd/cli"
	"6.824/kvraft/history"
	"6.824/raft"
)

// missing compares the final values with what the clients have written: each appended text is there once and nothing else, and
// each client's own key has the value that was put last.
func missing(clients []*client, final map[string]string) (problems []string) {
	for _, key := range shared {
		found := make(map[string]int)
		for _, text := range strings.SplitAfter(final[key], " ") {
			found[text]++
		}
		delete(found, "") // after the last separator
		for _, cl := range clients {
			for _, text := range cl.texts[key] {
				if n := found[text]; n != 1 {
					problems = append(problems, fmt.Sprintf("client %d appended %q to %q; it is there %d times", cl.id, text, key, n))
				}
				delete(found, text)
			}
		}
		for text := range found {
			problems = append(problems, fmt.Sprintf("nobody appended %q, which is in %q", text, key))
		}
	}
	for _, cl := range clients {
		if key := ownKey(cl.id); final[key] != cl.last {
			problems = append(problems, fmt.Sprintf("client %d put %q under %q last, but the value is %q", cl.id, cl.last, key, final[key]))
		}
	}
	return problems
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

func (d *demo) printServers(w io.Writer) {
	t := newTable(w)
	fmt.Fprintln(t, "server\tterm\trole\tapplied\tsnapshot\tsaved\tcrashes\t")
	for i := range d.servers {
		s, up := d.cluster.Server(i)
		if !up {
			fmt.Fprintf(t, "%d\t-\tdown\t-\t-\t-\t%d\t\n", i, d.starts[i])
			continue
		}
		status := s.Raft().(*raft.Raft).Status()
		fmt.Fprintf(t, "%d\t%d\t%v\t%d\t%d\t%d\t%d\t\n", i, status.Term, status.Role, s.Applied(), status.SnapshotIndex, status.StateBytes, d.starts[i]-1)
	}
	t.Flush()
}

func (d *demo) printClients(w io.Writer) {
	t := newTable(w)
	fmt.Fprintln(t, "\nclient\tgets\tputs\tappends\tlongest\t")
	for _, cl := range d.clients {
		cl.mu.Lock()
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%v\t\n", cl.id, cl.count[history.Get], cl.count[history.Put], cl.count[history.Append], cl.longest.Round(time.Millisecond))
		cl.mu.Unlock()
	}
	t.Flush()
}

// maxProblems bounds the list of problems under a verdict.
const maxProblems = 10

// printVerdict prints the verdict. It reports whether there are no problems.
func (d *demo) printVerdict(w io.Writer, problems []string) bool {
	if len(problems) == 0 {
		ops := d.record.History()
		writes, keys := 0, make(map[string]bool)
		for _, op := range ops {
			keys[op.Key] = true
			if op.Kind != history.Get {
				writes++
			}
		}
		fmt.Fprintf(w, "\nverdict: linearizable. One order of the %s on %s explains all results, and each of the %s is there.\n",
			cli.Count(len(ops), "operation"), cli.Count(len(keys), "key"), cli.Count(writes, "acknowledged write"))
		return true
	}
	fmt.Fprintf(w, "\nverdict: WRONG. %s found:\n", cli.Count(len(problems), "problem"))
	for i, p := range problems {
		if i == maxProblems {
			fmt.Fprintf(w, "  and %d more\n", len(problems)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", p)
	}
	return false
}
