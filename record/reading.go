//go:build go1.25

package record

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"6.824/wire"
)

// A reading is what could be read of arguments or of a reply. Most messages are like others, so readings are used again.
type reading struct {
	name         string // of the RPC
	text, detail string // in words, and all fields
	wire.Request
	wire.Reply
	declined bool // the reply of a service says that it has not carried out the request
}

// readings holds readings by what they were read from.
type readings struct {
	mu     sync.Mutex
	known  map[string]*reading
	reader wire.Reader
	buffer []byte
}

// maxReadings bounds the readings that are kept.
const maxReadings = 1 << 12

// read returns the reading of a value. fill is called for a new one, with the lock held.
func (r *readings) read(method string, v any, fill func(*reading)) *reading {
	r.mu.Lock()
	p := printer{b: append(r.buffer[:0], method...), limit: maxValue}
	if t := reflect.TypeOf(v); t != nil {
		p.b = append(append(p.b, ' '), t.String()...)
	}
	p.b = append(p.b, '\n')
	start := len(p.b)
	p.fields(v)
	r.buffer = p.b
	if known := r.known[string(p.b)]; known != nil { // without an allocation
		r.mu.Unlock()
		return known
	}
	key := string(p.b)
	r.mu.Unlock()
	new := &reading{name: method[strings.LastIndexByte(method, '.')+1:], text: words(v), detail: key[start:]} // words may wait
	r.mu.Lock()
	defer r.mu.Unlock()
	fill(new)
	if len(r.known) >= maxReadings {
		clear(r.known)
	}
	if !p.cut { // otherwise others may differ in what was left out
		r.known[key] = new
	}
	return new
}

func (r *readings) request(method string, args any) *reading {
	return r.read(method, args, func(new *reading) {
		new.Request = r.reader.Request(method, args)
		if strings.HasPrefix(new.text, "AppendEntries term ") {
			new.Count = countIn(new.text)
		}
		if new.Request.Kind == wire.PreVote {
			new.name = "PreVote"
		}
		if new.text == "" {
			new.text = new.describe(args)
		}
	})
}

func (r *readings) reply(method string, k wire.Kind, reply any) *reading {
	return r.read(method+" reply", reply, func(new *reading) {
		new.Reply = r.reader.Reply(k, reply)
		if k != wire.Other {
			return
		}
		switch new.declined = declines(reply); {
		case new.text != "":
		case new.declined && errorOf(reply) != "":
			new.text = errorOf(reply)
		default:
			new.text = value(reply, 2*maxValue)
		}
	})
}

// entries returns the entries of AppendEntries, and whether they could be read.
func (r *readings) entries(args any) ([]wire.Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reader.Entries(args)
}

// countIn returns the number of entries in the words of this repository's Raft, whose entries a wire.Reader cannot count.
func countIn(words string) int {
	before, _, several := strings.Cut(words, " entries ")
	if !several {
		return strings.Count(words, ": entry ")
	}
	n, err := strconv.Atoi(before[strings.LastIndexByte(before, ' ')+1:])
	if err != nil {
		return 0
	}
	return n
}

// describe returns a request in words. An entry is its index and its term.
func (r *reading) describe(args any) string {
	q := &r.Request
	begin := fmt.Sprintf("%s term %s", r.name, number(q.Term))
	switch q.Kind {
	case wire.Other:
		return r.name + " " + value(args, 2*maxValue)
	case wire.RequestVote, wire.PreVote:
		return fmt.Sprintf("%s: last log entry %s/%s", begin, number(q.LastIndex), number(q.LastTerm))
	case wire.InstallSnapshot:
		return fmt.Sprintf("%s: up to %s/%s", begin, number(q.LastIndex), number(q.LastTerm))
	}
	what := "heartbeat"
	switch {
	case q.Count == wire.Unread:
		what = "entries"
	case q.Count == 1:
		what = "entry " + number(q.PrevIndex+1)
	case q.Count > 1:
		what = fmt.Sprintf("%d entries %d..%d", q.Count, q.PrevIndex+1, q.PrevIndex+q.Count)
	}
	return fmt.Sprintf("%s after %s/%s: %s, commit %s", begin, number(q.PrevIndex), number(q.PrevTerm), what, number(q.Commit))
}

// known returns a number that was read, or 0.
func known(n int) int { return max(n, 0) }

// number returns a number in words.
func number(n int) string {
	if n < -1 { // wire.Unread, or that and the number of an entry after it
		return "?"
	}
	return strconv.Itoa(n)
}
