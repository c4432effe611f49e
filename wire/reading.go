//go:build go1.25

package wire

import (
	"math"
	"reflect"
)

// A Reader reads the arguments and replies of RPCs as a Checker does, for other programs. One goroutine at a time may use
// it. NewReader makes one.
type Reader struct{ read reader }

// NewReader returns a Reader.
func NewReader() Reader { return Reader{reader{}} }

// A Kind is one of the RPCs that a Reader knows, by the name of its method.
type Kind int

const (
	Other           = Kind(unknown)
	RequestVote     = Kind(vote)
	AppendEntries   = Kind(appendEntries)
	Heartbeat       = Kind(heartbeat) // an RPC of its own for AppendEntries without entries
	InstallSnapshot = Kind(snapshot)
	PreVote         = Kind(preVote)
)

// Unread stands for a number that could not be read.
const Unread = math.MinInt

// A Request is what could be read of arguments.
type Request struct {
	Kind                Kind
	Term                int
	Sender              int // CandidateId or LeaderId
	LastIndex, LastTerm int // the last entry of a candidate's log, or of a snapshot
	PrevIndex, PrevTerm int // of AppendEntries, as the rest
	Commit              int
	Count               int // of the entries
}

// A Reply is what could be read of a reply.
type Reply struct {
	Term                        int
	Accepted                    bool // the vote is granted, or the entries or the snapshot are accepted
	Answered                    bool // Accepted could be read
	ConflictIndex, ConflictTerm int  // of a reply to AppendEntries, as the end of §5.3 describes
}

// An Entry is one of AppendEntriesArgs.Entries.
type Entry struct {
	Term    int
	Command any
}

func (n number) int() int {
	if !n.ok {
		return Unread
	}
	return n.n
}

// Request reads arguments. If they are none that it knows, the Kind is Other, and nothing else is read.
func (r Reader) Request(svcMeth string, args any) Request {
	m := r.read.message(kindOf(svcMeth), args)
	if m == nil {
		return Request{Kind: Other}
	}
	v := indirect(reflect.ValueOf(args))
	sender, entries := fLeader, r.read.find(v, fEntries)
	if m.kind == vote || m.kind == preVote {
		sender = fCandidate
	}
	q := Request{
		Kind: Kind(m.kind), Term: m.term.int(), Sender: r.read.number(v, sender).int(),
		LastIndex: m.lastIndex.int(), LastTerm: m.lastTerm.int(),
		PrevIndex: m.prevIndex.int(), PrevTerm: m.prevTerm.int(), Commit: m.commit.int(), Count: Unread,
	}
	switch {
	case m.kind == snapshot:
		q.LastIndex, q.LastTerm = m.snapIndex.int(), r.read.number(v, fSnapTerm).int()
	case m.kind == heartbeat && !entries.IsValid():
		q.Count = 0
	case entries.Kind() == reflect.Slice:
		q.Count = entries.Len()
	}
	return q
}

// Entries reads the entries of AppendEntries. It reports whether all terms could be read.
func (r Reader) Entries(args any) (entries []Entry, ok bool) {
	v := r.read.find(indirect(reflect.ValueOf(args)), fEntries)
	if v.Kind() != reflect.Slice || v.Len() > maxEntries {
		return nil, false
	}
	for k := range v.Len() {
		e := indirect(v.Index(k))
		term := r.read.number(e, fTerm)
		if !term.ok {
			return nil, false
		}
		entry := Entry{Term: term.n}
		if command := r.read.find(e, fCommand); command.IsValid() {
			entry.Command = command.Interface()
		}
		entries = append(entries, entry)
	}
	return entries, true
}

// Reply reads the reply to a request.
func (r Reader) Reply(k Kind, reply any) Reply {
	v := indirect(reflect.ValueOf(reply))
	f := fSuccess
	if k == RequestVote || k == PreVote {
		f = fGranted
	}
	accepted := r.read.truth(v, f)
	return Reply{
		r.read.number(v, fTerm).int(), accepted.yes, accepted.ok,
		r.read.number(v, fConflictIndex).int(), r.read.number(v, fConflictTerm).int(),
	}
}
