package kv

import (
	"bytes"
	"testing"
)

func TestStore(t *testing.T) {
	s := NewStore()
	do := func(o op, want Result) {
		t.Helper()
		if got := s.DoOp(s.Decode(s.Encode(o))); got != want {
			t.Errorf("%+v: the result is %v, want %v", o, got, want)
		}
	}
	expect := func(key, want string, there bool) {
		t.Helper()
		if got, ok := s.Get(key); got != want || ok != there {
			t.Errorf("%q is %q, %v; want %q, %v", key, got, ok, want, there)
		}
	}
	do(op{kind: remove, key: "a"}, NoKey)
	do(op{kind: put, key: "a", value: "1"}, Done)
	do(op{kind: appendTo, key: "a", value: "2"}, Done)
	do(op{kind: appendTo, key: "b", value: ""}, Done)
	expect("a", "12", true)
	expect("b", "", true)
	do(op{kind: cas, key: "a", old: "1", value: "x"}, Mismatch)
	do(op{kind: cas, key: "a", absent: true, value: "x"}, Mismatch)
	do(op{kind: cas, key: "c", old: "", value: "x"}, Mismatch)
	do(op{kind: cas, key: "a", old: "12", value: "3"}, Done)
	do(op{kind: cas, key: "c", absent: true, value: "4"}, Done)
	expect("a", "3", true)
	expect("c", "4", true)
	do(op{kind: remove, key: "c"}, Done)
	expect("c", "", false)
	do(op{kind: put, key: "big", value: string(make([]byte, MaxValue))}, Done)
	do(op{kind: appendTo, key: "big", value: "x"}, TooLarge)
	do(op{kind: announce, key: "2", value: "http://here"}, Done)
	if got := s.URL("2"); got != "http://here" {
		t.Errorf("server 2 is at %q", got)
	}
}

func TestStore_once(t *testing.T) {
	s := NewStore()
	again := func(client, request uint64, value string, want Result) {
		t.Helper()
		if got := s.DoOp(op{kind: appendTo, client: client, request: request, key: "k", value: value}); got != want {
			t.Errorf("request %d of client %d: the result is %v, want %v", request, client, got, want)
		}
	}
	again(7, 1, "a", Done)
	again(7, 1, "a", Done)
	again(8, 1, "b", Done)
	again(7, 2, "c", Done)
	again(7, 2, "c", Done)
	again(7, 1, "a", OutOfSequence)
	restored := NewStore()
	restored.Restore(s.Snapshot())
	s = restored
	again(7, 2, "c", Done)
	again(8, 1, "b", Done)
	if got, _ := s.Get("k"); got != "abc" {
		t.Errorf("the value is %q", got)
	}
	s.DoOp(op{kind: cas, client: 9, request: 1, key: "k", old: "no"})
	if got := s.DoOp(op{kind: cas, client: 9, request: 1, key: "k", old: "abc"}); got != Mismatch {
		t.Errorf("a request that is repeated has the result %v, and had Mismatch", got)
	}
}

func TestStore_forgetsClients(t *testing.T) {
	s := NewStore()
	for client := range uint64(maxSessions + 10) {
		s.DoOp(op{kind: put, client: client + 1, request: 1, key: "k"})
		s.DoOp(op{kind: put, client: 1, request: client + 1, key: "k"}) // is never unused for long
	}
	if len(s.sessions) != maxSessions || s.recent.Len() != maxSessions || s.sessions[1] == nil || s.sessions[2] != nil {
		t.Errorf("the store remembers %d clients", len(s.sessions))
	}
}

func TestStore_snapshot(t *testing.T) {
	s := NewStore()
	for k := range 50 {
		s.DoOp(op{kind: put, key: string(rune('a' + k)), value: "v", client: uint64(k), request: 3})
	}
	s.DoOp(op{kind: announce, key: "1", value: "http://one"})
	snapshot := s.Snapshot()
	other := NewStore()
	other.DoOp(op{kind: put, key: "old", client: 99, request: 1})
	other.Restore(snapshot)
	if !bytes.Equal(other.Snapshot(), snapshot) {
		t.Error("a restored store has another snapshot")
	}
	if _, ok := other.Get("old"); ok {
		t.Error("a key has survived Restore")
	}
	for k := range uint64(40) { // the lists of sessions must be whole
		other.DoOp(op{kind: put, client: k + 1, request: 4, key: "k"})
	}
	for n := range snapshot[:len(snapshot)-1] {
		func() {
			defer func() { recover() }()
			NewStore().Restore(snapshot[:n])
		}()
	}
	defer func() {
		if recover() == nil {
			t.Error("half a snapshot was restored")
		}
	}()
	NewStore().Restore(snapshot[:9])
}

// FuzzDecode restores and decodes bytes that no Store has made: it may panic with its own message only.
func FuzzDecode(f *testing.F) {
	s := NewStore()
	s.DoOp(op{kind: put, client: 1, request: 1, key: "k", value: "v"})
	f.Add(s.Snapshot())
	f.Add([]byte(s.Encode(op{kind: cas, key: "k", old: "v", value: "w"})))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, decode := range []func(){
			func() { NewStore().Restore(b) },
			func() { s.Decode(string(b)) },
		} {
			func() {
				defer func() {
					if p := recover(); p != nil {
						if text, ok := p.(string); !ok || text[:3] != "kv:" {
							panic(p)
						}
					}
				}()
				decode()
			}()
		}
	})
}
