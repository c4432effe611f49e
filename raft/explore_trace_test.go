package raft

// Traces: how lists of actions are written as text, and how a search finds the trace that leads to a state.

import (
	"fmt"
	"slices"
	"strings"
)

var stepNames = map[stepKind]string{
	stepTimeout: "timeout", stepResign: "resign", stepStart: "start", stepQueue: "queue",
	stepAccept: "accept", stepTake: "take", stepApply: "apply", stepSnapshot: "snapshot", stepRead: "read", stepCrash: "crash",
}

var fateNames = map[fate]string{answered: "", noReply: " no-reply", lost: " lost", held: " held", heldReply: " reply-held"}

var sendNames = map[stepKind]string{stepAsk: "vote", stepSend: "send", stepBeat: "beat"}

var itemNames = map[actionKind]string{actDeliver: "deliver", actDrop: "drop", actRepeat: "repeat"}

// text formats an action for parseAction: the verb, the server or servers or the message in flight, and what happened
// to it.
func (a action) text() string {
	var s string
	switch a.kind {
	case act:
		s = fmt.Sprint(stepNames[a.step.kind], " ", a.at)
		switch a.step.kind {
		case stepSnapshot:
			s = fmt.Sprintf("%s@%d", s, a.step.arg)
		case stepTimeout:
			s += strings.Repeat(" afresh", a.step.arg)
		}
	case actVote:
		s = fmt.Sprintf("vote %d>%d%s", a.at, a.to, fateNames[a.fate])
	case actSend:
		s = fmt.Sprintf("%s %d>%d@%d%s", sendNames[a.step.kind], a.at, a.to, a.step.arg, fateNames[a.fate])
	case actDeliver:
		s = fmt.Sprintf("deliver #%d%s", a.item, fateNames[a.fate])
	default:
		s = fmt.Sprintf("%s #%d", itemNames[a.kind], a.item)
	}
	if a.heard {
		s += " heard"
	}
	if a.crashStep > 0 {
		s += fmt.Sprintf(" crash=%d.%d", a.crashStep, a.crashSave)
	}
	return s
}

func textOf(trace []action) string {
	texts := make([]string, len(trace))
	for k, a := range trace {
		texts[k] = a.text()
	}
	return strings.Join(texts, ", ")
}

// parseTrace parses the output of textOf.
func parseTrace(text string, servers int) (trace []action, err error) {
	for _, part := range strings.Split(text, ",") {
		a, err := parseAction(strings.TrimSpace(part))
		switch bad := max(a.at, a.to); {
		case err != nil:
		case a.text() != strings.Join(strings.Fields(part), " "):
			err = fmt.Errorf("only %q was understood", a.text())
		case bad >= servers || min(a.at, a.to) < 0:
			err = fmt.Errorf("there is no server %d", bad)
		}
		if err != nil {
			return nil, fmt.Errorf("action %d, %q: %w", len(trace)+1, strings.TrimSpace(part), err)
		}
		trace = append(trace, a)
	}
	return trace, nil
}

func parseAction(text string) (a action, err error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return a, fmt.Errorf("want a verb and a server")
	}
	if err := a.parseVerb(words[0], words[1]); err != nil {
		return a, err
	}
	for _, word := range words[2:] {
		switch _, err := fmt.Sscanf(word, "crash=%d.%d", &a.crashStep, &a.crashSave); {
		case err == nil:
		case word == "heard":
			a.heard = true
		case word == "afresh" && a.step.kind == stepTimeout:
			a.step.arg = 1
		default:
			if !a.parseFate(word) {
				return a, fmt.Errorf("unknown word %q", word)
			}
		}
	}
	return a, nil
}

func (a *action) parseFate(word string) bool {
	for f, name := range fateNames {
		if name == " "+word {
			a.fate = f
			return true
		}
	}
	return false
}

// wantForm returns an error that names the correct form of an action if err is not nil.
func wantForm(err error, form string) error {
	if err != nil {
		return fmt.Errorf("want %s", form)
	}
	return nil
}

