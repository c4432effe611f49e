package labtest

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"6.824/kvraft/history"
	"6.824/kvraft/internal/recording"
)

// checkLimit is how long the check of a history may take, in real time.
const checkLimit = 20 * time.Second

// A Recorded is a test of a cluster that is recorded. If it fails, it writes a page of its run (docs/picture.md), and the name
// of the page is the last line of its output.
type Recorded struct {
	*recording.Recording
	outer   *testing.T
	command string
}

// Record returns a recording of the test t, which the command runs again. Call its Begin on the clock of the test, and defer
// Judge.
func Record(t *testing.T, service history.Service, servers int, command string) *Recorded {
	return &Recorded{recording.New(service, servers, t.Name(), command), t, command}
}

// Again is the command that runs a whole test of the lab again.
func Again(t *testing.T) string {
	return fmt.Sprintf("go test -count=1 -run '^%s$' . -args -clock=%s", t.Name(), *clock)
}

// T returns t, such that what it reports is recorded.
func (r *Recorded) T(t testing.TB) testing.TB { return &recordedT{t, r.Recording} }

// Judge ends the recording and checks the history. If the test has failed by now, it writes the pages: porcupine's if the
// history was refused, and ours. It must not be called on the virtual clock, since the check takes real time.
func (r *Recorded) Judge() {
	t := r.outer
	t.Helper()
	r.End()
	dir := cmp.Or(os.Getenv("PICTURES"), os.TempDir())
	if err := r.Check(checkLimit); err != nil {
		t.Error(err)
		if e, ok := err.(*history.Error); ok && runtime.GOOS != "wasip1" {
			if page, err := e.WritePage(dir); err != nil {
				t.Error(err)
			} else {
				t.Logf("porcupine's page of key %q: %s", e.Key, page)
			}
		}
	}
	if !t.Failed() || runtime.GOOS == "wasip1" { // a seeded host keeps the events itself
		return
	}
	t.Logf("to run it again: %s", r.command)
	r.Fail("the test has failed: see what it printed") // unless there is a better reason
	page, err := r.write(dir, t.Name())
	line := "picture: " + page
	if err != nil {
		line = fmt.Sprint("picture: cannot write it: ", err)
	}
	io.WriteString(t.Output(), line+"\n")
}

// write writes the page to a new file in dir.
func (r *Recorded) write(dir, name string) (string, error) {
	f, err := os.CreateTemp(dir, strings.NewReplacer("/", "_", "=", "_").Replace(name)+"-*.html")
	if err != nil {
		return "", err
	}
	f.Close()
	return f.Name(), r.WriteFile(f.Name())
}

// A recordedT records the errors of a test.
type recordedT struct {
	testing.TB
	r *recording.Recording
}

func (t *recordedT) Error(args ...any) {
	t.Helper()
	t.r.Fail(fmt.Sprint(args...))
	t.TB.Error(args...)
}

func (t *recordedT) Errorf(format string, args ...any) {
	t.Helper()
	t.r.Fail(fmt.Sprintf(format, args...))
	t.TB.Errorf(format, args...)
}

func (t *recordedT) Fatal(args ...any) {
	t.Helper()
	t.r.Fail(fmt.Sprint(args...))
	t.TB.Fatal(args...)
}

func (t *recordedT) Fatalf(format string, args ...any) {
	t.Helper()
	t.r.Fail(fmt.Sprintf(format, args...))
	t.TB.Fatalf(format, args...)
}
