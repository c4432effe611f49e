package main

// timers are mistakes about telling a silent peer from a server that did not run itself (§5.2).
var timers = []mutant{
	{
		name:  "timer-without-checks",
		wrong: "a ticker that wakes late starts an election, though it could not hear its leader while it slept",
		edits: []edit{
			{"timer.go", `return t.deadline.Add(-time.Duration(checks-t.checked) * t.interval)`, `return t.deadline`},
			{"timer.go", `late := now.Sub(t.next())`, `late := now.Sub(t.next())
	t.checked = checks`},
		},
	},
	{
		name:  "late-check-postpones-nothing",
		wrong: "a ticker that wakes late makes all its checks for the leader at once",
		edits: []edit{{"timer.go", `t.deadline = t.deadline.Add(late)`, ``}},
	},
	{
		name:  "late-check-not-counted",
		wrong: "a late check for the leader does not count, so a server that is always late never starts an election",
		edits: []edit{{"timer.go", `t.checked++
	if late > t.interval {`, `if t.checked++; late > t.interval {
		t.checked--`}},
	},
	{
		name:  "late-leader-steps-down-at-once",
		wrong: "a leader that wakes late steps down before it has read the answers that wait for it",
		edits: []edit{{"heartbeat.go", `if rf.electionTimer.expired(now) {`, `if rf.role == Leader {`}},
	},
	{
		name:  "leader-keeps-counting-checks",
		wrong: "a leader that has a majority again does not restart its count of checks",
		edits: []edit{{"heartbeat.go", `} else { rf.electionTimer.start(now, rf.options.timeoutMin) }`, `}`}},
	},
	{
		name:  "leader-never-steps-down",
		wrong: "a leader without a majority never steps down",
		edits: []edit{{"heartbeat.go", `if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {`, `if false {`}},
	},
}
