package raft

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labgob"
)

// filledState returns a RaftState in which every field has a value that no server in these tests has.
func filledState() RaftState {
	return RaftState{Term: 91, Role: Candidate, Leader: 92, CommitIndex: 93, TotalIdx: 94, MatchIndex: []int{95},
		LogInfo: LogInfo{96, 97, 98, 99, 100}, SnapInfo: SnapInfo{101, 102, 103}}
}

func mustAnswer(t testing.TB, m ApplyMsg, index int, want RaftState) {
	t.Helper()
	if !m.CommandValid || m.SnapshotValid || m.EventValid || m.CommandIndex != index || !reflect.DeepEqual(m.Command, any(want)) {
		t.Errorf("received %+v,\nwant %+v at index %d", m, want, index)
	}
}

// In the log, a RaftState is a request of one byte, without the fields that Start was given.
func TestControlCommandInLog(t *testing.T) {
	filled := filledState()
	rf := newLeader(t, 3, 2, nil)
	for _, command := range []any{RaftState{}, filled, &RaftState{}, &filled, (*RaftState)(nil)} {
		rf.Start(command)
		if e := rf.log.at(rf.log.lastIndex()); !bytes.Equal(e.data, []byte{formState}) {
			t.Errorf("%+v is % x in the log", command, e.data)
		}
	}
	verify(t, rf)
	got, err := newDecoder(&rf.definitions).decode([]byte{formState})
	if err != nil || !reflect.DeepEqual(got, any(RaftState{})) {
		t.Errorf("it decodes to %+v, %v", got, err)
	}
}

// The leader's service gets the leader's own state, not the fields that Start was given, in memory of its own.
func TestControlCommandOnLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister())
		defer rf.Kill()
		filled := filledState()
		for index, command := range []any{0, 1, 2} {
			rf.Start(command)
			mustEqual(t, "index", (<-applyCh).CommandIndex, index+1)
		}
		rf.Snapshot(2, []byte("service"))
		answers := make([]RaftState, 2)
		for k, command := range []any{filled, &filled} {
			index, _, _ := rf.Start(command)
			m := <-applyCh
			mustAnswer(t, m, index, RaftState{
				Term: 1, Role: Leader, Leader: 0, CommitIndex: index, TotalIdx: index, MatchIndex: []int{index},
				LogInfo:  LogInfo{FirstIndex: 3, LastIndex: index, LastTerm: 1, Entries: index - 2, Bytes: rf.PersistBytes()},
				SnapInfo: SnapInfo{Index: 2, Term: 1, Size: len("service")},
			})
			answers[k] = m.Command.(RaftState)
		}
		answers[0].MatchIndex[0] = -1
		mustEqual(t, "the other answer", answers[1].MatchIndex[0], 5)
		if !reflect.DeepEqual(filled, filledState()) {
			t.Errorf("Start's argument became %+v", filled)
		}
	})
}

// The state is that of the moment when the request is handed over, not when it commits or when the applier takes it.
func TestControlCommandAtItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		question := []byte{formState}
		rf := newFollower(t, 3, 3, []entry{from(1).terms(1)[0], {term: 1, data: question}, from(3).terms(3)[0], {term: 3, data: question}})
		applyCh := startApplier(rf)
		defer rf.Kill()
		deliver(t, rf, appendMsg(3, 4, 3, 4))
		synctest.Wait() // the applier holds all four
		deliver(t, rf, &AppendEntriesArgs{Term: 6, LeaderID: 2, PrevLogIndex: 4, PrevLogTerm: 3, LeaderCommit: 4})
		wantCommand(t, applyCh, 1, 1)
		want := RaftState{Term: 6, Role: Follower, Leader: 2, CommitIndex: 4, TotalIdx: 4, Backlog: 2, BacklogBytes: rf.log.size(3, 4),
			LogInfo: LogInfo{FirstIndex: 1, LastIndex: 4, LastTerm: 3, Entries: 4, Bytes: rf.PersistBytes()}}
		synctest.Wait() // the request is next
		deliver(t, rf, &InstallSnapshotArgs{Term: 7, LeaderID: 1, LastIncludedIndex: 8, LastIncludedTerm: 5, Data: []byte("snap")})
		mustAnswer(t, <-applyCh, 2, want)
		wantCommand(t, applyCh, 3, 3)
		want = RaftState{Term: 7, Role: Follower, Leader: 1, CommitIndex: 8, TotalIdx: 8, Backlog: 4,
			LogInfo:  LogInfo{FirstIndex: 9, LastIndex: 8, LastTerm: 5, Bytes: rf.PersistBytes()},
			SnapInfo: SnapInfo{Index: 8, Term: 5, Size: 4}}
		mustAnswer(t, <-applyCh, 4, want)
		mustEqual(t, "snapshot", (<-applyCh).SnapshotIndex, 8)
	})
}

