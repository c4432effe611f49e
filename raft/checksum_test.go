package raft

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"6.824/labrpc"
)

// valueSnapshot returns a snapshot message that the server of damageServer accepts.
func valueSnapshot() *InstallSnapshotArgs {
	return &InstallSnapshotArgs{Term: 4, LeaderID: 1, LastIncludedIndex: 9, LastIncludedTerm: 3, Data: []byte("snapshot")}
}

func damageServer(t testing.TB) *Raft { return newFollower(t, 3, 3, from(1).terms(1, 1, 2, 2)) }

// eachDamage damages field v in many ways: one bit changes, or one element is removed or doubled. It calls f with each
// damage and then undoes it.
func eachDamage(t *testing.T, name string, v reflect.Value, f func(what string)) {
	with := func(what string, changed any) {
		old := reflect.ValueOf(v.Interface())
		v.Set(reflect.ValueOf(changed).Convert(v.Type()))
		f(name + ": " + what)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.Bool:
		with("flipped", !v.Bool())
	case reflect.Int:
		for bit := range v.Type().Bits() {
			with(fmt.Sprint("bit ", bit), int(v.Int())^1<<bit)
		}
	case reflect.Uint64:
		for bit := range 64 {
			with(fmt.Sprint("bit ", bit), v.Uint()^1<<bit)
		}
		with("zero", uint64(0))
	case reflect.String:
		eachDamagedText(v.String(), func(what, text string) { with(what, text) })
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			eachDamagedText(string(v.Bytes()), func(what, text string) { with(what, []byte(text)) })
			return
		}
		if v.Len() == 0 {
			t.Fatalf("%s is empty and cannot be damaged", name)
		}
		with("first one lost", v.Slice(1, v.Len()).Interface())
		with("last one twice", reflect.Append(v.Slice3(0, v.Len(), v.Len()), v.Index(v.Len()-1)).Interface())
		for k := range v.Len() {
			eachDamage(t, fmt.Sprint(name, " ", k), v.Index(k), f)
		}
	default:
		t.Fatalf("%s: this test cannot damage a %v", name, v.Kind())
	}
}

func eachDamagedText(text string, f func(what, text string)) {
	for k := range len(text) {
		b := []byte(text)
		b[k] ^= 1 << (k % 8)
		f(fmt.Sprint("bit of byte ", k), string(b))
	}
	f("shorter", text[:len(text)-1])
	f("longer", text+"\x00")
}

// A message with any wrong bit is refused and changes nothing. The undamaged message is then accepted.
func TestDamagedMessageIsRefused(t *testing.T) {
	for _, m := range []Message{
		&RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 4, LastLogTerm: 2},
		&RequestVoteArgs{Term: 4, CandidateID: 1, LastLogIndex: 4, LastLogTerm: 2, PreVote: true},
		valueMsg(), valueSnapshot(),
	} {
		t.Run(fmt.Sprintf("%T", m), func(t *testing.T) {
			rf, good := damageServer(t), sealed(m)
			before := observableOf(rf)
			v := reflect.ValueOf(good).Elem()
			for k := range v.NumField() {
				damages := 0
				eachDamage(t, v.Type().Field(k).Name, v.Field(k), func(what string) {
					damages++
					if reply := rf.OnMessage(good); granted(reply) || reply.term() != 3 {
						t.Errorf("%s: the reply is %+v", what, reply)
					}
				})
				if damages == 0 {
					t.Errorf("%s was not damaged", v.Type().Field(k).Name)
				}
			}
			if after := observableOf(rf); after != before {
				t.Errorf("damaged messages changed the state:\n before %+v\n after  %+v", before, after)
			}
			mustEqual(t, "definitions that are kept", rf.definitions.count(), 0)
			verify(t, rf)
			mustEqual(t, "granted without damage", granted(deliver(t, rf, good)), true)
		})
	}
}

// A reply with any wrong bit counts as lost. A reply without a checksum is accepted.
func TestDamagedReplyIsDropped(t *testing.T) {
	rf := newLeader(t, 3, 3, nil)
	for m, reply := range map[Message]Reply{
		&RequestVoteArgs{}:     &RequestVoteReply{Term: 3},
		&AppendEntriesArgs{}:   &AppendEntriesReply{Term: 3, ConflictTerm: 2, ConflictIndex: 5},
		&InstallSnapshotArgs{}: &InstallSnapshotReply{Term: 3},
	} {
		rf.options.transport = func(int, Message) Reply { return reply }
		mustEqual(t, "a reply without a checksum", rf.call(1, m), reply)
		reply.seal()
		v := reflect.ValueOf(reply).Elem()
		for k := range v.NumField() {
			eachDamage(t, v.Type().Field(k).Name, v.Field(k), func(what string) {
				without := v.FieldByName("Checksum").IsZero()
				if got := rf.call(1, m); got != nil && !without {
					t.Errorf("%s: %+v is accepted", what, got)
				}
			})
		}
		mustEqual(t, "whole", rf.call(1, m), reply)
	}
}

