package raft

// Can the explorer be trusted? Every field of a server is part of its image or named irrelevant with a reason; servers that
// live on go the same way as servers that are loaded from their image; renaming servers loses and invents no state.

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"
)

// A fieldRule says what the explorer makes of a field.
type fieldRule struct {
	change func(*driven) // part of the image: this changes it
	why    string        // not part of it, and why that is right
}

func changes(f func(s *driven)) fieldRule { return fieldRule{change: f} }
func irrelevant(why string) fieldRule     { return fieldRule{why: why} }

// anyPeer is a follower of what leads.
func anyPeer(s *driven) *follower {
	if s.rf.me == 0 {
		return s.rf.followers[1]
	}
	return s.rf.followers[0]
}

const (
	fixed    = "it is the same throughout an exploration"
	channel  = "it wakes a goroutine, which the explorer's servers do not have"
	timing   = "it is about when something happens, and that may be at any time"
	derived  = "it follows from the rest"
	speed    = "it is about speed and memory: the content is what counts"
	pieces   = "the records are in the image; walks look at the pieces of memory that they lie in"
	byDisk   = "what is saved is compared with what is held at each step, so that only walks append to what was appended"
	anyNext  = "from which index on a leader sends is a free choice: the consistency check decides"
	whenSent = "it decides when a message goes out, and one may at any time: see driven.settle"
)

