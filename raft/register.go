//go:build go1.25

package raft

import "fmt"

// undecodable says what it means that this process cannot decode an entry: other servers could, so it lacks a registration.
func (rf *Raft) undecodable(index int, data []byte, err error) string {
	return fmt.Sprintf("raft: server %d cannot decode the command at index %d, of %s: %v. Nothing is lost: the entry is in the log and on disk. "+
		"Register the type with labgob.Register in this process, as on the server that accepted the command, and start this server again.",
		rf.me, index, rf.definitions.typeOf(data), err)
}

// typeOf tells by what name the type of an encoded command is registered.
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

// nameInStream returns the name of the type in a gob stream that begins with a value in an interface, or "". Such a message is
// its length, the type id of interfaces, a zero, the length of the name, the name, and the value.
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

// readGobUint returns the first number of b and what follows: one byte up to 127, else the negated count of the bytes to come.
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
