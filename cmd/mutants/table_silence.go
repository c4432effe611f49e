package main

// silences are mistakes about telling that others are silent from not having run (§5.2).
var silences = []mutant{
	{
		name:  "silence-without-looks",
		wrong: "a ticker that wakes late acts at once, though nobody could be heard while it slept",
		edits: []edit{
			{"silence.go", `return s.deadline.Add(-time.Duration(checks-s.checked) * s.interval)`, `return s.deadline`},
			{"silence.go", `late := now.Sub(s.next())`, `late := now.Sub(s.next())
	s.checked = checks`},
		},
	},
	{
		name:  "late-look-postpones-nothing",
		wrong: "looks of a ticker that wakes late follow each other at once, since all their times have passed",
		edits: []edit{{"silence.go", `s.deadline = s.deadline.Add(late)`, ``}},
	},
	{
		name:  "slow-look-is-no-look",
		wrong: "a look that comes late is not counted: on a machine that is always late nobody ever stands for election",
		edits: []edit{{"silence.go", `s.checked++
	if late > s.interval {`, `if s.checked++; late > s.interval {
		s.checked--`}},
	},
	{
		name:  "late-leader-resigns-at-once",
		wrong: "a leader that wakes late resigns before it has read the answers that wait for it",
		edits: []edit{{"heartbeat.go", `if rf.silence.expired(now) {`, `if rf.role == Leader {`}},
	},
	{
		name:  "leader-goes-on-counting-looks",
		wrong: "the looks of a leader that had a majority again meanwhile go on where they were",
		edits: []edit{{"heartbeat.go", `} else { rf.silence.begin(now, rf.options.timeoutMin) }`, `}`}},
	},
	{
		name:  "leader-never-resigns",
		wrong: "a leader goes on without a majority, and its followers promise nobody their votes",
		edits: []edit{{"heartbeat.go", `if !rf.hasQuorumLocked(now, quorumHeartbeats*rf.options.heartbeat) {`, `if false {`}},
	},
}
