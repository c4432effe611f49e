package kvraft_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"6.824/kvraft"
	"6.824/labrpc"
)

// A script holds the answers of servers, in the order of the requests: an error, an error and a value, or "lost" for a request
// that the server does not answer. It notes what the servers were asked, and when.
type script struct {
	mu      sync.Mutex
	answers []string
	asked   []string
	times   []time.Duration
	start   time.Time
	crash   func(server int)
}

// KVServer is a server that follows a script.
type KVServer struct {
	me int
	*script
}

func (kv *KVServer) next(format string, args ...any) (err kvraft.Err, value string) {
	kv.mu.Lock()
	defer kv.mu.Unlock()
	kv.asked = append(kv.asked, fmt.Sprint(kv.me, " ")+fmt.Sprintf(format, args...))
	kv.times = append(kv.times, time.Since(kv.start))
	answer := kv.answers[0]
	kv.answers = kv.answers[1:]
	if answer == "lost" {
		kv.crash(kv.me)
	}
	word, value, _ := strings.Cut(answer, " ")
	return kvraft.Err(word), value
}

func (kv *KVServer) Get(args *kvraft.GetArgs, reply *kvraft.GetReply) {
	reply.Err, reply.Value = kv.next("get %s", args.Key)
}

func (kv *KVServer) PutAppend(args *kvraft.PutAppendArgs, reply *kvraft.PutAppendReply) {
	reply.Err, _ = kv.next("%s %s %s %d", args.Op, args.Key, args.Value, args.Request)
}

// play lets a Clerk work with three servers that follow the answers, and returns what they were asked.
func play(t *testing.T, answers []string, work func(ck *kvraft.Clerk)) *script {
	t.Helper()
	s := &script{answers: answers}
	synctest.Test(t, func(t *testing.T) {
		net := labrpc.MakeNetwork()
		defer net.Cleanup()
		s.start = time.Now()
		ends := make([]*labrpc.ClientEnd, 3)
		add := func(me int) {
			server := labrpc.MakeServer()
			server.AddService(labrpc.MakeService(&KVServer{me, s}))
			net.AddServer(me, server)
		}
		s.crash = add // another server takes its place, so that the call fails
		for me := range ends {
			ends[me] = net.MakeEnd(me)
			net.Connect(me, me)
			net.Enable(me, true)
			add(me)
		}
		work(kvraft.MakeClerk(ends))
		if len(s.answers) > 0 {
			t.Errorf("answers %q are left", s.answers)
		}
	})
	return s
}

// A Clerk repeats a request, with its number, until a server has carried it out. It begins with the one that led last.
func TestClerkRepeats(t *testing.T) {
	s := play(t, []string{
		"ErrWrongLeader", "OK",
		"OK v",
		"lost", "ErrMaybe", "OK",
		"ErrNoKey",
		"ErrWrongLeader", "ErrMaybe v", "lost", "OK w",
	}, func(ck *kvraft.Clerk) {
		ck.Put("k", "v")
		if v := ck.Get("k"); v != "v" {
			t.Errorf("got %q", v)
		}
		ck.Append("k", "w")
		if v := ck.Get("l"); v != "" {
			t.Errorf("got %q", v)
		}
		if v := ck.Get("k"); v != "w" {
			t.Errorf("got %q", v)
		}
	})
	want := []string{
		"0 Put k v 1", "1 Put k v 1",
		"1 get k",
		"1 Append k w 2", "2 Append k w 2", "0 Append k w 2",
		"0 get l",
		"0 get k", "1 get k", "2 get k", "0 get k",
	}
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q\nwant %q", s.asked, want)
	}
}

// After each round without a leader a Clerk waits, longer each time but not much more than 64 ms.
func TestClerkBacksOff(t *testing.T) {
	var answers []string
	for range 40 {
		answers = append(answers, "ErrWrongLeader", "ErrWrongLeader", "ErrWrongLeader")
	}
	s := play(t, append(answers, "OK"), func(ck *kvraft.Clerk) { ck.Put("k", "v") })
	for k := range s.times[:len(s.times)-1] {
		nap, round := s.times[k+1]-s.times[k], k/3
		least, most := time.Duration(0), time.Duration(0)
		if k%3 == 2 {
			least = time.Duration(min(4<<round, 64)) * time.Millisecond / 2
			most = 3 * least
		}
		if nap < least || nap > most {
			t.Errorf("a pause of %v after request %d, want %v to %v", nap, k+1, least, most)
		}
	}
}
