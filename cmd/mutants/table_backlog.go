package main

// backlogs are mistakes about sending commits to followers, and about followers whose services lag.
var backlogs = []mutant{
	{
		name:  "every-commit-told-at-once",
		wrong: "a leader sends a separate message for each commit",
		edits: []edit{{"commit.go", `rf.manyUnannouncedLocked(f.commitSent)`, `true`}},
	},
	{
		name:  "no-commit-told-at-once",
		wrong: "a leader delays the news of a commit, however many entries it commits",
		edits: []edit{{"commit.go", `rf.manyUnannouncedLocked(f.commitSent)`, `false`}},
	},
	{
		name:  "untold-bytes-ignored",
		wrong: "a leader delays the news that large commands are committed",
		edits: []edit{{"commit.go", `|| rf.log.size(index+1, rf.commitIndex) > maxUnannouncedBytes`, ``}},
	},
	{
		name:  "untold-entries-ignored",
		wrong: "a leader delays the news that many small commands are committed",
		edits: []edit{{"commit.go", `rf.commitIndex-index > maxUnannounced ||`, ``}},
	},
	{
		name:  "untold-counted-before-log",
		wrong: "a leader asks for the size of entries that are no longer in its log",
		edits: []edit{{"commit.go", `index = max(index, rf.log.base)`, ``}},
	},
	{
		name:  "full-follower-takes-entries",
		wrong: "a follower accepts entries however far its service lags",
		edits: []edit{{"replication.go", `if reply.Full && len(b) > 0 {`, `if false {`}},
	},
	{
		name:  "full-follower-keeps-reordered-entries",
		wrong: "a follower whose service lags keeps entries that arrive out of order",
		edits: []edit{{"replication.go", `if reply.ConflictTerm == 0 && !reply.Full {`, `if reply.ConflictTerm == 0 {`}},
	},
	{
		name:  "full-follower-commits-what-it-refuses",
		wrong: "a follower whose service lags commits entries that it refuses",
		edits: []edit{{"replication.go", `rf.commitLocked(min(args.LeaderCommit, prev+known)) return`, `rf.commitLocked(min(args.LeaderCommit, prev+known+b.length()))
		return`}},
	},
	{
		name:  "full-follower-commits-nothing",
		wrong: "a follower whose service lags does not advance commitIndex",
		edits: []edit{{"replication.go", `rf.commitLocked(min(args.LeaderCommit, prev+known)) return`, `return`}},
	},
	{
		name:  "full-forever",
		wrong: "a follower whose service has lagged never accepts entries again",
		edits: []edit{{"apply.go", `rf.backlogFull = bytes > most`, `rf.backlogFull = rf.backlogFull || bytes > most`}},
	},
	{
		name:  "full-without-margin",
		wrong: "a follower whose service lags accepts entries one by one, as soon as there is room for one",
		edits: []edit{{"apply.go", `most /= 2`, `most /= 1`}},
	},
	{
		name:  "leader-ignores-full",
		wrong: "a leader keeps sending entries to a follower that refuses them for lack of room",
		edits: []edit{{"replication.go", `f.backlogFull = reply.Full`, ``}},
	},
	{
		name:  "leader-believes-full-forever",
		wrong: "a leader does not notice that a follower accepts entries again",
		edits: []edit{{"replication.go", `f.backlogFull = reply.Full`, `f.backlogFull = f.backlogFull || reply.Full`}},
	},
	{
		name:  "full-counts-as-failure",
		wrong: "a follower that refuses entries for lack of room counts as unreachable, so its leader steps down",
		edits: []edit{{"replication.go", `case reply.Full: f.backUpTo(c.first) return true`, `case reply.Full:
			f.backUpTo(c.first)
			return false`}},
	},
	{
		name:  "refused-entries-not-sent-again",
		wrong: "a leader does not resend entries that a follower refused for lack of room",
		edits: []edit{{"replication.go", `case reply.Full: f.backUpTo(c.first) return true`, `case reply.Full:
			return true`}},
	},
}
