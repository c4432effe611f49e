package raft

// The effects of actions. They are computed once for each pair of server states; after that, an RPC between two servers
// is a look-up.

import (
	"slices"
	"sync"
)

// An effect is the change that an action makes to a state: to its servers and to the messages in flight. Actions with
// the same effect share it; actions that change nothing have none.
type effect struct {
	next   [2]uint32 // the new nodes of the servers that change; 0: none
	server [2]int8
	used   budget
	holds  bool   // it adds a message to those in flight
	rare   uint32 // number of the rareEffect; 0: none
}

// A rareEffect holds the parts that few effects have.
type rareEffect struct {
	adds   item       // added to those in flight, if it has a request
	closed []openSlot // calls that have ended
	down   []int      // servers that crash
	broken *violation
	at     int
}

// An effectKey holds what the effects of one server's RPCs to another, or of an item, depend on.
type effectKey struct {
	at, to uint32
	item   uint64
}

// An effectShard holds a part of the effects that the workers have computed.
type effectShard struct {
	mu    sync.Mutex
	spans map[effectKey]span
	all   []effect
}

// A span is a range of effects in an effectShard.
type span struct{ from, to uint32 }

func (k *effectKey) shard() uint64 {
	return (uint64(k.at)*31 + uint64(k.to)*7 + k.item*0x9e3779b97f4a7c15>>40) % 64
}

// ownEffects returns the effects of server i's own steps.
func (w *worker) ownEffects(i int, commands uint8, committed int) []effect {
	known := &w.before[i].own[w.limits.ownNumber(int(commands), committed)]
	if effects := known.Load(); effects != nil {
		return *effects
	}
	w.findEffects(i, i, nil, int(commands)+1, committed)
	effects := slices.Clone(w.effects)
	known.Store(&effects)
	return effects
}

// ownNumber returns a number of what the effects of a server's own steps depend on, besides its state: the number of used
// commands and, if there are reads, of committed entries. Those without reads share the effects.
func (l *limits) ownNumber(commands, committed int) int {
	if l.reads == 0 {
		return commands
	}
	return commands*(l.commands+1) + committed
}

// effectsOf returns the effects of server i's RPCs to server j, or of an item between the two.
func (w *worker) effectsOf(key effectKey, i, j int, in *item) []effect {
	sh := &w.shared[key.shard()]
	sh.mu.Lock()
	s, ok := sh.spans[key]
	all := sh.all
	sh.mu.Unlock()
	if !ok {
		w.findEffects(i, j, in, 0, 0)
		sh.mu.Lock()
		defer sh.mu.Unlock()
		if s, ok = sh.spans[key]; !ok {
			s.from = uint32(len(sh.all))
			sh.all = append(sh.all, w.effects...)
			s.to = uint32(len(sh.all))
			sh.spans[key] = s
		}
		all = sh.all
	}
	return all[s.from:s.to:s.to]
}

// findEffects sets w.effects to the effects of server i's own steps (i == j), of its RPCs to server j, or of an item.
func (w *worker) findEffects(i, j int, in *item, command, committed int) {
	w.effects = w.effects[:0]
	for _, a := range w.actionsOf(i, j, in) {
		a.setArg(command, committed)
		w.addEffect(a, in)
		if !w.limits.saves || w.limits.crashes == 0 {
			continue
		}
		for s, saves := range slices.Clone(w.saves) {
			for save := 1; save < saves; save++ {
				a.crashStep, a.crashSave = s+1, save
				w.addEffect(a, in)
			}
		}
	}
}

func (w *worker) actionsOf(i, j int, in *item) (all []action) {
	if in != nil {
		return w.limits.itemActions(nil, 0, *in)
	}
	for _, s := range w.menu(w.before[i]) {
		if rpc := s.kind == stepAsk || s.kind == stepSend || s.kind == stepBeat; rpc && i != j && s.peer == j || !rpc && i == j {
			all = w.limits.stepActions(all, i, s)
		}
	}
	return all
}

// addEffect adds the effect of a to w.effects, unless a changes nothing or the effect is already there.
func (w *worker) addEffect(a action, in *item) {
	copy(w.now, w.before)
	if w.items = w.items[:0]; in != nil {
		w.items = append(w.items, *in)
	}
	w.perform(a)
	e := effect{used: budget{}.with(a), holds: a.holds()}
	changed := 0
	for s, nd := range w.now {
		if nd != w.before[s] {
			e.server[changed], e.next[changed] = int8(s), nd.id
			changed++
		}
	}
	r := rareEffect{closed: w.closed, down: w.down, broken: w.broken, at: w.at}
	if len(w.items) > 0 {
		r.adds = w.items[0]
	}
	if in == nil {
		r.closed = nil // it was opened last, so no slot changes
	}
	isRare := r.adds.request != nil || len(r.closed) > 0 || len(r.down) > 0 || r.broken != nil
	if changed == 0 && (in == nil && !isRare || in != nil && r.broken == nil && r.adds == *in) {
		return
	}
	if isRare {
		e.rare = w.rareEffect(&r)
	}
	if !slices.Contains(w.effects, e) {
		w.effects = append(w.effects, e)
	}
}

// Rare effects are equal if their rareKeys are equal.
type rareKey struct {
	adds   item
	closed [2]openSlot // servers plus 1; 0: none
	down   [2]int      // likewise
	broken *violation
}

// rareEffect returns the number of r, a new one if r is new.
func (x *search) rareEffect(r *rareEffect) uint32 {
	key := rareKey{adds: r.adds, broken: r.broken}
	for k, c := range r.closed {
		key.closed[k] = openSlot{c.server + 1, c.slot}
	}
	for k, server := range r.down {
		key.down[k] = server + 1
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	n, ok := x.rareNumbers[key]
	if !ok {
		n = uint32(x.rares.length())
		x.rareNumbers[key] = n
		c := *r
		c.closed, c.down = slices.Clone(r.closed), slices.Clone(r.down)
		x.rares.add(&c)
	}
	return n
}

// apply sets the worker's state to the one after an effect. If item is not negative, it is the effect of an action on
// that item.
func (w *worker) apply(e *effect, item int) {
	copy(w.now, w.before)
	for k, id := range e.next {
		if id != 0 {
			w.now[e.server[k]] = w.nodeByID.at(int(id))
		}
	}
	w.items = append(w.items[:0], w.was...)
	if item >= 0 {
		w.items = append(w.items[:item], w.items[item+1:]...)
	}
	if e.rare == 0 {
		return
	}
	r := w.rares.at(int(e.rare))
	for _, c := range r.closed {
		closeSlot(w.items, c)
	}
	for _, server := range r.down {
		w.items = orphan(w.items, server)
	}
	if r.adds.request != nil {
		w.items = append(w.items, r.adds)
	}
}
