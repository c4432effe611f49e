//go:build go1.25

package raft

import "time"

// onReplyLocked handles the reply to a call of the current term, or its failure if reply is nil (Figure 2, Leaders; §5.3).
// A reply with a later term deposes the leader: "if RPC … response contains term T > currentTerm" (§5.1). If c was lost,
// nextIndex goes back to its entries: "the leader retries AppendEntries RPCs indefinitely" (§5.3, §5.5). To a follower that
// does not answer at all, the leader repeats only heartbeats (maxFailures).
func (rf *Raft) onReplyLocked(f *follower, c *call, reply Reply) {
	pending, now := f.remove(c), time.Now()
	if f.snapshotCall == c {
		f.snapshotCall = nil
	}
	overtaken := c.sentAt.Before(f.answeredSentAt)
	if reply != nil {
		f.recordAnswer(c, now)
	}
	f.caughtUp = f.caughtUp && f.failures < maxFailures
	switch {
	case reply == nil:
		if max(c.first, f.matchIndex+1) <= c.last { // it carried entries that the follower may lack
			f.backUpTo(c.first)
			f.nextIndex = f.firstUnsent(f.nextIndex)
		}
		f.resendCommit()
		f.countFailure(pending)
	case !plausible(reply.term()):
		f.countFailure(pending)
	case reply.term() > rf.currentTerm:
		rf.becomeFollowerLocked(reply.term())
	case overtaken && rf.options.link == LinkOrdered:
	case c.overtakenBySuccess(f, reply):
		f.missingIndex = max(f.missingIndex, f.matchIndex+1)
		f.resendCommit()
	case rf.updateProgressLocked(f, c, reply):
		f.failures = 0
		f.lastAnswer = now
		rf.ackRoundLocked(f, c.round)
	default:
		f.countFailure(pending)
	}
	if awaited := max(f.missingIndex, f.matchIndex+1); f.missingIndex > 0 && !f.carries(awaited) { // it arrived or was lost
		f.missingIndex = 0
		f.backUpTo(awaited)
	}
}

// resendCommit makes the leader send commitIndex again, since a message that carried it was lost or refused.
func (f *follower) resendCommit() { f.commitSent, f.commitDue = f.commitAcked, true }

// countFailure counts a failed call that was still pending. One that had timed out is counted already.
func (f *follower) countFailure(pending bool) {
	if pending {
		f.failures++
	}
}

// recordAnswer records that c has a reply: its round trip, and that the follower heard from this leader after c was sent.
func (f *follower) recordAnswer(c *call, now time.Time) {
	f.hasAnswered = true
	if f.heartbeatSentAt.Before(c.sentAt) {
		f.heartbeatDue, f.heartbeatSentAt = false, c.sentAt
	}
	trip := now.Sub(c.sentAt)
	if c.isHeartbeat() {
		f.heartbeatRTT.add(trip)
		return
	}
	f.dataRTT.add(trip)
	f.answeredSentAt = later(f.answeredSentAt, c.sentAt)
}

// overtakenBySuccess reports whether reply rejects c for lack of an entry that the follower has acknowledged since c was
// sent.
func (c *call) overtakenBySuccess(f *follower, reply Reply) bool {
	r, ok := reply.(*AppendEntriesReply)
	if !ok || r.Success {
		return false
	}
	prev := c.message.(*AppendEntriesArgs).PrevLogIndex
	return c.match < prev && prev <= f.matchIndex
}

// updateProgressLocked handles a reply of the current term. It reports whether the follower processed the message. "If
// successful: update nextIndex and matchIndex for follower. If AppendEntries fails because of log inconsistency: decrement
// nextIndex and retry" (Figure 2, Leaders; §5.3); backUpLocked does the latter. If the entry that the follower lacks is in
// flight, nextIndex stays where it is: the follower may keep the entries that overtook it (reorder.go).
func (rf *Raft) updateProgressLocked(f *follower, c *call, reply Reply) bool {
	match := c.last // what was sent: the log may have grown since
	switch reply := reply.(type) {
	case *InstallSnapshotReply:
		if !reply.Success {
			return false
		}
	case *AppendEntriesReply:
		args := c.message.(*AppendEntriesArgs)
		f.backlogFull = reply.Full
		switch {
		case reply.Success && reply.Beyond <= rf.log.lastIndex():
			match = max(match, reply.Beyond)
			f.commitAcked = max(f.commitAcked, min(args.LeaderCommit, c.last))
		case reply.Success:
			return false
		case reply.Full:
			f.backUpTo(c.first)
			return true
		case reply.ConflictTerm == 0 && reply.ConflictIndex > 0 && f.carries(max(reply.ConflictIndex, f.matchIndex+1)):
			f.missingIndex = max(f.missingIndex, reply.ConflictIndex) // matchIndex may be too low to name the entry
			f.resendCommit()
			return true
		default:
			return rf.backUpLocked(f, args, reply)
		}
	}
	f.matchIndex = max(f.matchIndex, match)
	f.nextIndex = max(f.nextIndex, f.matchIndex+1)
	if f.probing {
		f.probing = false
		f.nextIndex = f.firstUnsent(f.nextIndex)
	}
	rf.advanceCommitLocked()
	rf.reportCaughtUpLocked(f)
	return true
}

