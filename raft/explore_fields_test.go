package raft

// Tests of the explorer's state: every field of a server is part of its image or is listed as irrelevant with a reason;
// a server loaded from its image behaves like the original; renaming servers neither loses nor adds states.

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"
)

// A fieldRule says how the explorer treats a field.
type fieldRule struct {
	change func(*drivenServer) // if the field is part of the image: changes the field
	why    string              // if the field is not part of it: why that is correct
}

func changes(f func(s *drivenServer)) fieldRule { return fieldRule{change: f} }
func irrelevant(why string) fieldRule           { return fieldRule{why: why} }

// anyPeer returns a follower of the leader s.
func anyPeer(s *drivenServer) *follower {
	if s.rf.me == 0 {
		return s.rf.followers[1]
	}
	return s.rf.followers[0]
}

const (
	fixed    = "it is constant during an exploration"
	channel  = "it wakes a goroutine, which the explorer's servers do not have"
	timing   = "it affects only when something happens, and the explorer tries all times"
	derived  = "it is computed from the rest"
	speed    = "it affects only speed and memory"
	pieces   = "the records are in the image; only walks test how they are cut into pieces of memory"
	byDisk   = "saved state is compared with memory at each step; only walks test repeated appends"
	anyNext  = "a leader may send from any index: the consistency check decides"
	whenSent = "it affects only when a message is sent, and the explorer tries all times: see drivenServer.settle"
)

