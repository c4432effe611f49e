//go:build go1.25

package record

import (
	"6.824/picture"
	"6.824/wire"
)

// What a server does not tell of itself is derived from what it sends. A server that sends AppendEntries leads. Requests and
// replies have terms and votes. The log is what the server sends as a leader and accepts as a follower. Nothing is derived
// from what others send to a server, since it may not have read it.

// becomeLocked records a server's state if it is new. leader is picture.NoLane if none is known.
func (c *Cluster) becomeLocked(lane, term int, role picture.Role, leader int) {
	s := c.servers[lane]
	if term > s.term {
		s.leader = picture.NoLane
	}
	if leader == picture.NoLane {
		leader = s.leader
	}
	if term == s.term && role == s.role && leader == s.leader {
		return
	}
	s.term, s.role, s.leader = term, role, leader
	c.rec.Add(picture.Event{Kind: picture.State, Lane: lane, Term: term, Role: role, Peer: leader})
}

// commitLocked records that a server knows that the entries up to index are committed.
func (c *Cluster) commitLocked(lane, index int) {
	if s := c.servers[lane]; index > s.commit {
		s.commit = index
		c.rec.Add(picture.Event{Kind: picture.Commit, Lane: lane, Index: index})
	}
}

// deriveSentLocked derives from a request what its sender has not told.
func (c *Cluster) deriveSentLocked(m *Message, args any) {
	s, q := c.servers[m.from], &m.request.Request
	if s.tells || q.Kind == wire.Other {
		return
	}
	c.unreadable(m.method, q)
	if q.Term < s.term { // or unread
		return
	}
	switch {
	case q.Kind == wire.PreVote || m.to == m.from:
	case q.Kind == wire.RequestVote:
		if q.Term > s.term || s.role != picture.Leader { // else a goroutine of the candidate is late
			c.becomeLocked(m.from, q.Term, picture.Candidate, picture.NoLane)
			s.votedFor, s.votedIn = m.from, q.Term
			c.from0 = c.from0 || q.LastIndex == -1
			if last := q.LastIndex; last >= 0 && !c.from0 {
				c.shortenLocked(m.from, last)
			}
		}
	default:
		c.becomeLocked(m.from, q.Term, picture.Leader, m.from)
		if entries, whole := c.entriesOf(args); whole {
			c.extendLocked(m.from, q, entries)
		}
		c.commitLocked(m.from, q.Commit)
	}
}

// deriveHandledLocked derives from a reply what its sender has not told.
func (c *Cluster) deriveHandledLocked(m *Message, accepted bool) {
	s, q, r := c.servers[m.to], &m.request.Request, &m.reply.Reply
	if s.tells || q.Kind == wire.Other || q.Kind == wire.PreVote || q.Term == wire.Unread || m.to == m.from {
		return
	}
	switch {
	case r.Term > q.Term && r.Term > s.term:
		c.becomeLocked(m.to, r.Term, picture.NoRole, picture.NoLane)
	case r.Term > q.Term || q.Term < s.term:
	case q.Kind == wire.RequestVote:
		if role := s.role; q.Term > s.term || accepted && role != picture.Leader {
			c.becomeLocked(m.to, q.Term, picture.Follower, picture.NoLane)
		}
		if accepted {
			s.votedFor, s.votedIn = m.from, q.Term
		}
	default:
		c.becomeLocked(m.to, q.Term, picture.Follower, m.from)
		c.deriveLogLocked(m, accepted)
	}
}

// deriveLogLocked derives what a follower has after it has handled a message from the leader of its term.
func (c *Cluster) deriveLogLocked(m *Message, accepted bool) {
	s, q := c.servers[m.to], &m.request.Request
	switch term, has := s.log.term(q.PrevIndex); {
	case !accepted && has && term == q.PrevTerm && q.PrevIndex > s.commit: // it has lost that entry
		c.shortenLocked(m.to, q.PrevIndex-1)
	case !accepted:
	case q.Kind == wire.InstallSnapshot:
		if q.LastIndex > max(s.commit, s.log.base) {
			s.log.drop(q.LastIndex, known(q.LastTerm))
			c.rec.Add(picture.Event{Kind: picture.Snapshot, Lane: m.to, Index: q.LastIndex, Term: known(q.LastTerm), Text: "the leader's"})
			c.commitLocked(m.to, q.LastIndex)
		}
	default:
		if m.whole {
			c.extendLocked(m.to, q, m.entries)
		}
		if q.PrevIndex != wire.Unread && q.Count != wire.Unread {
			c.commitLocked(m.to, min(q.Commit, q.PrevIndex+q.Count))
		}
	}
}

// entriesOf returns the entries of AppendEntries, if all of them can be read.
func (c *Cluster) entriesOf(args any) (entries []picture.Entry, whole bool) {
	all, whole := c.readings.entries(args)
	for _, e := range all {
		entries = append(entries, picture.Entry{Term: e.Term, Text: value(e.Command, maxValue)})
	}
	return entries, whole
}

// extendLocked records the entries that q brings to a server's log. Those that it has already, and what follows them, stay
// (AppendEntries rules 3 and 4).
func (c *Cluster) extendLocked(lane int, q *wire.Request, entries []picture.Entry) {
	l := &c.servers[lane].log
	first := q.PrevIndex + 1
	if q.PrevIndex == wire.Unread || q.PrevIndex < 0 {
		return
	}
	for len(entries) > 0 {
		if term, has := l.term(first); first > l.base && (!has || term != entries[0].Term) {
			break
		}
		first, entries = first+1, entries[1:]
	}
	if len(entries) == 0 {
		return
	}
	l.replace(first, entries)
	c.rec.Add(picture.Event{Kind: picture.Log, Lane: lane, Index: first, Entries: entries})
	c.rec.Note("The log of a server is known only from what it has sent as a leader and accepted as a follower.")
}

// shortenLocked records that a server's log ends at the latest with the entry at last.
func (c *Cluster) shortenLocked(lane, last int) {
	if l := &c.servers[lane].log; last >= l.base && last < l.last() {
		l.replace(last+1, nil)
		c.rec.Add(picture.Event{Kind: picture.Log, Lane: lane, Index: last + 1})
	}
}

// restoreLocked records what was derived of a server before it started again, unless the server tells what it has restored.
func (c *Cluster) restoreLocked(lane int) {
	s := c.servers[lane]
	if s.tells || s.life == 1 {
		s.log = log{}
		return
	}
	if s.term > 0 {
		c.rec.Add(picture.Event{Kind: picture.State, Lane: lane, Term: s.term, Peer: picture.NoLane})
	}
	if s.log.base > 0 {
		c.rec.Add(picture.Event{Kind: picture.Snapshot, Lane: lane, Index: s.log.base, Term: s.log.baseTerm, Text: "known from before the crash"})
	}
	if len(s.log.entries) > 0 {
		entries := append([]picture.Entry(nil), s.log.entries...)
		c.rec.Add(picture.Event{Kind: picture.Log, Lane: lane, Index: s.log.base + 1, Entries: entries})
	}
	c.rec.Note("A server that has started again is shown with what it had sent or accepted before the crash.")
}

// unreadable notes what cannot be told because a message has unusual fields.
func (c *Cluster) unreadable(method string, q *wire.Request) {
	if q.Term == wire.Unread {
		c.rec.Note("The arguments of " + method + " have no field that looks like a term.")
	}
	if q.Kind == wire.AppendEntries && q.PrevIndex == wire.Unread {
		c.rec.Note("The arguments of " + method + " have no field that looks like the index of the entry before the new ones.")
	}
}
