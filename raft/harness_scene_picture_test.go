//go:build !unrecorded

package raft

// How a scene is recorded, which has no labrpc network.

import (
	"sync"
	"testing"
	"time"

	"6.824/picture"
	"6.824/record"
)

// A sceneRecording records servers that send with WithTransport, or do not send.
type sceneRecording struct {
	*recording

	mu   sync.Mutex
	sent map[sceneKey]*sceneMessage // under way
}

// A sceneKey identifies a message under way; one may go to several peers.
type sceneKey struct {
	to int
	m  Message
}

type sceneMessage struct {
	*record.Message
	answered bool
}

func recordScene(t testing.TB, n int) *sceneRecording {
	return &sceneRecording{recording: newRecording(t, n), sent: make(map[sceneKey]*sceneMessage)}
}

// option records what a server does, and the messages that it sends and answers. It must be the last option.
func (s *sceneRecording) option(server int) Option {
	if s.recording == nil {
		return func(*options) {}
	}
	s.Started(server, nil)
	return func(o *options) {
		s.recording.option(server)(o)
		if send := o.transport; send != nil {
			o.transport = func(peer int, m Message) Reply {
				h := s.send(server, peer, m)
				reply := send(peer, m)
				s.end(sceneKey{peer, m}, h, reply)
				return reply
			}
		}
		if o.observer == nil {
			o.observer = sceneObserver{s}
		}
	}
}

func (s *sceneRecording) send(from, to int, m Message) *sceneMessage {
	method, _ := m.rpc()
	h := &sceneMessage{Message: s.Message(from, to, method, m)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[sceneKey{to, m}] = h
	return h
}

func (s *sceneRecording) end(key sceneKey, h *sceneMessage, reply Reply) {
	s.mu.Lock()
	delete(s.sent, key)
	fate := picture.Delivered
	switch {
	case reply == nil && h.answered:
		fate = picture.ReplyLost
	case reply == nil:
		fate = picture.RequestLost
	}
	s.mu.Unlock()
	h.Ended(fate)
}

// A sceneObserver records which messages a server answers.
type sceneObserver struct{ s *sceneRecording }

func (sceneObserver) started(*Raft)                {}
func (sceneObserver) changed(*Raft)                {}
func (sceneObserver) saved(*Raft)                  {}
func (sceneObserver) sending(*Raft, Message, int)  {}
func (sceneObserver) applying(*Raft, ApplyMsg)     {}
func (sceneObserver) panicked(_ *Raft, reason any) { panic(reason) }

// answering records the reply to a message, which may come from the test.
func (o sceneObserver) answering(rf *Raft, m Message, reply Reply) {
	o.s.mu.Lock()
	h := o.s.sent[sceneKey{rf.me, m}]
	o.s.mu.Unlock()
	id, _ := m.sender()
	byTest := h == nil
	switch {
	case byTest && !rf.isPeer(id):
		return
	case byTest:
		h = o.s.send(id, rf.me, m)
	}
	o.s.mu.Lock()
	h.answered = true
	o.s.mu.Unlock()
	h.Received()
	h.Answered(reply)
	if byTest {
		o.s.end(sceneKey{rf.me, m}, h, reply)
	}
}

// The page of a scene shows its messages, those of the test included.
func TestPictureOfScene(t *testing.T) {
	lab(t, func(t *testing.T) {
		s := newScene(t, 3, MakePersister())
		defer s.end()
		term := s.lead()
		s.start("x")
		time.Sleep(10 * time.Millisecond)
		s.deliver(&RequestVoteArgs{Term: term + 1, CandidateID: 1})
		p := pageOf(t, s.recording.recording)
		if n := p.count(picture.Answer, "vote granted"); n != 2 || p.count(picture.Send, "entry 1") == 0 {
			t.Errorf("%d votes, %d messages with the entry", n, p.count(picture.Send, "entry 1"))
		}
		if n := p.count(picture.Answer, "its log is newer"); n != 1 {
			t.Errorf("the reply to the test's message is shown %d times", n)
		}
	})
}
