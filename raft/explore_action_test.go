package raft

// The actions of the explorer, which change a cluster: its servers and the messages in flight between them. Searches
// and live clusters use the same actions.

// A fate is what happens to an RPC.
type fate uint8

const (
	answered  fate = iota // the request is handled and the sender handles the reply at once
	noReply               // the request is handled; the reply is lost
	lost                  // the request is lost
	held                  // the request stays in flight
	heldReply             // the request is handled; the reply stays in flight
)

// An actionKind is a kind of action.
type actionKind uint8

const (
	act        actionKind = iota // one step of server at
	actVote                      // RequestVote from server at to server to
	actSend                      // AppendEntries or InstallSnapshot from server at to server to
	actDeliver                   // a message or reply in flight arrives
	actDrop                      // a message or reply in flight is lost
	actRepeat                    // a request in flight arrives and stays in flight
)

// An action is one choice of the explorer: a whole RPC, one message in flight, or one step of a server.
type action struct {
	kind  actionKind
	at    int // the server that acts
	step  step
	to    int
	fate  fate
	item  int  // index of the message in flight
	heard bool // the receiver has heard from its leader lately; only a PreVote depends on it

	crashStep, crashSave int // the server of this step crashes at this save; 0: no crash
}

// An item is a message or a reply in flight.
type item struct {
	from, to int   // of the request
	slot     int   // index of the sender's open call; not for votes
	vote     bool  // it is a RequestVote
	orphaned bool  // the sender has crashed, so the reply will be ignored
	request  *wire // nil: there is no item
	reply    *wire // nil: the request is in flight; otherwise the reply is
}

// A cluster holds the messages in flight and performs actions. take executes a step on a server and returns its
// outcome.
type cluster struct {
	n     int
	items []item
	take  func(server int, in step) outcome

	down   []int      // servers that crashed in the action
	closed []openSlot // calls that ended in the action
	steps  int        // executed in the action
	saves  []int      // by step
	crash  action
	broken *violation
	at     int // the server that violated a property
}

// An openSlot identifies an open call of a server.
type openSlot struct{ server, slot int }

// perform performs an action. It stops at the first step that violates a property.
func (b *cluster) perform(a action) {
	b.down = b.down[:0]
	b.steps, b.saves, b.closed, b.crash, b.broken = 0, b.saves[:0], b.closed[:0], a, nil
	switch a.kind {
	case act:
		b.step(a.at, a.step)
	case actVote:
		out := b.step(a.at, step{kind: stepAsk, peer: a.to})
		b.exchange(item{from: a.at, to: a.to, vote: true, request: out.message}, a)
	case actSend:
		a.step.late = a.holds()
		out := b.step(a.at, a.step)
		b.exchange(item{from: a.at, to: a.to, slot: out.slot, request: out.message}, a)
	case actDeliver:
		i := b.items[a.item]
		b.items = append(b.items[:a.item], b.items[a.item+1:]...)
		b.exchange(i, a)
	case actDrop:
		i := b.items[a.item]
		b.items = append(b.items[:a.item], b.items[a.item+1:]...)
		b.returned(i, nil)
	case actRepeat:
		i := b.items[a.item]
		b.receive(i, a.heard)
	}
}

func (b *cluster) step(server int, in step) outcome {
	if b.broken != nil {
		return outcome{}
	}
	if b.steps++; b.steps == b.crash.crashStep {
		in.crashAt = b.crash.crashSave
	}
	out := b.take(server, in)
	b.saves = append(b.saves, out.saves)
	if out.crashed {
		b.crashed(server)
	}
	if b.broken = out.broken; b.broken != nil {
		b.at = server
	}
	return out
}

// crashed records that the server has crashed, and orphans what it has sent.
func (b *cluster) crashed(server int) {
	b.items = orphan(b.items, server)
	b.down = append(b.down, server)
}

// orphan returns the items after the crash of a server: its requests are orphaned, replies to it are dropped.
func orphan(items []item, server int) []item {
	kept := items[:0]
	for _, i := range items {
		if i.from == server {
			if i.reply != nil {
				continue
			}
			i.orphaned, i.slot = true, 0
		}
		kept = append(kept, i)
	}
	return kept
}

