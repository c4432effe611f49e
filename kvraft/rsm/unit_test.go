package rsm

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"6.824/raft"
)

// Each Submit gets the result of its own operation.
func TestOwnResult(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x, y := b.submit("x"), b.submit("y")
		x.want("")
		b.rf.apply(1)
		x.want("OK x")
		y.want("")
		b.rf.apply(2)
		y.want("OK xy")
		b.wantState("xy", 2)
	})
}

// A command may be carried out before Start has returned.
func TestAppliedDuringStart(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.starting = func(index int) {
			b.rf.apply(index)
			time.Sleep(time.Second)
		}
		x := b.submit("x")
		after(time.Minute)
		x.want("OK x")
		b.wantState("x", 1)
	})
}

// A server that does not lead says so, and forgets the operation.
func TestNotLeader(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.become(1, false)
		b.submit("x").want("ErrWrongLeader")
		if n := len(b.waiters.waiting); n > 0 || b.waiters.n.Load() != 0 {
			t.Errorf("%d wait, counted %d", n, b.waiters.n.Load())
		}
	})
}

// Another command at the index of an operation shows that it is lost, also if that has the same number. Other operations
// wait on.
func TestOtherCommand(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x, y := b.submit("x"), b.submit("y")
		b.rf.send(1, foreign(1, "o"))
		x.want("ErrWrongLeader")
		y.want("")
		b.rf.send(2, foreign(2, "p"))
		y.want("ErrWrongLeader")
		b.wantState("op", 2)
	})
	onBench(t, false, -1, "", func(b *bench) { // one's own commands in another order cannot happen, but must not be mixed up
		x, y := b.submit("x"), b.submit("y")
		b.rf.send(1, b.rf.commands[2])
		y.want("OK y")
		x.want("")
	})
}

// Another command at that index may be carried out before Start has returned.
func TestOtherCommandDuringStart(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.starting = func(index int) {
			b.rf.send(index, foreign(1, "o"))
			time.Sleep(time.Second)
		}
		x := b.submit("x")
		after(time.Minute)
		x.want("ErrMaybe")
	})
}

// A command that no RSM has made changes nothing, but takes an index.
func TestForeignType(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x := b.submit("x")
		b.rf.send(1, raft.RaftState{})
		x.want("ErrWrongLeader")
		b.wantState("", 1)
	})
}

// A snapshot replaces the state, and ends the waiting up to its index.
func TestSnapshotCovers(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x, y, z := b.submit("x"), b.submit("y"), b.submit("z")
		b.rf.snapshot(2, "ab")
		x.want("ErrMaybe")
		y.want("ErrMaybe")
		z.want("")
		b.wantState("ab", 2)
		b.rf.apply(3)
		z.want("OK abz")
		b.rf.snapshot(3, "old") // not newer
		b.wantState("abz", 3)
	})
}

func TestSnapshotDuringStart(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.starting = func(int) {
			b.rf.snapshot(5, "ab")
			time.Sleep(time.Second)
		}
		x := b.submit("x")
		after(time.Minute)
		x.want("ErrMaybe")
	})
}

// Lost leadership ends the waiting of that term, and a new term that of earlier ones.
func TestEvents(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x := b.submit("x")
		b.rf.become(2, true)
		y := b.submit("y")
		b.rf.event(raft.LostLeadership, 1)
		x.want("ErrMaybe")
		y.want("")
		b.rf.event(raft.NewTerm, 2)
		b.rf.event(raft.BecameLeader, 2)
		b.rf.event(raft.PeerCaughtUp, 2)
		y.want("")
		b.rf.event(raft.NewTerm, 3)
		y.want("ErrMaybe")
		b.rf.apply(1, 2)
		b.wantState("xy", 2)
	})
}

// The event may come before Start has returned.
func TestEventDuringStart(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.starting = func(int) {
			b.rf.event(raft.LostLeadership, 1)
			time.Sleep(time.Second)
		}
		x := b.submit("x")
		after(time.Minute)
		x.want("ErrMaybe")
		b.rf.starting = nil
		b.rf.become(2, true)
		y := b.submit("y")
		b.rf.apply(1, 2)
		y.want("OK xy")
	})
}

// Without events, the state of the server tells. An operation of a later term in which it leads waits on.
func TestPoll(t *testing.T) {
	onBench(t, true, -1, "", func(b *bench) {
		x := b.submit("x")
		after(time.Minute)
		x.want("")
		b.rf.become(2, true)
		y := b.submit("y")
		after(pollEvery)
		x.want("ErrMaybe")
		y.want("")
		b.rf.become(2, false)
		after(pollEvery)
		y.want("ErrMaybe")
	})
	onBench(t, true, -1, "", func(b *bench) { // the same server leads again
		b.rf.become(3, false)
		after(time.Second)
		b.rf.become(3, true)
		x := b.submit("x")
		after(time.Minute)
		b.rf.apply(1)
		x.want("OK x")
	})
}

