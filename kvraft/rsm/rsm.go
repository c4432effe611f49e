// Package rsm is a replicated state machine on Raft: what every service on Raft needs, and no service needs to write
// again. A service passes an operation to Submit. Every server of the cluster carries out the same operations in the same
// order, and Submit returns the result.
//
// MakeRSM, Submit and StateMachine are those of the course of 2025 (6.5840, Lab 4A). MakeRSM makes a Raft of this library;
// New takes any Raft with the methods of the interface Raft.
//
//	rsm.go       the interfaces; New, MakeRSM, Submit, Kill
//	waiters.go   the calls of Submit that wait for a result
//	reader.go    the goroutine that reads applyCh and carries out operations
//	snapshot.go  when and how the state is saved
//	codec.go     how an operation becomes a command of Raft's log
//
// # The path of an operation
//
// Submit encodes the operation, registers itself with the waiters, and passes the command to Raft's Start. Raft sends each
// committed command on applyCh, on every server. There the reader decodes it, calls the state machine's DoOp, and hands the
// result to the call of Submit that waits for it, if it is on this server.
//
// No lock is held during Start, DoOp, Snapshot or Restore, or over a channel.
package rsm

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"

	"6.824/kvraft/rpc"
	"6.824/labrpc"
	"6.824/raft"
)

// A StateMachine is a service without its network: its state, and operations on it. Its methods are called by one
// goroutine, one after the other. They must be deterministic: the state may depend only on the operations carried out.
type StateMachine interface {
	// DoOp carries out an operation that was passed to Submit on one of the servers, and returns its result.
	DoOp(req any) any
	// Snapshot returns the encoded state. The RSM keeps it, and may append to it.
	Snapshot() []byte
	// Restore replaces the state by one that Snapshot has returned.
	Restore(snapshot []byte)
}

// A Capturer is a StateMachine whose state is encoded while further operations are carried out. Without it, no
// operation is carried out while Snapshot runs.
type Capturer interface {
	// Capture notes the state as it is, which must take little time. The function that it returns encodes that state. It is
	// called once, in another goroutine, while DoOp changes the state. The RSM keeps the result, and may append to it.
	Capture() (encode func() []byte)
}

// A Reader is a StateMachine that answers reads without a command in Raft's log (§8). See RSM.Read.
type Reader interface {
	// Read returns the result of a read-only operation. It may be called by any goroutine, also while other methods run.
	Read(req any) any
}

// Raft is what a replicated state machine needs of a Raft server. It may have these methods, too:
//
//   - Kill(), which RSM.Kill calls.
//   - ReadIndex(ctx context.Context) (index int, err error), as raft.Raft has it, which RSM.Read calls.
//   - KeepSnapshot(index int, snapshot []byte), as raft.Raft has it, which spares a copy of each snapshot.
type Raft interface {
	Start(command any) (index int, term int, isLeader bool)
	GetState() (term int, isLeader bool)
	Snapshot(index int, snapshot []byte)
	PersistBytes() int
}

// An RSM is one server of a replicated state machine. Its methods are safe for concurrent use.
type RSM struct {
	rf      Raft
	applyCh <-chan raft.ApplyMsg
	sm      StateMachine
	codec   Codec
	boot    int64         // random; tells this RSM's operations from those of others
	done    chan struct{} // closed by Kill
	ended   chan struct{} // closed when the reader has ended
	killed  atomic.Bool
	applied atomic.Int64 // index of the last command that was carried out or covered by a snapshot
	waiters waiters
	saver   saver
}

// buffered is how many messages Raft may send before the reader takes one, so that they need not take turns.
const buffered = 128

// MakeRSM starts a replicated state machine with a new Raft server, number me of those that servers lead to. It continues
// from what persister holds. If maxraftstate is positive, it takes a snapshot when the saved Raft state has about that many
// bytes; otherwise it never does. The options are Raft's. MakeRSM returns quickly.
func MakeRSM(servers []*labrpc.ClientEnd, me int, persister *raft.Persister, maxraftstate int, sm StateMachine, options ...raft.Option) *RSM {
	applyCh := make(chan raft.ApplyMsg, buffered)
	snapshot := persister.ReadSnapshot()
	options = append(slices.Clone(options), raft.WithCloseOnKill(), raft.WithEvents())
	rf := raft.Make(servers, me, persister, applyCh, options...)
	r := newRSM(rf, applyCh, maxraftstate, sm)
	go r.reader(snapshot)
	return r
}

