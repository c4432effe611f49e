//go:build go1.25

package raft

import "fmt"

// String returns the request in words, such as "RequestVote term 3: last log entry 4/2". An entry is its index and its term.
func (m *RequestVoteArgs) String() string {
	name := "RequestVote"
	if m.PreVote {
		name = "PreVote"
	}
	return fmt.Sprintf("%s term %d: last log entry %d/%d", name, m.Term, m.LastLogIndex, m.LastLogTerm)
}

// String returns the request in words, such as "AppendEntries term 3 after 4/2: 2 entries 5..6, commit 4".
func (m *AppendEntriesArgs) String() string {
	n, first := m.count(), m.PrevLogIndex+1
	text := "heartbeat"
	switch {
	case n == 1:
		text = fmt.Sprintf("entry %d", first)
	case n > 1:
		text = fmt.Sprintf("%d entries %d..%d", n, first, m.PrevLogIndex+n)
	}
	return fmt.Sprintf("AppendEntries term %d after %d/%d: %s, commit %d", m.Term, m.PrevLogIndex, m.PrevLogTerm, text, m.LeaderCommit)
}

// count returns the number of entries, as far as they can be read.
func (m *AppendEntriesArgs) count() (n int) {
	for _, piece := range m.Entries {
		for rest := bytesOf(piece); len(rest) > 0; n++ {
			var err error
			if _, _, rest, err = readRecord(rest); err != nil {
				return n
			}
		}
	}
	return n
}

// String returns the request in words, such as "InstallSnapshot term 3: up to 4/2, 700 bytes".
func (m *InstallSnapshotArgs) String() string {
	return fmt.Sprintf("InstallSnapshot term %d: up to %d/%d, %d bytes", m.Term, m.LastIncludedIndex, m.LastIncludedTerm, len(m.Data))
}

// String returns the reply in words, such as "vote refused, term 3".
func (r *RequestVoteReply) String() string {
	if r.VoteGranted {
		return fmt.Sprintf("vote granted, term %d", r.Term)
	}
	return fmt.Sprintf("vote refused, term %d", r.Term)
}

// String returns the reply in words, such as "failure, term 3: its log ends before 5".
func (r *AppendEntriesReply) String() string {
	text := fmt.Sprintf("failure, term %d", r.Term)
	if r.Success {
		text = fmt.Sprintf("success, term %d", r.Term)
	}
	switch {
	case r.Success && r.Beyond > 0:
		text += fmt.Sprintf(": has all up to %d, some of which came early", r.Beyond)
	case r.Success:
	case r.ConflictTerm > 0:
		text += fmt.Sprintf(": conflict in term %d from %d on", r.ConflictTerm, r.ConflictIndex)
	case r.ConflictIndex > 0:
		text += fmt.Sprintf(": its log ends before %d", r.ConflictIndex)
	}
	if r.Full {
		text += "; takes no entries until its service has caught up"
	}
	return text
}

// String returns the reply in words, such as "success, term 3".
func (r *InstallSnapshotReply) String() string {
	if r.Success {
		return fmt.Sprintf("success, term %d", r.Term)
	}
	return fmt.Sprintf("failure, term %d", r.Term)
}
