package raft

// Breadth-first search through every schedule within the limits.

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A search explores one cluster within limits.
type search struct {
	*memory
	limits      limits
	symmetric   bool // states that differ only in the servers' names count as one
	deadline    time.Time
	states      *states
	shared      [64]effectShard
	rares       list[*rareEffect]
	rareNumbers map[rareKey]uint32
	found       atomic.Pointer[finding]
}

// A finding is a violation in a transition from a state.
type finding struct {
	state uint32
	*violation
	server int
}

func newSearch(l limits, opts []Option) *search {
	if l.servers > 5 || l.terms > 9 || l.flight > maxFlight || l.commands > maxCommands {
		panic(fmt.Sprintf("a search cannot have the limits %v", l)) // they do not fit into packed
	}
	x := &search{limits: l, symmetric: true}
	x.memory = newMemory(&x.limits, opts)
	x.states = newStates(&l)
	x.pastOf(nil)
	x.rareNumbers = make(map[rareKey]uint32)
	x.rares.add(nil) // the number 0 stands for no rare effect
	for k := range x.shared {
		x.shared[k].spans = make(map[effectKey]span)
	}
	return x
}

// A report is the result of a search.
type report struct {
	states, moves int // number of different states, and of transitions
	nodes, ran    int // number of different server states, and of steps for which the library's code ran
	depth         int
	complete      bool
	took          time.Duration
	found         *finding
}

// run searches until all states are found, a property is violated, or the deadline has passed.
func (x *search) run(workers int, progress func(depth, states int)) (r report) {
	begun := time.Now()
	ws := make([]*worker, workers)
	for k := range ws {
		ws[k] = newWorker(x)
	}
	w := ws[0]
	for i := range x.n {
		w.now[i] = x.start(i)
	}
	w.clusterCheck.past = x.pastByID.at(0)
	w.keep(0)
	for from, to := 0, 1; from < to && x.found.Load() == nil && !x.late(); from, to = to, x.states.length() {
		x.level(ws, from, to)
		if x.late() {
			break
		}
		r.depth++
		if progress != nil {
			progress(r.depth, x.states.length())
		}
		r.complete = x.states.length() == to && x.found.Load() == nil
	}
	for _, w := range ws {
		r.moves += w.moves
	}
	r.states, r.nodes, r.ran = x.states.length(), x.nodeByID.length()-1, x.ran()
	r.took, r.found = time.Since(begun), x.found.Load()
	return r
}

// level expands states from, from+1, ..., to-1.
func (x *search) level(ws []*worker, from, to int) {
	const batch = 64
	var next atomic.Int64
	next.Store(int64(from))
	var group sync.WaitGroup
	for _, w := range ws {
		group.Go(func() {
			for {
				k := int(next.Add(batch)) - batch
				if k >= to || x.found.Load() != nil || x.late() {
					return
				}
				for end := min(k+batch, to); k < end; k++ {
					w.expand(uint32(k))
				}
			}
		})
	}
	group.Wait()
}

func (x *search) late() bool { return !x.deadline.IsZero() && time.Now().After(x.deadline) }

// A worker expands states.
type worker struct {
	*search
	cluster
	clusterCheck clusterCheck
	before       []*node  // the servers in the state that is being expanded
	now          []*node  // the servers after an action
	effects      []effect // the effects found by findEffects
	was          []item
	used         budget
	moves        int
}

func newWorker(x *search) *worker {
	w := &worker{search: x}
	w.before, w.now = make([]*node, x.n), make([]*node, x.n)
	w.clusterCheck = clusterCheck{m: x.memory, before: w.before, now: w.now}
	w.cluster = cluster{n: x.n, take: w.takeStep}
	return w
}

func (w *worker) takeStep(server int, in step) outcome {
	k := w.search.memory.run(w.now[server], in)
	if k.next != nil {
		w.now[server] = k.next
	}
	return k.outcome
}

