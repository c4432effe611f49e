package raft

// Breadth-first search: every schedule within the limits, each state once.

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A packed is a state of the cluster, as the search stores it: servers, what is in flight, and what outlasts a life.
type packed struct {
	servers [5]uint32
	items   [3]uint64
	past    uint32
	leaders leaders
	used    budget
}

func (p *packed) hash() uint64 {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(p.used.commands) | uint64(p.used.crashes)<<8 | uint64(p.used.snaps)<<16 | uint64(p.past)<<32
	mix := func(x uint64) { h = bits.RotateLeft64((h^x)*odd, 29) }
	mix(uint64(p.servers[0]) | uint64(p.servers[1])<<32)
	mix(uint64(p.servers[2]) | uint64(p.servers[3])<<32)
	mix(uint64(p.servers[4]) | uint64(p.leaders)<<32)
	for _, i := range p.items {
		mix(i)
	}
	return h * odd
}

// less orders states that differ in the servers' names, so that one of them stands for all.
func (p *packed) less(q *packed) bool {
	if c := slices.Compare(p.servers[:], q.servers[:]); c != 0 {
		return c < 0
	}
	if c := slices.Compare(p.items[:], q.items[:]); c != 0 {
		return c < 0
	}
	return p.leaders < q.leaders
}

// Bits of a packed item: the wires have 24 each.
func (m *memory) pack(i *item, p int) uint64 {
	to := m.perms[p]
	x := uint64(idOf(m.renamedWire(i.request, p))) | uint64(idOf(m.renamedWire(i.reply, p)))<<24
	x |= uint64(to[i.from])<<48 | uint64(to[i.to])<<51 | uint64(i.slot)<<54
	if i.vote {
		x |= 1 << 62
	}
	if i.ghost {
		x |= 1 << 63
	}
	return x
}

func (m *memory) unpack(x uint64) item {
	const wires = 1<<24 - 1
	return item{
		from: int(x >> 48 & 7), to: int(x >> 51 & 7), slot: int(x >> 54 & 255), vote: x>>62&1 == 1, ghost: x>>63 == 1,
		request: m.wireByID.at(int(x & wires)), reply: m.wireByID.at(int(x >> 24 & wires)),
	}
}

// A search explores one cluster within limits.
type search struct {
	*memory
	limits    limits
	symmetric bool // states that differ in the servers' names only are one
	deadline  time.Time

	effects [64]effectShard
	shards  [64]shard
	states  store64
	moves   atomic.Int64
	found   atomic.Pointer[finding]
}

// A finding is a violation by what follows a state.
type finding struct {
	state uint32
	*breach
	server int
}

type effectShard struct {
	mu    sync.Mutex
	known map[effectKey]*[]effect
}

type shard struct {
	mu    sync.Mutex
	table []uint32 // numbers of states and 1, by hash; 0 is empty
	count int
}

// store64 keeps states by number, in chunks that never move.
type store64 struct {
	chunks atomic.Pointer[[]*chunk]
	count  atomic.Uint32
	mu     sync.Mutex
}

const chunkSize = 1 << 14

type chunk struct {
	states  [chunkSize]packed
	parents [chunkSize]uint32
}

func (s *store64) at(k uint32) *packed { return &(*s.chunks.Load())[k/chunkSize].states[k%chunkSize] }

func (s *store64) parent(k uint32) uint32 {
	return (*s.chunks.Load())[k/chunkSize].parents[k%chunkSize]
}

func (s *store64) add(p *packed, parent uint32) uint32 {
	k := s.count.Add(1) - 1
	for {
		chunks := s.chunks.Load()
		if chunks != nil && int(k/chunkSize) < len(*chunks) {
			c := (*chunks)[k/chunkSize]
			c.states[k%chunkSize], c.parents[k%chunkSize] = *p, parent
			return k
		}
		s.mu.Lock()
		if now := s.chunks.Load(); now == chunks {
			var more []*chunk
			if now != nil {
				more = slices.Clone(*now)
			}
			more = append(more, new(chunk))
			s.chunks.Store(&more)
		}
		s.mu.Unlock()
	}
}

