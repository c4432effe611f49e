package raft

// One live server among quiet peers. The test controls every message between them.

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"6.824/labrpc"
)

// A scene is a live server, number 0, and quiet peers, which answer messages but send none. A message takes a
// millisecond each way. The test reads the messages that were sent, and may change, delay or drop any. It runs in a
// bubble.
type scene struct {
	t       testing.TB
	rf      *Raft
	disk    *Persister
	applyCh chan ApplyMsg
	peers   []*Raft // by server; a test may replace one

	recording *sceneRecording

	mu          sync.Mutex
	interceptor func(peer int, m Message) (reply Reply, done bool)
	sent        []sentMessage
}

// A sentMessage is a message that the live server has sent.
type sentMessage struct {
	peer int
	at   time.Time
	Message
}

// newScene starts server 0 of n from disk. The caller defers end. Only the test reads applyCh.
func newScene(t testing.TB, n int, disk *Persister, opts ...Option) *scene {
	t.Helper()
	s := &scene{t: t, disk: disk, applyCh: make(chan ApplyMsg, 1000), peers: make([]*Raft, n), recording: recordScene(t, n)}
	for peer := 1; peer < n; peer++ {
		s.peers[peer] = newQuietServer(t, n, peer, MakePersister(), s.recording.option(peer))
	}
	opts = append(append([]Option{WithTransport(s.carry)}, opts...), s.recording.option(0))
	s.rf = Make(make([]*labrpc.ClientEnd, n), 0, disk, s.applyCh, opts...)
	return s
}

// end kills the server and waits until nothing is in flight.
func (s *scene) end() {
	s.rf.Kill()
	time.Sleep(time.Minute)
}

func (s *scene) carry(peer int, m Message) Reply {
	s.mu.Lock()
	s.sent = append(s.sent, sentMessage{peer, time.Now(), m})
	interceptor, rf := s.interceptor, s.peers[peer]
	s.mu.Unlock()
	if interceptor != nil {
		if reply, done := interceptor(peer, m); done {
			return reply
		}
	}
	time.Sleep(time.Millisecond)
	defer time.Sleep(time.Millisecond)
	return rf.OnMessage(m)
}

// deliver passes a peer's message to the live server and returns its reply.
func (s *scene) deliver(m Message) Reply { return s.rf.OnMessage(sealed(m)) }

// intercept sets a function that is called with each message first, without a lock; it may sleep. If it returns done, its
// reply is the answer, where nil means that the message was lost. Otherwise the message goes to the peer.
func (s *scene) intercept(interceptor func(peer int, m Message) (reply Reply, done bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interceptor = interceptor
}

// sentTo returns the messages that were sent to a peer since the last call for this peer.
func (s *scene) sentTo(peer int) (messages []sentMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []sentMessage
	for _, l := range s.sent {
		if l.peer == peer {
			messages = append(messages, l)
		} else {
			rest = append(rest, l)
		}
	}
	s.sent = rest
	return messages
}

// lead waits until the server leads and its first heartbeats are out.
func (s *scene) lead() (term int) {
	s.t.Helper()
	for range 500 {
		time.Sleep(10 * time.Millisecond)
		if term, leads := s.rf.GetState(); leads {
			time.Sleep(10 * time.Millisecond)
			return term
		}
	}
	s.t.Fatal("the server does not lead after five seconds")
	return 0
}

// start starts a command on the live server, which must lead.
func (s *scene) start(command any) (index int) {
	s.t.Helper()
	index, _, leads := s.rf.Start(command)
	if !leads {
		s.t.Fatalf("the server does not lead when %v is started", command)
	}
	return index
}

// received returns the messages that are waiting in applyCh.
func (s *scene) received() (all []ApplyMsg) {
	for {
		select {
		case m := <-s.applyCh:
			all = append(all, m)
		default:
			return all
		}
	}
}

// applyText formats messages from applyCh in one line: a command as its index, a snapshot as ">" and its index, an event as
// short does.
func applyText(all []ApplyMsg) string {
	var words []string
	for _, m := range all {
		switch {
		case m.EventValid:
			words = append(words, short(m.Event))
		case m.SnapshotValid:
			words = append(words, fmt.Sprint(">", m.SnapshotIndex))
		default:
			words = append(words, fmt.Sprint(m.CommandIndex))
		}
	}
	return strings.Join(words, " ")
}

// loseAll, given to intercept, loses every message.
func loseAll(int, Message) (Reply, bool) { return nil, true }

// messagesText formats messages in one line: AppendEntries as PrevLogIndex, "+", the number of entries, "/" and
// LeaderCommit; InstallSnapshot as ">" and its index; RequestVote as "?" and its term.
func messagesText(messages []sentMessage) string {
	var words []string
	for _, l := range messages {
		switch m := l.Message.(type) {
		case *AppendEntriesArgs:
			words = append(words, fmt.Sprintf("%d+%d/%d", m.PrevLogIndex, entriesIn(m), m.LeaderCommit))
		case *InstallSnapshotArgs:
			words = append(words, fmt.Sprint(">", m.LastIncludedIndex))
		case *RequestVoteArgs:
			words = append(words, fmt.Sprint("?", m.Term))
		}
	}
	return strings.Join(words, " ")
}

// entriesIn returns the number of entries in a message.
func entriesIn(m Message) (n int) {
	if args, ok := m.(*AppendEntriesArgs); ok {
		for _, piece := range args.Entries {
			for rest := []byte(piece); len(rest) > 0; n++ {
				var err error
				if _, _, rest, err = readRecord(rest); err != nil {
					panic(err)
				}
			}
		}
	}
	return n
}
