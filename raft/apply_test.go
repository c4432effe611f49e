package raft

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// wantCommand receives a message, which must be the command at index want that from makes.
func wantCommand(t testing.TB, applyCh <-chan ApplyMsg, index, want int) {
	t.Helper()
	m := <-applyCh
	text, _ := m.Command.(string)
	if !m.CommandValid || m.SnapshotValid || m.CommandIndex != want || text != fmt.Sprint(index, " of term ", m.CommandTerm) {
		t.Errorf("received %+v, want command %d", m, want)
	}
}

// single starts a cluster of one server, and waits until it leads. It must run in a bubble.
func single(t testing.TB, persister *Persister, options ...Option) (*Raft, chan ApplyMsg) {
	t.Helper()
	applyCh := make(chan ApplyMsg)
	rf := Make(deadEnds(1), 0, persister, applyCh, options...)
	time.Sleep(time.Second)
	if _, leads := rf.GetState(); !leads {
		t.Fatal("a cluster of one has no leader after a second")
	}
	return rf, applyCh
}

// silent checks that applyCh is open and that nothing is sent on it.
func silent(t testing.TB, applyCh <-chan ApplyMsg) {
	t.Helper()
	select {
	case m, open := <-applyCh:
		t.Errorf("received %+v (open: %v)", m, open)
	case <-time.After(time.Hour):
	}
}

func TestApplyInOrder(t *testing.T) {
	parallel(t)
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister())
		defer rf.Kill()
		const commands = 3*maxApply + 7
		go func() {
			for k := range commands {
				rf.Start(k)
			}
		}()
		for k := range commands {
			if m := <-applyCh; m.Command != any(k) || m.CommandIndex != k+1 || !m.CommandValid || m.SnapshotValid {
				t.Fatalf("received %+v, want command %d", m, k)
			}
		}
		silent(t, applyCh)
		mustEqual(t, "lastApplied", rf.Status().LastApplied, commands)
	})
}

// A restarted server hands over again all commands after its snapshot, decoded from its disk.
func TestApplyAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := MakePersister()
		rf, applyCh := single(t, disk)
		commands := []any{"a", 2, pointCommand{3, 4}, nil, &nodeCommand{5, nil}, pointCommand{6, 7}}
		for _, command := range commands {
			rf.Start(command)
			<-applyCh
		}
		rf.Snapshot(2, []byte("two"))
		rf.Kill()
		rf, applyCh = single(t, disk.Copy())
		defer rf.Kill()
		for k, command := range commands[2:] {
			m := next(t, applyCh)
			mustEqual(t, "command", fmt.Sprintf("%+v", m), fmt.Sprintf("%+v", ApplyMsg{CommandValid: true, Command: m.Command, CommandIndex: k + 3, CommandTerm: 1}))
			if node, ok := command.(*nodeCommand); ok {
				mustEqual(t, "node", *m.Command.(*nodeCommand), *node)
			} else {
				mustEqual(t, "command", m.Command, command)
			}
		}
		silent(t, applyCh)
	})
}

// next returns the next message, which must arrive within a second.
func next(t testing.TB, applyCh <-chan ApplyMsg) ApplyMsg {
	t.Helper()
	select {
	case m := <-applyCh:
		return m
	case <-time.After(time.Second):
		t.Fatal("nothing was sent on applyCh for a second")
		return ApplyMsg{}
	}
}

func TestApplyUnknownTypePanics(t *testing.T) {
	data, c, _ := encodeCommand(nil, pointCommand{1, 2})
	rf := newFollower(t, 3, 1, from(1).terms(1))
	rf.log.append(nil, segmentOf(entry{term: 1, data: data}), false)
	d := newDecoder(&rf.definitions)
	todo := toApply{entries: rf.log.appendTo(nil, 2, 1, 0), commands: make([]any, 1), last: 2}
	wantPanic(t, func() { rf.apply(d, &todo) }, "server 0 cannot decode the command at index 2, of unknown type", "labgob.Register")
	rf.definitions.add(c.key, c.definition)
	close(rf.done) // like Kill: no service receives any more
	mustEqual(t, "goes on after Kill", rf.apply(d, &todo), false)
}

// Nothing is sent after Kill, even if a reader waits.
func TestNothingIsSentAfterKill(t *testing.T) {
	rf := newFollower(t, 3, 1, nil)
	applyCh := make(chan ApplyMsg, 100)
	rf.applyCh = applyCh
	mustEqual(t, "sent before", rf.send(ApplyMsg{}), true)
	close(rf.done)
	for range cap(applyCh) - 1 {
		mustEqual(t, "sent after", rf.send(ApplyMsg{}), false)
	}
	mustEqual(t, "messages", len(applyCh), 1)
}

// Kill returns whether or not a reader reads. After it nothing is sent, and without WithCloseOnKill applyCh stays open.
func TestKill(t *testing.T) {
	for _, c := range []struct {
		name     string
		commands int
		read     int
	}{{"idle", 0, 0}, {"nobody reads", 3, 0}, {"blocked", 3, 1}, {"all read", 3, 3}} {
		for _, closes := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, ", closes: ", closes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { kill(t, c.commands, c.read, closes) })
			})
		}
	}
}