// insert adds a state unless it is known.
func (x *search) insert(p *packed, parent uint32) {
	h := p.hash()
	sh := &x.shards[h>>58]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if 2*sh.count >= len(sh.table) {
		sh.grow(&x.states)
	}
	mask := uint64(len(sh.table) - 1)
	for k := h & mask; ; k = (k + 1) & mask {
		switch n := sh.table[k]; {
		case n == 0:
			sh.table[k] = x.states.add(p, parent) + 1
			sh.count++
			return
		case *x.states.at(n - 1) == *p:
			return
		}
	}
}

func (sh *shard) grow(states *store64) {
	old := sh.table
	sh.table = make([]uint32, max(64, 2*len(old)))
	mask := uint64(len(sh.table) - 1)
	for _, n := range old {
		if n > 0 {
			k := states.at(n-1).hash() & mask
			for sh.table[k] > 0 {
				k = (k + 1) & mask
			}
			sh.table[k] = n
		}
	}
}

func newSearch(l limits, opts []Option) *search {
	x := &search{limits: l, symmetric: true}
	x.memory = newMemory(&x.limits, opts)
	x.pastOf(nil)
	for k := range x.effects {
		x.effects[k].known = make(map[effectKey]*[]effect)
	}
	return x
}

// A report is how a search ended.
type report struct {
	states, moves, ran, nodes int
	depth                     int
	complete                  bool
	took                      time.Duration
	found                     *finding
}

// run searches until everything is found, a property is violated, or the deadline has passed.
func (x *search) run(workers int, progress func(depth, states int)) report {
	begun := time.Now()
	ws := make([]*worker, workers)
	for k := range ws {
		ws[k] = newWorker(x)
	}
	w := ws[0]
	for i := range x.n {
		w.now[i] = x.start(i)
	}
	w.past = x.pastByID.at(0)
	w.keep(0)
	r := report{}
	for from, to := uint32(0), x.states.count.Load(); from < to && x.found.Load() == nil; from, to = to, x.states.count.Load() {
		var next atomic.Uint32
		next.Store(from)
		var group sync.WaitGroup
		for _, w := range ws {
			group.Go(func() { w.level(&next, to) })
		}
		group.Wait()
		if x.late() {
			break
		}
		r.depth++
		if progress != nil {
			progress(r.depth, int(x.states.count.Load()))
		}
		r.complete = x.states.count.Load() == to
	}
	r.states, r.moves, r.ran, r.nodes = int(x.states.count.Load()), 0, x.ran, len(x.nodes)
	for _, w := range ws {
		r.moves += w.moves
	}
	r.took, r.found = time.Since(begun), x.found.Load()
	return r
}

func (x *search) late() bool { return !x.deadline.IsZero() && time.Now().After(x.deadline) }

// An effect is what an action does to a state: which servers change, and what is in flight then. Actions that do the same
// are one effect.
type effect struct {
	next   [2]*node // what changes; nil: nothing
	server [2]int8
	used   budget
	holds  bool // it leaves something in flight that was not
	rare   *rareEffect
}

// A rareEffect is what few effects have.
type rareEffect struct {
	adds   item       // in flight afterwards, if it has a request
	closed []openSlot // calls whose outcome has come
	down   []int      // servers that crash
	broken *breach
	at     int
}

func (e *effect) equal(o *effect) bool {
	a, b := e.rare, o.rare
	return e.next == o.next && e.server == o.server && e.used == o.used && e.holds == o.holds && (a == nil) == (b == nil) &&
		(a == nil || a.adds == b.adds && slices.Equal(a.closed, b.closed) && slices.Equal(a.down, b.down) && a.broken == b.broken)
}

// A worker expands states.
type worker struct {
	*search
	board
	cache   map[stepKey]*known
	effects map[effectKey]*[]effect
	before  []*node
	now     []*node
	was     []item
	judge   judge
	moves   int
	past    *past
	leaders leaders
	used    budget
}

// An effectKey is what the effects of a server's step, an RPC or an item depend on.
type effectKey struct {
	at, to uint32
	item   uint64
	arg    uint8
}

func newWorker(x *search) *worker {
	w := &worker{search: x, cache: make(map[stepKey]*known), effects: make(map[effectKey]*[]effect), before: make([]*node, x.n), now: make([]*node, x.n)}
	w.board.n = x.n
	w.board.take = w.takeStep
	w.judge = judge{m: x.memory, before: w.before, now: w.now}
	return w
}

