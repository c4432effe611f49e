//go:build go1.25

package labgob

// encoded is the bytes of a message. Long strings are not copied there: nobody can write to a string, so that sender and
// receiver may share it.
type encoded struct {
	data   []byte
	shared []sharedString // in their order
}

// A sharedString belongs before data[at].
type sharedString struct {
	at   int
	text string
}

// minShared is the length in bytes from which on a string is shared. If it is a part of a longer one, whoever holds it keeps
// all of that from the garbage collector; copying a shorter one is cheap.
const minShared = 4 << 10

func (e encoded) length() int {
	n := len(e.data)
	for _, s := range e.shared {
		n += len(s.text)
	}
	return n
}

// whole returns all bytes, one after the other, as gob writes them.
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
