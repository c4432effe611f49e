//go:build go1.25

package labgob

// encoded holds the bytes of a message. Long strings are not copied into data. Sender and receiver share them, which is
// safe because strings are immutable.
type encoded struct {
	data   []byte
	shared []sharedString // in the order of the message
}

// A sharedString is a string that the message has before data[at].
type sharedString struct {
	at   int
	text string
}

// minShared is the length in bytes from which on a string is shared. A shared string may be part of a longer one and then
// keeps all of that in memory; shorter strings are cheap to copy.
const minShared = 4 << 10

// length returns the size of the message in bytes, shared strings included.
func (e encoded) length() int {
	n := len(e.data)
	for _, s := range e.shared {
		n += len(s.text)
	}
	return n
}

// whole returns the message as gob writes it, with the shared strings copied into it.
func (e encoded) whole() []byte {
	if len(e.shared) == 0 {
		return e.data
	}
	all, from := make([]byte, 0, e.length()), 0
	for _, s := range e.shared {
		all = append(append(all, e.data[from:s.at]...), s.text...)
		from = s.at
	}
	return append(all, e.data[from:]...)
}
