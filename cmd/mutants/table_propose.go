package main

// proposals are mistakes about Start and the memory of the log. log-keeps-borrowed-memory, memory-used-again and
// segment-not-clipped corrupt what others hold, but not in a schedule of messages: the explorer copies what it sends.
var proposals = []mutant{
	{
		name:   "leader-does-not-save-entries",
		wrong:  "a leader keeps new commands in memory only",
		safety: true,
		edits:  []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.log.append(nil, q.segment, false)`}},
	},
	{
		name:   "start-without-recheck",
		wrong:  "Start appends although the leader lost its lead before Start had the lock",
		safety: true,
		edits: []edit{
			{"propose.go", `if rf.role != Leader || rf.currentTerm != term {`, `if false {`},
			{"propose.go", `	ps.queue.reset()
`, ``},
		},
	},
	{
		name:   "queue-outlives-term",
		wrong:  "commands that were queued when a leader stepped down get into the log when it leads again",
		safety: true,
		edits: []edit{{"propose.go", `	ps.queue.reset()
`, ``}},
	},
	{
		name:   "lost-indices-not-reused",
		wrong:  "a new leader's first command has the index after what the old term's queue had",
		safety: true,
		edits:  []edit{{"propose.go", `ps.term, ps.next = term, next`, `ps.term, ps.next = term, max(ps.next, next)`}},
	},
	{
		name:  "start-runs-ahead",
		wrong: "callers of Start that wait for nothing keep the processor from the replicators",
		edits: []edit{{"propose.go", `if t.waiting >= maxUncommitted {`, `if false {`}},
	},
	{
		name:  "all-starts-yield-at-once",
		wrong: "the replicators stand behind thousands of callers of Start in the scheduler's queue",
		edits: []edit{{"propose.go", `	ps.yielding <- struct{}{}
	runtime.Gosched()
	<-ps.yielding
`, `	runtime.Gosched()
`}},
	},
	{
		name:  "start-gathers-nobody",
		wrong: "Starts that are ready to run at the same time are saved and sent one by one",
		edits: []edit{{"propose.go", `		rf.proposals.gather()
`, ``}},
	},
	{
		name:  "clients-take-turns",
		wrong: "once commands go out one by one, no Start finds out that others would join it",
		edits: []edit{{"propose.go", `		ps.singles.Store(0)
	}
	return waiting`, `	}
	return waiting`}},
	},
	{
		name:  "log-keeps-borrowed-memory",
		wrong: "the log and the disk hold the memory in which the leader encodes its next commands",
		edits: []edit{{"propose.go", `rf.saveEntriesLocked(false, q.segment)`, `rf.saveEntriesLocked(true, q.segment)`}},
	},
	{
		name:  "memory-used-again",
		wrong: "after a truncation new entries are written where messages and copies of the disk have the old ones",
		edits: []edit{{"log.go", `l.segments, l.growing = l.segments[:i], false`, `l.segments, l.growing = l.segments[:i], l.growing && i > 0`}},
	},
	{
		name:   "command-outlives-entry",
		wrong:  "where a deposed leader's entry was replaced, its service gets the old command",
		safety: true,
		edits: []edit{{"log.go", `	l.accepted.truncateFrom(index)
`, ``}},
	},
	{
		name:   "command-outlives-log",
		wrong:  "where a snapshot replaced a deposed leader's log, its service later gets old commands",
		safety: true,
		edits:  []edit{{"log.go", `start: l.end, end: l.end}`, `start: l.end, end: l.end, accepted: l.accepted}`}},
	},
	{
		name:  "segment-not-clipped",
		wrong: "small batches are written behind a large one, into memory that others hold",
		edits: []edit{
			{"log.go", `s.memory[:end:end], s.start, s.ends, l.end})
				l.growing = false`,
				`s.memory[:end], s.start, s.ends, l.end})
				l.growing = true`},
		},
	},
	{
		name:  "queue-without-bound",
		wrong: "the queue of proposals grows beyond what an entry's offset can name",
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
		wrong: "a Start whose command another one has taken into the log says that it was not",
		edits: []edit{{"propose.go", `if q.length() == 0 { // another Start found the queue full and accepted it
		rf.spare = q
		return true`, `if q.length() == 0 {
		rf.spare = q
		return false`}},
	},
	{
		name:  "command-without-bound",
		wrong: "a command may be longer than others can read",
		edits: []edit{{"command.go", `if n > maxCommand {`, `if false {`}},
	},
}
