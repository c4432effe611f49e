package main

import "slices"

// table holds the mutants: mistakes that people make in this lab, in the order of the paper.
//
// A mutant is marked safety if some schedule (messages that are late, lost, repeated or out of order, timeouts, crashes,
// restarts) makes it break what Raft promises at every moment: the five properties of Figure 3; one vote a term; terms,
// commitIndex and snapshots that never go back; persistent state that is saved before a server answers and that a restart
// reads (Figure 2); acknowledged entries that stay; the index and term that Start returns; commands on applyCh in order,
// each once. Not safety are mistakes about progress, speed, timing and message counts, about memory, data races, goroutines
// and Kill, and about damage to what is saved. A mistake is not safety either if another rule makes it harmless:
//
//   - vote-kept-into-next-term: a vote that is kept can only go to the server that had it.
//   - second-leader-obeyed: there is only one leader a term.
//   - candidate-ignores-leader-of-its-term: it cannot win that term any more.
//   - match-index-moves-back: commitIndex does not.
//   - reordered-entries-unchecked: what is kept comes from one leader, whose entries agree with one another.
//   - full-follower-commits-what-it-refuses: it is harmful, but the services of an exploration never lag so far.
//   - higher-term-in-reply-ignored, term-taken-over-only-with-vote: it is as if the message had been lost.
var table = slices.Concat(elections, silences, votes, appends, reorderings, leaders, followers, proposals, commits, backlogs, applying,
	snapshots, stores, checksums, choices)
