package versioned

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"6.824/kvraft/rpc"
)

// carryOut carries out an operation on a store, after it was encoded and decoded, and returns the result in words.
func carryOut(s *store, req any) string {
	switch r := s.DoOp(s.Decode(s.Encode(req))).(type) {
	case rpc.GetReply:
		return fmt.Sprint(r.Value, r.Version, r.Err)
	case rpc.PutReply:
		return string(r.Err)
	default:
		return fmt.Sprintf("%T", r)
	}
}

func TestStore(t *testing.T) {
	s := newStore()
	for _, step := range []struct {
		req  any
		want string
	}{
		{rpc.GetArgs{Key: "k"}, "0ErrNoKey"},
		{rpc.PutArgs{Key: "k", Value: "a", Version: 1}, "ErrNoKey"},
		{rpc.PutArgs{Key: "k", Value: "a"}, "OK"},
		{rpc.PutArgs{Key: "k", Value: "b"}, "ErrVersion"},
		{rpc.PutArgs{Key: "k", Value: "b", Version: 2}, "ErrVersion"},
		{rpc.GetArgs{Key: "k"}, "a1OK"},
		{rpc.PutArgs{Key: "k", Value: "", Version: 1}, "OK"},
		{rpc.GetArgs{Key: "k"}, "2OK"},
		{rpc.PutArgs{Key: "", Value: "x"}, "OK"},
		{rpc.GetArgs{}, "x1OK"},
	} {
		if got := carryOut(s, step.req); got != step.want {
			t.Errorf("%+v: %s, want %s", step.req, got, step.want)
		}
	}
	encode := s.Capture()
	carryOut(s, rpc.PutArgs{Key: "k", Value: "later", Version: 2})
	carryOut(s, rpc.PutArgs{Key: "l", Value: "later"})
	old := newStore()
	carryOut(old, rpc.PutArgs{Key: "gone", Value: "x"})
	old.Restore(encode())
	for key, want := range map[string]string{"k": "2OK", "": "x1OK", "l": "0ErrNoKey", "gone": "0ErrNoKey"} {
		if got := carryOut(old, rpc.GetArgs{Key: key}); got != want {
			t.Errorf("restored %q: %s, want %s", key, got, want)
		}
	}
}

func TestDamage(t *testing.T) {
	for name, f := range map[string]func(){
		"no operation":       func() { newStore().Decode("") },
		"no version":         func() { newStore().Decode("\x02k") },
		"a Get with a value": func() { newStore().Decode("\x02k\x00v") },
		"an unknown request": func() { newStore().Encode("x") },
		"an unknown one":     func() { newStore().DoOp("x") },
		"half a snapshot":    func() { newStore().Restore([]byte("\x02k\x02")) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "versioned: ") {
					t.Errorf("%s: panic %v", name, p)
				}
			}()
			f()
		}()
	}
}

// answers are what the servers answer, one after the other: an error, or "lost". asked is what they were asked.
type answers struct {
	left  []rpc.Err
	asked []string
}

func (a *answers) Call(server string, method string, args any, reply any) bool {
	answer := a.left[0]
	a.left, a.asked = a.left[1:], append(a.asked, server+method)
	switch reply := reply.(type) {
	case *rpc.PutReply:
		reply.Err = answer
	case *rpc.GetReply:
		reply.Err = answer
	}
	return answer != "lost"
}

// A Put returns ErrVersion if it was surely not carried out, and ErrMaybe if it may have been.
func TestClerkPut(t *testing.T) {
	for _, test := range []struct {
		answers []rpc.Err
		want    rpc.Err
	}{
		{[]rpc.Err{rpc.OK}, rpc.OK},
		{[]rpc.Err{rpc.ErrNoKey}, rpc.ErrNoKey},
		{[]rpc.Err{rpc.ErrVersion}, rpc.ErrVersion},
		{[]rpc.Err{rpc.ErrWrongLeader, rpc.ErrWrongLeader, rpc.ErrVersion}, rpc.ErrVersion},
		{[]rpc.Err{"lost", rpc.ErrVersion}, rpc.ErrMaybe},
		{[]rpc.Err{rpc.ErrMaybe, rpc.ErrVersion}, rpc.ErrMaybe},
		{[]rpc.Err{"lost", rpc.ErrWrongLeader, rpc.ErrVersion}, rpc.ErrMaybe},
		{[]rpc.Err{"lost", rpc.OK}, rpc.OK},
		{[]rpc.Err{rpc.ErrMaybe, rpc.ErrNoKey}, rpc.ErrNoKey},
	} {
		a := &answers{left: test.answers}
		if err := MakeClerk(a, []string{"a", "b", "c"}).Put("k", "v", 1); err != test.want || len(a.left) > 0 {
			t.Errorf("%v: %v, want %v; left %v", test.answers, err, test.want, a.left)
		}
	}
}

func TestClerkGet(t *testing.T) {
	a := &answers{left: []rpc.Err{rpc.ErrWrongLeader, rpc.ErrMaybe, "lost", rpc.OK, rpc.ErrNoKey}}
	ck := MakeClerk(a, []string{"a", "b", "c"})
	if _, _, err := ck.Get("k"); err != rpc.OK || ck.Leader() != 0 {
		t.Errorf("%v, leader %d", err, ck.Leader())
	}
	if _, _, err := ck.Get("k"); err != rpc.ErrNoKey {
		t.Errorf("%v", err)
	}
	if want := []string{"aKVServer.Get", "bKVServer.Get", "cKVServer.Get", "aKVServer.Get", "aKVServer.Get"}; !slices.Equal(a.asked, want) {
		t.Errorf("asked %q", a.asked)
	}
}
