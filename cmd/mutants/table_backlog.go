package main

// backlogs are mistakes about telling commits, and about followers whose services lag.
var backlogs = []mutant{
	{
		name:  "every-commit-told-at-once",
		wrong: "a leader tells of each commit in a message of its own",
		edits: []edit{{"commit.go", `rf.manyUnannouncedLocked(f.commitSent)`, `true`}},
	},
	{
		name:  "no-commit-told-at-once",
		wrong: "however much is committed, a follower learns of it after a while",
		edits: []edit{{"commit.go", `rf.manyUnannouncedLocked(f.commitSent)`, `false`}},
	},
	{
		name:  "untold-bytes-ignored",
		wrong: "large commands that are committed are told late",
		edits: []edit{{"commit.go", `|| rf.log.size(index+1, rf.commitIndex) > maxUnannouncedBytes`, ``}},
	},
	{
		name:  "untold-entries-ignored",
		wrong: "many small commands that are committed are told late",
		edits: []edit{{"commit.go", `rf.commitIndex-index > maxUnannounced ||`, ``}},
	},
	{
		name:  "untold-counted-before-log",
		wrong: "a leader looks for the size of entries that it has no more",
		edits: []edit{{"commit.go", `index = max(index, rf.log.base)`, ``}},
	},
	{
		name:  "full-follower-takes-entries",
		wrong: "a follower takes entries however far its service lags",
		edits: []edit{{"replication.go", `if reply.Full && len(b) > 0 {`, `if false {`}},
	},
	{
		name:  "full-follower-keeps-reordered-entries",
		wrong: "a follower whose service lags keeps entries that overtook others",
		edits: []edit{{"replication.go", `if reply.ConflictTerm == 0 && !reply.Full {`, `if reply.ConflictTerm == 0 {`}},
	},
	{
		name:  "full-follower-commits-what-it-refuses",
		wrong: "a follower whose service lags commits entries that it does not take",
		edits: []edit{{"replication.go", `rf.commitLocked(min(args.LeaderCommit, prev+known)) return`, `rf.commitLocked(min(args.LeaderCommit, prev+known+b.length()))
		return`}},
	},
	{
		name:  "full-follower-commits-nothing",
		wrong: "a follower whose service lags does not learn of commits",
		edits: []edit{{"replication.go", `rf.commitLocked(min(args.LeaderCommit, prev+known)) return`, `return`}},
	},
	{
		name:  "full-for-ever",
		wrong: "a follower whose service has lagged takes no entries any more",
		edits: []edit{{"apply.go", `rf.backlogFull = bytes > most`, `rf.backlogFull = rf.backlogFull || bytes > most`}},
	},
	{
		name:  "full-without-margin",
		wrong: "a follower whose service lags takes entries again one by one, as room comes",
		edits: []edit{{"apply.go", `most /= 2`, `most /= 1`}},
	},
	{
		name:  "leader-ignores-full",
		wrong: "a leader goes on sending entries to a follower that takes none",
		edits: []edit{{"replication.go", `f.backlogFull = reply.Full`, ``}},
	},
	{
		name:  "leader-takes-full-for-ever",
		wrong: "a leader does not notice that a follower takes entries again",
		edits: []edit{{"replication.go", `f.backlogFull = reply.Full`, `f.backlogFull = f.backlogFull || reply.Full`}},
	},
	{
		name:  "full-counts-as-failure",
		wrong: "a follower that takes no entries is taken for out of reach, and its leader resigns",
		edits: []edit{{"replication.go", `case reply.Full: f.backUpTo(c.first) return true`, `case reply.Full:
			f.backUpTo(c.first)
			return false`}},
	},
	{
		name:  "refused-entries-not-sent-again",
		wrong: "entries that a follower did not take for lack of room are not sent again",
		edits: []edit{{"replication.go", `case reply.Full: f.backUpTo(c.first) return true`, `case reply.Full:
			return true`}},
	},
}
