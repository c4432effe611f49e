package main

import "slices"

// table holds all mutants: mistakes that people make in this lab, in the order of the paper.
//
// A mutant has safety set if some schedule makes it break a promise that Raft keeps at every moment. A schedule consists of
// late, lost, repeated and reordered messages, timeouts, crashes and restarts. The promises are:
//
//   - The five properties of Figure 3 hold. A server grants at most one vote a term.
//   - Terms, commitIndex and snapshots never go back.
//   - A server saves its persistent state before it answers, and reads it at a restart (Figure 2).
//   - An acknowledged entry stays in the log.
//   - The index of a read is committed, and not below what was committed before the read began.
//   - The index and the term that Start returns are right. Commands arrive on applyCh in order, each once.
//
// Mistakes about progress, speed, timing, message counts, memory, data races, goroutines, Kill and damaged disks do not
// break safety. These mistakes do not have safety set either:
//
//   - vote-kept-into-next-term: the kept vote can only go to the same candidate.
//   - second-leader-obeyed: a term has only one leader.
//   - candidate-ignores-leader-of-its-term: the candidate can no longer win that term.
//   - match-index-moves-back: commitIndex still does not move back.
//   - reordered-entries-unchecked: all kept entries come from one leader, so they agree with one another.
//   - full-follower-commits-what-it-refuses: it breaks safety, but the services in the explorer never lag so far.
//   - half-confirms-read: the other half is no majority, so it cannot have elected another leader.
//   - higher-term-in-reply-ignored, term-taken-over-only-with-vote: it is as if the message had been lost.
var table = slices.Concat(elections, timers, votes, appends, reorderings, leaders, followers, proposals, commits, readings, backlogs,
	applying, snapshots, stores, checksums, choices)
