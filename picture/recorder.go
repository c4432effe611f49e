//go:build go1.25

package picture

import (
	"sync"
	"time"
)

// Options describes a run.
type Options struct {
	Title   string               // what the page is about, such as the name of a test
	Command string               // what runs this again, with the seed; may be empty
	Now     func() time.Duration // the time since the run began; nil if every event has its own At
	Max     int                  // how many events are kept, about, at most half of them after a violation; 0 means DefaultMax
}

// DefaultMax is the number of events that a Recorder keeps by default.
const DefaultMax = 1 << 17

// A Recorder keeps the last events of a run. If the run goes on for long after its first violation, the Recorder keeps those
// around the violation. Any number of goroutines may use it. New makes one.
type Recorder struct {
	now func() time.Duration
	max int

	mu      sync.Mutex // guards what follows; no other lock is taken under it
	title   string
	command string
	notes   []string
	lanes   []*lane
	chunks  []*chunk // in the order in which the events were added
	weight  int      // of all chunks
	omitted int      // events before the first kept one
	broken  *chunk   // has the first violation
	after   int      // weight of the events after that
	dropped int      // events after those
	begun   int64    // operations
}

// A lane is a server or a client.
type lane struct {
	name   string
	client bool
	before state // just before the first kept event
}

// chunkSize is how many events are given up at once.
const chunkSize = 1 << 10

// A chunk holds events. Its weight is their number, and more if they have many entries.
type chunk struct {
	events [chunkSize]Event
	n      int
	weight int
}

// entriesPerEvent is the number of entries that take about as much memory as an event.
const entriesPerEvent = 4

// New returns a Recorder without lanes and events.
//
//go:noinline
func New(o Options) *Recorder {
	r := &Recorder{now: o.Now, max: o.Max, title: o.Title, command: o.Command}
	if r.max == 0 {
		r.max = DefaultMax
	}
	return r
}

// Lane adds a lane and returns its number, counted from 0. The lanes of servers come before those of clients.
func (r *Recorder) Lane(name string, client bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lanes = append(r.lanes, &lane{name: cut(name, maxName), client: client, before: newState()})
	return len(r.lanes) - 1
}

// SetTitle sets the title.
func (r *Recorder) SetTitle(title string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.title = title
}

// SetCommand sets the command that runs this again.
func (r *Recorder) SetCommand(command string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.command = command
}

// Note adds a sentence that the page shows at its top, such as what it could not tell. It ignores a sentence that is
// there already.
func (r *Recorder) Note(text string) {
	text = cut(text, maxText)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, note := range r.notes {
		if note == text {
			return
		}
	}
	r.notes = append(r.notes, text)
}

// Operation adds the beginning of an operation of a client, such as "Put x 1", and returns a function that adds its end
// with its result.
func (r *Recorder) Operation(lane int, text string) (end func(result string, ok bool)) {
	r.mu.Lock()
	r.begun++
	call := -r.begun
	r.mu.Unlock()
	r.Add(Event{Kind: Invoke, Lane: lane, Call: call, Text: text})
	return func(result string, ok bool) {
		r.Add(Event{Kind: Return, Lane: lane, Call: call, Text: result, OK: ok})
	}
}

// Add adds an event, which must not have happened before those added so far. If its At is 0, Options.Now gives the time. Add
// keeps the slice Entries, which must not be modified afterwards. Long texts are cut.
func (r *Recorder) Add(e Event) {
	e.bound()
	weight := 1 + len(e.Entries)/entriesPerEvent
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil && r.after+weight > r.max/2 {
		r.dropped++
		return
	}
	if e.At == 0 && r.now != nil {
		e.At = r.now()
	}
	c := r.roomLocked(weight)
	switch {
	case r.broken != nil:
		r.after += weight
	case e.Kind == Violation:
		r.broken = c
	}
	c.events[c.n] = e
	c.n++
	c.weight += weight
	r.weight += weight
}

// roomLocked returns a chunk with room for an event. For that it may give up the oldest events, but not the first violation;
// the states of the lanes remember what they have changed.
func (r *Recorder) roomLocked(weight int) *chunk {
	for len(r.chunks) > 1 && r.weight+weight > r.max && r.chunks[0] != r.broken {
		r.giveUpLocked(r.chunks[0])
		r.chunks[0] = nil
		r.chunks = r.chunks[1:]
	}
	if last := len(r.chunks) - 1; last >= 0 && r.chunks[last].n < chunkSize && r.chunks[last].weight < chunkSize {
		return r.chunks[last]
	}
	r.chunks = append(r.chunks, new(chunk))
	return r.chunks[len(r.chunks)-1]
}

func (r *Recorder) giveUpLocked(c *chunk) {
	for k := range c.events[:c.n] {
		e := &c.events[k]
		if e.Lane >= 0 && e.Lane < len(r.lanes) {
			r.lanes[e.Lane].before.apply(e)
		}
	}
	r.weight -= c.weight
	r.omitted += c.n
}