// Kill ends all waiting, and kills the Raft server.
func TestKill(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		x := b.submit("x")
		b.Kill()
		x.want("ErrMaybe")
		b.submit("y").want("ErrWrongLeader")
		if !b.rf.killed {
			t.Error("Raft was not killed")
		}
		b.Kill()
	})
	onBench(t, false, -1, "", func(b *bench) { // during Start
		b.rf.starting = func(int) { b.Kill() }
		b.submit("x").want("ErrMaybe")
	})
}

// A closed channel does, too.
func TestClosedChannel(t *testing.T) {
	onBench(t, true, -1, "", func(b *bench) {
		x := b.submit("x")
		close(b.rf.applyCh)
		x.want("ErrMaybe")
		b.submit("y").want("ErrWrongLeader")
		after(time.Second) // its goroutines have ended, else the bubble panics
	})
}

// After the channel is closed, nobody asks Raft for its state any more.
func TestClosedChannelEndsPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := &fakeRaft{t: t, applyCh: make(chan raft.ApplyMsg)}
		r := newRSM(rf, rf.applyCh, -1, new(words))
		go r.reader(nil)
		ended := make(chan bool)
		go func() {
			defer close(ended)
			r.watchTerm()
		}()
		close(rf.applyCh)
		after(time.Second)
		select {
		case <-ended:
		default:
			t.Error("watchTerm goes on")
		}
		r.Kill()
	})
}

// Kill ends all waiting at once, even while an operation takes long.
func TestKillDuringOperation(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.sm.slow = make(chan bool)
		x := b.submit("x")
		go b.rf.apply(1)
		synctest.Wait()
		b.rf.reads <- readOutcome{1, nil}
		r := b.read("r")
		b.Kill()
		x.want("ErrMaybe")
		r.want("ErrWrongLeader")
		b.sm.slow <- true
	})
}

// After Kill, no more commands are carried out.
func TestKilledReader(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.sm.slow = make(chan bool)
		b.submit("x")
		b.rf.commands[2] = foreign(1, "y")
		go b.rf.apply(1)
		synctest.Wait()
		go func() {
			select {
			case b.rf.applyCh <- raft.ApplyMsg{CommandValid: true, Command: foreign(1, "y"), CommandIndex: 2}:
			case <-time.After(time.Second):
			}
		}()
		b.Kill()
		b.sm.slow <- true
		after(time.Minute)
		b.wantState("x", 1)
	})
}

// Nobody waits for an operation that takes long: neither Submit nor the loss of leadership.
func TestSlowOperation(t *testing.T) {
	onBench(t, true, -1, "", func(b *bench) {
		b.sm.slow = make(chan bool)
		x := b.submit("x")
		go b.rf.apply(1)
		y := b.submit("y")
		if _, started := b.rf.commands[2]; !started {
			t.Error("Submit does not reach Start")
		}
		b.rf.become(2, false)
		after(pollEvery)
		y.want("ErrMaybe")
		b.submit("z").want("ErrWrongLeader")
		x.want("ErrMaybe")
		b.sm.slow <- true
		b.wantState("x", 1)
	})
}

// A server begins with its snapshot, and skips the commands that it covers. A gap is a mistake of Raft.
func TestRestart(t *testing.T) {
	onBench(t, false, -1, "3:abc", func(b *bench) {
		b.wantState("abc", 3)
		b.rf.send(2, foreign(1, "no"))
		b.rf.send(3, foreign(1, "no"))
		x := b.submit("x")
		b.rf.apply(4)
		x.want("OK abcx")
		b.wantState("abcx", 4)
		if b.sm.restored != 1 {
			t.Errorf("restored %d times", b.sm.restored)
		}
	})
	r := newRSM(&fakeRaft{}, nil, -1, new(words))
	defer func() {
		if p := recover(); p != "rsm: Raft has sent command 2 after 0" {
			t.Errorf("panic %v", p)
		}
	}()
	r.carryOut(2, foreign(1, "no"))
}

// A snapshot is taken when the Raft state is large, of the state right after the last command, and never if maxraftstate
// is -1.
func TestSnapshots(t *testing.T) {
	large := strings.Repeat("x", 100)
	for _, test := range []struct {
		maxraftstate int
		want         string
	}{{-1, ""}, {0, ""}, {150, "2:2:" + large + "y"}, {301, ""}} {
		onBench(t, false, test.maxraftstate, "", func(b *bench) {
			b.rf.send(1, foreign(1, large))
			synctest.Wait()
			b.rf.grow(300)
			b.rf.send(2, foreign(1, "y"))
			b.wantState(large+"y", 2)
			if got := b.rf.taken(); got != test.want {
				t.Errorf("maxraftstate %d: snapshots %q, want %q", test.maxraftstate, got, test.want)
			}
		})
	}
}

