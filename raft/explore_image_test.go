package raft

// A server's state as plain values, which the explorer stores, compares and renames, and from which it starts servers.

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// An image is the part of a server's state that decides what it can do next. It lacks fields that are computed from
// others or affect only speed or timing; explore_fields_test.go lists them with reasons.
type image struct {
	me, term, vote int
	role           Role
	leader         int
	base, baseTerm int
	log            string // the records after base
	snapshot       imageSnapshot
	commit         int
	lastApplied    int

	accepted  []imageCommand // its own commands that are not handed over yet
	proposals imageProposals
	campaign  imageCampaign
	followers []imageFollower // by peer; zero for servers that do not lead
	calls     []imageCall     // calls that have not ended

	reordered []imageReordered
	portion   imagePortion
	tickets   string
	service   string
	acked     int // in the current term
	read      imageRead
}

type imageSnapshot struct {
	index, term int
	data        string
}

type imageCommand struct{ index, command int }

type imageProposals struct {
	term, next   int
	leading      bool
	queue, spare string // records
	commands     []int  // of the queue
}

type imageCampaign struct {
	on, preVote      bool
	granted, refused uint8
}

// An imageRead is the call of ReadIndex that waits. Of the rounds it only matters whether a message, or what a follower has
// answered, belongs to the round of the call or to an earlier one.
type imageRead struct {
	waits        bool
	floor, index int
}

// nextIndex and probing are not in the image, because each step that sends chooses the nextIndex.
type imageFollower struct {
	match   int
	inRound bool // it has answered the round for which a read waits
}

// An open call was given up by its sender. It may still be answered at any time, and delays nothing.
type imageCall struct {
	peer        int
	message     *wire
	match, last int
	overtaken   bool // a call that was sent later has been answered
	inRound     bool // it belongs to the round for which a read waits
}

type imageReordered struct {
	prev, prevTerm int
	records        string
}

type imagePortion struct {
	holds    bool
	last     int
	snapshot imageSnapshot
	first    int
	records  string
	commands []int
}

func bitsOf(bools []bool) (bits uint8) {
	for i, b := range bools {
		if b {
			bits |= 1 << i
		}
	}
	return bits
}

func boolsOf(bits uint8, n int) []bool {
	bools := make([]bool, n)
	for i := range bools {
		bools[i] = bits>>i&1 == 1
	}
	return bools
}

func recordsText(b batch) string {
	var s strings.Builder
	for k := range b {
		s.Write(b[k].records())
	}
	return s.String()
}

// segmentFrom decodes records.
func segmentFrom(first int, records string) segment {
	s := segment{first: first, memory: []byte(records)}
	for rest := s.memory; len(rest) > 0; {
		_, _, next, err := readRecord(rest)
		if err != nil {
			panic(err)
		}
		rest = next
		s.ends = append(s.ends, uint32(len(s.memory)-len(rest)))
	}
	return s
}

func commandOf(c any) int {
	n, _ := c.(int)
	return n
}

// image returns the server's state.
func (s *drivenServer) image(intern func(*wire) *wire) *image {
	rf, ps := s.rf, &s.rf.proposals
	m := &image{
		me: rf.me, term: rf.currentTerm, vote: rf.votedFor, role: rf.role, leader: rf.leader,
		base: rf.log.base, baseTerm: rf.log.baseTerm,
		log:      recordsText(rf.log.segments),
		snapshot: imageSnapshot{rf.snapshot.index, rf.snapshot.term, string(rf.snapshot.data)},
		commit:   rf.commitIndex, lastApplied: rf.lastApplied,
		proposals: imageProposals{
			term: ps.term, leading: ps.leading.Load(),
			queue: string(ps.queue.records()), spare: string(rf.spare.records()),
		},
		service: string(s.service),
		portion: s.imagePortion(),
	}
	if ps.term > 0 {
		m.proposals.next = ps.next
	}
	for _, c := range ps.queue.commands {
		m.proposals.commands = append(m.proposals.commands, commandOf(c))
	}
	for _, term := range s.tickets {
		m.tickets += string(rune(term))
	}
	a := &rf.log.accepted
	for index := a.first; index < a.first+a.length(); index++ {
		if command := a.at(index); command != nil {
			m.accepted = append(m.accepted, imageCommand{index, commandOf(command)})
		}
	}
	if c := &rf.campaign; c.granted != nil {
		m.campaign = imageCampaign{true, c.preVote, bitsOf(c.granted), bitsOf(c.refused)}
	}
	for _, b := range rf.reordered.kept {
		m.reordered = append(m.reordered, imageReordered{b.prev, b.prevTerm, recordsText(b.entries)})
	}
	slices.SortFunc(m.reordered, func(a, b imageReordered) int {
		return cmp.Or(cmp.Compare(a.prev, b.prev), cmp.Compare(a.prevTerm, b.prevTerm), strings.Compare(a.records, b.records))
	})
	if s.acked.term == rf.currentTerm {
		m.acked = s.acked.index
	}
	if waiting := rf.reads.waiting; len(waiting) > 0 {
		m.read = imageRead{true, s.floor, waiting[0].index}
	}
	s.imageFollowers(m, intern)
	return m
}