func (b *cluster) receive(i item, heard bool) outcome {
	in := step{kind: stepReceive, message: i.request}
	if heard {
		in.arg = 1
	}
	return b.step(i.to, in)
}

// exchange continues an RPC from its current state to the one that the action's fate names.
func (b *cluster) exchange(i item, a action) {
	if b.broken != nil || i.request == nil {
		return
	}
	reply := i.reply
	switch {
	case a.fate == held:
		b.items = append(b.items, i)
		return
	case a.fate == lost:
		b.returned(i, nil)
		return
	case reply == nil:
		out := b.receive(i, a.heard)
		if reply = out.reply; out.crashed {
			reply = nil
		}
	}
	switch {
	case b.broken != nil:
	case a.fate == heldReply && reply != nil:
		i.reply = reply
		b.items = append(b.items, i)
	case a.fate == noReply:
		b.returned(i, nil)
	default:
		b.returned(i, reply)
	}
}

// returned gives the sender of an RPC the reply, or nil if it was lost.
func (b *cluster) returned(i item, reply *wire) {
	switch {
	case i.orphaned:
	case i.vote:
		b.step(i.from, step{kind: stepVoted, peer: i.to, message: i.request, reply: reply})
	default:
		b.step(i.from, step{kind: stepReturned, arg: i.slot, reply: reply})
		b.closed = append(b.closed, openSlot{i.from, i.slot})
		closeSlot(b.items, openSlot{i.from, i.slot})
	}
}

// closeSlot renumbers the slots of a server's items after one of its calls has ended.
func closeSlot(items []item, c openSlot) {
	for k := range items {
		if o := &items[k]; o.from == c.server && !o.vote && !o.orphaned && o.slot > c.slot {
			o.slot--
		}
	}
}

// Limits bound an exploration.
type limits struct {
	servers  int
	terms    int // the last term in which a server may be a candidate
	commands int
	crashes  int
	saves    bool // crashes may also come between two saves of one step
	snaps    int  // number of snapshots that services take
	flight   int  // messages in flight, not counting the action's own RPC
	repeats  bool // requests may arrive more than once
	queue    bool // calls of Start may wait for the lock
	lag      bool // services may lag behind commitIndex
	reads    int  // calls of ReadIndex
}

// A budget counts how much of the limits is used.
type budget struct{ commands, crashes, snaps, reads uint8 }

// menu returns the steps that a server can take by itself, according to the library's own conditions.
func (s *drivenServer) menu(l *limits, steps []step) []step {
	rf := s.rf
	s.settle()
	rf.mu.Lock()
	defer rf.mu.Unlock()
	add := func(kind stepKind, peer, arg int) { steps = append(steps, step{kind: kind, peer: peer, arg: arg}) }
	if rf.role != Leader && rf.currentTerm < l.terms {
		add(stepTimeout, 0, 0)
		if rf.campaign.granted != nil && rf.campaign.preVote {
			add(stepTimeout, 0, 1)
		}
	}
	for peer := range rf.peers {
		if s.asks != nil && !rf.staleVoteLocked(s.asks) && peer != rf.me && !rf.campaign.granted[peer] {
			add(stepAsk, peer, map[bool]int{true: 1}[s.asks.PreVote])
		}
	}
	if rf.role == Leader {
		s.leaderMenu(add)
		if rf.currentTerm < l.terms { // in the last term, a leader that resigned does no more than an idle one
			add(stepResign, 0, 0)
		}
	}
	if !s.live || rf.proposals.leading.Load() { // Start on a follower does nothing: searches check that, walks skip it
		add(stepStart, 0, 0)
		if l.queue {
			add(stepQueue, 0, 0)
		}
	}
	if len(s.tickets) > 0 {
		add(stepAccept, 0, 0)
	}
	if l.reads > 0 {
		add(stepRead, 0, 0)
	}
	switch {
	case s.holds:
		add(stepApply, 0, 0)
	case s.lag && rf.hasToApplyLocked():
		add(stepTake, 0, 0)
	}
	if l.snaps > 0 {
		for index := 1; index <= len(s.service); index++ { // a service may be late, and an old snapshot must change nothing
			add(stepSnapshot, 0, index)
		}
	}
	if l.crashes > 0 && rf.currentTerm > 0 {
		add(stepCrash, 0, 0)
	}
	return steps
}

