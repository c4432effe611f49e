package engine

import (
	"bytes"
	"maps"
	"reflect"
	"strings"
	"testing"

	"6.824/kvraft/rsm"
	"6.824/labgob"
	"go.etcd.io/raft/v3/raftpb"
)

type testOp struct {
	Key   string
	Value int
}

func TestCommand(t *testing.T) {
	labgob.Register(testOp{})
	for _, want := range []any{"", "text", 0, -1, 1 << 30, []byte{}, []byte("bytes"), testOp{"k", 3}, rsm.Op{Boot: -1 << 60, Number: 7, Request: "request"}} {
		data, err := encodeCommand(want)
		if err != nil {
			t.Fatal(err)
		}
		if !isCommand(&raftpb.Entry{Data: data}) {
			t.Errorf("%#v is encoded as an entry that is no command", want)
		}
		if got, err := decodeCommand(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v became %#v, error %v", want, got, err)
		}
	}
	for _, e := range []*raftpb.Entry{{}, {Data: []byte{}}, {Type: raftpb.EntryConfChangeV2.Enum(), Data: []byte("s")}} {
		if isCommand(e) {
			t.Errorf("%v counts as a command", e)
		}
	}
}

func TestCommand_refused(t *testing.T) {
	for name, command := range map[string]any{"nil": nil, "too long": strings.Repeat("x", maxCommand), "not registered": struct{ A int }{1}} {
		if _, err := encodeCommand(command); err == nil {
			t.Errorf("%s: it was encoded", name)
		}
	}
	for _, data := range []string{"", "i", "i\xff", "i\x02\x02", "o", "o\x02", "o\xff\xff", "g", "gxxx", "\x00", "x"} {
		if command, err := decodeCommand([]byte(data)); err == nil {
			t.Errorf("%q was decoded as %v", data, command)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, want := range []header{
		{addresses: map[uint64]string{}},
		{commands: 1 << 30, service: true, addresses: map[uint64]string{1: "a:1", 1 << 50: strings.Repeat("b", 500)}},
	} {
		data := append(want.encode(), "service's"...)
		got, rest, err := decodeHeader(data)
		if err != nil || got.commands != want.commands || got.service != want.service || !maps.Equal(got.addresses, want.addresses) {
			t.Errorf("%v became %v, error %v", want, got, err)
		}
		if string(rest) != "service's" {
			t.Errorf("the service's data became %q", rest)
		}
		for n := range len(want.encode()) {
			if _, _, err := decodeHeader(data[:n]); err == nil {
				t.Errorf("the first %d bytes of a header were decoded", n)
			}
		}
	}
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add(header{commands: 3, addresses: map[uint64]string{1: "a:1"}}.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		h, rest, err := decodeHeader(data)
		if err != nil {
			return
		}
		again, rest2, err := decodeHeader(append(h.encode(), rest...))
		if err != nil || again.commands != h.commands || !maps.Equal(again.addresses, h.addresses) || !bytes.Equal(rest, rest2) {
			t.Fatalf("%v became %v, error %v", h, again, err)
		}
	})
}

func TestMark(t *testing.T) {
	m := mark{term: 5, vote: 2, last: 100, snapshot: 50}
	got, err := decodeMark(m.encode())
	if err != nil || got != m {
		t.Errorf("%v became %v, error %v", m, got, err)
	}
	for k := range markSize {
		b := m.encode()
		b[k] ^= 4
		if _, err := decodeMark(b); err == nil {
			t.Errorf("a mark with a damaged byte %d was accepted", k)
		}
	}
	for _, test := range []struct {
		name  string
		found mark
		ok    bool
	}{
		{"the same", m, true},
		{"more entries", mark{5, 2, 101, 50}, true},
		{"newer snapshot", mark{5, 2, 100, 99}, true},
		{"later term, another vote", mark{6, 0, 100, 50}, true},
		{"an entry less", mark{5, 2, 99, 50}, false},
		{"older snapshot", mark{5, 2, 100, 49}, false},
		{"earlier term", mark{4, 2, 100, 50}, false},
		{"no vote", mark{5, 0, 100, 50}, false},
		{"another vote", mark{5, 3, 100, 50}, false},
	} {
		if err := m.check(test.found); (err == nil) != test.ok {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}
