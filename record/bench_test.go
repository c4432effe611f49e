package record

import (
	"testing"
	"time"

	"6.824/labrpc"
	"6.824/picture"
)

type appendArgs struct {
	Term, LeaderId, PrevLogIndex, PrevLogTerm int
	Entries                                   []logEntry
	LeaderCommit                              int
}

type logEntry struct {
	Term    int
	Command any
}

type appendReply struct {
	Term    int
	Success bool
}

// A message costs four events.
func BenchmarkMessage(b *testing.B) {
	begun := time.Now()
	for name, tells := range map[string]bool{"derived": false, "told": true} {
		b.Run(name, func(b *testing.B) {
			c := New(picture.New(picture.Options{Now: func() time.Duration { return time.Since(begun) }}), 2)
			c.Started(0, []any{"00", "01"})
			c.Started(1, []any{"10", "11"})
			if tells {
				c.Server(0).State(1, "leader", 0, 0)
				c.Server(1).State(1, "follower", 0, 0)
			}
			args := &appendArgs{Term: 1, PrevLogIndex: 7, PrevLogTerm: 1, LeaderCommit: 7}
			reply := &appendReply{1, true}
			b.ReportAllocs()
			for n := range b.N {
				call := labrpc.CallInfo{Number: int64(n + 1), End: "01", Server: 1, Method: "Raft.AppendEntries"}
				args.PrevLogIndex = 7 + n/10 // some are alike
				c.Sent(call, args)
				c.Handling(call, args)
				c.Handled(call, reply)
				c.Ended(call, labrpc.Delivered)
			}
		})
	}
}
