package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"6.824/picture"
)

// The tests record what they do with package picture, in their own memory, with and without -picture. With it, the host
// listens to the Recorder's methods, reads their arguments from the guest's memory, and makes the same Recorder again.

// pictureOptions say where the page goes.
type pictureOptions struct {
	File, Command string
	Lines         bool   // the output is the only source of the test's steps
	Replaced      bool   // labrpc was replaced
	Why           string // why nothing is recorded, or ""
}

// recorderMethods are the functions of package picture that the host listens to.
var recorderMethods = []string{"New", "(*Recorder).Lane", "(*Recorder).Note", "(*Recorder).SetTitle", "(*Recorder).SetCommand", "(*Recorder).Add"}

// isRecorder reports whether a package records the run. The host lets no goroutine yield there: these packages are not under
// test, and their many small functions would draw the preemptions away from those that are.
func isRecorder(importPath string) bool {
	for _, name := range []string{"picture", "record", "wire"} {
		if importPath == "6.824/"+name || strings.HasSuffix(importPath, "raft"+name) {
			return true
		}
	}
	return false
}

// checkPicture returns an error if a page cannot be written to the file.
func checkPicture(name string) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("-picture: %s is not a regular file", name)
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return fmt.Errorf("-picture: there is no directory %s", filepath.Dir(name))
	}
	return nil
}

// A shot is the copy of one of the guest's Recorders.
type shot struct {
	*picture.Recorder
	guest  uint32 // address of the Recorder
	title  string
	began  time.Duration // on the host's clock
	broken bool          // it has a violation
}

// maxShots bounds the Recorders that are followed at a time. A test has one or two.
const maxShots = 4

// pictures follows the guest's Recorders.
type pictures struct {
	host  *host
	opts  pictureOptions
	shots []*shot
	calls map[uint32]*entry // by the address of g: the method that runs
	line  []byte            // of output, until its end
	test  string            // the running test
	why   string            // what the test has logged last
}

func newPictures(h *host, opts pictureOptions) *pictures {
	return &pictures{host: h, opts: opts, calls: map[uint32]*entry{}}
}

// call handles that a goroutine begins a method of a Recorder.
func (p *pictures) call(mem api.Memory, g, sp uint32, e *entry) {
	if p.calls[g] == e {
		return // it begins again after it has yielded or got more stack
	}
	p.calls[g] = e
	args := &guestReader{mem, sp + offsetArgument}
	s := p.shot(uint32(args.word()))
	if s == nil || e.method == "New" {
		return
	}
	switch e.method {
	case "Lane":
		name := args.text()
		s.Lane(name, args.word()&1 != 0)
	case "Note":
		s.Note(args.text())
	case "SetTitle":
		s.title = args.text()
		s.SetTitle(s.title)
	case "Add":
		var event picture.Event
		args.read(reflect.ValueOf(&event).Elem())
		p.add(s, event)
	}
}

// returned handles that a method has returned. Sp points to the arguments, after which the result comes.
func (p *pictures) returned(mem api.Memory, g, sp uint32, e *entry) {
	delete(p.calls, g)
	if e.method != "New" {
		return
	}
	args := &guestReader{mem, sp}
	var o picture.Options
	args.read(reflect.ValueOf(&o).Elem())
	o.Command, o.Now = p.opts.Command, nil
	s := &shot{Recorder: picture.New(o), guest: uint32(args.word()), title: o.Title, began: time.Duration(p.host.now.Load())}
	if s.title == "" {
		s.title = p.test
		s.SetTitle(s.title)
	}
	if p.opts.Replaced {
		s.Note("While building, this repository's labrpc and labgob took the place of the tests' own.")
	}
	for len(p.shots) >= maxShots {
		k := 0
		if p.shots[0].broken {
			k = 1
		}
		p.shots = append(p.shots[:k], p.shots[k+1:]...)
	}
	p.shots = append(p.shots, s)
}

// shot returns the copy of a Recorder, or nil.
func (p *pictures) shot(guest uint32) *shot {
	for k := len(p.shots) - 1; k >= 0; k-- {
		if p.shots[k].guest == guest {
			return p.shots[k]
		}
	}
	return nil
}

func (p *pictures) add(s *shot, e picture.Event) {
	if e.At == 0 {
		e.At = max(time.Duration(p.host.now.Load())-s.began, 1)
	}
	s.broken = s.broken || e.Kind == picture.Violation
	s.Add(e)
}

// chosen returns what the page shows: the first run with a violation, or else the last one. It is nil if there is none.
func (p *pictures) chosen() *shot {
	for _, s := range p.shots {
		if s.broken {
			return s
		}
	}
	if len(p.shots) == 0 {
		return nil
	}
	return p.shots[len(p.shots)-1]
}

// output handles lines of the guest's output.
func (p *pictures) output(b []byte) {
	p.line = append(p.line, b...)
	for {
		line, rest, ended := bytes.Cut(p.line, []byte("\n"))
		if !ended {
			return
		}
		p.line = rest
		p.say(string(bytes.ReplaceAll(line, []byte{mark}, nil)))
	}
}

// say records a line as a step, if the tests record none, or as a failure.
func (p *pictures) say(line string) {
	text := strings.TrimSpace(line)
	switch m := results.FindStringSubmatch(line); {
	case m != nil && m[2] == "RUN":
		p.test, p.why = m[3], ""
	case m != nil && m[2] == "FAIL":
		p.fail(cmp.Or(p.why, text))
	case strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: "):
		p.fail(text)
	case m != nil || text == "" || text == "FAIL" || text == "PASS":
	default:
		p.why = text
		if k := len(p.shots) - 1; k >= 0 && p.opts.Lines {
			p.add(p.shots[k], picture.Event{Kind: picture.Step, Lane: picture.NoLane, Text: text})
		}
	}
}

// fail records that the running test fails, unless a violation was recorded.
func (p *pictures) fail(text string) {
	if s := p.chosen(); s != nil && !s.broken {
		p.add(s, picture.Event{Kind: picture.Violation, Lane: picture.NoLane, Name: "the test fails", Text: text})
	}
}

// write writes the page after the run has ended, and says what it shows.
func (p *pictures) write(failed bool) (about string, err error) {
	s := p.chosen()
	if s == nil {
		return "no page: " + cmp.Or(p.opts.Why, "nothing was recorded"), nil
	}
	if failed {
		p.fail(cmp.Or(p.why, "the test's program has ended"))
	}
	about = "the last run"
	if s.broken {
		about = "the run that failed"
	}
	return fmt.Sprintf("%s shows %s, %s", p.opts.File, about, s.title), s.WriteFile(p.opts.File)
}
