package engine

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// maxLinger bounds how long the leader holds back a message.
const maxLinger = time.Millisecond

// A linger holds back messages that only tell a peer what is committed. Under load the next entries follow soon and tell
// the same, so that about half of all messages need not be sent. A message of another kind lets the one before it go:
// the answer to a read is not held up. It belongs to the loop.
type linger struct {
	held  []*raftpb.Message // at most one for each peer
	timer *time.Timer       // nil before the first message
}

// pass takes in raft's messages for peers and returns those to send now.
func (l *linger) pass(messages []*raftpb.Message) []*raftpb.Message {
	var out []*raftpb.Message
	for _, m := range messages {
		k := slices.IndexFunc(l.held, func(h *raftpb.Message) bool { return h.GetTo() == m.GetTo() })
		if k >= 0 {
			if m.GetType() != raftpb.MsgApp {
				out = append(out, l.held[k])
			}
			l.held = slices.Delete(l.held, k, k+1)
		}
		if m.GetType() == raftpb.MsgApp && len(m.GetEntries()) == 0 {
			l.hold(m)
		} else {
			out = append(out, m)
		}
	}
	return out
}

func (l *linger) hold(m *raftpb.Message) {
	if l.timer == nil {
		l.timer = time.NewTimer(maxLinger)
	} else if len(l.held) == 0 {
		l.timer.Reset(maxLinger)
	}
	l.held = append(l.held, m)
}

// over returns a channel that receives when the time of the held messages is over.
func (l *linger) over() <-chan time.Time {
	if len(l.held) == 0 {
		return nil
	}
	return l.timer.C
}

// end returns the held messages, which are held no more.
func (l *linger) end() []*raftpb.Message {
	out := l.held
	l.held = nil
	return out
}
