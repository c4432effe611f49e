//go:build go1.25

package record

import "6.824/picture"

// A log is what is known of a server's log.
type log struct {
	base, baseTerm int             // of the last entry before the known ones
	entries        []picture.Entry // from base+1 on
}

func (l *log) last() int { return l.base + len(l.entries) }

func (l *log) lastTerm() int {
	if len(l.entries) == 0 {
		return l.baseTerm
	}
	return l.entries[len(l.entries)-1].Term
}

// term returns the term of an entry.
func (l *log) term(index int) (term int, known bool) {
	switch {
	case index == l.base:
		return l.baseTerm, true
	case index < l.base || index > l.last():
		return 0, false
	}
	return l.entries[index-l.base-1].Term, true
}

// maxKnown bounds the entries that are remembered.
const maxKnown = 1 << 14

// replace replaces the entries from index first on. Entries are counted from 1.
func (l *log) replace(first int, entries []picture.Entry) {
	first = max(first, 1)
	if first <= l.base || first > l.last()+1 {
		*l = log{base: max(first-1, 0)}
	}
	l.entries = append(l.entries[:first-l.base-1], entries...)
	if extra := len(l.entries) - maxKnown; extra > 0 {
		l.drop(l.base+extra+maxKnown/2, 0)
	}
}

// drop forgets the entries up to index, which has this term unless it is known already.
func (l *log) drop(index, term int) {
	if known, ok := l.term(index); ok {
		term = known
	}
	switch {
	case index < l.base:
	case index >= l.last():
		*l = log{base: index, baseTerm: term}
	default:
		l.entries = append([]picture.Entry(nil), l.entries[index-l.base:]...)
		l.base, l.baseTerm = index, term
	}
}
