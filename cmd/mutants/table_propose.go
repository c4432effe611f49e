package main

// proposals are mistakes about Start and the memory of the log. log-keeps-borrowed-memory, memory-used-again and
// segment-not-clipped corrupt shared memory. They do not have safety set, since no schedule of the explorer shows them: it
// copies the messages that it sends.
var proposals = []mutant{
	{
		name:   "leader-does-not-save-entries",
		wrong:  "a leader does not save new commands",
		safety: true,
		edits:  []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.log.append(nil, q.segment, false)`}},
	},
	{
		name:   "start-without-recheck",
		wrong:  "Start appends a command although the server stopped leading before Start got the lock",
		safety: true,
		edits: []edit{
			{"propose.go", `if rf.role != Leader || rf.currentTerm != term {`, `if false {`},
			{"propose.go", `	ps.queue.reset()
`, ``},
		},
	},
	{
		name:   "queue-outlives-term",
		wrong:  "commands that were queued when a leader stepped down enter the log when it leads again",
		safety: true,
		edits: []edit{{"propose.go", `	ps.queue.reset()
`, ``}},
	},
	{
		name:   "lost-indices-not-reused",
		wrong:  "a new leader's first command gets the index after those of the old term's queue",
		safety: true,
		edits:  []edit{{"propose.go", `ps.term, ps.next = term, next`, `ps.term, ps.next = term, max(ps.next, next)`}},
	},
	{
		name:  "start-runs-ahead",
		wrong: "callers of Start that do not wait keep the replicators from running",
		edits: []edit{{"propose.go", `if t.uncommitted >= maxUncommitted {`, `if false {`}},
	},
	{
		name:  "all-starts-yield-at-once",
		wrong: "thousands of callers of Start delay the replicators in the scheduler's queue",
		edits: []edit{{"propose.go", `	ps.yielding <- struct{}{}
	runtime.Gosched()
	<-ps.yielding
`, `	runtime.Gosched()
`}},
	},
	{
		name:  "start-gathers-nobody",
		wrong: "concurrent Starts save and send their commands one by one",
		edits: []edit{{"propose.go", `		gather(rf.proposals.length)
`, ``}},
	},
	{
		name:  "clients-take-turns",
		wrong: "Starts that have sent commands one by one never send several together again",
		edits: []edit{{"crowd.go", `		c.singles.Store(maxSingles - 1)
`, ``}},
	},
	{
		name:  "log-keeps-borrowed-memory",
		wrong: "the log and the disk keep the memory in which the leader encodes its next commands",
		edits: []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.saveEntriesLocked(true, q.segment)`}},
	},
	{
		name:  "memory-used-again",
		wrong: "new entries after a truncation overwrite memory that messages and copies of the disk share",
		edits: []edit{
			{"log.go", `s.memory, s.ends = s.memory[:end:end], s.ends[:k:k]`, `s.memory, s.ends = s.memory[:end], s.ends[:k:k]`},
			{"log.go", `l.segments, l.growing = l.segments[:i], false`, `l.segments, l.growing = l.segments[:i], l.growing && i > 0`},
		},
	},
	{
		name:   "command-outlives-entry",
		wrong:  "the service gets the command of an entry that a new leader has replaced",
		safety: true,
		edits: []edit{{"log.go", `	l.accepted.truncateFrom(index)
`, ``}},
	},
	{
		name:   "command-outlives-log",
		wrong:  "the service gets commands of a deposed leader's log that a snapshot has replaced",
		safety: true,
		edits:  []edit{{"log.go", `start: l.end, end: l.end}`, `start: l.end, end: l.end, accepted: l.accepted}`}},
	},
	{
		name:  "segment-not-clipped",
		wrong: "an append of a small batch writes to memory that others share",
		edits: []edit{
			{"log.go", `s.memory[:end:end], s.start, s.ends, l.end})
				l.growing = false`,
				`s.memory[:end], s.start, s.ends, l.end})
				l.growing = true`},
		},
	},
	{
		name:  "queue-without-bound",
		wrong: "the queue of proposals grows beyond the largest offset of an entry",
		edits: []edit{{"propose.go", `if len(ps.queue.memory) > maxQueue {`, `if false {`}},
	},
	{
		name:  "queue-keeps-commands",
		wrong: "the queue of proposals keeps commands from the garbage collector",
		edits: []edit{{"propose.go", `clear(q.commands)
	`, ``}},
	},
	{
		name:  "spare-queue-refused",
		wrong: "Start reports that its command is not in the log although another Start has appended it",
		edits: []edit{{"propose.go", `if q.length() == 0 { // another Start found the queue full and accepted it
		rf.spare = q
		return true`, `if q.length() == 0 {
		rf.spare = q
		return false`}},
	},
	{
		name:  "command-without-bound",
		wrong: "Start accepts a command that is longer than other servers can read",
		edits: []edit{{"command.go", `if n > maxCommand {`, `if false {`}},
	},
}
