//go:build !unrecorded

package raft

// Every cluster is recorded, and a test that fails writes the page of its run (package picture).

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/record"
)

// noLane is where an event is that belongs to no server.
const noLane = picture.NoLane

var pictureFlag = flag.String("picture", "", "write the page of every test's run, as TestName.html, into this `directory`, which\n"+
	"may be relative to the package's; otherwise only those of failing tests, into the\n"+
	"directory $PICTURES or the one for temporary files")

// A recording is what one cluster and its test have done. All methods may be called by any goroutine, and do nothing on nil.
type recording struct {
	*record.Cluster
	rec     *picture.Recorder
	now     atomic.Int64 // the time of the last event, as a time.Duration
	observe sync.Once
	failed  atomic.Bool // a violation or a failure of the test is recorded

	mu       sync.Mutex
	handling map[int64]any // the servers whose handlers run, by the call's number
}

// observer returns the Observer of a server that has started.
func (r *recording) observer(server int) *record.Server { return r.Server(server) }

// newRecording begins the recording of a cluster of n servers, for the page of t's test. Benchmarks have none.
func newRecording(t testing.TB, n int) *recording {
	begun := time.Now()
	return newRecordingAt(t, n, func() time.Duration { return time.Since(begun) })
}

// newRecordingAt begins a recording with its own clock.
func newRecordingAt(t testing.TB, n int, now func() time.Duration) *recording {
	if _, measures := t.(*testing.B); measures || !recorded() {
		return nil
	}
	r := &recording{handling: make(map[int64]any)}
	r.rec = picture.New(picture.Options{Title: t.Name(), Command: runAgain(t.Name()), Now: func() time.Duration {
		at := max(now(), 1)
		r.now.Store(int64(at))
		return at
	}})
	r.Cluster = record.New(r.rec, n)
	enlistRecording(t, r)
	return r
}

// step records a step of the test.
func (r *recording) step(format string, args ...any) {
	if r != nil {
		r.rec.Add(picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: fmt.Sprintf(format, args...)})
	}
}

// shortly formats a command for a step.
func shortly(command any) string {
	const most = 40
	if text, ok := command.(string); ok && len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%#v", command)
}

// violation records that a rule is broken, unless another violation came first. The page opens there. Server may be
// picture.NoLane; term and index may be 0.
func (r *recording) violation(rule string, server, term, index int, text string) {
	if r != nil && r.failed.CompareAndSwap(false, true) {
		r.rec.Add(picture.Event{Kind: picture.Violation, Name: rule, Lane: server, Term: term, Index: index, Call: r.callOf(server), Text: text})
	}
}

// callOf returns the number of the call that the caller handles on a server, or 0 if it handles none or that is not clear.
func (r *recording) callOf(server int) (number int64) {
	if !strings.Contains(string(debug.Stack()), "OnMessage(") {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := 0
	for n, handler := range r.handling {
		if handler == any(server) {
			found, number = found+1, n
		}
	}
	if found != 1 {
		return 0
	}
	return number
}

// Handling and Handled add to those of record.Cluster which handlers run.

func (r *recording) Handling(call labrpc.CallInfo, args any) {
	r.Cluster.Handling(call, args)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handling[call.Number] = call.Server
}

func (r *recording) Handled(call labrpc.CallInfo, reply any) {
	r.mu.Lock()
	delete(r.handling, call.Number)
	r.mu.Unlock()
	r.Cluster.Handled(call, reply)
}

// hasFailed reports whether a violation or a failure is recorded.
func (r *recording) hasFailed() bool { return r.failed.Load() }

// failure records that the test fails, unless a violation came first.
func (r *recording) failure(text string) {
	if r != nil && r.failed.CompareAndSwap(false, true) {
		e := picture.Event{Kind: picture.Violation, Name: "the test fails", Lane: picture.NoLane, Text: text}
		if virtualClock() && ownBubble() == "" { // the time of the recording is that of the bubble
			e.At = max(time.Duration(r.now.Load()), 1)
		}
		r.rec.Add(e)
	}
}

// started records that server i starts, before it does.
func (r *recording) started(i int, ends []string, net *labrpc.Network) {
	if r == nil {
		return
	}
	r.observe.Do(func() { net.Observe(r) })
	names := make([]any, len(ends))
	for j, name := range ends {
		names[j] = name
	}
	r.Started(i, names)
}

// crashing records that server i stops, before it does.
func (r *recording) crashing(i int) {
	if r != nil {
		r.Crashed(i)
	}
}

// testing returns t such that what it reports is recorded.
func (r *recording) testing(t testing.TB) testing.TB {
	if r == nil {
		return t
	}
	return &recordedTest{t, r}
}

// A recordedTest records the errors of a test.
type recordedTest struct {
	testing.TB
	r *recording
}

func (t *recordedTest) Error(args ...any) {
	t.Helper()
	t.r.failure(fmt.Sprint(args...))
	t.TB.Error(args...)
}

func (t *recordedTest) Errorf(format string, args ...any) {
	t.Helper()
	t.r.failure(fmt.Sprintf(format, args...))
	t.TB.Errorf(format, args...)
}

func (t *recordedTest) Fatal(args ...any) {
	t.Helper()
	t.r.failure(fmt.Sprint(args...))
	t.TB.Fatal(args...)
}

func (t *recordedTest) Fatalf(format string, args ...any) {
	t.Helper()
	t.r.failure(fmt.Sprintf(format, args...))
	t.TB.Fatalf(format, args...)
}

// preparePictures makes the directory that the flag -picture names.
func preparePictures() error {
	if *pictureFlag == "" {
		return nil
	}
	if err := os.MkdirAll(*pictureFlag, 0o755); err != nil {
		return fmt.Errorf("-picture=%s: %w", *pictureFlag, err)
	}
	return nil
}

// write writes the page of test name and returns its path.
func (r *recording) write(name string) (path string, err error) {
	name = strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, c) {
			return '_'
		}
		return c
	}, name)
	const longest = 150 // bytes; file systems allow 255
	name = strings.ToValidUTF8(name[:min(len(name), longest)], "")
	path = filepath.Join(*pictureFlag, name+".html")
	if *pictureFlag == "" {
		f, err := os.CreateTemp(cmp.Or(os.Getenv("PICTURES"), os.TempDir()), name+"-*.html")
		if err != nil {
			return "", err
		}
		f.Close()
		path = f.Name()
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if err = r.rec.WriteFile(path); err != nil && *pictureFlag == "" {
		os.Remove(path)
	}
	return path, err
}

// line writes the page of test name, if a test that failed or not should, and returns the line that names the page.
func (r *recording) line(name string, failed bool) string {
	if r == nil || *pictureFlag == "" && (!failed || runtime.GOOS == "wasip1") { // a seeded host keeps the events itself
		return ""
	}
	path, err := r.write(name)
	if err != nil {
		return fmt.Sprintf("picture: cannot write it: %v\n", err)
	}
	return fmt.Sprintf("picture: %s\n", path)
}

// show writes the page of a test that has ended, if it should. The path is the last line of the test's output.
func (r *recording) show(t testing.TB) {
	if t.Failed() {
		r.failure("the test has failed: see what it printed")
	}
	io.WriteString(t.Output(), r.line(t.Name(), t.Failed()))
}
