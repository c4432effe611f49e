package raft

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// asElsewhere encodes the command like a process in which its type is registered by another name of the same length. It
// also returns the definition, if the command needs one.
func asElsewhere(t testing.TB, command any, name, other string) (data []byte, def definition) {
	t.Helper()
	data, c, err := encodeCommand(nil, command)
	if err != nil || len(name) != len(other) {
		t.Fatal(err, name, other)
	}
	if c != nil {
		def = definition(bytes.ReplaceAll(c.definition, []byte(name), []byte(other)))
		data = append(keyed(def), data[1+keySize:]...)
		return data, def
	}
	return bytes.ReplaceAll(data, []byte(name), []byte(other)), nil
}

func keyed(def definition) []byte {
	key := def.key()
	data := []byte{formValue}
	for shift := 56; shift >= 0; shift -= 8 {
		data = append(data, byte(key>>shift))
	}
	return data
}

// A follower accepts an entry whose type is registered only in another process. Handing it over panics with an
// explanation. After the type is registered, a restarted server hands it over.
func TestUnregisteredType(t *testing.T) {
	for _, c := range []struct {
		command     any
		name, other string
	}{
		{pointCommand{3, 4}, "raft.pointCommand", "main.pointCommand"},
		{boxCommand{"box", 5}, "raft.boxCommand", "main.boxCommand"},
	} {
		data, def := asElsewhere(t, c.command, c.name, c.other)
		rf := newFollower(t, 3, 1, from(1).terms(1))
		args := appendMsg(1, 1, 1, 2)
		args.carry(entry{term: 1, data: data})
		if def != nil {
			args.Definitions = [][]byte{def}
		}
		mustEqual(t, "the follower takes it", granted(deliver(t, rf, args)), true)
		rf.applyCh = make(chan ApplyMsg, 2)
		d, todo := newDecoder(&rf.definitions), toApply{}
		rf.waitToApply(&todo)
		wantPanic(t, func() { rf.apply(d, &todo) }, "server 0", "index 2", "of type", c.other+`"`, "Nothing is lost",
			"labgob.Register for the type in this process", "restart this server")
		verify(t, rf)
	}
}

// typeOf returns a name or "unknown type" for any bytes.
func TestTypeOfDamagedCommand(t *testing.T) {
	var known definitions
	for _, c := range manyCommands {
		data := encode(t, &known, c.command)
		named := c.form == formValue || c.form == formStream
		mustEqual(t, c.name, known.typeOf(data) != "unknown type", named)
		if c.form == formStream {
			for cut := range min(len(data), 100) {
				known.typeOf(data[:cut])
			}
		}
	}
	for _, stream := range []string{"", "\xff", "\x80", "\x05\x10\x00\xf7", "\x05\x10\x00\xff\xff", "\x05\x10\x01\x01a", "\x05\x12\x00\x01a"} {
		mustEqual(t, fmt.Sprintf("%q", stream), nameInStream([]byte(stream)), "")
	}
	long := strings.Repeat("x", 300)
	mustEqual(t, "a long name", nameInStream([]byte("\x05\x10\x00\xfe\x01\x2c"+long)), long)
}
