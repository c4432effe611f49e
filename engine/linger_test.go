package engine

import (
	"slices"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
)

// A message that only tells what is committed waits. The next entries for the same peer replace it, and any other message for
// that peer comes behind it.
func TestLinger(t *testing.T) {
	message := func(kind raftpb.MessageType, to uint64, commit uint64, entries int) *raftpb.Message {
		return &raftpb.Message{Type: kind.Enum(), To: &to, Commit: &commit, Entries: make([]*raftpb.Entry, entries)}
	}
	commit1 := message(raftpb.MsgApp, 1, 5, 0)
	commit2 := message(raftpb.MsgApp, 2, 5, 0)
	newer2 := message(raftpb.MsgApp, 2, 6, 0)
	entries1 := message(raftpb.MsgApp, 1, 5, 1)
	answer2 := message(raftpb.MsgReadIndexResp, 2, 0, 1)
	var l linger
	check := func(what string, got []*raftpb.Message, want ...*raftpb.Message) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: sent %v, want %v", what, got, want)
		}
	}
	if l.over() != nil {
		t.Error("nothing is held, and there is a time to wait for")
	}
	check("commits", l.pass([]*raftpb.Message{commit1, commit2}))
	<-l.over()
	check("after a while", l.end(), commit1, commit2)
	check("again", l.pass([]*raftpb.Message{commit1, commit2}))
	check("entries", l.pass([]*raftpb.Message{entries1}), entries1)
	check("a later commit", l.pass([]*raftpb.Message{newer2}))
	check("an answer", l.pass([]*raftpb.Message{answer2}), newer2, answer2)
	check("at the end", l.end())
	if l.over() != nil {
		t.Error("nothing is held any more, and there is a time to wait for")
	}
}