var fieldRules = map[reflect.Type]map[string]fieldRule{
	reflect.TypeFor[Raft](): {
		"peers": irrelevant(fixed), "me": irrelevant(fixed), "applyCh": irrelevant(fixed), "options": irrelevant(fixed),
		"proposals":   changes(func(s *drivenServer) { s.rf.proposals.add(encoded(9), 9) }),
		"definitions": irrelevant("the commands of an exploration are ints, which have none"),
		"wakeTicker":  irrelevant(channel), "done": irrelevant(channel), "applierDone": irrelevant(channel),
		"mu":          irrelevant("it is free between two steps"),
		"killed":      irrelevant("a crash replaces the whole server; other tests send messages to killed servers"),
		"currentTerm": changes(func(s *drivenServer) { s.rf.currentTerm++ }),
		"votedFor":    changes(func(s *drivenServer) { s.rf.votedFor = 2 }),
		"log":         changes(func(s *drivenServer) { s.rf.log.append(nil, segmentOf(entry{3, encoded(9)}), false) }),
		"snapshot":    changes(func(s *drivenServer) { s.rf.snapshot.data = []byte{1, 2} }),
		"store":       irrelevant("saved state is compared with memory at each step: see drivenServer.checkSaved"),
		"commitIndex": changes(func(s *drivenServer) { s.rf.commitIndex++ }),
		"lastApplied": changes(func(s *drivenServer) { s.rf.lastApplied++ }),
		"applyCond":   irrelevant(channel),
		"events":      irrelevant("searches run without WithEvents"),
		"role":        changes(func(s *drivenServer) { s.rf.role = (s.rf.role + 1) % 3 }),
		"leader":      changes(func(s *drivenServer) { s.rf.leader = 2 }),
		"lastHeard":   irrelevant(timing), "electionTimer": irrelevant(timing), "nextTick": irrelevant(timing),
		"campaign":         changes(func(s *drivenServer) { s.rf.campaign = s.rf.newCampaign(true) }),
		"electionsStarted": irrelevant(timing),
		"followers":        changes(func(s *drivenServer) { anyPeer(s).matchIndex++ }),
		"commitNoticeAt":   irrelevant(whenSent),
		"spare":            changes(func(s *drivenServer) { s.rf.spare.add(1, encoded(9), 9) }),
		"reordered":        changes(func(s *drivenServer) { s.rf.reordered.keep(9, 1, batch{segmentOf(entry{1, encoded(9)})}, nil) }),
		"backlogFull":      irrelevant("the services of an exploration lag by a few bytes only"),
		"reads":            changes(func(s *drivenServer) { s.rf.reads.waiting = nil }),
	},
	reflect.TypeFor[follower](): {
		"id":       irrelevant(fixed),
		"progress": changes(func(s *drivenServer) { anyPeer(s).matchIndex++ }),
		"inFlight": changes(func(s *drivenServer) { anyPeer(s).answeredSentAt = s.open[0].call.sentAt.Add(1) }),
		"duty":     irrelevant(whenSent),
		"work":     irrelevant(channel), "waiting": irrelevant(channel),
	},
	reflect.TypeFor[progress](): {
		"nextIndex":   irrelevant(anyNext),
		"matchIndex":  changes(func(s *drivenServer) { anyPeer(s).matchIndex++ }),
		"hasAnswered": irrelevant(whenSent),
		"probing":     irrelevant(anyNext), "missingIndex": irrelevant(anyNext),
		"backlogFull": irrelevant(whenSent),
		"caughtUp":    irrelevant("only events depend on it"),
		"confirmed":   changes(func(s *drivenServer) { anyPeer(s).confirmed = s.rf.reads.sent }),
	},
	reflect.TypeFor[reads](): {
		"waiting": changes(func(s *drivenServer) { s.rf.reads.waiting = nil }),
		"crowd":   irrelevant(speed),
		"sent":    irrelevant("a read that joins the last round and one that begins another differ only if a call was sent between them"),
	},
	reflect.TypeFor[round](): {
		"after":   changes(func(s *drivenServer) { s.rf.reads.waiting[0].after = s.open[0].call.number }),
		"readers": irrelevant("no context of an exploration is done, so the reads of a round end together"),
		"done":    irrelevant(channel), "err": irrelevant("a round that has ended is dropped in the same step"),
	},
	reflect.TypeFor[inFlight](): {
		"calls":   irrelevant("a call that stays in flight is given up in the same action: see step.late"),
		"entries": irrelevant(whenSent), "snapshots": irrelevant(whenSent), "bytes": irrelevant(whenSent), "sentBytes": irrelevant(whenSent),
		"snapshotCall":   irrelevant(whenSent),
		"failures":       irrelevant("it decides which messages are sent, and the explorer sends heartbeats in any case"),
		"lastAnswer":     irrelevant("a leader may resign at any time"),
		"answeredSentAt": changes(func(s *drivenServer) { anyPeer(s).answeredSentAt = s.open[0].call.sentAt.Add(1) }),
		"heartbeatRTT":   irrelevant(timing), "dataRTT": irrelevant(timing),
	},
	reflect.TypeFor[duty](): {
		"heartbeatDue": irrelevant(whenSent), "commitDue": irrelevant(whenSent), "heartbeatSentAt": irrelevant(whenSent),
		"commitSent": irrelevant(whenSent), "commitAcked": irrelevant(whenSent),
	},
	reflect.TypeFor[reorderBuffer](): {
		"kept":  changes(func(s *drivenServer) { s.rf.reordered.keep(9, 1, batch{segmentOf(entry{1, encoded(9)})}, nil) }),
		"bytes": irrelevant(derived),
	},
	reflect.TypeFor[campaign](): {
		"granted":   changes(func(s *drivenServer) { s.rf.campaign.granted[0] = !s.rf.campaign.granted[0] }),
		"refused":   changes(func(s *drivenServer) { s.rf.campaign.refused[0] = !s.rf.campaign.refused[0] }),
		"preVote":   changes(func(s *drivenServer) { s.rf.campaign.preVote = !s.rf.campaign.preVote }),
		"startedAt": irrelevant(timing),
		"answered":  irrelevant("it decides when a lost request is repeated, and the explorer tries all times"),
	},
	reflect.TypeFor[raftLog](): {
		"base":     changes(func(s *drivenServer) { s.rf.log.base++ }),
		"baseTerm": changes(func(s *drivenServer) { s.rf.log.baseTerm++ }),
		"segments": changes(func(s *drivenServer) { s.rf.log.truncateFrom(2) }),
		"growing":  irrelevant(speed),
		"start":    irrelevant(byDisk), "end": irrelevant(byDisk),
		"accepted": changes(func(s *drivenServer) { s.rf.log.accepted.chunks[0][len(s.rf.log.accepted.chunks[0])-1] = 9 }),
	},
	reflect.TypeFor[accepted](): {
		"first":  changes(func(s *drivenServer) { s.rf.log.accepted.first++ }),
		"chunks": changes(func(s *drivenServer) { s.rf.log.accepted.chunks = nil }),
		"taken":  changes(func(s *drivenServer) { s.rf.log.accepted.taken = s.rf.log.accepted.length() }),
	},
	reflect.TypeFor[call](): {
		"message": changes(func(s *drivenServer) { s.open[0].message = &wire{message: &AppendEntriesArgs{Term: 9}} }),
		"entries": irrelevant("they are in the message"), "records": irrelevant("they are in the message"),
		"bytes": irrelevant(whenSent), "bytesInFlight": irrelevant(whenSent), "sentBytes": irrelevant(whenSent),
		"first":  irrelevant(anyNext),
		"number": changes(func(s *drivenServer) { s.open[0].call.number = 0 }),
		"match":  changes(func(s *drivenServer) { s.open[0].call.match++ }),
		"last":   changes(func(s *drivenServer) { s.open[0].call.last++ }),
		"sentAt": changes(func(s *drivenServer) { s.open[0].call.sentAt = anyPeer(s).answeredSentAt.Add(-1) }),
	},
	reflect.TypeFor[snapshot](): {
		"index": changes(func(s *drivenServer) { s.rf.snapshot.index++ }),
		"term":  changes(func(s *drivenServer) { s.rf.snapshot.term++ }),
		"data":  changes(func(s *drivenServer) { s.rf.snapshot.data = []byte{9} }),
		"sum":   irrelevant(derived),
	},
	reflect.TypeFor[proposals](): {
		"leading":   changes(func(s *drivenServer) { s.rf.proposals.leading.Store(!s.rf.proposals.leading.Load()) }),
		"crowd":     irrelevant(speed),
		"committed": irrelevant(speed),
		"buffers":   irrelevant(speed),
		"yielding":  irrelevant(speed),
		"mu":        irrelevant("it is free between two steps"),
		"term":      changes(func(s *drivenServer) { s.rf.proposals.term++ }),
		"next":      changes(func(s *drivenServer) { s.rf.proposals.next++ }),
		"queue":     changes(func(s *drivenServer) { s.rf.proposals.queue.add(1, encoded(9), 9) }),
	},
	reflect.TypeFor[queue](): {
		"segment":  changes(func(s *drivenServer) { s.rf.proposals.queue.segment = segmentOf(entry{1, encoded(9)}) }),
		"commands": changes(func(s *drivenServer) { s.rf.proposals.queue.commands = []any{9} }),
	},
	reflect.TypeFor[segment](): {
		"first": irrelevant(derived), "memory": irrelevant(pieces), "start": irrelevant(pieces), "ends": irrelevant(pieces),
		"begin": irrelevant(byDisk),
	},
	reflect.TypeFor[store](): {
		"persister": irrelevant(byDisk), "disk": irrelevant(byDisk), "changer": irrelevant(byDisk), "from": irrelevant(byDisk), "to": irrelevant(byDisk),
		"front": irrelevant(byDisk), "frontSum": irrelevant(byDisk),
		"definitions": irrelevant(byDisk), "head": irrelevant(speed), "tail": irrelevant(speed),
	},
	reflect.TypeFor[Persister](): {
		"mu": irrelevant("it is free between two steps"), "head": irrelevant(byDisk), "body": irrelevant(byDisk), "size": irrelevant(byDisk),
		"snapshot": irrelevant(byDisk), "saved": irrelevant("it is the explorer's own"),
	},
	reflect.TypeFor[eventQueue](): {
		"waiting": irrelevant("searches run without WithEvents"), "term": irrelevant("searches run without WithEvents"),
	},
	reflect.TypeFor[definitions](): {
		"adding": irrelevant("it is free between two steps"), "byKey": irrelevant("the commands of an exploration are ints"),
	},
	reflect.TypeFor[toApply](): {
		"events":   irrelevant("searches run without WithEvents"),
		"snapshot": changes(func(s *drivenServer) { s.holds, s.portion.snapshot = true, snapshot{index: 1} }),
		"entries":  changes(func(s *drivenServer) { s.holds, s.portion.entries = true, batch{segmentOf(entry{1, encoded(9)})} }),
		"commands": changes(func(s *drivenServer) { s.holds, s.portion.commands = true, []any{9} }),
		"last":     changes(func(s *drivenServer) { s.holds, s.portion.last = true, 9 }),
	},
}

