package kvraft

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"6.824/kvraft/internal/enc"
	"6.824/kvraft/internal/table"
)

// A store is the state machine of the service. It implements rsm.StateMachine, Capturer, Codec and
// Reader.
type store struct {
	mu       sync.RWMutex // guards what follows, and is held only for moments
	values   *table.Table[string, value]
	requests *table.Table[int64, int64] // the number of each client's last Put or Append
}

// A value is the text under a key. Appends go to a builder, which copies only what is new; text is what it holds. The memory
// of text is never written again, so that it stays valid while the builder grows.
type value struct {
	text    string
	builder *strings.Builder // nil until the first append
}

// found is the result of a get.
type found struct {
	text   string
	exists bool
}

func newStore() *store {
	return &store{values: table.New[string, value](), requests: table.New[int64, int64]()}
}

// DoOp carries out an operation. A Put or an Append that its client has numbered no higher than an earlier one was carried
// out before.
func (s *store) DoOp(req any) any {
	o := req.(op)
	if o.kind == get {
		return s.Read(req)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, _ := s.requests.Get(o.client); o.request <= last {
		return nil
	}
	s.requests.Set(o.client, o.request)
	v, ok := s.values.Get(o.key)
	if !ok {
		o.key = strings.Clone(o.key) // the operation's memory is much larger than the key
	}
	if o.kind == put {
		v = value{text: strings.Clone(o.value)}
	} else {
		v = v.append(o.value)
	}
	s.values.Set(o.key, v)
	return nil
}

// Read carries out a get.
func (s *store) Read(req any) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.values.Get(req.(op).key)
	return found{v.text, ok}
}

// append returns v with more text at its end. v must not be appended to again.
func (v value) append(more string) value {
	if v.builder == nil {
		v.builder = new(strings.Builder)
		v.builder.WriteString(v.text)
	}
	v.builder.WriteString(more)
	v.text = v.builder.String()
	return v
}

// Snapshot returns the encoded state.
func (s *store) Snapshot() []byte { return s.Capture()() }

// Capture notes the state, and returns a function that encodes it: the number of keys, then each key and value with their
// lengths, then each client with the number of its last request.
func (s *store) Capture() (encode func() []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	values, requests := s.values.Capture(), s.requests.Capture()
	return func() []byte {
		b := make([]byte, 0, size(values, requests)+8) // the RSM appends to it
		b = binary.AppendVarint(b, int64(values.Len()))
		for key, v := range values.All {
			b = enc.AppendText(b, key)
			b = enc.AppendText(b, v.text)
		}
		for client, last := range requests.All {
			b = binary.AppendVarint(b, client)
			b = binary.AppendVarint(b, last)
		}
		return b
	}
}

// size bounds the length of the encoded state.
func size(values table.Captured[string, value], requests table.Captured[int64, int64]) int {
	n := binary.MaxVarintLen64 * (1 + 2*requests.Len())
	for key, v := range values.All {
		n += len(key) + len(v.text) + 2*binary.MaxVarintLen32
	}
	return n
}

// Restore replaces the state by that of a snapshot. It panics if the snapshot is damaged: Raft has checked it, so that it
// comes from another program.
func (s *store) Restore(snapshot []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values, s.requests = table.New[string, value](), table.New[int64, int64]()
	d := enc.NewDecoder(snapshot)
	for range d.Number() {
		key := strings.Clone(d.Text()) // so that a value that is replaced can be freed
		s.values.Set(key, value{text: strings.Clone(d.Text())})
	}
	for len(d.Rest) > 0 && !d.Bad {
		client := d.Number()
		s.requests.Set(client, d.Number())
	}
	if d.Bad {
		panic(fmt.Sprintf("kvraft: a snapshot of %d bytes is damaged", len(snapshot)))
	}
}