func (a *action) parseVerb(verb, object string) (err error) {
	for kind, name := range stepNames {
		if name != verb {
			continue
		}
		switch a.step.kind = kind; kind {
		case stepSnapshot:
			_, err = fmt.Sscanf(object, "%d@%d", &a.at, &a.step.arg)
		default:
			_, err = fmt.Sscanf(object, "%d", &a.at)
		}
		return wantForm(err, verb+map[bool]string{true: " SERVER@INDEX", false: " SERVER"}[kind == stepSnapshot])
	}
	for kind, name := range sendNames {
		if name != verb {
			continue
		}
		a.step.kind = kind
		if a.kind = actSend; kind == stepAsk {
			a.kind = actVote
			_, err = fmt.Sscanf(object, "%d>%d", &a.at, &a.to)
			a.step.peer = a.to
			return wantForm(err, "vote FROM>TO")
		}
		_, err = fmt.Sscanf(object, "%d>%d@%d", &a.at, &a.to, &a.step.arg)
		a.step.peer = a.to
		return wantForm(err, verb+" FROM>TO@INDEX")
	}
	for kind, name := range itemNames {
		if name == verb {
			a.kind = kind
			switch kind {
			case actDrop:
				a.fate = lost
			case actRepeat:
				a.fate = noReply
			}
			_, err = fmt.Sscanf(object, "#%d", &a.item)
			return wantForm(err, verb+" #N")
		}
	}
	return fmt.Errorf("there is no action %q", verb)
}

// trace returns the actions from the initial state to the violation that was found.
func (x *search) trace() (trace []action, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("no trace leads there, so the explorer may have a mistake, too: %v", r)
		}
	}()
	trace, w := x.walkTo(x.found.Load().state)
	return append(trace, w.leadTo(nil)), nil
}

// traceTo returns the actions from the initial state to state k.
func (x *search) traceTo(k uint32) []action {
	trace, _ := x.walkTo(k)
	return trace
}

// walkTo returns the actions from the initial state to state k, and a worker in that state.
func (x *search) walkTo(k uint32) (trace []action, w *worker) {
	path := []uint32{k}
	for k != 0 {
		k = x.states.parent(k)
		path = append(path, k)
	}
	slices.Reverse(path)
	w = newWorker(x)
	w.open(0)
	w.clusterCheck.past = x.pastByID.at(0)
	for _, k := range path[1:] {
		state := x.states.at(k)
		trace = append(trace, w.leadTo(&state))
	}
	return trace, w
}

// leadTo performs the action that leads from the worker's state to one that equals want except for the servers' names,
// or to a violation if want is nil. The worker's servers keep the names of the initial state.
func (w *worker) leadTo(want *packed) action {
	past, leaders, used := w.clusterCheck.past, w.clusterCheck.leaders, w.used
	menus := make([][]step, len(w.before))
	for i, nd := range w.before {
		menus[i] = w.menu(nd)
	}
	for _, a := range w.limits.actions(nil, menus, w.was, used, len(past.entries)) {
		w.used = used
		for _, a := range w.withCrashes(a) {
			copy(w.now, w.before)
			w.items = append(w.items[:0], w.was...)
			w.perform(a)
			w.clusterCheck = clusterCheck{m: w.memory, before: w.before, now: w.now, leaders: leaders, past: past}
			for i := range w.now {
				if w.broken == nil && w.now[i] != w.before[i] {
					w.clusterCheck.checkServer(i)
				}
			}
			w.clusterCheck.checkMatchIndexes()
			broken := w.broken != nil || w.clusterCheck.broken != nil
			if want == nil && broken && (w.broken == nil || w.broken.property == w.found.Load().property) {
				return a
			}
			w.used = used.with(a)
			if want != nil && !broken && w.canonical() == *want {
				copy(w.before, w.now)
				w.was = append(w.was[:0], w.items...)
				return a
			}
		}
	}
	panic(fmt.Sprint("no action leads to ", want))
}

// withCrashes returns an action, and that action with each possible crash in it.
func (w *worker) withCrashes(a action) []action {
	all := []action{a}
	if !w.limits.saves || int(w.used.crashes) >= w.limits.crashes {
		return all
	}
	copy(w.now, w.before)
	w.items = append(w.items[:0], w.was...)
	w.perform(a)
	for s, saves := range slices.Clone(w.saves) {
		for save := 1; save < saves; save++ {
			a.crashStep, a.crashSave = s+1, save
			all = append(all, a)
		}
	}
	return all
}
