//go:build go1.25

package picture

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The lengths, in bytes, to which texts are cut.
const (
	maxName   = 120
	maxText   = 400
	maxDetail = 4000
	maxEntry  = 80
)

// cut returns text, or a copy of its beginning with its length if it is longer than limit.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > limit-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + fmt.Sprintf("… (%d bytes)", len(text))
}

// bound cuts the texts of an event, so that the memory of long ones becomes free.
func (e *Event) bound() {
	e.Name, e.Text, e.Detail = cut(e.Name, maxName), cut(e.Text, maxText), cut(e.Detail, maxDetail)
	for k := range e.Entries {
		if len(e.Entries[k].Text) > maxEntry {
			e.Entries = cutEntries(e.Entries)
			return
		}
	}
}

// cutEntries returns a copy, since others may read entries.
func cutEntries(entries []Entry) []Entry {
	all := make([]Entry, len(entries))
	for k, e := range entries {
		all[k] = Entry{e.Term, cut(e.Text, maxEntry)}
	}
	return all
}

// A logged entry may get its text later.
type logged struct {
	Entry
	words func(k int) string // nil if Text is its text
	k     int
}

// appendTo appends the entries of an event to a log.
func (e *Event) appendTo(log []logged) []logged {
	for k, entry := range e.Entries {
		log = append(log, logged{entry, e.Words, k})
	}
	return log
}

// text returns the text of an entry.
func (l *logged) text() string {
	if l.words == nil {
		return l.Text
	}
	return cut(l.words(l.k), maxEntry)
}
