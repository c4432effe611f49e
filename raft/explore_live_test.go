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
	limits    limits
	servers   []*drivenServer
	used      budget
	watch     *watch
	committed int // the highest index that a leader has committed
	menus     [][]step
	all       []action
	loose     bool   // an item number beyond the last means the last item, since actions may have been removed
	said      string // the watch's output
	tell      liveObserver
}

// A liveObserver hears what happens to the servers of a live cluster.
type liveObserver interface {
	start(server int) Option // a server starts
	crash(server int)
	before(c *live, server int, in step)
	after(c *live, server int, in step, out *outcome)
}

// newLive starts a cluster. If not watched, only the explorer's own checks apply.
func newLive(l limits, v variant, watched bool) *live { return newLiveFor(l, v, watched, nil) }

// newLiveFor starts a cluster with an observer, which may be nil.
func newLiveFor(l limits, v variant, watched bool, tell liveObserver) *live {
	c := &live{limits: l, servers: make([]*drivenServer, l.servers), menus: make([][]step, l.servers), tell: tell}
	c.n, c.cluster.take = l.servers, c.takeStep
	opts := slices.Clone(v.opts)
	if watched {
		c.watch = newWatch(l.servers)
		c.watch.show = func(text string) { c.said = text }
		opts = append(opts, withObserver(c.watch))
	}
	for i := range c.servers {
		own := slices.Clone(opts)
		if tell != nil {
			own = append(own, func(o *options) { tell.start(i)(o) })
		}
		c.servers[i] = newDrivenServer(l.servers, i, MakePersister(), l.lag, own)
		c.servers[i].live = true
		c.servers[i].cut = func(ps *Persister) *Persister { return c.cut(i, ps) }
	}
	return c
}

// cut returns the disk that a crash of server i leaves.
func (c *live) cut(i int, ps *Persister) *Persister {
	if c.tell != nil {
		c.tell.crash(i)
	}
	if ps = cutDisk(ps); c.watch != nil {
		ps = c.watch.takeDisk(i, ps)
	}
	return ps
}

func (c *live) takeStep(server int, in step) outcome {
	if c.tell != nil {
		c.tell.before(c, server, in)
	}
	out := c.servers[server].step(in)
	if c.tell != nil {
		c.tell.after(c, server, in, &out)
	}
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
	c.all = c.limits.actions(c.all[:0], c.menus, c.items, c.used, c.committed)
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
		a.step.kind == b.step.kind && (a.step.arg == b.step.arg || a.kind == actVote || a.fillIn(budget{}, 0))
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
	a.fillIn(c.used, c.committed)
	c.used = c.used.with(a)
	c.perform(a)
	for _, s := range c.servers {
		if s.rf.role == Leader {
			c.committed = max(c.committed, s.rf.commitIndex)
		}
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