// leaderInFlight returns a leader with three entries in its log and one call in flight.
func leaderInFlight() *drivenServer {
	s := newDrivenServer(3, 0, MakePersister(), false, nil)
	for _, in := range []step{{kind: stepTimeout}, {kind: stepVoted, peer: 1, reply: &wire{reply: &RequestVoteReply{Term: 1, VoteGranted: true}}},
		{kind: stepStart, arg: 1}, {kind: stepStart, arg: 2}, {kind: stepStart, arg: 3}, {kind: stepSend, peer: 1, arg: 1}} {
		if in.kind == stepVoted {
			in.message = &wire{message: s.asks}
		}
		s.step(in)
	}
	return s
}

// readInFlight returns a leader on which a read waits for the reply to a heartbeat in flight.
func readInFlight() *drivenServer {
	s := leaderInFlight()
	s.step(step{kind: stepReturned, reply: &wire{reply: &AppendEntriesReply{Term: 1, Success: true}}})
	s.step(step{kind: stepRead, arg: 3})
	s.step(step{kind: stepBeat, peer: 1, arg: 4})
	return s
}

func candidateInTerm1() *drivenServer {
	s := newDrivenServer(3, 0, MakePersister(), false, nil)
	s.step(step{kind: stepTimeout})
	return s
}

