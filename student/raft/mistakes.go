package raft

import (
	"log"
	"os"
	"slices"
	"strings"
)

// Mistakes that students often make. Each breaks one sentence of the paper.
const (
	voteKept         = "vote-kept"           // Figure 2: votedFor belongs to currentTerm, so a new term resets it
	voteNotSaved     = "vote-not-saved"      // Figure 2: votedFor is on stable storage before the server answers
	staleVotes       = "stale-votes"         // §5.2: votes count only in the term for which they were given
	logNotCompared   = "log-not-compared"    // §5.4.1: a voter refuses a candidate whose log is less up-to-date
	truncateAlways   = "truncate-always"     // Figure 2, AppendEntries rule 3: only a conflict deletes entries
	appendNotSaved   = "append-not-saved"    // Figure 2: new entries are on stable storage before the server answers
	oldTermCommitted = "old-term-committed"  // §5.4.2: an entry of an earlier term is not committed by counting replicas
	snapshotOffByOne = "snapshot-off-by-one" // §7: the entry at the snapshot's last index is no longer in the log
)

// Habits that stop a virtual clock. They break no rule of the paper.
const (
	lockHeld    = "lock-held"    // the lock is held during an RPC
	killIgnored = "kill-ignored" // goroutines go on after Kill
	busyLoop    = "busy-loop"    // the ticker polls without sleeping
)

var names = []string{
	voteKept, voteNotSaved, staleVotes, logNotCompared, truncateAlways, appendNotSaved, oldTermCommitted, snapshotOffByOne,
	lockHeld, killIgnored, busyLoop,
}

// mistake is the mistake to make, or "".
var mistake = os.Getenv("MISTAKE")

func init() {
	if mistake != "" && !slices.Contains(names, mistake) {
		log.Fatalf("MISTAKE=%s: want one of %s", mistake, strings.Join(names, ", "))
	}
}

// mistaken reports whether this mistake is to be made.
func mistaken(name string) bool { return mistake == name }