func kill(t *testing.T, commands, read int, closes bool) {
	var options []Option
	if closes {
		options = []Option{WithCloseOnKill()}
	}
	rf, applyCh := single(t, MakePersister(), options...)
	for k := range commands {
		rf.Start(k)
	}
	for range read {
		<-applyCh
	}
	synctest.Wait()
	rf.Kill()
	select {
	case <-rf.applierDone:
	default:
		t.Error("Kill returned before the applier had ended")
	}
	before := observableOf(rf)
	rf.Kill()
	if closes {
		m, open := <-applyCh
		mustEqual(t, "open", open, false)
		mustEqual(t, "message", m.CommandIndex, 0)
	} else {
		silent(t, applyCh)
	}
	index, term, leads := rf.Start("too late")
	mustEqual(t, "Start", fmt.Sprint(index, term, leads), fmt.Sprint(-1, before.term, false))
	_, leads = rf.GetState()
	mustEqual(t, "leads", leads, false)
	rf.Snapshot(commands, []byte("too late"))
	time.Sleep(time.Minute)
	mustEqual(t, "state", observableOf(rf), before)
}

// A service may kill its server between two receives.
func TestKillFromReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister(), WithCloseOnKill())
		for k := range 5 {
			rf.Start(k)
		}
		seen := 0
		for m := range applyCh {
			if seen++; m.CommandIndex == 2 {
				rf.Kill()
			}
		}
		mustEqual(t, "received", seen, 2)
	})
}

// With several concurrent calls of Kill and a reader that continues to read, no call returns before the last message
// was sent.
func TestKillConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister())
		for k := range 2000 {
			rf.Start(k)
		}
		killed := make(chan struct{})
		for range 4 {
			go func() { rf.Kill(); killed <- struct{}{} }()
		}
		for left := 4; left > 0; {
			select {
			case <-applyCh:
			case <-killed:
				left--
			}
		}
		silent(t, applyCh)
	})
}

// A snapshot arrives while the applier hands over a portion: it first completes the portion, then hands over the
// snapshot.
func TestSnapshotBetweenPortions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const last = 2*maxApply + 5
		rf := newFollower(t, 3, 3, from(1).terms(slices.Repeat([]int{1}, last)...))
		applyCh := startApplier(rf)
		defer rf.Kill()
		deliver(t, rf, appendMsg(3, last, 1, last-1))
		wantCommand(t, applyCh, 1, 1)
		synctest.Wait() // it wants to send 2
		deliver(t, rf, &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: last + 7, LastIncludedTerm: 3, Data: []byte("x")})
		deliver(t, rf, appendMsg(4, last+7, 3, last+8, 4))
		for index := 2; index <= maxApply; index++ {
			wantCommand(t, applyCh, index, index)
		}
		mustEqual(t, "snapshot", (<-applyCh).SnapshotIndex, last+7)
		wantCommand(t, applyCh, last+8, last+8)
	})
}

// Uncommitted entries may be overwritten while the applier hands over the entries before them.
func TestLogOverwrittenUnderApplier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := committed(t)
		applyCh := startApplier(rf)
		defer rf.Kill()
		synctest.Wait() // it holds 1 to 4; 5 is of term 3
		deliver(t, rf, appendMsg(6, 4, 2, 6, 5, 6))
		for index := 1; index <= 4; index++ {
			wantCommand(t, applyCh, index, index)
		}
		mustEqual(t, "command 5", (<-applyCh).Command, any("5 of term 5"))
		mustEqual(t, "command 6", (<-applyCh).Command, any("6 of term 6"))
	})
}

// Entries, conflicts, and snapshots from the leader and from the service arrive at random times, and the reader reads
// at random times. It must receive everything in order, and the command that was committed at each index.
func TestApplierAtRandom(t *testing.T) {
	parallel(t)
	for seed := range int64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { applyAtRandom(t, rand.New(rand.NewSource(seed))) })
		})
	}
}

func applyAtRandom(t *testing.T, rng *rand.Rand) {
	rf := newFollower(t, 3, 1, nil)
	applyCh := startApplier(rf)
	defer rf.Kill()
	d := newDecoder(&rf.definitions)
	want := make(map[int]any)
	noted, received, snapshots := 0, 0, 0
	for range 200 {
		deliver(t, rf, randomMessage(t, rng, rf))
		for noted = max(noted, rf.log.base); noted < rf.commitIndex; noted++ {
			command, err := d.decode(rf.log.at(noted + 1).data)
			if err != nil {
				t.Fatal(err)
			}
			want[noted+1] = command
		}
		for range rng.Intn(4) {
			synctest.Wait()
			select {
			case m := <-applyCh:
				switch {
				case m.SnapshotValid && m.SnapshotIndex > received && !m.CommandValid:
					received = m.SnapshotIndex
					snapshots++
				case m.CommandValid && m.CommandIndex == received+1 && reflect.DeepEqual(m.Command, want[received+1]):
					received++
				default:
					t.Fatalf("received %+v after %d, want command %v or a snapshot", m, received, want[received+1])
				}
			default:
			}
		}
		if received > 0 && rng.Intn(5) == 0 {
			rf.Snapshot(received-rng.Intn(min(received, 3)), []byte("service"))
		}
	}
	if commands := rf.Status().LastApplied; commands < 50 || snapshots == 0 {
		t.Errorf("only %d commands and %d snapshots", commands, snapshots)
	}
}
