//go:build !unrecorded

package raft

// What a page folds and highlights, on schedules of schedule_test.go.

import (
	"strings"
	"testing"
	"time"

	"6.824/picture"
)

// The bits of picture's flags.
const (
	flagOK     = 1
	flagFolded = 4
	flagPast   = 8
)

// pictured runs a schedule, and returns the page as it is when the schedule has ended. Before, it records a violation if server
// is not noLane.
func pictured(t *testing.T, s setup, schedule func(cfg *config) (server, term, index int)) (p page) {
	lab(t, func(t *testing.T) {
		cfg := s.start(t)
		defer cfg.cleanup()
		server, term, index := schedule(cfg)
		if server != noLane {
			cfg.recording.rec.Add(picture.Event{Kind: picture.Violation, Name: "planted", Lane: server, Term: term, Index: index})
		}
		p = pageOf(t, cfg.recording)
	})
	return p
}

// sent returns for each message the request, by the message's number.
func (p *page) sent() map[int]int {
	requests := make(map[int]int)
	for i, kind := range p.Events.Kind {
		if kind == int(picture.Send) {
			requests[p.Events.Call[i]] = i
		}
	}
	return requests
}

// A leader of four servers reaches only one follower, and another leader commits an entry. What led to that is the election
// of the second leader and how the entry got to a majority, and nothing of the first leader's term.
func TestPastOfGivingWay(t *testing.T) {
	var leader, term int
	p := pictured(t, setup{n: 4}, func(cfg *config) (int, int, int) {
		old := cfg.checkOneLeader()
		for _, k := range []int{2, 3} {
			cfg.link(old, (old+k)%4, false)
		}
		cfg.sleep(5 * time.Second)
		leader = cfg.leaders()[0]
		index, now, _ := cfg.raft(leader).Start("new")
		term = now
		cfg.wait(index, 3, -1)
		return leader, term, index
	})
	e, requests := &p.Events, p.sent()
	votes, acknowledged, elected, brought, saved := 0, 0, 0, 0, 0
	for i, flags := range e.Flags {
		if flags&flagPast == 0 {
			continue
		}
		request, message := requests[e.Call[i]]
		isVote := message && strings.Contains(strings.ToLower(p.Strings[e.Name[request]]), "vote")
		switch kind := picture.Kind(e.Kind[i]); {
		case message && e.Term[request] != term:
			t.Errorf("event %d belongs to a message of term %d, want only term %d", i, e.Term[request], term)
		case kind == picture.Answer && flags&flagOK != 0 && isVote:
			votes++
		case kind == picture.Answer && flags&flagOK != 0:
			acknowledged++
		case kind == picture.State && e.Lane[i] == leader && e.Term[i] == term:
			elected++
		case kind == picture.Log:
			brought++
		case kind == picture.Save:
			saved++
		}
	}
	// Of four servers, three are a majority: the leader and two others.
	if votes < 2 || acknowledged < 2 || elected < 1 || brought < 3 || saved < 4 {
		t.Errorf("the causal past has %d votes, %d acknowledgements, %d states of the leader, %d logs, %d saves",
			votes, acknowledged, elected, brought, saved)
	}
}

// While nothing happens, all heartbeats are folded, also those to a server that is cut off.
func TestFoldOfIdleCluster(t *testing.T) {
	var begun, ended time.Duration
	p := pictured(t, setup{n: 5}, func(cfg *config) (int, int, int) {
		cfg.one("x", 5, true)
		cfg.disconnect((cfg.checkOneLeader() + 1) % 5)
		cfg.sleep(8 * time.Second) // calls over a cut link take up to 7 s to fail
		begun = time.Since(cfg.made)
		cfg.sleep(10 * time.Second)
		ended = time.Since(cfg.made)
		cfg.sleep(8 * time.Second) // so that what was sent before has ended
		return noLane, 0, 0
	})
	e, now, heartbeats := &p.Events, 0, 0
	for i := range e.Kind {
		now += e.At[i]
		if e.Kind[i] != int(picture.Send) || !strings.HasSuffix(p.Strings[e.Name[i]], "AppendEntries") ||
			time.Duration(now) < begun || time.Duration(now) > ended {
			continue
		}
		heartbeats++
		if e.Flags[i]&flagFolded == 0 {
			t.Errorf("event %d at %v is not folded: %s", i, time.Duration(now), p.Strings[e.Text[i]])
		}
	}
	if heartbeats < 200 { // four peers, some nine a second
		t.Errorf("there were %d heartbeats", heartbeats)
	}
	for i, kind := range e.Kind {
		if message := kind >= int(picture.Send) && kind <= int(picture.End); e.Flags[i]&flagFolded != 0 && !message {
			t.Errorf("event %d, of kind %d, is folded", i, kind)
		}
	}
}
