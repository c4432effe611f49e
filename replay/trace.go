package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// A trace shows a run without changing it: the host reads the guest's memory, and the guest does not notice. A line has the
// virtual time, and then a line of output or a call or return in a goroutine, indented under the calls around it.

// traceOptions are the values of -trace and -trace-func.
type traceOptions struct{ File, Funcs string }

// tracer writes the trace of a run.
type tracer struct {
	host       *host
	file       *os.File
	funcs      *regexp.Regexp
	signatures map[string]signature
	open       map[uint32][]openCall // the calls of each goroutine, by the address of g
	line       []byte                // of output, until its end
	err        error                 // the first of writing
}

// openCall is a call that has not returned.
type openCall struct {
	*entry
	depth uint64   // of the stack
	state []string // what its parameters pointed to when it began
}

func newTracer(h *host, p *plan) (*tracer, error) {
	funcs, err := regexp.Compile(p.Trace.Funcs)
	if err != nil {
		return nil, err
	}
	file, err := os.Create(p.Trace.File)
	if err != nil {
		return nil, err
	}
	return &tracer{host: h, file: file, funcs: funcs, signatures: p.Target.Signatures, open: map[uint32][]openCall{}}, nil
}

// output writes lines of the guest's output.
func (t *tracer) output(p []byte) {
	t.line = append(t.line, bytes.ReplaceAll(p, []byte{mark}, nil)...)
	for {
		line, rest, ended := bytes.Cut(t.line, []byte("\n"))
		if !ended {
			return
		}
		t.write("output", 0, string(line))
		t.line = rest
	}
}

// maxIndent bounds the indentation of calls, since it would fill the disk in a deep recursion.
const maxIndent = 40

// write writes one line.
func (t *tracer) write(who string, indent int, text string) {
	now := time.Duration(t.host.now.Load())
	indentation := strings.Repeat("  ", min(indent, maxIndent))
	if _, err := fmt.Fprintf(t.file, "%15.9f %-7s%s%s\n", now.Seconds(), who, indentation, text); t.err == nil {
		t.err = err
	}
}

// close ends the trace. It returns an error if the trace could not be written.
func (t *tracer) close() error {
	if len(t.line) > 0 {
		t.write("output", 0, string(t.line))
	}
	if err := t.file.Close(); t.err == nil {
		t.err = err
	}
	return t.err
}

// checkTrace returns an error if a trace cannot be written to the file. It creates the file, but leaves an earlier trace.
func checkTrace(name string) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("-trace: %s is not a regular file", name) // such as /dev/stdout, on which a worker talks to its parent
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	return file.Close()
}

// traces reports whether a call of e belongs in the trace.
func (t *tracer) traces(e *entry) bool { return e.tested && t.funcs.MatchString(e.name) }

// stackDepth returns how far the stack of the goroutine at g reaches. The difference remains when the stack moves.
func stackDepth(mem api.Memory, g, sp uint32) uint64 {
	high, _ := mem.ReadUint64Le(g + offsetStackHigh)
	return high - uint64(sp)
}

// call handles that a goroutine begins a function.
func (t *tracer) call(mem api.Memory, g, sp uint32, e *entry) {
	if !t.traces(e) {
		return
	}
	calls, depth := t.open[g], stackDepth(mem, g, sp)
	for len(calls) > 0 && calls[len(calls)-1].depth >= depth { // ended by a panic, or this one
		last := calls[len(calls)-1]
		if last.entry == e && last.depth == depth {
			return // the function begins again after it has yielded or got more stack
		}
		calls = calls[:len(calls)-1]
	}
	params, v := t.signatures[e.name].Params, values{mem, sp + offsetArgument}
	t.write(t.goroutine(g), len(calls), e.name+"("+strings.Join(v.list(params), ", ")+")")
	t.open[g] = append(calls, openCall{e, depth, v.pointees(params)})
}

// returned handles that a function has returned. It shows the results, and what has changed behind the parameters.
func (t *tracer) returned(mem api.Memory, g, sp uint32, e *entry) {
	if !t.traces(e) {
		return
	}
	calls, depth := t.open[g], stackDepth(mem, g, sp)+offsetArgument // the return address is gone from the stack
	i := slices.IndexFunc(calls, func(c openCall) bool { return c.entry == e && c.depth == depth })
	if i < 0 {
		return
	}
	s, v := t.signatures[e.name], values{mem, sp}
	words := v.list(s.Results)
	for k, now := range v.pointees(s.Params) {
		if k >= len(calls[i].state) || now != calls[i].state[k] {
			words = append(words, now)
		}
	}
	t.write(t.goroutine(g), i, strings.TrimSpace("return "+strings.Join(words, ", ")))
	t.open[g] = calls[:i]
}

// goroutine returns the name of a goroutine. The number may be used again after the goroutine has ended.
func (t *tracer) goroutine(g uint32) string { return fmt.Sprintf("g%d", t.host.preempt.goroutines[g]) }