func (s *drivenServer) imagePortion() (p imagePortion) {
	if t := &s.portion; s.holds {
		p = imagePortion{true, t.last, imageSnapshot{t.snapshot.index, t.snapshot.term, string(t.snapshot.data)}, 0, recordsText(t.entries), nil}
		for _, c := range t.commands {
			p.commands = append(p.commands, commandOf(c))
		}
		if len(t.entries) > 0 {
			p.first = t.entries[0].first
		}
	}
	return p
}

func (s *drivenServer) imageFollowers(m *image, intern func(*wire) *wire) {
	rf := s.rf
	m.followers = make([]imageFollower, s.n)
	for peer, f := range rf.followers {
		if f == nil || rf.role != Leader {
			continue
		}
		m.followers[peer] = imageFollower{f.matchIndex, s.inRound(f.roundAcked)}
	}
	for _, o := range s.open {
		c := imageCall{o.peer, intern(o.message), o.call.match, o.call.last, false, s.inRound(o.call.round)}
		if rf.role == Leader && o.call.term() == rf.currentTerm {
			c.overtaken = o.call.sentAt.Before(rf.followers[o.peer].answeredSentAt)
		}
		m.calls = append(m.calls, c)
	}
}

// inRound reports whether a read waits for this round or an earlier one.
func (s *drivenServer) inRound(round int) bool {
	waiting := s.rf.reads.waiting
	return len(waiting) > 0 && round >= waiting[0].round
}

// load returns a server in the state of an image.
func (m *image) load(n int, lag bool, opts []Option) *drivenServer {
	s := newDrivenServer(n, m.me, MakePersister(), lag, opts)
	rf := s.rf
	rf.currentTerm, rf.votedFor, rf.role, rf.leader = m.term, m.vote, m.role, m.leader
	rf.events.term = m.term
	rf.log.reset(m.base, m.baseTerm)
	rf.log.append(nil, segmentFrom(m.base+1, m.log), false)
	rf.snapshot = newSnapshot(m.snapshot.index, m.snapshot.term, []byte(m.snapshot.data))
	if m.term > 0 || m.vote != nobody {
		rf.saveAllLocked(true)
	}
	rf.commitIndex, rf.lastApplied = m.commit, m.lastApplied
	rf.proposals.committed.Store(int64(m.commit))
	m.loadProposals(rf)
	if c := m.campaign; c.on {
		rf.campaign = campaign{granted: boolsOf(c.granted, n), refused: boolsOf(c.refused, n), preVote: c.preVote, startedAt: time.Now()}
	}
	for _, b := range m.reordered {
		rf.reordered.keep(b.prev, b.prevTerm, batch{segmentFrom(b.prev+1, b.records)}, nil)
	}
	m.loadFollowers(s)
	if m.read.waits {
		s.read, s.floor = &read{1, m.read.index, make(chan error, 1)}, m.read.floor
		rf.reads = reads{round: 1, waiting: []*read{s.read}}
	}
	if m.campaign.on {
		rf.requestVotesLocked()
	}
	for _, term := range m.tickets {
		s.tickets = append(s.tickets, int(term))
	}
	s.service = []byte(m.service)
	s.acked = entryID{m.acked, m.term}
	m.loadPortion(s)
	return s
}

func (m *image) loadProposals(rf *Raft) {
	ps := &rf.proposals
	if ps.term, ps.next = m.proposals.term, m.proposals.next; ps.term == 0 {
		ps.next = m.base + len(m.log) + 9 // stale on purpose; see follower.setStale
	}
	ps.leading.Store(m.proposals.leading)
	ps.queue.segment = segmentFrom(0, m.proposals.queue)
	rf.spare.segment = segmentFrom(0, m.proposals.spare)
	for _, c := range m.proposals.commands {
		ps.queue.commands = append(ps.queue.commands, c)
	}
	for _, c := range m.accepted {
		rf.log.accepted.add(c.index, []any{c.command})
	}
}

