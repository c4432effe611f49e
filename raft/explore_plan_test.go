package raft

// The plans of random walks: sequences of actions that rarely occur by chance.

// plan returns the actions of an election or of the replication of a command, among the servers of one group.
func (b *bias) plan(c *live) (plan []action) {
	at := b.random.Intn(c.n)
	rounds := 1
	if c.servers[at].rf.role == Leader {
		plan = append(plan, action{at: at, step: step{kind: stepStart}})
	} else {
		plan = append(plan, action{at: at, step: step{kind: stepTimeout}})
		rounds = 1 + b.random.Intn(2) // with PreVote it takes two
	}
	for range rounds {
		for _, to := range b.random.Perm(c.n) {
			if to == at || b.group[at] != b.group[to] {
				continue
			}
			a := action{kind: actVote, at: at, to: to, step: step{kind: stepAsk, peer: to}}
			if c.servers[at].rf.role == Leader {
				f := c.servers[at].rf.followers[to]
				a.kind, a.step = actSend, step{kind: stepSend, peer: to, arg: f.matchIndex + 1 + b.random.Intn(2)*b.random.Intn(3)}
			}
			a.fate = []fate{answered, answered, answered, answered, noReply, heldReply, held}[b.random.Intn(7)]
			plan = append(plan, a)
		}
	}
	return plan
}

// readBehind returns actions in which a leader begins reads before and after other servers elect another one, which commits,
// while answers to its heartbeats are in flight. These arrive at the end.
func (b *bias) readBehind(c *live) (plan []action) {
	order := b.random.Perm(c.n)
	for k, i := range order {
		if c.servers[i].rf.role == Leader {
			order[0], order[k] = i, order[0]
		}
	}
	at, others := order[0], order[1:]
	do := func(i int, kind stepKind) { plan = append(plan, action{at: i, step: step{kind: kind}}) }
	send := func(from int, kind stepKind, index int, f fate, to ...int) {
		for _, to := range to {
			plan = append(plan, action{kind: actSend, at: from, to: to, step: step{kind: kind, peer: to, arg: index}, fate: f})
		}
	}
	last := c.servers[at].rf.log.lastIndex()
	do(at, stepStart)
	send(at, stepSend, last+1, answered, others...)
	if b.random.Intn(2) == 0 {
		do(at, stepRead)
	}
	late := 1 + b.random.Intn(2)
	for _, to := range others[:late] {
		send(at, stepBeat, last+2, []fate{heldReply, heldReply, lost}[b.random.Intn(3)], to)
	}
	rival, voters := others[0], others[1:]
	do(rival, stepTimeout)
	for range 2 { // with PreVote it takes two rounds
		for _, to := range voters {
			plan = append(plan, action{kind: actVote, at: rival, to: to, step: step{kind: stepAsk, peer: to}})
		}
	}
	do(rival, stepStart)
	send(rival, stepSend, last+2, answered, voters...)
	do(at, stepRead)
	for range late {
		plan = append(plan, action{kind: actDeliver, item: len(c.items)})
	}
	send(at, stepBeat, last+2, []fate{answered, lost, noReply}[b.random.Intn(3)], others...)
	return plan
}

// loseAndRegainLead returns actions in which a leader loses the lead and its last entries to a server that lacks them,
// and is elected again, while an acknowledgement of those entries is in flight. It needs five servers. In half of the
// plans, a snapshot replaces the entries.
func (b *bias) loseAndRegainLead(c *live) (plan []action) {
	order := b.random.Perm(c.n)
	for k, i := range order {
		if c.servers[i].rf.role == Leader {
			order[0], order[k] = i, order[0]
		}
	}
	at, keeper, rival, voters := order[0], order[1], order[2], order[3:]
	start := func(i int) { plan = append(plan, action{at: i, step: step{kind: stepStart}}) }
	send := func(from, to, next int, f fate) {
		plan = append(plan, action{kind: actSend, at: from, to: to, step: step{kind: stepSend, peer: to, arg: next}, fate: f})
	}
	stand := func(i int) {
		plan = append(plan, action{at: i, step: step{kind: stepTimeout}})
		for range 2 { // with PreVote it takes two rounds
			for _, to := range voters {
				plan = append(plan, action{kind: actVote, at: i, to: to, step: step{kind: stepAsk, peer: to}})
			}
		}
	}
	start(at)
	start(at)
	send(at, keeper, c.servers[at].rf.followers[keeper].matchIndex+1, heldReply)
	stand(rival)
	stand(rival) // its term may have been behind
	log := &c.servers[rival].rf.log
	first, last := log.base+1, log.lastIndex()+1
	start(rival)
	if b.random.Intn(2) == 0 {
		for _, to := range voters {
			send(rival, to, first, answered)
		}
		plan = append(plan, action{at: rival, step: step{kind: stepSnapshot, arg: last}})
		send(rival, at, first, answered)
		start(rival)
		for _, to := range voters {
			send(rival, to, last+1, answered)
		}
		first = last + 1
	}
	send(rival, at, first, answered)
	stand(at)
	return append(plan, action{kind: actDeliver, item: len(c.items)})
}
