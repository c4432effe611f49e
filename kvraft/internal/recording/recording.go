// Package recording records the run of a key/value service in a cluster: what its clients do and see, for the check, and what
// its servers do and send each other, for the page (docs/picture.md).
package recording

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"6.824/kvraft/history"
	"6.824/kvraft/rpc"
	"6.824/picture"
	"6.824/record"
)

// A Recording is one run. It observes the network, and is a cluster.Watcher. Any number of goroutines may use it.
type Recording struct {
	*record.Cluster
	service history.Service
	rec     *picture.Recorder
	ops     history.Recorder
	begun   time.Time
	last    atomic.Int64 // when the last event happened, as a time.Duration
	ended   atomic.Bool

	mu     sync.Mutex
	lanes  map[int]int // by client
	reason string      // of the first failure
	broken bool        // a violation is recorded
}

// New returns a recording of a service with this number of servers. The page has the title and the command. The clock runs from
// Begin on.
func New(service history.Service, servers int, title, command string) *Recording {
	r := &Recording{service: service, lanes: make(map[int]int)}
	r.rec = picture.New(picture.Options{Title: title, Command: command, Now: r.now})
	r.Cluster = record.New(r.rec, servers)
	return r
}

// Begin starts the clock.
func (r *Recording) Begin() { r.begun = time.Now() }

// End stops the clock: what is recorded later has the time of the last event before. A test on a virtual clock must call it
// before the clock ends.
func (r *Recording) End() { r.ended.Store(true) }

func (r *Recording) now() time.Duration {
	if !r.ended.Load() {
		r.last.Store(int64(max(time.Since(r.begun), 1)))
	}
	return time.Duration(r.last.Load())
}

// AddClient adds a lane for a client, whose ends have these names, or further ends to the lane that it has.
func (r *Recording) AddClient(id int, ends []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lanes[id] = r.Client(fmt.Sprint("client ", id), ends)
}

// Start begins an operation of a client that was added. The function that it returns ends the operation. It must be given the
// operation with its result.
func (r *Recording) Start(op history.Operation) (end func(op history.Operation)) {
	lane, call := r.lane(op.Client), r.ops.Begin()
	r.rec.Add(picture.Event{Kind: picture.Invoke, Lane: lane, Call: -call, Text: r.service.Request(&op)})
	return func(op history.Operation) {
		op.Call = call
		r.ops.End(op)
		ok := op.Err == "" || op.Err == rpc.OK || op.Kind == history.Get && op.Err == rpc.ErrNoKey
		r.rec.Add(picture.Event{Kind: picture.Return, Lane: lane, Call: -call, OK: ok, Text: r.service.Result(&op)})
	}
}

func (r *Recording) lane(client int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lane, ok := r.lanes[client]; ok {
		return lane
	}
	return picture.NoLane
}

// History returns the operations that have ended.
func (r *Recording) History() []history.Operation { return r.ops.History() }

// Step records a step of the test, or a fault.
func (r *Recording) Step(text string) {
	r.rec.Add(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: text})
}

// Fail records a failure that no operation shows, unless there is one.
func (r *Recording) Fail(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == "" && !r.broken {
		r.reason = reason
		r.Step("failure: " + reason)
	}
}

// Check returns what history.Check does. If the history is refused, the page opens at the operation that cannot be explained.
func (r *Recording) Check(limit time.Duration) error {
	err := history.Check(r.service, r.History(), limit)
	e, ok := err.(*history.Error)
	if !ok {
		return err
	}
	v := picture.Event{Name: e.Why, Lane: picture.NoLane, Text: e.Error()}
	if e.Culprit != nil {
		v.Lane, v.Call, v.Text = r.lane(e.Culprit.Client), -e.Culprit.Call, e.Explain()
	}
	r.violate(v)
	return err
}

// WriteFile writes the page. If something has failed, but no operation shows that, the page opens at its last event.
func (r *Recording) WriteFile(name string) error {
	r.mu.Lock()
	reason := r.reason
	r.mu.Unlock()
	if reason != "" {
		r.violate(picture.Event{Name: "failure", Lane: picture.NoLane, Text: reason})
	}
	return r.rec.WriteFile(name)
}

// violate records a violation, unless there is one.
func (r *Recording) violate(v picture.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken {
		return
	}
	r.broken = true
	v.Kind = picture.Violation
	r.rec.Add(v)
}
