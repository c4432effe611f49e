package kvraft

import (
	"fmt"
	"strings"
	"testing"
)

// do carries out operations on a store that were encoded and decoded. Each is a word: the client and the number of the
// request, then what to do, such as 1.7:put(k,v).
func do(t *testing.T, s *store, words ...string) {
	t.Helper()
	for _, word := range words {
		var o op
		what := ""
		if _, err := fmt.Sscanf(word, "%d.%d:%s", &o.client, &o.request, &what); err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		name, rest, _ := strings.Cut(what, "(")
		o.key, o.value, _ = strings.Cut(strings.TrimSuffix(rest, ")"), ",")
		o.kind = map[string]kind{"put": put, "append": appendTo}[name]
		if result := s.DoOp(s.Decode(s.Encode(o))); result != nil {
			t.Errorf("%s: result %v", word, result)
		}
	}
}

// want fails the test unless a store has the value, after it was encoded and restored as well.
func want(t *testing.T, s *store, key, value string, exists bool) {
	t.Helper()
	if got := s.DoOp(s.Decode(s.Encode(op{kind: get, key: key}))); got != (found{value, exists}) {
		t.Errorf("get %q: %v, want %q, %v", key, got, value, exists)
	}
}

func TestStore(t *testing.T) {
	s := newStore()
	want(t, s, "k", "", false)
	do(t, s, "1.1:put(k,a)", "1.2:append(k,b)", "2.1:append(l,c)", "1.3:put(m,)")
	for range 2 {
		want(t, s, "k", "ab", true)
		want(t, s, "l", "c", true)
		want(t, s, "m", "", true)
		want(t, s, "", "", false)
		snapshot := s.Snapshot()
		s = newStore()
		do(t, s, "9.9:put(k,x)", "9.10:put(gone,x)")
		s.Restore(snapshot)
		want(t, s, "gone", "", false)
	}
	do(t, s, "9.1:append(k,y)") // the client of the state that was replaced is not known
	want(t, s, "k", "aby", true)
}

// A repeated request is carried out once, before and after a snapshot. Other clients have numbers of their own.
func TestStoreOnce(t *testing.T) {
	s := newStore()
	do(t, s, "1.1:append(k,a)", "1.1:append(k,a)", "2.1:append(k,b)", "1.2:append(k,c)", "1.1:append(k,a)", "1.2:put(k,x)")
	want(t, s, "k", "abc", true)
	snapshot := s.Snapshot()
	s = newStore()
	s.Restore(snapshot)
	do(t, s, "1.2:append(k,c)", "2.1:append(k,b)", "3.1:append(k,d)", "2.2:append(k,e)", "1.2:put(k,x)")
	want(t, s, "k", "abcde", true)
}

// A captured state is encoded as it was, whatever happens meanwhile.
func TestStoreCapture(t *testing.T) {
	s := newStore()
	do(t, s, "1.1:append(k,a)", "1.2:append(k,b)", "1.3:put(l,x)")
	encode := s.Capture()
	do(t, s, "1.4:append(k,c)", "1.5:put(l,y)", "1.6:put(m,z)")
	again := s.Capture()
	do(t, s, "1.7:append(k,d)", "1.8:put(k,e)", "1.9:append(k,f)")
	old, newer := newStore(), newStore()
	old.Restore(encode())
	newer.Restore(again())
	want(t, old, "k", "ab", true)
	want(t, old, "l", "x", true)
	want(t, old, "m", "", false)
	do(t, old, "1.3:put(l,no)", "1.4:put(l,w)")
	want(t, old, "l", "w", true)
	want(t, newer, "k", "abc", true)
	want(t, newer, "l", "y", true)
	want(t, s, "k", "ef", true)
}

// What is stored does not keep the memory of the operation, nor change with it.
func TestStoreOps(t *testing.T) {
	s := newStore()
	for _, o := range []op{
		{kind: get, key: "k"},
		{kind: put, client: 1 << 61, request: 1 << 40, key: "", value: ""},
		{kind: appendTo, client: -1, request: 1, key: strings.Repeat("k", 1000), value: strings.Repeat("v", 10000)},
	} {
		if got := s.Decode(s.Encode(o)); got != o {
			t.Errorf("got %+v, want %+v", got, o)
		}
	}
	whole := s.Encode(op{kind: put, client: 1, request: 1, key: "k", value: "v"})
	for _, damaged := range []string{"", whole[:1], whole[:3], "\x00" + whole[1:], "\x04" + whole[1:], "\x01\x02\x02\x09k"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is decoded", damaged)
				}
			}()
			s.Decode(damaged)
		}()
	}
	for _, damaged := range []string{"\x04", "\x02\x02k\x03", "\x02\x02k\x02v\x02"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is restored", damaged)
				}
			}()
			s.Restore([]byte(damaged))
		}()
	}
}

// Clerks have different identities, below 2^62.
func TestClerkIdentity(t *testing.T) {
	seen := make(map[int64]bool)
	for range 1000 {
		id := MakeClerk(nil).client
		if seen[id] || id < 0 || id >= 1<<62 {
			t.Errorf("identity %d", id)
		}
		seen[id] = true
	}
}

// The handlers tell a missing key from an empty value.
func TestHandlers(t *testing.T) {
	c := newCluster(1, -1)
	defer c.Close()
	MakeClerk(c.NewClient().Ends()).Put("empty", "")
	kv, _ := c.Server(0)
	for key, want := range map[string]Err{"empty": OK, "missing": ErrNoKey} {
		var reply GetReply
		if kv.Get(&GetArgs{Key: key}, &reply); reply.Err != want {
			t.Errorf("Get %q: %v", key, reply.Err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("PutAppend carries out an unknown operation")
		}
	}()
	kv.PutAppend(&PutAppendArgs{Key: "k", Op: "Increment"}, new(PutAppendReply))
}
