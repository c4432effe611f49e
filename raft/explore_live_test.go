package raft

// Live clusters of the explorer: their servers are kept from action to action, and are under the watch. Walks run on
// live clusters, and counterexamples of searches are replayed on them.

import (
	"fmt"
	"slices"
	"strings"
)

// A variant is a set of options for all servers of an exploration.
type variant struct {
	name string
	opts []Option
}

// A live is a cluster of live servers.
type live struct {
	cluster
	limits  limits
	servers []*drivenServer
	used    budget
	commits int // the highest commitIndex that any server has had
	watch   *watch
	menus   [][]step
	all     []action
	loose   bool   // an item number beyond the last means the last item, since actions may have been removed
	said    string // the watch's output
}

// newLive starts a cluster. If not watched, only the explorer's own checks apply.
func newLive(l limits, v variant, watched bool) *live {
	c := &live{limits: l, servers: make([]*drivenServer, l.servers), menus: make([][]step, l.servers)}
	c.n, c.cluster.take = l.servers, c.takeStep
	opts := slices.Clone(v.opts)
	if watched {
		c.watch = newWatch(l.servers)
		c.watch.show = func(text string) { c.said = text }
		opts = append(opts, withObserver(c.watch))
	}
	for i := range c.servers {
		c.servers[i] = newDrivenServer(l.servers, i, MakePersister(), l.lag, opts)
		c.servers[i].live = true
		if watched {
			c.servers[i].cut = func(ps *Persister) *Persister { return c.watch.takeDisk(i, cutDisk(ps)) }
		}
	}
	return c
}

func (c *live) takeStep(server int, in step) outcome {
	out := c.servers[server].step(in)
	if c.watch != nil && out.broken == nil {
		if err := c.watch.violation(); err != nil {
			property, text, _ := strings.Cut(err.Error(), ": ")
			out.broken = &violation{property, text}
		}
	}
	return out
}

// actions returns the actions that are possible now. The result is valid until the next call.
func (c *live) actions() []action {
	for i, s := range c.servers {
		c.menus[i] = s.menu(&c.limits, c.menus[i][:0])
	}
	c.all = c.limits.actions(c.all[:0], c.menus, c.items, c.used, c.commits)
	return c.all
}

// mayHappen reports whether an action is possible now.
func (c *live) mayHappen(a action) bool {
	if !c.limits.allows(a, len(c.items), c.used) {
		return false
	}
	c.all = c.all[:0]
	if a.kind >= actDeliver {
		c.all = c.limits.itemActions(c.all, a.item, c.items[a.item])
	} else {
		c.menus[a.at] = c.servers[a.at].menu(&c.limits, c.menus[a.at][:0])
		for _, in := range c.menus[a.at] {
			c.all = c.limits.stepActions(c.all, a.at, in)
		}
	}
	return slices.ContainsFunc(c.all, a.like)
}

// try performs an action if it is possible now, and returns the action as performed. ok reports whether it was
// possible.
func (c *live) try(a action) (done action, ok bool) {
	if c.loose && a.kind >= actDeliver && a.item >= len(c.items) {
		a.item = len(c.items) - 1
	}
	if a.kind >= actDeliver && (a.item < 0 || a.item >= len(c.items)) || !c.mayHappen(a) {
		return a, false
	}
	c.do(a)
	return a, true
}

// like reports whether b is the same action, apart from crashes in it.
func (a action) like(b action) bool {
	return a.kind == b.kind && a.at == b.at && a.to == b.to && a.fate == b.fate && a.item == b.item && a.heard == b.heard &&
		a.step.kind == b.step.kind && (a.step.arg == b.step.arg || a.argIsSet() || a.kind == actVote)
}

// playAll performs the actions that are possible, up to the first violation. It returns the performed actions and the
// violation, or nil.
func (c *live) playAll(trace []action) (done []action, broken *violation) {
	for _, a := range trace {
		a, ok := c.try(a)
		if !ok {
			continue
		}
		done = append(done, a)
		if broken = c.verdict(); broken != nil {
			break
		}
	}
	return done, broken
}

// do performs an action, which must be possible now.
func (c *live) do(a action) {
	a.setArg(int(c.used.commands)+1, c.commits)
	c.used = c.used.with(a)
	c.perform(a)
	for _, s := range c.servers {
		c.commits = max(c.commits, s.rf.commitIndex)
	}
}

// verdict returns the watch's violation, otherwise the explorer's, otherwise nil.
func (c *live) verdict() *violation {
	if c.watch != nil {
		if err := c.watch.violation(); err != nil {
			property, text, _ := strings.Cut(err.Error(), ": ")
			return &violation{property, text}
		}
	}
	if c.broken != nil {
		return &violation{c.broken.property, fmt.Sprintf("server %d: %s", c.at, c.broken.text)}
	}
	return nil
}

// String returns a server's role and term, vote, log and commitIndex. It must not panic even if the state is broken.
func (s *drivenServer) String() (text string) {
	defer func() {
		if recover() != nil {
			text = "?"
		}
	}()
	rf := s.rf
	role := string("FCL"[rf.role])
	if rf.campaign.granted != nil && rf.campaign.preVote {
		role = "P"
	}
	vote := "-"
	if rf.votedFor != nobody {
		vote = fmt.Sprint(rf.votedFor)
	}
	return fmt.Sprintf("%s%d v%s %s c%d", role, rf.currentTerm, vote, logText(&rf.log), rf.commitIndex)
}

func (i item) String() string {
	what := "append"
	switch m := i.request.message.(type) {
	case *RequestVoteArgs:
		if what = "vote"; m.PreVote {
			what = "prevote"
		}
	case *InstallSnapshotArgs:
		what = "snapshot"
	}
	_, term := i.request.message.sender()
	if i.reply != nil {
		return fmt.Sprintf("%d>%d reply to %s of term %d", i.to, i.from, what, term)
	}
	return fmt.Sprintf("%d>%d %s of term %d", i.from, i.to, what, term)
}

// show plays a trace and returns a table with a line for each action and a column for each server's state after it. It
// reports whether each action was possible.
func (c *live) show(trace []action) (text string, ok bool) {
	rows := [][]string{{""}}
	for i := range c.servers {
		rows[0] = append(rows[0], fmt.Sprint("server ", i))
	}
	rows[0] = append(rows[0], "in flight")
	for k, a := range trace {
		if _, ok := c.try(a); !ok {
			rows = append(rows, []string{fmt.Sprintf("%2d  %s", k+1, a.text()), "not possible here"})
			return tableOf(rows), false
		}
		row := []string{fmt.Sprintf("%2d  %s", k+1, a.text())}
		for _, s := range c.servers {
			row = append(row, s.String())
		}
		flight := make([]string, len(c.items))
		for n, i := range c.items {
			flight[n] = i.String()
		}
		rows = append(rows, append(row, strings.Join(flight, "; ")))
		if c.verdict() != nil {
			break
		}
	}
	return tableOf(rows), true
}

// tableOf formats rows with aligned columns.
func tableOf(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for k, cell := range row {
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for k, cell := range row {
			fmt.Fprintf(&line, "%-*s | ", widths[k], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " |") + "\n")
	}
	return b.String()
}