// With WithTrailingLog, the log begins before the index of the snapshot. RaftState has both indices with their terms;
// Status has the snapshot's. Entries 1 to 3 are of term 1, the others, after a restart, of term 2.
func TestControlCommandWithTrailingLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := MakePersister()
		rf, applyCh := single(t, disk, WithTrailingLog(3))
		for k := range 3 {
			rf.Start(k)
			wantIndex(t, applyCh, k+1)
		}
		rf.Kill()
		rf, applyCh = single(t, disk.Copy(), WithTrailingLog(3))
		defer rf.Kill()
		for range 2 {
			rf.Start("more")
		}
		for k := range 5 {
			wantIndex(t, applyCh, k+1)
		}
		for _, c := range []struct{ snapshot, term, first int }{{1, 1, 1}, {3, 1, 1}, {4, 2, 2}, {5, 2, 3}, {7, 2, 5}} {
			data := bytes.Repeat([]byte{'x'}, 10*c.snapshot)
			rf.Snapshot(c.snapshot, data)
			index, _, _ := rf.Start(RaftState{})
			mustAnswer(t, <-applyCh, index, RaftState{
				Term: 2, Role: Leader, Leader: 0, CommitIndex: index, TotalIdx: index, MatchIndex: []int{index},
				LogInfo:  LogInfo{FirstIndex: c.first, LastIndex: index, LastTerm: 2, Entries: index - c.first + 1, Bytes: rf.PersistBytes()},
				SnapInfo: SnapInfo{Index: c.snapshot, Term: c.term, Size: len(data)},
			})
			synctest.Wait()
			mustEqual(t, "Status", rf.Status(), Status{Term: 2, Role: Leader, Leader: 0, LastIndex: index, CommitIndex: index,
				LastApplied: index, SnapshotIndex: c.snapshot, StateBytes: len(rf.store.persister.ReadRaftState())})
		}
	})
}

// Status has the server's own state in each field.
func TestStatus(t *testing.T) {
	rf := committed(t)
	rf.Snapshot(2, []byte("two"))
	want := Status{Term: 3, Role: Follower, Leader: nobody, LastIndex: 5, CommitIndex: 4, LastApplied: 0, SnapshotIndex: 2, StateBytes: rf.PersistBytes(),
		Backlog: 4, BacklogBytes: rf.log.size(3, 4)}
	mustEqual(t, "Status", rf.Status(), want)
	deliver(t, rf, appendMsg(6, 5, 3, 5, 6))
	want = Status{Term: 6, Role: Follower, Leader: 1, LastIndex: 6, CommitIndex: 5, LastApplied: 0, SnapshotIndex: 2, StateBytes: rf.PersistBytes(),
		Backlog: 5, BacklogBytes: rf.log.size(3, 5)}
	mustEqual(t, "Status under a leader", rf.Status(), want)
	candidate, _ := newCandidate(t, 3, 4)
	mustEqual(t, "a candidate's", candidate.Status(), Status{Term: 4, Role: Candidate, Leader: nobody, LastIndex: 1, StateBytes: candidate.PersistBytes()})
	mustEqual(t, "StateBytes of the disk", rf.Status().StateBytes, len(rf.store.persister.ReadRaftState()))
}

// A restarted server answers the requests in its log again.
func TestControlCommandAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := MakePersister()
		rf, applyCh := single(t, disk)
		rf.Start(RaftState{})
		rf.Start("x")
		mustEqual(t, "term", (<-applyCh).Command.(RaftState).Term, 1)
		wantIndex(t, applyCh, 2)
		rf.Kill()
		rf, applyCh = single(t, disk.Copy())
		defer rf.Kill()
		answer := (<-applyCh).Command.(RaftState)
		mustEqual(t, "term and last term", [2]int{answer.Term, answer.LogInfo.LastTerm}, [2]int{2, 1})
		mustEqual(t, "last index", answer.TotalIdx, 2)
		wantIndex(t, applyCh, 2)
	})
}

func wantIndex(t testing.TB, applyCh <-chan ApplyMsg, index int) {
	t.Helper()
	if m := <-applyCh; !m.CommandValid || m.CommandIndex != index {
		t.Errorf("received %+v, want command %d", m, index)
	}
}

// Every server answers with its own state; the leader's includes the matchIndex of each server.
func TestControlCommandInCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDirect(t, 3)
		defer c.kill()
		time.Sleep(5 * time.Second)
		leader := c.leader()
		for k := range 4 {
			c.servers[leader].Start(k)
		}
		time.Sleep(time.Second)
		index, term, _ := c.servers[leader].Start(RaftState{})
		time.Sleep(time.Second)
		for i := range c.servers {
			m := c.last(i)
			got, ok := m.Command.(RaftState)
			if !ok || m.CommandIndex != index {
				t.Fatalf("server %d received %+v last", i, m)
			}
			mustEqual(t, "term, leader, commitIndex, last", fmt.Sprint(got.Term, got.Leader, got.CommitIndex, got.TotalIdx),
				fmt.Sprint(term, leader, index, index))
			mustEqual(t, "leads", got.Role == Leader, i == leader)
			mustEqual(t, "knows the others", got.MatchIndex != nil, i == leader)
		}
		match := c.last(leader).Command.(RaftState).MatchIndex
		have := 0
		for i, n := range match {
			if n == index {
				have++
			} else if n != index-1 {
				t.Errorf("the leader's matchIndex of server %d is %d, want %d or %d", i, n, index-1, index)
			}
		}
		if len(match) != 3 || have < 2 || match[leader] != index {
			t.Errorf("the command at %d was committed by %v", index, match)
		}
	})
}

// A RaftState can be encoded, by itself and inside a command of the service.
func TestRaftStateIsRegistered(t *testing.T) {
	var buf bytes.Buffer
	var in any = filledState()
	if err := labgob.NewEncoder(&buf).Encode(&in); err != nil {
		t.Fatal(err)
	}
	var out any
	if err := labgob.NewDecoder(&buf).Decode(&out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%+v came back as %+v, %v", in, out, err)
	}
	var known definitions
	boxed := boxCommand{"box", filledState()} // an ordinary command that contains a RaftState
	if got, err := newDecoder(&known).decode(encode(t, &known, boxed)); err != nil || !reflect.DeepEqual(got, any(boxed)) {
		t.Errorf("%+v came back as %+v, %v", boxed, got, err)
	}
}