// check returns an error if args was damaged, or no correct leader can have sent it.
func (args *AppendEntriesArgs) check() error {
	if !plausible(args.Term, args.PrevLogIndex, args.PrevLogTerm, args.LeaderCommit) || args.Term < 1 ||
		args.PrevLogTerm > args.Term || (args.PrevLogIndex == 0) != (args.PrevLogTerm == 0) ||
		args.Checksum != uint64(args.sum()) {
		return errMalformed
	}
	return nil
}

// readEntries checks args and decodes its entries. It also returns the type definitions of this server together with those
// of args. No state changes: takeEntriesLocked adopts the definitions when it appends the entries.
func (rf *Raft) readEntries(args *AppendEntriesArgs) (batch, *definitions, error) {
	if err := args.check(); err != nil || len(args.Entries) == 0 {
		return nil, nil, err
	}
	types, err := rf.definitions.with(args.Definitions)
	if err != nil {
		return nil, nil, err
	}
	b := make(batch, len(args.Entries))
	er := entryReader{types, args.PrevLogTerm, args.Term, args.PrevLogIndex + 1}
	for k, piece := range args.Entries {
		if b[k], err = er.read(bytesOf(piece)); err != nil || b[k].length() == 0 || b[k].size() < len(piece) {
			return nil, nil, errMalformed
		}
	}
	return b, types, nil
}

// onAppendEntries is the receiver of AppendEntries (Figure 2, §5.3). Rule 1, "reply false if term < currentTerm", is part of
// admitLeaderLocked. Rules 2 to 5 are takeAppendEntriesLocked.
func (rf *Raft) onAppendEntries(args *AppendEntriesArgs) *AppendEntriesReply {
	reply := new(AppendEntriesReply)
	b, types, err := rf.readEntries(args)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if err == nil && rf.admitLeaderLocked(args) {
		rf.takeAppendEntriesLocked(args, b, types, reply)
	}
	reply.Term = rf.currentTerm
	return reply
}

// takeAppendEntriesLocked carries out rules 2 to 5 of the receiver of AppendEntries (Figure 2), and fills in reply. What it
// acknowledges has been saved. While the service is too far behind (WithMaxBacklog) it accepts no new entries.
func (rf *Raft) takeAppendEntriesLocked(args *AppendEntriesArgs, b batch, types *definitions, reply *AppendEntriesReply) {
	prev, last := args.PrevLogIndex, args.PrevLogIndex+b.length()
	reply.Full = rf.backlogFullLocked()
	if prev < rf.log.base {
		// The snapshot covers these entries. They are committed, so both logs have them.
		covered := min(rf.log.base-prev, b.length())
		if prev += covered; prev == rf.log.base && b.term(covered-1) != rf.log.baseTerm {
			return
		}
		b = b.drop(covered)
	} else if !rf.log.matches(prev, args.PrevLogTerm) {
		// Rule 2: "reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm" (§5.3).
		reply.ConflictTerm, reply.ConflictIndex = rf.log.conflict(prev)
		if reply.ConflictTerm == 0 && !reply.Full {
			rf.reordered.keep(prev, args.PrevLogTerm, b, types)
		}
		return
	}
	known := rf.log.firstNew(prev+1, b)
	b = b.drop(known)
	if reply.Full && len(b) > 0 { // rule 5 for the entries that the log has already
		rf.commitLocked(min(args.LeaderCommit, prev+known))
		return
	}
	if !rf.takeEntriesLocked(prev+1+known, b, types) {
		return
	}
	reply.Success = true
	if beyond := rf.takeReorderedLocked(); beyond > last {
		last, reply.Beyond = beyond, beyond
	}
	// Rule 5: "if leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)".
	// Entries that had come early and now fit the log count, too.
	rf.commitLocked(min(args.LeaderCommit, last))
}

// takeEntriesLocked carries out rules 3 and 4 for the entries of b, the first of which has index first and is not in the
// log. Rule 3: "if an existing entry conflicts with a new one (same index but different terms), delete the existing entry
// and all that follow it" (§5.3). Rule 4: "append any new entries not already in the log". types are the type definitions
// that b needs. It saves all that in one step. It reports false, and changes nothing, if a committed entry conflicts: no
// correct leader sends such entries (§5.4).
func (rf *Raft) takeEntriesLocked(first int, b batch, types *definitions) bool {
	switch {
	case len(b) == 0:
		return true
	case first <= rf.commitIndex:
		return false
	case first <= rf.log.lastIndex():
		rf.log.truncateFrom(first)
	}
	rf.definitions.adopt(types)
	rf.saveEntriesLocked(true, b...)
	return true
}