// Replies over labrpc are checked, too.
func TestDamagedReplyOverLabrpc(t *testing.T) {
	rf := newLeader(t, 3, 3, nil)
	type Raft struct{ *damagedPeer }
	network, server := labrpc.MakeNetwork(), labrpc.MakeServer()
	defer network.Cleanup()
	server.AddService(labrpc.MakeService(&Raft{new(damagedPeer)}))
	network.AddServer(1, server)
	rf.peers[1] = network.MakeEnd("to it")
	network.Connect("to it", 1)
	network.Enable("to it", true)
	if reply := rf.call(1, &RequestVoteArgs{Term: 3}); reply != nil {
		t.Errorf("%+v is accepted", reply)
	}
}

type damagedPeer struct{}

func (*damagedPeer) RequestVote(_ *RequestVoteArgs, reply *RequestVoteReply) {
	reply.Term = 3
	reply.seal()
	reply.VoteGranted = true
}

func (ds *definitions) count() int { return len(ds.all()) }

// A server keeps the definitions of a message only if it takes the entries.
func TestDefinitionsOfRefusedMessage(t *testing.T) {
	for name, spoil := range map[string]func(args *AppendEntriesArgs){
		"older term": func(args *AppendEntriesArgs) {
			data, _, _ := encodeCommand(nil, pointCommand{5, 6})
			args.Term = 2
			args.carry(entry{term: 2, data: data})
		},
		"no such peer":                func(args *AppendEntriesArgs) { args.LeaderID = 7 },
		"log too short":               func(args *AppendEntriesArgs) { args.PrevLogIndex = 8 },
		"log differs":                 func(args *AppendEntriesArgs) { args.PrevLogTerm = 1 },
		"conflict with the committed": func(args *AppendEntriesArgs) { args.PrevLogIndex, args.PrevLogTerm = 1, 1 },
		"no entries":                  func(args *AppendEntriesArgs) { args.Entries = nil },
		"damaged":                     func(args *AppendEntriesArgs) { args.Checksum = 1 },
		"not a definition":            func(args *AppendEntriesArgs) { args.Definitions[0] = []byte("not a definition") },
		"a second one is none": func(args *AppendEntriesArgs) {
			args.Definitions = append(args.Definitions, []byte("not a definition"))
		},
		"a definition and more": func(args *AppendEntriesArgs) {
			args.Definitions = append(args.Definitions, append(slices.Clone(args.Definitions[0]), 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			rf := damageServer(t)
			rf.commitIndex = 3
			args := valueMsg()
			spoil(args)
			deliver(t, rf, args)
			mustEqual(t, "definitions", rf.definitions.count(), 0)
			mustEqual(t, "a good one", granted(deliver(t, rf, valueMsg())), true)
			mustEqual(t, "definitions", rf.definitions.count(), 1)
		})
	}
}

// wellFormed does not check whether a definition's type is registered: the applier does.
func TestDefinitionWellFormed(t *testing.T) {
	for _, c := range manyCommands {
		if c.form != formValue {
			continue
		}
		d := codecOf(reflect.TypeOf(c.command)).definition
		mustEqual(t, c.name, d.wellFormed(), true)
		for cut := range d {
			mustEqual(t, fmt.Sprint(c.name, " cut off at ", cut), d[:cut].wellFormed(), false)
		}
	}
	d := codecOf(reflect.TypeFor[pointCommand]()).definition
	elsewhere := definition(strings.ReplaceAll(string(d), "raft.pointCommand", "main.pointCommand"))
	mustEqual(t, "of a type that is not registered", elsewhere.wellFormed(), true)
}

// Messages of different types have different checksums, even if their fields have the same values.
func TestChecksumDependsOnType(t *testing.T) {
	kinds := map[sum]bool{
		new(RequestVoteArgs).sum(): true, new(RequestVoteReply).sum(): true, new(AppendEntriesArgs).sum(): true,
		new(AppendEntriesReply).sum(): true, new(InstallSnapshotArgs).sum(0): true, new(InstallSnapshotReply).sum(): true,
	}
	mustEqual(t, "checksums", len(kinds), 6)
}

// Computing a checksum allocates no memory.
func TestChecksumMemory(t *testing.T) {
	m, reply := valueMsg(), new(AppendEntriesReply)
	total := sum(0)
	mustEqual(t, "allocations", testing.AllocsPerRun(100, func() {
		total ^= m.sum()
		reply.seal()
	}), 0)
}

func BenchmarkChecksum(b *testing.B) {
	heartbeat := &AppendEntriesArgs{Term: 3, LeaderID: 1, PrevLogIndex: 1000, PrevLogTerm: 3, LeaderCommit: 1000}
	reply := &AppendEntriesReply{Term: 3, Success: true}
	for range b.N {
		heartbeat.Checksum = uint64(heartbeat.sum())
		reply.seal()
	}
}