// New starts a replicated state machine on a Raft server that sends on applyCh. Snapshot is the one that the server has
// saved, nil if there is none. Since nothing need tell that this server no longer leads, New asks for its state ten times a
// second while a Submit waits. If the channel is not closed when the server has been killed, Kill must be called.
func New(rf Raft, applyCh <-chan raft.ApplyMsg, snapshot []byte, maxraftstate int, sm StateMachine) *RSM {
	r := newRSM(rf, applyCh, maxraftstate, sm)
	go r.reader(snapshot)
	go r.watchTerm()
	return r
}

func newRSM(rf Raft, applyCh <-chan raft.ApplyMsg, maxraftstate int, sm StateMachine) *RSM {
	r := &RSM{rf: rf, applyCh: applyCh, sm: sm, codec: codecOf(sm), boot: random(),
		done: make(chan struct{}), ended: make(chan struct{})}
	r.waiters.init()
	r.saver.max = maxraftstate
	return r
}

// random returns a random number that no other call returns, in this process or another.
func random() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// Submit has an operation carried out on every server, and waits until it has been carried out on this one. It returns OK
// and the result of DoOp, or a nil result and one of these errors:
//
//   - ErrWrongLeader: this server does not lead, or was killed before. The operation was not carried out and never will be.
//   - ErrMaybe: this server has accepted the operation and then lost its leadership, or was killed. The operation may be
//     carried out, now or later, but not by more than once.
//
// A leader that is cut off from a majority of the servers does not know the outcome, so Submit waits.
func (r *RSM) Submit(req any) (rpc.Err, any) {
	w := r.waiters.add()
	if w == nil {
		return rpc.ErrWrongLeader, nil
	}
	index, term, isLeader := r.rf.Start(Op{r.boot, w.number, r.codec.Encode(req)})
	if !isLeader {
		r.waiters.withdraw(w)
		return rpc.ErrWrongLeader, nil
	}
	r.waiters.started(w, index, term)
	o := r.waiters.wait(w)
	return o.err, o.result
}

// Read returns the result of a read-only operation, and OK. The result is that of a moment after the call, on all servers:
// Read asks Raft which command was committed last, waits until this server has carried it out, and calls the state machine's
// method Read. The error is ErrWrongLeader if this server does not lead, or leads no longer.
//
// If the state machine is not a Reader, Raft has no ReadIndex, or the leader has not committed a command in its term yet,
// Read is Submit.
func (r *RSM) Read(req any) (rpc.Err, any) {
	sm, canRead := r.sm.(Reader)
	rf, hasIndex := r.rf.(interface {
		ReadIndex(ctx context.Context) (index int, err error)
	})
	if !canRead || !hasIndex {
		return r.Submit(req)
	}
	switch index, err := rf.ReadIndex(context.Background()); {
	case errors.Is(err, raft.ErrNotReady):
		return r.Submit(req)
	case err != nil || !r.waitApplied(index):
		return rpc.ErrWrongLeader, nil
	}
	return rpc.OK, sm.Read(req)
}

// waitApplied waits until this server has carried out the command at index. It reports false after Kill.
func (r *RSM) waitApplied(index int) bool {
	if r.Applied() >= index {
		return true
	}
	w := r.waiters.addRead(index, r.Applied)
	return w == nil || r.waiters.wait(w).err == rpc.OK
}

// Raft returns the Raft server.
func (r *RSM) Raft() Raft { return r.rf }

// Applied returns the index of the last command that was carried out here, or that a restored snapshot covers.
func (r *RSM) Applied() int { return int(r.applied.Load()) }

// Kill stops the Raft server, if that has a method Kill, and the state machine. Each waiting Submit returns ErrMaybe. The
// state machine may still carry out one operation after Kill has returned. Kill may be called more than once.
func (r *RSM) Kill() {
	if r.killed.Swap(true) {
		return
	}
	close(r.done)
	r.waiters.close()
	if rf, ok := r.rf.(interface{ Kill() }); ok {
		rf.Kill()
	}
}