// TestExploreFields checks that every field is irrelevant or part of the image: then changing it changes the image.
func TestExploreFields(t *testing.T) {
	for structure, rules := range fieldRules {
		for k := range structure.NumField() {
			if name := structure.Field(k).Name; name != "_" {
				if _, ok := rules[name]; !ok {
					t.Errorf("fieldRules has no rule for %v.%s", structure, name)
				}
			}
		}
		for name, rule := range rules {
			if _, ok := structure.FieldByName(name); !ok {
				t.Errorf("there is no field %v.%s", structure, name)
			} else if rule.change != nil && !changesImage(rule.change) {
				t.Errorf("a change of %v.%s does not change the image", structure, name)
			}
		}
	}
}

func changesImage(change func(*drivenServer)) bool {
	for _, base := range []func() *drivenServer{leaderInFlight, readInFlight, candidateInTerm1} {
		s, m := base(), newMemory(&limits{servers: 3}, nil)
		before := s.image(m.wire).key()
		if changed := func() (ok bool) {
			defer func() { recover() }() // some changes need a leader, some a candidate
			change(s)
			return s.image(m.wire).key() != before
		}(); changed {
			return true
		}
	}
	return false
}

// TestExploreLoadedServersBehaveAlike checks that a server loaded from its image before each step behaves like the
// live one.
func TestExploreLoadedServersBehaveAlike(t *testing.T) {
	steps, seeds := 0, int64(30)
	if exploreBriefly {
		seeds = 5
	}
	for seed := range seeds {
		random := rand.New(rand.NewSource(seed))
		l, v := wide(3+random.Intn(3)), mustVariant(pairwise[random.Intn(len(pairwise))])
		l.lag = random.Intn(2) == 0
		c, m := newLive(l, v, false), newMemory(&l, v.opts)
		c.take = func(server int, in step) outcome {
			steps++
			s := c.servers[server]
			twin := s.image(m.wire).load(l.servers, l.lag, v.opts)
			in.message, in.reply = m.wire(in.message), m.wire(in.reply)
			out, again := s.step(in), twin.step(in)
			if a, b := s.image(m.wire).key(), twin.image(m.wire).key(); a != b {
				t.Fatalf("seed %d: after %+v\nthe live server is %+v\nthe loaded one is %+v", seed, in, s.image(m.wire), twin.image(m.wire))
			}
			out.message, out.reply = m.wire(out.message), m.wire(out.reply)
			again.message, again.reply = m.wire(again.message), m.wire(again.reply)
			if !reflect.DeepEqual(out, again) {
				t.Fatalf("seed %d: the outcome of %+v is\n%+v on the live server,\n%+v on the loaded one", seed, in, out, again)
			}
			return out
		}
		bias := newBias(random, l.servers)
		for range 150 {
			if c.do(bias.choose(c, c.actions())); c.broken != nil {
				t.Fatal(c.verdict())
			}
		}
	}
	if steps < 100*int(seeds) {
		t.Errorf("only %d steps were compared", steps)
	}
}

// TestExploreSymmetry checks that a search in which servers have no names finds the same states: it sums up how many
// named states each of its states represents.
func TestExploreSymmetry(t *testing.T) {
	for _, l := range []limits{
		{servers: 3, terms: 1, commands: 1, crashes: 1, saves: true, snaps: 1},
		{servers: 3, terms: 1, flight: 1},
		{servers: 3, terms: 1, commands: 1, reads: 2},
	} {
		named := newSearch(l, mustVariant("default").opts)
		named.symmetric = false
		all := named.run(2, nil)
		x := newSearch(l, mustVariant("default").opts)
		r := x.run(2, nil)
		w, sum := newWorker(x), 0
		for k := range uint32(r.states) {
			sum += w.renamings(k)
		}
		if sum != all.states || r.states >= all.states {
			t.Errorf("%+v: %d states represent %d, but there are %d", l, r.states, sum, all.states)
		}
	}
}

// renamings returns the number of states, k included, that differ from state k only in the servers' names.
func (w *worker) renamings(k uint32) int {
	p := w.open(k)
	copy(w.now, w.before)
	w.items = append(w.items[:0], w.was...)
	w.clusterCheck.past, w.clusterCheck.leaders, w.used = w.pastByID.at(int(p.past)), p.leaders, p.used
	var found []packed
	for i := range w.perms {
		if q := w.packed(i); !slices.Contains(found, q) {
			found = append(found, q)
		}
	}
	return len(found)
}
