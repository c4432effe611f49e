package wire

import (
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	r := NewReader()
	const no = Unread
	for _, c := range []struct {
		method string
		args   any
		want   Request
	}{
		{"Raft.RequestVote", &voteArgs{5, 2, 4, 3}, Request{RequestVote, 5, 2, 4, 3, no, no, no, no}},
		{"Raft.RequestVote", struct {
			Term, CandidateId int
			PreVote           bool
		}{5, 2, true}, Request{PreVote, 5, 2, no, no, no, no, no, no}},
		{"Raft.PreVote", voteArgs{5, 2, 4, 3}, Request{PreVote, 5, 2, 4, 3, no, no, no, no}},
		{"Raft.AppendEntries", entries(1, 5, 2, 1, 2, 4, 5), Request{AppendEntries, 5, 1, no, no, 2, 1, 2, 2}},
		{"Raft.Heartbeat", struct{ Term, Leader int }{5, 1}, Request{Heartbeat, 5, 1, no, no, no, no, no, 0}},
		{"Raft.InstallSnapshot", &snapshotArgs{5, 1, 9, 4, nil}, Request{InstallSnapshot, 5, 1, 9, 4, no, no, no, no}},
		{"KV.Get", &struct{ Key string }{"x"}, Request{}},
		{"Raft.RequestVote", 7, Request{}},
		{"Raft.RequestVote", nil, Request{}},
		{"Raft.RequestVote", (*voteArgs)(nil), Request{}},
	} {
		if got := r.Request(c.method, c.args); got != c.want {
			t.Errorf("%s %+v is read as\n%+v, want\n%+v", c.method, c.args, got, c.want)
		}
	}
	got, ok := r.Entries(entries(1, 5, 2, 1, 2, 4, 5))
	if !ok || len(got) != 2 || got[0] != (Entry{4, "3/4"}) || got[1] != (Entry{5, "4/5"}) {
		t.Errorf("the entries are read as %v, %v", got, ok)
	}
	if got, ok := r.Entries(struct{ Entries []string }{[]string{"encoded"}}); ok {
		t.Errorf("entries without terms are read as %v", got)
	}
	for _, c := range []struct {
		kind  Kind
		reply any
		want  Reply
	}{
		{RequestVote, &voteReply{5, true}, Reply{5, true, true, no, no}},
		{AppendEntries, &appendReply{5, false}, Reply{5, false, true, no, no}},
		{AppendEntries, struct{ XTerm, XIndex int }{2, 7}, Reply{no, false, false, 7, 2}},
		{InstallSnapshot, &snapshotReply{5}, Reply{5, false, false, no, no}},
		{RequestVote, "granted", Reply{no, false, false, no, no}},
	} {
		if got := r.Reply(c.kind, c.reply); got != c.want {
			t.Errorf("%+v is read as %+v, want %+v", c.reply, got, c.want)
		}
	}
}

// A violation names the server, the term, the index and the call that shows it.
func TestViolation(t *testing.T) {
	for name, c := range map[string]struct {
		tell func(cl *cluster)
		want Violation
	}{
		"none": {func(cl *cluster) { cl.ask(0, 1, 2, 0, 0, true) }, Violation{}},
		"reply": {func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, true)
			cl.ask(2, 1, 2, 0, 0, true)
		}, Violation{string(twoVotes), "", 1, 2, 0, 2}},
		"request": {func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1)
			cl.append(1, entries(0, 3, 0, 0, 0, 3))
			cl.heartbeat(1, entries(0, 3, 1, 3, 4))
		}, Violation{string(unheld), "", 0, 3, 4, 3}},
		"refusal": {func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, false)
			for range 2 {
				cl.clock += refusalTime / 2
				cl.ask(2, 0, 9, 0, 0, true)
			}
		}, Violation{string(refused), "", 1, 2, 0, 1}},
		"service": {func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 1)
			cl.append(1, entries(0, 1, 0, 0, 0, 1))
			cl.Applied(2, 2)
		}, Violation{string(unheld), "", 2, 0, 2, 0}},
	} {
		cl := newCluster(t, 3)
		c.tell(cl)
		got, broken := cl.Violation()
		if broken != (name != "none") || broken && !strings.Contains(cl.Err().Error(), got.Rule+": "+got.Text) {
			t.Errorf("%s: %v, %+v, but the error is %v", name, broken, got, cl.Err())
		}
		if got.Text = ""; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
