package main

// commits are mistakes of the commit rule (§5.4.2, Figure 8).
var commits = []mutant{
	{
		name:   "commit-without-term-check",
		wrong:  "an entry of an older term commits as soon as a majority has it",
		safety: true,
		edits:  []edit{{"commit.go", `majority > rf.commitIndex && rf.log.term(majority) == rf.currentTerm`, `majority > rf.commitIndex`}},
	},
	{
		name:   "commit-older-term-by-majority",
		wrong:  "a leader counts copies of older entries once its log has an entry of its own term",
		safety: true,
		edits:  []edit{{"commit.go", `rf.log.term(majority) == rf.currentTerm`, `rf.log.lastTerm() == rf.currentTerm`}},
	},
	{
		name:   "commit-older-term-at-all-but-one",
		wrong:  "an entry of an older term commits when all servers but one have it",
		safety: true,
		edits:  []edit{{"commit.go", `everywhere, majority := match[0],`, `everywhere, majority := match[min(1, len(match)-1)],`}},
	},
	{
		name:   "commit-by-next-index",
		wrong:  "the commit rule counts sent entries (nextIndex) instead of acknowledged ones",
		safety: true,
		edits:  []edit{{"commit.go", `dst = append(dst, f.matchIndex)`, `dst = append(dst, f.nextIndex-1)`}},
	},
	{
		name:  "leader-does-not-count-itself",
		wrong: "the commit rule wants a majority without the leader",
		edits: []edit{{"commit.go", `dst = append(dst, rf.log.lastIndex())`, `dst = append(dst, 0)`}},
	},
	{
		name:   "half-commits",
		wrong:  "half of an even number of servers is enough to commit",
		safety: true,
		edits:  []edit{{"commit.go", `match[(len(match)-1)/2]`, `match[len(match)/2]`}},
	},
}