func (w *worker) takeStep(server int, in step) outcome {
	nd := w.now[server]
	key := in.key(nd)
	k, ok := w.cache[key]
	if !ok {
		k = w.search.memory.run(nd, in)
		w.cache[key] = k
	}
	if k.next != nil {
		w.now[server] = k.next
	}
	return k.outcome
}

// level expands states up to number to.
func (w *worker) level(next *atomic.Uint32, to uint32) {
	const batch = 64
	for {
		from := next.Add(batch) - batch
		if from >= to || w.found.Load() != nil || w.late() {
			return
		}
		for k := from; k < min(from+batch, to); k++ {
			w.expand(k)
		}
	}
}

// open takes over state k.
func (w *worker) open(k uint32) *packed {
	p := w.states.at(k)
	all := w.nodeByID.all()
	for i := range w.before {
		w.before[i] = all[p.servers[i]]
	}
	w.was = w.was[:0]
	for _, x := range p.items {
		if x != 0 {
			w.was = append(w.was, w.unpack(x))
		}
	}
	return p
}

// expand finds the successors of state k.
func (w *worker) expand(k uint32) {
	p := w.open(k)
	for i, nd := range w.before {
		w.followAll(k, p, w.effectsOf(effectKey{at: nd.id, arg: p.used.commands + 1}, i, i, nil), -1)
		for j, peer := range w.before {
			if i != j && nd.asksOrLeads() {
				w.followAll(k, p, w.effectsOf(effectKey{at: nd.id, to: peer.id}, i, j, nil), -1)
			}
		}
	}
	for n := range w.was {
		i := &w.was[n]
		w.followAll(k, p, w.effectsOf(effectKey{at: w.before[i.from].id, to: w.before[i.to].id, item: p.items[n]}, i.from, i.to, i), n)
	}
}

// asksOrLeads reports whether a server may send anything.
func (nd *node) asksOrLeads() bool { return nd.image.canvass.on || nd.image.role == Leader }

func (w *worker) followAll(k uint32, p *packed, effects []effect, item int) {
	full := len(w.was) >= w.limits.flight
	for n := range effects {
		e := &effects[n]
		used := budget{p.used.commands + e.used.commands, p.used.crashes + e.used.crashes, p.used.snaps + e.used.snaps}
		if e.holds && full || w.limits.exceeded(used) {
			continue
		}
		w.moves++
		w.used = used
		w.follow(k, p, e, item)
	}
}

// effectsOf returns the effects of server i's own steps (i == j), of its RPCs to server j, or of an item between the two.
func (w *worker) effectsOf(key effectKey, i, j int, in *item) []effect {
	if effects, ok := w.effects[key]; ok {
		return *effects
	}
	sh := &w.search.effects[(key.at^key.to*31)%64]
	sh.mu.Lock()
	effects, ok := sh.known[key]
	sh.mu.Unlock()
	if !ok {
		effects = w.findEffects(key, i, j, in)
		sh.mu.Lock()
		sh.known[key] = effects
		sh.mu.Unlock()
	}
	w.effects[key] = effects
	return *effects
}

func (w *worker) findEffects(key effectKey, i, j int, in *item) *[]effect {
	var acts []action
	if in != nil {
		acts = w.limits.itemActions(nil, 0, *in)
	} else {
		for _, s := range w.before[i].menu {
			if rpc := s.kind == stepAsk || s.kind == stepSend || s.kind == stepBeat; rpc && i != j && s.peer == j || !rpc && i == j {
				acts = w.limits.stepActions(acts, i, s)
			}
		}
	}
	effects := new([]effect)
	for _, a := range acts {
		if a.takesCommand() {
			a.step.arg = int(key.arg)
		}
		w.addEffect(effects, a, in)
		if !w.limits.saves || w.limits.crashes == 0 {
			continue
		}
		for s, saves := range slices.Clone(w.saves) {
			for save := 1; save < saves; save++ {
				a.crashStep, a.crashSave = s+1, save
				w.addEffect(effects, a, in)
			}
		}
	}
	return effects
}