// open loads state k as the state before an action.
func (w *worker) open(k uint32) packed {
	p := w.states.at(k)
	nodes := w.nodeByID.all()
	for i := range w.before {
		w.before[i] = nodes[p.servers[i]]
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
		w.followAll(k, &p, w.ownEffects(i, p.used.commands, len(w.pastByID.at(int(p.past)).entries)), -1)
		for j, peer := range w.before {
			if i != j && nd.sends {
				w.followAll(k, &p, w.effectsOf(effectKey{at: nd.id, to: peer.id}, i, j, nil), -1)
			}
		}
	}
	for n := range w.was {
		i := &w.was[n]
		key := effectKey{at: w.before[i.from].id, to: w.before[i.to].id, item: p.items[n]}
		w.followAll(k, &p, w.effectsOf(key, i.from, i.to, i), n)
	}
}

func (w *worker) followAll(k uint32, p *packed, effects []effect, item int) {
	full := len(w.was) >= w.limits.flight
	for n := range effects {
		e := &effects[n]
		used := budget{p.used.commands + e.used.commands, p.used.crashes + e.used.crashes, p.used.snaps + e.used.snaps, p.used.reads + e.used.reads}
		if e.holds && full || w.limits.exceeded(used) {
			continue
		}
		w.moves++
		w.used = used
		w.follow(k, p, e, item)
	}
}

// follow finds the successor of state k by an effect. If item is not negative, it is the effect of an action on that
// item.
func (w *worker) follow(k uint32, p *packed, e *effect, item int) {
	if r := w.rares.at(int(e.rare)); r != nil && r.broken != nil {
		w.found.CompareAndSwap(nil, &finding{k, r.broken, r.at})
		return
	}
	w.apply(e, item)
	j := &w.clusterCheck
	j.leaders, j.past = p.leaders, w.pastByID.at(int(p.past))
	for n, id := range e.next {
		if id != 0 {
			j.checkServer(int(e.server[n]))
		}
	}
	if j.checkMatchIndexes(); j.broken != nil {
		w.found.CompareAndSwap(nil, &finding{k, j.broken, j.at})
		return
	}
	w.keep(k)
}

// keep stores the state that the worker has reached.
func (w *worker) keep(parent uint32) {
	p := w.canonical()
	w.states.insert(&p, parent)
}

// canonical returns the smallest of all renamings of the state, which represents them all.
func (w *worker) canonical() (best packed) {
	if !w.symmetric {
		return w.packed(0)
	}
	var sorted [5]uint64
	for i, nd := range w.now {
		sorted[i] = nd.shape
	}
	slices.Sort(sorted[:len(w.now)])
	first := true
	for p, to := range w.perms {
		fits := true
		for i, nd := range w.now {
			if fits = sorted[to[i]] == nd.shape; !fits {
				break
			}
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

// packed returns the state with the servers renamed by permutation p.
func (w *worker) packed(p int) packed {
	q := packed{past: w.clusterCheck.past.id, used: w.used}
	to := w.perms[p]
	for i, nd := range w.now {
		q.servers[to[i]] = w.renamed(nd, p)
	}
	for k := range w.items {
		q.items[k] = w.pack(&w.items[k], p)
	}
	if len(w.items) > 1 {
		slices.Sort(q.items[:len(w.items)])
	}
	for term, l := 1, w.clusterCheck.leaders>>3; l != 0; term, l = term+1, l>>3 {
		if l&7 != 0 {
			q.leaders = q.leaders.with(term, to[l&7-1])
		}
	}
	return q
}

// pack returns an item in 64 bits, 24 of them for each wire, with the servers renamed by permutation p.
func (m *memory) pack(i *item, p int) uint64 {
	to := m.perms[p]
	x := uint64(idOf(m.renamedWire(i.request, p))) | uint64(idOf(m.renamedWire(i.reply, p)))<<24
	x |= uint64(to[i.from])<<48 | uint64(to[i.to])<<51 | uint64(i.slot)<<54
	if i.vote {
		x |= 1 << 62
	}
	if i.orphaned {
		x |= 1 << 63
	}
	return x
}

func (m *memory) unpack(x uint64) item {
	const wires = 1<<24 - 1
	return item{
		from: int(x >> 48 & 7), to: int(x >> 51 & 7), slot: int(x >> 54 & 255), vote: x>>62&1 == 1, orphaned: x>>63 == 1,
		request: m.wireByID.at(int(x & wires)), reply: m.wireByID.at(int(x >> 24 & wires)),
	}
}
