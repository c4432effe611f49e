//go:build go1.25

package wire

import (
	"fmt"
	"reflect"
)

// A rule is one of the paper's, in the words for its violation.
type rule string

const (
	twoLeaders  rule = "two leaders in one term (§5.2, election safety)"
	unelected   rule = "a leader without a majority of votes (§5.2)"
	termBack    rule = "a term that goes back (Figure 2, §5.1)"
	twoVotes    rule = "two votes of one server in one term (§5.2, §5.4)"
	refused     rule = "a vote refused without a reason (Figure 2, RequestVote rule 2)"
	restriction rule = "a vote for a candidate whose log is behind (§5.4.1, election restriction)"
	takenBack   rule = "an acknowledgement that is taken back (§5.3; Figure 2, persistent state)"
	unheld      rule = "a commit that no majority holds (§5.3)"
	figure8     rule = "an entry of an earlier term committed by counting (§5.4.2, Figure 8)"
	matching    rule = "logs that do not match (§5.3, log matching)"
	appendOnly  rule = "a leader that changes its log (§5.3, leader append-only)"
	incomplete  rule = "a leader that lacks a committed entry (§5.4, leader completeness)"
)

var (
	voteRules   = []rule{unelected, twoVotes, refused, restriction, incomplete}
	logRules    = []rule{restriction, takenBack, unheld, figure8, matching, appendOnly}
	commitRules = []rule{unheld, figure8, incomplete}
	ackRules    = []rule{restriction, takenBack, unheld, figure8}
)

// A signature is a type of arguments or replies of a method.
type signature struct {
	method string
	reflect.Type
}

// isNew reports whether v is the first of its type for the method.
func (c *Checker) isNew(method string, v any) bool {
	s := signature{method, reflect.TypeOf(v)}
	if s.Type == nil || c.checked[s] {
		return false
	}
	c.checked[s] = true
	return true
}

// require turns rules off if a field was not read.
func (c *Checker) require(ok bool, method string, v any, f field, rules ...rule) {
	if !ok {
		c.turnOff(fmt.Sprintf("%s: no usable field %s in %T", method, f, v), rules...)
	}
}

// requireArgs turns off the rules that need what cannot be read of a message.
func (c *Checker) requireArgs(method string, m *message, args any) {
	if m.kind == appendEntries { // the entries' own fields are seen with the first entry only
		c.require(m.last.ok || !m.prevIndex.ok, method, args, fEntries, logRules...)
		for _, e := range m.entries {
			c.require(e.term.ok, method+", Entries[]", args, fTerm, restriction, figure8, matching, appendOnly)
			c.require(e.hashed, method+", Entries[]", args, fCommand, matching)
		}
	}
	if !c.isNew(method, args) {
		return
	}
	switch m.kind {
	case vote:
		c.require(m.term.ok, method, args, fTerm, voteRules...)
		c.require(m.lastIndex.ok, method, args, fLastLogIndex, refused, restriction, incomplete)
		c.require(m.lastTerm.ok, method, args, fLastLogTerm, refused, restriction)
	case appendEntries:
		c.require(m.term.ok, method, args, fTerm, append([]rule{twoLeaders, unelected, refused}, logRules...)...)
		c.require(m.prevIndex.ok, method, args, fPrevIndex, logRules...)
		c.require(m.prevTerm.ok, method, args, fPrevTerm, figure8)
		c.require(m.commit.ok, method, args, fCommit, commitRules...)
	}
}

// requireReply turns off the rules that need what cannot be read of a reply.
func (c *Checker) requireReply(method string, k kind, a answer, reply any) {
	if !c.isNew(method, reply) {
		return
	}
	switch k {
	case vote:
		c.require(a.term.ok, method, reply, fTerm, termBack)
		c.require(a.granted.ok, method, reply, fGranted, voteRules...)
	case appendEntries:
		c.require(a.term.ok, method, reply, fTerm, termBack)
		c.require(a.success.ok, method, reply, fSuccess, ackRules...)
	}
}

// describe names the RPC for a message.
func (m *message) describe() string {
	return [...]string{"", "RequestVote", "AppendEntries", "a heartbeat", "InstallSnapshot"}[m.kind]
}