var fieldRules = map[reflect.Type]map[string]fieldRule{
	reflect.TypeFor[Raft](): {
		"peers": irrelevant(fixed), "me": irrelevant(fixed), "applyCh": irrelevant(fixed), "options": irrelevant(fixed),
		"proposals":   changes(func(s *driven) { s.rf.proposals.add(encoded(9), 9) }),
		"definitions": irrelevant("the commands of an exploration are ints, which need none"),
		"wakeTicker":  irrelevant(channel), "done": irrelevant(channel), "applierDone": irrelevant(channel),
		"mu":          irrelevant("it is free between two steps"),
		"killed":      irrelevant("a crash takes the whole server away; what comes to a killed one is tested elsewhere"),
		"currentTerm": changes(func(s *driven) { s.rf.currentTerm++ }),
		"votedFor":    changes(func(s *driven) { s.rf.votedFor = 2 }),
		"log":         changes(func(s *driven) { s.rf.log.append(nil, segmentOf(entry{3, encoded(9)}), false) }),
		"snapshot":    changes(func(s *driven) { s.rf.snapshot.data = []byte{1, 2} }),
		"store":       irrelevant("what is saved is compared with what is held at each step: see driven.checkSaved"),
		"commitIndex": changes(func(s *driven) { s.rf.commitIndex++ }),
		"lastApplied": changes(func(s *driven) { s.rf.lastApplied++ }),
		"applyCond":   irrelevant(channel),
		"events":      irrelevant("searches run without WithEvents"),
		"role":        changes(func(s *driven) { s.rf.role = (s.rf.role + 1) % 3 }),
		"leader":      changes(func(s *driven) { s.rf.leader = 2 }),
		"lastHeard":   irrelevant(timing), "silence": irrelevant(timing), "nextTick": irrelevant(timing),
		"campaign":         changes(func(s *driven) { s.rf.campaign = s.rf.newCampaign(true) }),
		"electionsStarted": irrelevant(timing),
		"followers":        changes(func(s *driven) { anyPeer(s).matchIndex++ }),
		"commitNotice":     irrelevant(whenSent),
		"spare":            changes(func(s *driven) { s.rf.spare.add(1, encoded(9), 9) }),
		"reordered":        changes(func(s *driven) { s.rf.reordered.keep(9, 1, batch{segmentOf(entry{1, encoded(9)})}, nil) }),
		"backlogFull":      irrelevant("the services of an exploration lag by a few bytes only"),
	},
	reflect.TypeFor[follower](): {
		"id":       irrelevant(fixed),
		"progress": changes(func(s *driven) { anyPeer(s).matchIndex++ }),
		"inFlight": changes(func(s *driven) { anyPeer(s).answeredSentAt = s.open[0].call.sentAt.Add(1) }),
		"duty":     irrelevant(whenSent),
		"work":     irrelevant(channel), "waiting": irrelevant(channel),
	},
	reflect.TypeFor[progress](): {
		"nextIndex":   irrelevant(anyNext),
		"matchIndex":  changes(func(s *driven) { anyPeer(s).matchIndex++ }),
		"hasAnswered": irrelevant(whenSent),
		"probing":     irrelevant(anyNext), "missingIndex": irrelevant(anyNext),
		"backlogFull": irrelevant(whenSent),
		"caughtUp":    irrelevant("only events tell it"),
	},
	reflect.TypeFor[inFlight](): {
		"calls":   irrelevant("what stays in flight is given up in the same action: see step.late"),
		"entries": irrelevant(whenSent), "snapshots": irrelevant(whenSent), "bytes": irrelevant(whenSent), "sentBytes": irrelevant(whenSent),
		"snapshotCall":   irrelevant(whenSent),
		"failures":       irrelevant("whether a follower answers decides what is sent, and a heartbeat is sent in both cases"),
		"lastAnswer":     irrelevant("a leader may resign at any time"),
		"answeredSentAt": changes(func(s *driven) { anyPeer(s).answeredSentAt = s.open[0].call.sentAt.Add(1) }),
		"heartbeatRTT":   irrelevant(timing), "dataRTT": irrelevant(timing),
	},
	reflect.TypeFor[duty](): {
		"heartbeatDue": irrelevant(whenSent), "commitDue": irrelevant(whenSent), "heartbeatSent": irrelevant(whenSent),
		"commitSent": irrelevant(whenSent), "commitAcked": irrelevant(whenSent),
	},
	reflect.TypeFor[reorderBuffer](): {
		"kept":  changes(func(s *driven) { s.rf.reordered.keep(9, 1, batch{segmentOf(entry{1, encoded(9)})}, nil) }),
		"bytes": irrelevant(derived),
	},
	reflect.TypeFor[campaign](): {
		"granted":  changes(func(s *driven) { s.rf.campaign.granted[0] = !s.rf.campaign.granted[0] }),
		"refused":  changes(func(s *driven) { s.rf.campaign.refused[0] = !s.rf.campaign.refused[0] }),
		"preVote":  changes(func(s *driven) { s.rf.campaign.preVote = !s.rf.campaign.preVote }),
		"begun":    irrelevant(timing),
		"answered": irrelevant("it decides how often a lost request is repeated, and it may be at any time"),
	},
	reflect.TypeFor[raftLog](): {
		"base":     changes(func(s *driven) { s.rf.log.base++ }),
		"baseTerm": changes(func(s *driven) { s.rf.log.baseTerm++ }),
		"segments": changes(func(s *driven) { s.rf.log.truncateFrom(2) }),
		"growing":  irrelevant(speed),
		"start":    irrelevant(byDisk), "end": irrelevant(byDisk),
		"accepted": changes(func(s *driven) { s.rf.log.accepted.chunks[0][len(s.rf.log.accepted.chunks[0])-1] = 9 }),
	},
	reflect.TypeFor[accepted](): {
		"first":  changes(func(s *driven) { s.rf.log.accepted.first++ }),
		"chunks": changes(func(s *driven) { s.rf.log.accepted.chunks = nil }),
		"taken":  changes(func(s *driven) { s.rf.log.accepted.taken = s.rf.log.accepted.length() }),
	},
	reflect.TypeFor[call](): {
		"message": changes(func(s *driven) { s.open[0].message = &wire{message: &AppendEntriesArgs{Term: 9}} }),
		"entries": irrelevant("they are in the message"), "records": irrelevant("they are in the message"),
		"bytes": irrelevant(whenSent), "bytesInFlight": irrelevant(whenSent), "sentBytes": irrelevant(whenSent),
		"first":  irrelevant(anyNext),
		"match":  changes(func(s *driven) { s.open[0].call.match++ }),
		"last":   changes(func(s *driven) { s.open[0].call.last++ }),
		"sentAt": changes(func(s *driven) { s.open[0].call.sentAt = anyPeer(s).answeredSentAt.Add(-1) }),
	},
	reflect.TypeFor[snapshot](): {
		"index": changes(func(s *driven) { s.rf.snapshot.index++ }),
		"term":  changes(func(s *driven) { s.rf.snapshot.term++ }),
		"data":  changes(func(s *driven) { s.rf.snapshot.data = []byte{9} }),
		"sum":   irrelevant(derived),
	},
	reflect.TypeFor[proposals](): {
		"leading":   changes(func(s *driven) { s.rf.proposals.leading.Store(!s.rf.proposals.leading.Load()) }),
		"singles":   irrelevant(speed),
		"committed": irrelevant(speed),
		"buffers":   irrelevant(speed),
		"yielding":  irrelevant(speed),
		"mu":        irrelevant("it is free between two steps"),
		"term":      changes(func(s *driven) { s.rf.proposals.term++ }),
		"next":      changes(func(s *driven) { s.rf.proposals.next++ }),
		"queue":     changes(func(s *driven) { s.rf.proposals.queue.add(1, encoded(9), 9) }),
	},
	reflect.TypeFor[queue](): {
		"segment":  changes(func(s *driven) { s.rf.proposals.queue.segment = segmentOf(entry{1, encoded(9)}) }),
		"commands": changes(func(s *driven) { s.rf.proposals.queue.commands = []any{9} }),
	},
	reflect.TypeFor[segment](): {
		"first": irrelevant(derived), "memory": irrelevant(pieces), "start": irrelevant(pieces), "ends": irrelevant(pieces),
		"begin": irrelevant(byDisk),
	},
	reflect.TypeFor[store](): {
		"persister": irrelevant(byDisk), "disk": irrelevant(byDisk), "changer": irrelevant(byDisk), "from": irrelevant(byDisk), "to": irrelevant(byDisk),
		"front": irrelevant(byDisk), "frontSum": irrelevant(byDisk),
		"defined": irrelevant(byDisk), "head": irrelevant(speed), "tail": irrelevant(speed),
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
		"snapshot": changes(func(s *driven) { s.holds, s.portion.snapshot = true, snapshot{index: 1} }),
		"entries":  changes(func(s *driven) { s.holds, s.portion.entries = true, batch{segmentOf(entry{1, encoded(9)})} }),
		"commands": changes(func(s *driven) { s.holds, s.portion.commands = true, []any{9} }),
		"last":     changes(func(s *driven) { s.holds, s.portion.last = true, 9 }),
	},
}

