package main

import (
	"fmt"
	"sync"
	"time"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/raft"
	"6.824/record"
)

// A recording is the run as a page shows it. Without -picture it is nil, and its methods do nothing.
type recording struct {
	file    string
	rec     *picture.Recorder
	cluster *record.Cluster
	client  int // its lane

	mu     sync.Mutex
	lines  map[int]func(result string, ok bool) // by number: ends the operation of a line that is not applied yet
	failed bool                                 // a problem is recorded
}

// newRecording begins a recording of n servers for a page in a file. It returns nil if there is no file.
func newRecording(file, command string, n int) *recording {
	if file == "" {
		return nil
	}
	began := time.Now()
	rec := picture.New(picture.Options{Title: "raft-demo", Command: command, Now: func() time.Duration {
		return max(time.Since(began), 1)
	}})
	r := &recording{file: file, rec: rec, cluster: record.New(rec, n), lines: make(map[int]func(string, bool))}
	r.client = rec.Lane("client", true)
	return r
}

// observe begins to record the network, which has not been used yet.
func (r *recording) observe(net *labrpc.Network) {
	if r != nil {
		net.Observe(r.cluster)
	}
}

// start records the start of a server and returns the options with which it tells what it does.
func (r *recording) start(id int, ends []string) []raft.Option {
	if r == nil {
		return nil
	}
	names := make([]any, len(ends))
	for to, name := range ends {
		names[to] = name
	}
	r.cluster.Started(id, names)
	return []raft.Option{raft.WithObserver(r.cluster.Server(id))}
}

// crash records the crash of a server, before it happens.
func (r *recording) crash(id int) {
	if r != nil {
		r.cluster.Crashed(id)
	}
}

// step records an event of the demo.
func (r *recording) step(text string) {
	if r != nil {
		r.rec.Add(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: text})
	}
}

// submit records that the client gives a line to a server. If an earlier leader got the line, that may be lost.
func (r *recording) submit(l Line, server int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if end := r.lines[l.Number]; end != nil {
		end("submitted again", false)
	}
	r.lines[l.Number] = r.rec.Operation(r.client, fmt.Sprintf("line %d to server %d: %s", l.Number, server, l.Text))
}

// applied records that some server has applied the lines up to a number.
func (r *recording) applied(number int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, end := range r.lines {
		if n <= number {
			end("applied", true)
			delete(r.lines, n)
		}
	}
}

// problem records a reason for a verdict that is not "correct". The page opens at the first one.
func (r *recording) problem(text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.failed {
		r.failed = true
		r.rec.Add(picture.Event{Kind: picture.Violation, Lane: picture.NoLane, Name: "verdict", Text: text})
	}
}

// write writes the page.
func (r *recording) write() error {
	if r == nil {
		return nil
	}
	return r.rec.WriteFile(r.file)
}