func (m *image) loadFollowers(s *drivenServer) {
	leads := m.role == Leader
	for peer, f := range s.rf.followers {
		switch {
		case f == nil:
		case leads:
			f.nextIndex, f.matchIndex = s.rf.log.lastIndex()+1, m.followers[peer].match
			f.answeredSentAt = time.Now().Add(-time.Minute)
			f.roundAcked = oneIf(m.followers[peer].inRound)
		default:
			f.setStale(s.rf.log.lastIndex())
		}
	}
	for k, i := range m.calls {
		f := s.rf.followers[i.peer]
		c := &call{message: i.message.message, first: 1, match: i.match, last: i.last, round: oneIf(i.inRound)}
		if m, ok := c.message.(*AppendEntriesArgs); ok {
			for _, records := range m.Entries {
				c.bytes += len(records)
			}
		}
		c.sentAt = f.answeredSentAt.Add(time.Duration(k+1) * time.Millisecond)
		if i.overtaken {
			c.sentAt = f.answeredSentAt.Add(time.Duration(k-len(m.calls)) * time.Millisecond)
		}
		s.open = append(s.open, openCall{i.peer, c, i.message})
	}
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// setStale sets f to values from an earlier term. An elected server must reset them all ("reinitialized after
// election", Figure 2), so only images of leaders have them.
func (f *follower) setStale(last int) {
	f.nextIndex, f.matchIndex, f.failures, f.commitSent, f.commitAcked = last+1, last, maxFailures, last, last
	f.probing, f.heartbeatDue, f.commitDue, f.caughtUp, f.missingIndex, f.backlogFull, f.entries = true, false, true, true, 1, true, 1
	f.roundAcked = 9
	f.calls = []*call{{message: new(AppendEntriesArgs), last: last}}
	f.snapshotCall = f.calls[0]
}

func (m *image) loadPortion(s *drivenServer) {
	p := m.portion
	if s.holds = p.holds; !p.holds {
		return
	}
	t := toApply{last: p.last, snapshot: newSnapshot(p.snapshot.index, p.snapshot.term, []byte(p.snapshot.data))}
	if p.records != "" {
		t.entries = batch{segmentFrom(p.first, p.records)}
	}
	for _, c := range p.commands {
		if t.commands = append(t.commands, any(c)); c == 0 {
			t.commands[len(t.commands)-1] = nil
		}
	}
	s.portion = t
}

// key returns the image as bytes. Two keys are equal only if the images are.
func (m *image) key() string {
	b := make([]byte, 0, 160)
	num := func(ns ...int) {
		for _, n := range ns {
			b = binary.AppendVarint(b, int64(n))
		}
	}
	text := func(ts ...string) {
		for _, t := range ts {
			num(len(t))
			b = append(b, t...)
		}
	}
	bit := func(bs ...bool) {
		for i := 0; i < len(bs); i += 8 {
			b = append(b, bitsOf(bs[i:min(i+8, len(bs))]))
		}
	}
	num(m.me, m.term, m.vote, int(m.role), m.leader, m.base, m.baseTerm, m.commit, m.lastApplied, m.acked)
	num(m.snapshot.index, m.snapshot.term, m.proposals.term, m.proposals.next)
	text(m.log, m.snapshot.data, m.proposals.queue, m.proposals.spare, m.tickets, m.service)
	bit(m.proposals.leading, m.campaign.on, m.campaign.preVote, m.read.waits)
	num(m.read.floor, m.read.index)
	num(len(m.accepted))
	for _, c := range m.accepted {
		num(c.index, c.command)
	}
	num(len(m.proposals.commands))
	num(m.proposals.commands...)
	b = append(b, m.campaign.granted, m.campaign.refused)
	if m.role == Leader {
		for peer, f := range m.followers {
			if peer != m.me {
				num(f.match)
				bit(f.inRound)
			}
		}
	}
	num(len(m.reordered))
	for _, b := range m.reordered {
		num(b.prev, b.prevTerm)
		text(b.records)
	}
	num(len(m.calls))
	for _, c := range m.calls {
		num(c.peer, c.message.id, c.match, c.last)
		bit(c.overtaken, c.inRound)
	}
	if p := &m.portion; p.holds {
		num(p.last, p.snapshot.index, p.snapshot.term, p.first)
		text(p.snapshot.data, p.records)
		num(p.commands...)
	}
	return string(b)
}

func idOf(w *wire) int {
	if w == nil {
		return 0
	}
	return w.id
}
