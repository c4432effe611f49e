package main

// applying are mistakes about applyCh, Kill and the lock.
var applying = []mutant{
	{
		name:   "applied-before-committed",
		wrong:  "a server applies entries before they are committed",
		safety: true,
		edits: []edit{
			{"apply.go", `rf.commitIndex > rf.lastApplied ||`, `rf.log.lastIndex() > rf.lastApplied ||`},
			{"apply.go", `rf.events.due(t.events[:0], rf.lastApplied, rf.commitIndex)`, `rf.events.due(t.events[:0], rf.lastApplied, rf.log.lastIndex())`},
		},
	},
	{
		name:  "command-with-current-term",
		wrong: "CommandTerm is the server's current term instead of the entry's term",
		edits: []edit{{"apply.go", `index, s.term(k))`, `index, rf.raftState(index).Term)`}},
	},
	{
		name:  "slices-handed-over-undecoded",
		wrong: "the leader's service gets an empty slice where the followers' services get nil",
		edits: []edit{{"identity.go", `case reflect.Array:`, `case reflect.Array, reflect.Slice:`}},
	},
	{
		name:  "value-for-registered-pointer",
		wrong: "the leader's service gets a value where the followers' services get the registered pointer type",
		edits: []edit{{"codec.go", `isIdentity(t) && c.definition.defines(t)`, `isIdentity(t)`}},
	},
	{
		name:  "applied-with-lock-held",
		wrong: "the applier holds the lock while it sends on applyCh",
		edits: []edit{{"apply.go",
			`if !rf.apply(&d, &todo) {`,
			`rf.mu.Lock()
			running := rf.apply(&d, &todo)
			rf.mu.Unlock()
			if !running {`}},
	},
	{
		name:  "applier-polls",
		wrong: "the applier looks for work every ten milliseconds instead of waiting to be woken",
		edits: []edit{
			{"apply.go", `import "math"`, `import (
			"math"
			"time"
			)`},
			{"apply.go", `rf.applyCond.Wait()`, `rf.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			rf.mu.Lock()`},
		},
	},
	{
		name:  "sent-after-kill",
		wrong: "Kill does not wait, so the applier sends the rest of its batch afterwards",
		edits: []edit{
			{"apply.go", `select { case <-rf.done: return false default: }`, ``},
			{"apply.go", `select { case rf.applyCh <- m: return true case <-rf.done: return false }`, `rf.applyCh <- m
			return true`},
			{"raft.go", `<-rf.applierDone`, ``},
		},
	},
	{
		name:  "goroutine-left-behind",
		wrong: "Kill does not wake the replicators, so they wait forever",
		edits: []edit{{"role.go", `f.work.Signal()`, `continue`}},
	},
	{
		name:  "ticker-left-behind",
		wrong: "Kill does not end the ticker",
		edits: []edit{
			{"ticker.go", `case <-rf.done: return`, ``},
		},
	},
	{
		name:  "state-read-without-lock",
		wrong: "GetState reads term and role without the lock",
		edits: []edit{{"raft.go",
			`rf.mu.Lock()
			defer rf.mu.Unlock()
			return rf.currentTerm, rf.role == Leader`,
			`return rf.currentTerm, rf.role == Leader`}},
		race: true,
	},
	{
		name:  "caught-up-with-part",
		wrong: "a peer counts as caught up when it has acknowledged some of the committed entries",
		edits: []edit{{"events.go", `f.matchIndex >= rf.commitIndex`, `f.matchIndex > 0`}},
	},
	{
		name:  "restart-reports-its-term",
		wrong: "a restarted server reports its saved term as a new one",
		edits: []edit{{"raft.go", `rf.events.term = rf.currentTerm`, ``}},
	},
	{
		name:  "caught-up-with-last-only",
		wrong: "a peer with all committed entries counts as caught up only when it also has the uncommitted ones",
		edits: []edit{{"events.go", `f.matchIndex >= rf.commitIndex`, `f.matchIndex >= rf.log.lastIndex()`}},
	},
}
