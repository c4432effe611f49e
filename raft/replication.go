//go:build go1.25

package raft

import "time"

// settleLocked takes the outcome of a call of the current term. reply is nil if there was none.
func (rf *Raft) settleLocked(f *follower, c *call, reply Reply) {
	waitedFor, now := f.forget(c), time.Now()
	if f.installing == c {
		f.installing = nil
	}
	overtaken := c.sentAt.Before(f.answeredTo)
	if reply != nil {
		f.heard(c, now)
	}
	f.caughtUp = f.caughtUp && f.failures < maxFailures
	switch {
	case reply == nil:
		if max(c.first, f.matchIndex+1) <= c.last { // it brought something that may not be there
			f.backTo(c.first)
			f.nextIndex = f.firstUnsent(f.nextIndex)
		}
		f.toldInVain()
		f.fail(waitedFor)
	case !plausible(reply.term()):
		f.fail(waitedFor)
	case reply.term() > rf.currentTerm:
		rf.becomeFollowerLocked(reply.term())
	case overtaken && rf.options.link == LinkOrdered:
	case c.overtakenBySuccess(f, reply):
		f.missing = max(f.missing, f.matchIndex+1)
		f.toldInVain()
	case rf.acceptedLocked(f, c, reply):
		f.failures = 0
		f.lastAnswer = now
	default:
		f.fail(waitedFor)
	}
	if awaited := max(f.missing, f.matchIndex+1); f.missing > 0 && !f.carries(awaited) { // it came, or it is lost
		f.missing = 0
		f.backTo(awaited)
	}
}

// toldInVain has a follower told again what is committed, since a message was lost or refused.
func (f *follower) toldInVain() { f.commitSent, f.commitDue = f.commitAcked, true }

// fail counts a failure. A call that was given up has counted as one already.
func (f *follower) fail(waitedFor bool) {
	if waitedFor {
		f.failures++
	}
}

// heard takes note that a call was answered: its receiver has heard from us when it had gone out.
func (f *follower) heard(c *call, now time.Time) {
	f.hasAnswered = true
	if f.heartbeatSent.Before(c.sentAt) {
		f.heartbeatDue, f.heartbeatSent = false, c.sentAt
	}
	trip := now.Sub(c.sentAt)
	if c.isHeartbeat() {
		f.heartbeatRTT.add(trip)
		return
	}
	f.dataRTT.add(trip)
	f.answeredTo = later(f.answeredTo, c.sentAt)
}

// overtakenBySuccess reports whether c was rejected for lack of an entry that the follower has acknowledged since.
func (c *call) overtakenBySuccess(f *follower, reply Reply) bool {
	r, ok := reply.(*AppendEntriesReply)
	if !ok || r.Success {
		return false
	}
	prev := c.message.(*AppendEntriesArgs).PrevLogIndex
	return c.match < prev && prev <= f.matchIndex
}

// acceptedLocked takes a reply, and reports whether the follower dealt with the message at all.
func (rf *Raft) acceptedLocked(f *follower, c *call, reply Reply) bool {
	match := c.last // what was sent, not what the log holds by now
	switch reply := reply.(type) {
	case *InstallSnapshotReply:
		if !reply.Success {
			return false
		}
	case *AppendEntriesReply:
		args := c.message.(*AppendEntriesArgs)
		f.full = reply.Full
		switch {
		case reply.Success && reply.Beyond <= rf.log.lastIndex():
			match = max(match, reply.Beyond)
			f.commitAcked = max(f.commitAcked, min(args.LeaderCommit, c.last))
		case reply.Success:
			return false
		case reply.Full:
			f.backTo(c.first)
			return true
		case reply.ConflictTerm == 0 && reply.ConflictIndex > 0 && f.carries(max(reply.ConflictIndex, f.matchIndex+1)):
			f.missing = max(f.missing, reply.ConflictIndex) // more than matchIndex tells, if that is not known yet
			f.toldInVain()
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

// check reports what no leader can have sent.
func (args *AppendEntriesArgs) check() error {
	if !plausible(args.Term, args.PrevLogIndex, args.PrevLogTerm, args.LeaderCommit) || args.Term < 1 ||
		args.PrevLogTerm > args.Term || (args.PrevLogIndex == 0) != (args.PrevLogTerm == 0) ||
		args.Checksum != uint64(args.sum()) {
		return errMalformed
	}
	return nil
}

// received reads the entries of a message. It also returns our type definitions with those that the message brings, which
// are ours only when the entries are taken.
func (rf *Raft) received(args *AppendEntriesArgs) (batch, *definitions, error) {
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

// onAppendEntries answers a leader (§5.3).
func (rf *Raft) onAppendEntries(args *AppendEntriesArgs) *AppendEntriesReply {
	reply := new(AppendEntriesReply)
	b, types, err := rf.received(args)
	rf.mu.Lock()
	defer rf.mu.Unlock()
	if err == nil && rf.admitLeaderLocked(args) {
		rf.appendEntriesFromLocked(args, b, types, reply)
	}
	reply.Term = rf.currentTerm
	return reply
}

// appendEntriesFromLocked carries out the receiver's rules 2 to 5 of AppendEntries (Figure 2).
func (rf *Raft) appendEntriesFromLocked(args *AppendEntriesArgs, b batch, types *definitions, reply *AppendEntriesReply) {
	prev, last := args.PrevLogIndex, args.PrevLogIndex+b.length()
	reply.Full = rf.fullLocked()
	if prev < rf.log.base {
		// What the snapshot covers is committed, so there the logs agree.
		covered := min(rf.log.base-prev, b.length())
		if prev += covered; prev == rf.log.base && b.term(covered-1) != rf.log.baseTerm {
			return
		}
		b = b.drop(covered)
	} else if !rf.log.matches(prev, args.PrevLogTerm) {
		reply.ConflictTerm, reply.ConflictIndex = rf.log.conflict(prev)
		if reply.ConflictTerm == 0 && !reply.Full {
			rf.reordered.keep(prev, args.PrevLogTerm, b, types)
		}
		return
	}
	known := rf.log.firstNew(prev+1, b)
	b = b.drop(known)
	if reply.Full && len(b) > 0 {
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
	rf.commitLocked(min(args.LeaderCommit, last))
}

// takeEntriesLocked puts entries that the log lacks at index first: "if an existing entry conflicts with a new one,
// delete the existing entry and all that follow it; append any new entries not already in the log". What is
// committed cannot conflict; then it refuses. types are the definitions that the entries need.
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