// addEffect appends the effect of a to those known, unless it is one of them or none.
func (w *worker) addEffect(effects *[]effect, a action, in *item) {
	copy(w.now, w.before)
	if w.items = w.items[:0]; in != nil {
		w.items = append(w.items, *in)
	}
	w.perform(a)
	e := effect{used: budget{}.with(a), holds: a.holds()}
	changed := 0
	for s, nd := range w.now {
		if nd != w.before[s] {
			e.server[changed], e.next[changed] = int8(s), nd
			changed++
		}
	}
	if in == nil {
		w.closed = w.closed[:0] // it was opened last: no other slot follows it
	}
	r := rareEffect{closed: slices.Clone(w.closed), down: slices.Clone(w.down), broken: w.broken, at: w.at}
	if len(w.items) > 0 {
		r.adds = w.items[0]
	}
	if r.adds.request != nil || len(r.closed) > 0 || len(r.down) > 0 || r.broken != nil {
		e.rare = &r
	}
	if changed == 0 && e.rare == nil && in == nil || in != nil && changed == 0 && r.broken == nil && r.adds == *in {
		return
	}
	for k := range *effects {
		if e.equal(&(*effects)[k]) {
			return
		}
	}
	*effects = append(*effects, e)
}

// follow finds the successor of state k by an effect, of its item if that is not negative.
func (w *worker) follow(k uint32, p *packed, e *effect, item int) {
	if e.rare != nil && e.rare.broken != nil {
		w.found.CompareAndSwap(nil, &finding{k, e.rare.broken, e.rare.at})
		return
	}
	w.apply(e, item)
	j := &w.judge
	j.leaders, j.past = p.leaders, w.pastByID.at(int(p.past))
	for n, nd := range e.next {
		if nd != nil {
			j.server(int(e.server[n]))
		}
	}
	if j.counting(); j.broken != nil {
		w.found.CompareAndSwap(nil, &finding{k, j.broken, j.at})
		return
	}
	w.past, w.leaders = j.past, j.leaders
	w.keep(k)
}

// apply makes the worker's state the one after an effect.
func (w *worker) apply(e *effect, item int) {
	copy(w.now, w.before)
	for k, nd := range e.next {
		if nd != nil {
			w.now[e.server[k]] = nd
		}
	}
	w.items = append(w.items[:0], w.was...)
	if item >= 0 {
		w.items = append(w.items[:item], w.items[item+1:]...)
	}
	if r := e.rare; r != nil {
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
}

// keep stores the state that the worker has come to.
func (w *worker) keep(parent uint32) {
	p := w.canonical()
	w.insert(&p, parent)
}

// canonical returns the state under the names that stand for all.
func (w *worker) canonical() (best packed) {
	if !w.symmetric {
		return w.packed(0)
	}
	var shapes, sorted [5]uint64
	for i, nd := range w.now {
		shapes[i] = nd.shape
	}
	sorted = shapes
	slices.Sort(sorted[:w.search.n])
	first := true
	for p, to := range w.perms {
		fits := true
		for i, name := range to {
			fits = fits && sorted[name] == shapes[i]
		}
		if !fits {
			continue
		}
		if q := w.packed(p); first || q.less(&best) {
			best, first = q, false
		}
	}
	return best
}

// packed returns the state with the servers renamed.
func (w *worker) packed(p int) packed {
	q := packed{past: w.past.id, used: w.used}
	to := w.perms[p]
	for i, nd := range w.now {
		q.servers[to[i]] = w.renamed(nd, p).id
	}
	for k := range w.items {
		q.items[k] = w.pack(&w.items[k], p)
	}
	if len(w.items) > 1 {
		slices.Sort(q.items[:])
	}
	if p == 0 {
		q.leaders = w.leaders
		return q
	}
	for term, l := 1, w.leaders>>3; l != 0; term, l = term+1, l>>3 {
		if l&7 != 0 {
			q.leaders = q.leaders.with(term, to[l&7-1])
		}
	}
	return q
}

func (r report) String() string {
	return fmt.Sprintf("%d states, %d moves, depth %d, complete %v, %v, %.0f states/s, %d nodes, ran %d", r.states, r.moves, r.depth, r.complete, r.took.Round(time.Millisecond), float64(r.states)/r.took.Seconds(), r.nodes, r.ran)
}
