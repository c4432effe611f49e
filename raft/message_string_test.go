package raft

import "testing"

func TestMessageStrings(t *testing.T) {
	entries := func(args AppendEntriesArgs, n int) *AppendEntriesArgs {
		var all []entry
		for k := range n {
			all = append(all, entry{3, encoded(k)})
		}
		args.carry(all...)
		return &args
	}
	for _, c := range []struct {
		m    interface{ String() string }
		want string
	}{
		{&RequestVoteArgs{Term: 3, LastLogIndex: 4, LastLogTerm: 2}, "RequestVote term 3: last log entry 4/2"},
		{&RequestVoteArgs{Term: 3, PreVote: true}, "PreVote term 3: last log entry 0/0"},
		{entries(AppendEntriesArgs{Term: 3, PrevLogIndex: 4, PrevLogTerm: 2, LeaderCommit: 1}, 0), "AppendEntries term 3 after 4/2: heartbeat, commit 1"},
		{entries(AppendEntriesArgs{Term: 3, PrevLogIndex: 4, PrevLogTerm: 2, LeaderCommit: 4}, 1), "AppendEntries term 3 after 4/2: entry 5, commit 4"},
		{entries(AppendEntriesArgs{Term: 3, PrevLogIndex: 4, PrevLogTerm: 2, LeaderCommit: 4}, 2), "AppendEntries term 3 after 4/2: 2 entries 5..6, commit 4"},
		{&AppendEntriesArgs{Term: 3, Entries: []string{"not a record"}}, "AppendEntries term 3 after 0/0: heartbeat, commit 0"},
		{&InstallSnapshotArgs{Term: 3, LastIncludedIndex: 4, LastIncludedTerm: 2, Data: make([]byte, 700)}, "InstallSnapshot term 3: up to 4/2, 700 bytes"},
		{&RequestVoteReply{Term: 3, VoteGranted: true}, "vote granted, term 3"},
		{&RequestVoteReply{Term: 3}, "vote refused, term 3"},
		{&AppendEntriesReply{Term: 3, Success: true}, "success, term 3"},
		{&AppendEntriesReply{Term: 3, Success: true, Beyond: 9}, "success, term 3: has all up to 9, some of which came early"},
		{&AppendEntriesReply{Term: 3, ConflictTerm: 2, ConflictIndex: 4}, "failure, term 3: conflict in term 2 from 4 on"},
		{&AppendEntriesReply{Term: 3, ConflictIndex: 5}, "failure, term 3: its log ends before 5"},
		{&AppendEntriesReply{Term: 3, Full: true}, "failure, term 3; takes no entries until its service has caught up"},
		{&InstallSnapshotReply{Term: 3, Success: true}, "success, term 3"},
		{&InstallSnapshotReply{Term: 4}, "failure, term 4"},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
