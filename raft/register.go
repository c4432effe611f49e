//go:build go1.25

package raft

import "fmt"

// undecodable returns the panic message for an entry that this process cannot decode. The server that accepted the
// command could encode it, so a registration is missing here.
func (rf *Raft) undecodable(index int, data []byte, err error) string {
	return fmt.Sprintf("raft: server %d cannot decode the command at index %d, of %s: %v. Nothing is lost: the entry is saved. "+
		"Call labgob.Register for the type in this process, as on the server that accepted the command, and restart this server.",
		rf.me, index, rf.definitions.typeOf(data), err)
}

// typeOf returns the registered name of the type of an encoded command, as text for a message.
func (ds *definitions) typeOf(data []byte) string {
	var stream []byte
	if key, ok := definitionKey(data); ok {
		stream = ds.get(key)
	} else if len(data) > 0 && data[0] == formStream {
		stream = data[1:]
	}
	if name := nameInStream(stream); name != "" {
		return fmt.Sprintf("type %q", name)
	}
	return "unknown type"
}

// nameInStream returns the name of the type in a gob stream that begins with a value in an interface, or "" if there is
// none. Such a stream begins with the length of the message, the type id of interfaces, a zero, the length of the name,
// and the name.
func nameInStream(stream []byte) string {
	const interfaceID = 8 << 1 // as gob writes an int
	_, b := readGobUint(stream)
	id, b := readGobUint(b)
	zero, b := readGobUint(b)
	length, b := readGobUint(b)
	if id != interfaceID || zero != 0 || length > uint64(len(b)) {
		return ""
	}
	return string(b[:length])
}

// readGobUint returns the first unsigned number of b and the bytes after it. gob writes a number up to 127 as one byte,
// and a larger one as the negated count of its bytes and the bytes.
func readGobUint(b []byte) (x uint64, rest []byte) {
	if len(b) == 0 {
		return 0, nil
	}
	if b[0] <= 127 {
		return uint64(b[0]), b[1:]
	}
	n := -int(int8(b[0]))
	if n > 8 || n > len(b)-1 {
		return 0, nil
	}
	for _, digit := range b[1 : 1+n] {
		x = x<<8 | uint64(digit)
	}
	return x, b[1+n:]
}