func (s *drivenServer) leaderMenu(add func(kind stepKind, peer, arg int)) {
	rf := s.rf
	for peer, f := range rf.followers {
		if f == nil {
			continue
		}
		for next := f.matchIndex + 1; next <= rf.log.lastIndex()+1; next++ {
			add(stepSend, peer, next)
			add(stepBeat, peer, next)
		}
	}
}

// actions appends to all, which is empty, the possible actions on a cluster, from the servers' menus and the items in
// flight. Leaders have committed the entries up to index committed.
func (l *limits) actions(all []action, menus [][]step, items []item, used budget, committed int) []action {
	for at, menu := range menus {
		for _, in := range menu {
			all = l.stepActions(all, at, in)
		}
	}
	for k, i := range items {
		all = l.itemActions(all, k, i)
	}
	kept := all[:0]
	for _, a := range all {
		a.fillIn(used, committed)
		if l.allows(a, len(items), used) {
			kept = append(kept, a)
		}
	}
	return kept
}

// fillIn sets the arg of a step whose arg depends on the cluster: the number of a command, or what is committed. It
// reports whether the action has such a step.
func (a *action) fillIn(used budget, committed int) bool {
	switch {
	case a.kind != act:
		return false
	case a.step.kind == stepStart || a.step.kind == stepQueue:
		a.step.arg = int(used.commands) + 1
	case a.step.kind == stepRead:
		a.step.arg = committed
	default:
		return false
	}
	return true
}

// allows reports whether an action is within the limits.
func (l *limits) allows(a action, inFlight int, used budget) bool {
	return (inFlight < l.flight || !a.holds()) && !l.exceeded(used.with(a))
}

// holds reports whether an action adds a message to those in flight.
func (a *action) holds() bool {
	return (a.kind == actVote || a.kind == actSend) && (a.fate == held || a.fate == heldReply)
}

func (l *limits) exceeded(u budget) bool {
	return int(u.commands) > l.commands || int(u.crashes) > l.crashes || int(u.snaps) > l.snaps || int(u.reads) > l.reads
}

// plus returns the sum of two budgets.
func (u budget) plus(v budget) budget {
	return budget{u.commands + v.commands, u.crashes + v.crashes, u.snaps + v.snaps, u.reads + v.reads}
}

// with returns the budget after an action.
func (u budget) with(a action) budget {
	if a.kind == act {
		switch a.step.kind {
		case stepStart, stepQueue:
			u.commands++
		case stepSnapshot:
			u.snaps++
		case stepCrash:
			u.crashes++
		case stepRead:
			u.reads++
		}
	}
	if a.crashStep > 0 {
		u.crashes++
	}
	return u
}

// stepActions appends to dst the actions that begin with a server's step.
func (l *limits) stepActions(dst []action, at int, in step) []action {
	a := action{at: at, step: in, to: in.peer}
	switch in.kind {
	case stepAsk:
		a.kind = actVote
	case stepSend, stepBeat:
		a.kind = actSend
	default:
		return append(dst, a)
	}
	for _, a.fate = range []fate{answered, lost, noReply, held, heldReply} {
		if a.fate == lost && a.kind == actVote {
			continue // changes nothing
		}
		a.heard = false
		dst = append(dst, a)
		if in.kind == stepAsk && in.arg == 1 && a.fate != held {
			a.heard = true
			dst = append(dst, a)
		}
	}
	return dst
}

// itemActions appends to dst the possible actions on item k.
func (l *limits) itemActions(dst []action, k int, i item) []action {
	a := action{item: k}
	add := func(kind actionKind, f fate) {
		a.kind, a.fate, a.heard = kind, f, false
		dst = append(dst, a)
		if m, ok := i.request.message.(*RequestVoteArgs); ok && m.PreVote && i.reply == nil && kind != actDrop {
			a.heard = true
			dst = append(dst, a)
		}
	}
	add(actDrop, lost)
	switch {
	case i.reply != nil:
		add(actDeliver, answered)
		return dst
	case i.orphaned:
		add(actDeliver, noReply)
	default:
		add(actDeliver, answered)
		add(actDeliver, noReply)
		add(actDeliver, heldReply)
	}
	if l.repeats {
		add(actRepeat, noReply)
	}
	return dst
}