// leaderInFlight returns a server that leads with a log of three entries, one of them applied, and has a call out.
func leaderInFlight() *driven {
	s := newDriven(3, 0, MakePersister(), false, nil)
	for _, in := range []step{{kind: stepTimeout}, {kind: stepVoted, peer: 1, reply: &wire{reply: &RequestVoteReply{Term: 1, VoteGranted: true}}},
		{kind: stepStart, arg: 1}, {kind: stepStart, arg: 2}, {kind: stepStart, arg: 3}, {kind: stepSend, peer: 1, arg: 1}} {
		if in.kind == stepVoted {
			in.message = &wire{message: s.asks}
		}
		s.step(in)
	}
	return s
}

func candidateInTerm1() *driven {
	s := newDriven(3, 0, MakePersister(), false, nil)
	s.step(step{kind: stepTimeout})
	return s
}

// Every field is part of the image, so that changing it makes another image, or named irrelevant.
func TestExploreFields(t *testing.T) {
	for structure, rules := range fieldRules {
		for k := range structure.NumField() {
			if name := structure.Field(k).Name; name != "_" {
				if _, ok := rules[name]; !ok {
					t.Errorf("the explorer does not say what it makes of %v.%s: see fieldRules", structure, name)
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

func changesImage(change func(*driven)) bool {
	for _, base := range []func() *driven{leaderInFlight, candidateInTerm1} {
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

// A server that lives on and one that is loaded from its image before each step do the same.
func TestExploreLoadedServersGoTheSameWay(t *testing.T) {
	steps, seeds := 0, int64(30)
	if exploreLittle {
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
				t.Fatalf("seed %d: after %+v\nthe living server is %+v\nthe loaded one %+v", seed, in, s.image(m.wire), twin.image(m.wire))
			}
			out.message, out.reply = m.wire(out.message), m.wire(out.reply)
			again.message, again.reply = m.wire(again.message), m.wire(again.reply)
			if !reflect.DeepEqual(out, again) {
				t.Fatalf("seed %d: of %+v came\n%+v on the living server,\n%+v on the loaded one", seed, in, out, again)
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

// With names or without, a search finds the same states: each state that stands for others stands for as many as there are.
func TestExploreSymmetry(t *testing.T) {
	for _, l := range []limits{
		{servers: 3, terms: 1, commands: 1, crashes: 1, saves: true, snaps: 1},
		{servers: 3, terms: 1, flight: 1},
	} {
		named := newSearch(l, mustVariant("default").opts)
		named.symmetric = false
		all := named.run(2, nil)
		x := newSearch(l, mustVariant("default").opts)
		r := x.run(2, nil)
		w, sum := newWorker(x), 0
		for k := range uint32(r.states) {
			sum += w.namings(k)
		}
		if sum != all.states || r.states >= all.states {
			t.Errorf("%+v: %d states stand for %d, but there are %d", l, r.states, sum, all.states)
		}
	}
}

// namings returns how many states differ from state k in the servers' names only, itself among them.
func (w *worker) namings(k uint32) int {
	p := w.open(k)
	copy(w.now, w.before)
	w.items = append(w.items[:0], w.was...)
	w.judge.past, w.judge.leaders, w.used = w.pastByID.at(int(p.past)), p.leaders, p.used
	var found []packed
	for i := range w.perms {
		if q := w.packed(i); !slices.Contains(found, q) {
			found = append(found, q)
		}
	}
	return len(found)
}
