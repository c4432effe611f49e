//go:build go1.25

package picture

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
)

// data is what the page's script gets. Texts are indices into Strings, and events are columns, since a million objects would
// take the browser seconds.
type data struct {
	Title     string              `json:"title"`
	Command   string              `json:"command"`
	Notes     []string            `json:"notes"`
	Omitted   int                 `json:"omitted"`
	Lanes     []laneData          `json:"lanes"`
	Strings   []string            `json:"strings"`
	Events    columns             `json:"events"`
	Entries   map[string][][2]int `json:"entries"` // by event: term and text
	Violation int                 `json:"violation"`
	Open      int                 `json:"open"`
	Elections []*election         `json:"elections"`

	numbers map[string]int // of Strings
}

type laneData struct {
	Name   string `json:"name"`
	Client bool   `json:"client"`
	Before struct {
		state
		Log [][2]int `json:"log"`
	} `json:"before"`
}

// columns holds the events: each list has one number for each event.
type columns struct {
	At     []int64 `json:"at"` // nanoseconds since the event before
	Kind   []int   `json:"kind"`
	Lane   []int   `json:"lane"`
	Peer   []int   `json:"peer"`
	Call   []int64 `json:"call"`
	Term   []int   `json:"term"`
	Index  []int   `json:"index"`
	Last   []int   `json:"last"`
	Role   []int   `json:"role"`
	Fate   []int   `json:"fate"`
	Flags  []int   `json:"flags"`
	Name   []int   `json:"name"`
	Text   []int   `json:"text"`
	Detail []int   `json:"detail"`
}

// The bits of columns.Flags.
const (
	flagOK = 1 << iota
	flagUp
	flagFolded
	flagPast
	flagNamed
)

// data returns what the page shows.
func (u *run) data() *data {
	d := &data{Title: u.title, Command: u.command, Notes: u.notes, Omitted: u.omitted, Entries: map[string][][2]int{},
		Violation: u.violation, Open: max(u.guilty(), 0), Elections: u.elections(), numbers: map[string]int{}}
	if d.Notes == nil {
		d.Notes = []string{}
	}
	d.number("")
	for _, l := range u.lanes {
		ld := laneData{Name: l.name, Client: l.client}
		ld.Before.state, ld.Before.Log = l.before, d.entries(l.before.log)
		ld.Before.Leader = u.known(l.before.Leader)
		ld.Before.Cut = slices.DeleteFunc(slices.Clone(l.before.Cut), func(to int) bool { return u.known(to) == NoLane })
		d.Lanes = append(d.Lanes, ld)
	}
	past, named := u.past()
	folded := u.folded(past)
	before := int64(0)
	for i, e := range u.events {
		d.add(e, u.known(e.Lane), u.known(e.Peer), int64(e.At)-before, flag(e.OK, flagOK)|flag(e.Up, flagUp)|flag(folded[i], flagFolded)|
			flag(past[i], flagPast)|flag(named[i], flagNamed))
		before = int64(e.At)
		if len(e.Entries) > 0 {
			d.Entries[strconv.Itoa(i)] = d.entries(e.appendTo(nil))
		}
	}
	return d
}

// known returns a lane, or NoLane if there is no such lane.
func (u *run) known(lane int) int {
	if lane < 0 || lane >= len(u.lanes) {
		return NoLane
	}
	return lane
}

func (d *data) add(e *Event, lane, peer int, since int64, flags int) {
	c := &d.Events
	c.At, c.Call, c.Flags = append(c.At, since), append(c.Call, e.Call), append(c.Flags, flags)
	c.Kind, c.Role, c.Fate = append(c.Kind, int(e.Kind)), append(c.Role, int(e.Role)), append(c.Fate, int(e.Fate))
	c.Lane, c.Peer = append(c.Lane, lane), append(c.Peer, peer)
	c.Term, c.Index, c.Last = append(c.Term, e.Term), append(c.Index, e.Index), append(c.Last, e.Last)
	c.Name, c.Text, c.Detail = append(c.Name, d.number(e.Name)), append(c.Text, d.number(e.Text)), append(c.Detail, d.number(e.Detail))
}

func flag(set bool, bit int) int {
	if set {
		return bit
	}
	return 0
}

// number returns the number of a text.
func (d *data) number(text string) int {
	n, known := d.numbers[text]
	if !known {
		n = len(d.Strings)
		d.numbers[text] = n
		d.Strings = append(d.Strings, text)
	}
	return n
}

func (d *data) entries(log []logged) [][2]int {
	all := make([][2]int, len(log))
	for k, e := range log {
		all[k] = [2]int{e.Term, d.number(e.text())}
	}
	return all
}

// pack returns the data as base64 of gzip of JSON. None of it can be taken for HTML.
func (d *data) pack() (string, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	if err := json.NewEncoder(z).Encode(d); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}