// While Raft's state stays large because of a backlog, a snapshot is taken for each maxraftstate/2 bytes that were carried
// out, not for each command.
func TestSnapshotsOfBacklog(t *testing.T) {
	onBench(t, false, 1000, "", func(b *bench) {
		for i := range 100 {
			b.rf.grow(1 << 20)
			b.rf.send(i+1, foreign(1, strings.Repeat("x", 50-entryOverhead)))
		}
		synctest.Wait()
		if n := len(b.rf.snapshots); n != 10 {
			t.Errorf("%d snapshots, want 10", n)
		}
	})
}

// A capturer is encoded while further operations are carried out, one snapshot at a time.
type capturer struct {
	*words
	encoding chan bool // each encoding receives from it first
}

// Capture takes a second, so that nothing else happens before it returns only if the reader calls it.
func (c capturer) Capture() (encode func() []byte) {
	time.Sleep(time.Second)
	all := c.words.Snapshot()
	return func() []byte {
		<-c.encoding
		return all
	}
}

func TestCapture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf := &fakeRaft{t: t, applyCh: make(chan raft.ApplyMsg), bytes: 100}
		c := capturer{new(words), make(chan bool)}
		r := newRSM(rf, rf.applyCh, 10, c)
		go r.reader(nil)
		for i, word := range []string{"a", "b", "c"} {
			rf.send(i+1, foreign(1, word))
		}
		after(time.Minute)
		if c.String() != "abc" || rf.taken() != "" {
			t.Errorf("state %q, snapshots %q before the first is encoded", c, rf.taken())
		}
		c.encoding <- true
		synctest.Wait()
		rf.grow(100)
		rf.send(4, foreign(1, "d"))
		after(time.Minute)
		c.encoding <- true
		synctest.Wait()
		if got := rf.taken(); got != "1:1:a 4:4:abcd" {
			t.Errorf("snapshots %q", got)
		}
		r.Kill()
	})
}

// The two kinds of messages that nobody has made panic rather than change the state.
func TestDamage(t *testing.T) {
	for name, f := range map[string]func(){
		"an empty snapshot":  func() { newRSM(&fakeRaft{}, nil, -1, new(words)).restore(nil) },
		"an operation":       func() { gobCodec{}.Decode("x") },
		"a type without gob": func() { gobCodec{}.Encode(func() {}) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "rsm: ") {
					t.Errorf("%s: panic %v", name, p)
				}
			}()
			f()
		}()
	}
}

// A read waits until the command at the index that Raft returns is carried out, also if a snapshot stands for it.
func TestRead(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.reads <- readOutcome{0, nil}
		b.read("a").want("OK ?a")
		b.submit("x")
		b.submit("y")
		b.rf.reads <- readOutcome{2, nil}
		b.rf.reads <- readOutcome{1, nil}
		two := b.read("b")
		one := b.read("c")
		two.want("")
		one.want("")
		b.rf.apply(1)
		one.want("OK x?c")
		two.want("")
		b.rf.apply(2)
		two.want("OK xy?b")
		b.rf.reads <- readOutcome{2, nil}
		b.read("d").want("OK xy?d")
		b.rf.reads <- readOutcome{4, nil}
		four := b.read("e")
		b.rf.snapshot(5, "z")
		four.want("OK z?e")
		b.wantState("z", 5)
		if n := b.waiters.n.Load(); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}

// What Raft says decides: another server, or a command in the log.
func TestReadErrors(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		for _, err := range []error{raft.ErrNotLeader, raft.ErrDeposed} {
			b.rf.reads <- readOutcome{0, err}
			b.read("a").want("ErrWrongLeader")
		}
		b.rf.reads <- readOutcome{0, raft.ErrNotReady}
		r := b.read("r")
		r.want("")
		b.rf.apply(1)
		r.want("OK r") // by DoOp
	})
}

// Kill ends a read that waits, and lost leadership does not: its index is committed.
func TestReadEnds(t *testing.T) {
	onBench(t, false, -1, "", func(b *bench) {
		b.rf.reads <- readOutcome{1, nil}
		r := b.read("r")
		b.rf.event(raft.LostLeadership, 1)
		r.want("")
		b.Kill()
		r.want("ErrWrongLeader")
		b.rf.reads <- readOutcome{1, nil}
		b.read("r").want("ErrWrongLeader")
	})
}

// Without ReadIndex, or without Read, a read is a command.
func TestReadByLog(t *testing.T) {
	type onlyLog interface{ Raft }
	type onlyOps interface {
		StateMachine
		Codec
	}
	synctest.Test(t, func(t *testing.T) {
		for _, r := range []*RSM{
			newRSM(struct{ onlyLog }{&fakeRaft{t: t, leads: true, term: 1, next: 1, commands: make(map[int]any)}}, nil, -1, new(words)),
			newRSM(&fakeRaft{t: t, leads: true, term: 1, next: 1, commands: make(map[int]any)}, nil, -1, struct{ onlyOps }{new(words)}),
		} {
			b := &bench{RSM: r, t: t}
			p := b.read("r")
			b.carryOut(1, Op{r.boot, 1, "r"})
			p.want("OK r")
		}
	})
}
