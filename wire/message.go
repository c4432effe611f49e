//go:build go1.25

package wire

import "reflect"

// A message is the arguments of an RPC. Fields that cannot be read are not ok.
type message struct {
	kind kind
	term number

	lastIndex, lastTerm number // RequestVote

	prevIndex, prevTerm, commit number // AppendEntries
	last                        number // index of the last new entry, or prevIndex if there is none
	lastNewTerm                 number // its term, if there is one
	entries                     []entry

	snapIndex number // InstallSnapshot
}

// An entry is one of AppendEntriesArgs.Entries.
type entry struct {
	term    number
	command uint64 // hash
	hashed  bool   // there is a command
}

// An answer is the reply to an RPC.
type answer struct {
	term             number
	granted, success truth
}

// maxEntries bounds the entries that are read of a message.
const maxEntries = 1 << 20

// readMessage reads arguments without their entries, which a sender may share with its log. It returns nil if args are no
// message of the paper.
func (c *Checker) readMessage(k kind, args any) *message {
	if m := c.read.message(k, args); m != nil && m.kind != preVote {
		return m
	}
	return nil
}

// message is readMessage, but also reads a PreVote.
func (r reader) message(k kind, args any) *message {
	v := indirect(reflect.ValueOf(args))
	if k == unknown || !v.IsValid() {
		return nil
	}
	if r.find(v, fSuccess).IsValid() || r.find(v, fGranted).IsValid() {
		return nil // an answer that is sent as a request
	}
	if r.truth(v, fPreVote).yes {
		k = preVote
	}
	m := &message{kind: k, term: r.number(v, fTerm)}
	switch k {
	case vote, preVote:
		m.lastIndex, m.lastTerm = r.number(v, fLastLogIndex), r.number(v, fLastLogTerm)
	case appendEntries, heartbeat:
		m.prevIndex, m.prevTerm = r.number(v, fPrevIndex), r.number(v, fPrevTerm)
		m.commit = r.number(v, fCommit)
	case snapshot:
		m.snapIndex = r.number(v, fSnapIndex)
	}
	return m
}

// readEntries reads the entries of an AppendEntries.
func (c *Checker) readEntries(m *message, args any) {
	v := c.read.find(indirect(reflect.ValueOf(args)), fEntries)
	switch {
	case m.kind == heartbeat && !v.IsValid():
		m.last = m.prevIndex
		return
	case m.kind != appendEntries || v.Kind() != reflect.Slice:
		return
	case v.Len() == 0:
		m.last = m.prevIndex
		return
	case v.Len() > maxEntries:
		return
	}
	for k := range v.Len() {
		e := indirect(v.Index(k))
		if !e.IsValid() {
			m.entries = nil
			return
		}
		read := entry{term: c.read.number(e, fTerm)}
		if command := c.read.find(e, fCommand); command.IsValid() {
			read.command, read.hashed = c.hash(command), true
		}
		if index := c.read.number(e, fIndex); index.ok && m.prevIndex.ok && index.n != m.prevIndex.n+1+k {
			c.turnOff("the entries' Index is not PrevLogIndex + 1, + 2, …", logRules...)
		}
		m.entries = append(m.entries, read)
	}
	m.last = number{m.prevIndex.n + len(m.entries), m.prevIndex.ok}
	m.lastNewTerm = m.entries[len(m.entries)-1].term
}

func (c *Checker) readAnswer(reply any) answer {
	v := indirect(reflect.ValueOf(reply))
	return answer{c.read.number(v, fTerm), c.read.truth(v, fGranted), c.read.truth(v, fSuccess)}
}
