package rsm

// A Raft server whose every answer and message the test determines.

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft/rpc"
	"6.824/raft"
)

// A fakeRaft accepts commands at the next index in its term while it leads, and sends nothing by itself.
type fakeRaft struct {
	t       *testing.T
	applyCh chan raft.ApplyMsg

	mu        sync.Mutex
	term      int
	leads     bool
	next      int // index of the next command
	commands  map[int]any
	starting  func(index int) // called during Start, after the command got its index
	bytes     int             // of Raft state
	snapshots []string        // that were taken
	killed    bool
	reads     chan readOutcome // what ReadIndex returns
}

type readOutcome struct {
	index int
	err   error
}

func (f *fakeRaft) ReadIndex(ctx context.Context) (int, error) {
	select {
	case r := <-f.reads:
		return r.index, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (f *fakeRaft) Start(command any) (int, int, bool) {
	f.mu.Lock()
	if !f.leads {
		f.mu.Unlock()
		return -1, 0, false
	}
	index, term, starting := f.next, f.term, f.starting
	f.commands[index] = command
	f.next++
	f.mu.Unlock()
	if starting != nil {
		starting(index)
	}
	return index, term, true
}

func (f *fakeRaft) GetState() (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.term, f.leads
}

func (f *fakeRaft) PersistBytes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes
}

func (f *fakeRaft) Snapshot(index int, snapshot []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = 0
	at, state, err := readSnapshot(snapshot)
	f.snapshots = append(f.snapshots, fmt.Sprintf("%d:%d:%s", index, at, state))
	if err != nil {
		f.t.Error(err)
	}
}

func (f *fakeRaft) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.killed = true
}

// become sets the term and the role.
func (f *fakeRaft) become(term int, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.term, f.leads = term, leads
}

// grow sets the size of the Raft state.
func (f *fakeRaft) grow(bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes = bytes
}

func (f *fakeRaft) taken() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.snapshots, " ")
}

// apply sends the commands up to index that were not sent.
func (f *fakeRaft) apply(indices ...int) {
	for _, index := range indices {
		f.mu.Lock()
		command := f.commands[index]
		f.mu.Unlock()
		f.send(index, command)
	}
}

func (f *fakeRaft) send(index int, command any) {
	f.applyCh <- raft.ApplyMsg{CommandValid: true, Command: command, CommandIndex: index}
}

func (f *fakeRaft) snapshot(index int, state string) {
	f.applyCh <- raft.ApplyMsg{SnapshotValid: true, SnapshotIndex: index, Snapshot: newSnapshot(index, []byte(state))}
}

func (f *fakeRaft) event(kind raft.EventKind, term int) {
	f.applyCh <- raft.ApplyMsg{EventValid: true, Event: raft.Event{Kind: kind, Term: term}}
}

// foreign is a command that another RSM has submitted, with this number.
func foreign(number int64, request string) Op { return Op{Boot: 0, Number: number, Request: request} }

// words is a state machine of texts: each operation is a text, and its result is all of them. It is a Codec.
type words struct {
	mu       sync.Mutex
	all      string
	slow     chan bool // if not nil, each operation receives from it first
	restored int
}

func (w *words) DoOp(req any) any {
	if w.slow != nil {
		<-w.slow
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all += req.(string)
	return w.all
}

// Read returns all words and the request.
func (w *words) Read(req any) any { return w.String() + "?" + req.(string) }

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all
}

func (w *words) Snapshot() []byte { return []byte(w.String()) }

func (w *words) Restore(snapshot []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = string(snapshot)
	w.restored++
}

func (w *words) Encode(req any) string     { return req.(string) }
func (w *words) Decode(request string) any { return request }

// A bench is an RSM of words on a fakeRaft that leads in term 1.
type bench struct {
	*RSM
	t  *testing.T
	rf *fakeRaft
	sm *words
}

// onBench runs a test in a bubble. The RSM is made by New if poll is true; otherwise events must tell of lost leadership.
func onBench(t *testing.T, poll bool, maxraftstate int, snapshot string, body func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rf := &fakeRaft{t: t, applyCh: make(chan raft.ApplyMsg), term: 1, leads: true, next: 1, commands: make(map[int]any),
			reads: make(chan readOutcome, 9)}
		var saved []byte
		if at, state, ok := strings.Cut(snapshot, ":"); ok {
			fmt.Sscan(at, &rf.next)
			saved = newSnapshot(rf.next, []byte(state))
			rf.next++
		}
		b := &bench{t: t, rf: rf, sm: new(words)}
		if poll {
			b.RSM = New(rf, rf.applyCh, saved, maxraftstate, b.sm)
		} else {
			b.RSM = newRSM(rf, rf.applyCh, maxraftstate, b.sm)
			go b.reader(saved)
		}
		defer b.Kill()
		body(b)
	})
}

// submit calls Submit in a goroutine, waits until it waits, and returns where its outcome will be.
func (b *bench) submit(req string) *pending {
	p := &pending{b: b, done: make(chan string, 1)}
	go func() {
		err, result := b.Submit(req)
		p.done <- outcomeText(err, result)
	}()
	synctest.Wait()
	return p
}

// read calls Read in a goroutine, and waits until it waits.
func (b *bench) read(req string) *pending {
	p := &pending{b: b, done: make(chan string, 1)}
	go func() {
		err, result := b.Read(req)
		p.done <- outcomeText(err, result)
	}()
	synctest.Wait()
	return p
}

func outcomeText(err rpc.Err, result any) string {
	if result == nil {
		return string(err)
	}
	return fmt.Sprintf("%s %v", err, result)
}

// A pending is a call of Submit.
type pending struct {
	b    *bench
	done chan string
}

// want fails the test unless the outcome is this; "" means that there is none yet.
func (p *pending) want(outcome string) {
	p.b.t.Helper()
	synctest.Wait()
	got := ""
	select {
	case got = <-p.done:
	default:
	}
	if got != outcome {
		p.b.t.Errorf("Submit: %q, want %q", got, outcome)
	}
}

func (b *bench) wantState(all string, applied int) {
	b.t.Helper()
	synctest.Wait()
	if b.sm.String() != all || b.Applied() != applied {
		b.t.Errorf("state %q, applied %d; want %q and %d", b.sm, b.Applied(), all, applied)
	}
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
