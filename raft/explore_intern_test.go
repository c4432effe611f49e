package raft

// How a search stores server states and messages: each once, by number. The library's code runs once for each server
// state and step; after that, the outcome is looked up.

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A node is a server state that a search has found.
type node struct {
	id       uint32
	logID    uint32 // equal for equal logs and bases
	serverID uint32 // equal for equal services
	leads    bool
	sends    bool // it may send a message
	image    *image
	log      []loggedEntry
	shape    uint64                     // equal for states that differ only in the servers' names
	menu     atomic.Pointer[[]step]     // the server's possible steps; nil: not computed yet
	own      []atomic.Pointer[[]effect] // the effects of its own steps, by limits.ownNumber
	relabel  []atomic.Uint32            // the node with the servers renamed, by permutation; 0: not computed yet
}

// A loggedEntry is an entry of a node's log.
type loggedEntry struct {
	term int
	data string
}

func (nd *node) last() int { return nd.image.base + len(nd.log) }

// at returns the entry at index, which must be above base and at most last.
func (nd *node) at(index int) loggedEntry { return nd.log[index-nd.image.base-1] }

// A known is the stored outcome of a step.
type known struct {
	next *node
	outcome
}

// A stepKey identifies a server state and a step.
type stepKey struct {
	node           uint32
	message, reply uint32
	arg            int16
	kind           stepKind
	peer, crashAt  int8
	late           bool
}

// A list only grows. Reading it needs no lock.
type list[T any] struct{ p atomic.Pointer[[]T] }

func (l *list[T]) all() []T {
	if p := l.p.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *list[T]) at(k int) T  { return (*l.p.Load())[k] }
func (l *list[T]) length() int { return len(l.all()) }

// add appends v. The caller must hold a lock.
func (l *list[T]) add(v T) {
	all := append(l.all(), v)
	l.p.Store(&all)
}

// memory holds what the workers of a search share.
type memory struct {
	n     int
	l     *limits
	opts  []Option
	perms [][]int
	index []int // of a permutation in perms, by its code

	mu       sync.Mutex
	wires    map[string]*wire
	wireByID list[*wire]
	nodes    map[string]*node
	nodeByID list[*node]
	texts    map[string]uint32
	known    [64]knownShard
	pasts    map[string]*past
	pastByID list[*past]
}

type knownShard struct {
	mu    sync.Mutex
	known map[stepKey]*known
}

func newMemory(l *limits, opts []Option) *memory {
	m := &memory{
		n: l.servers, l: l, opts: opts, index: make([]int, 3125),
		wires: make(map[string]*wire), nodes: make(map[string]*node), texts: make(map[string]uint32),
		pasts: make(map[string]*past),
	}
	for k := range m.known {
		m.known[k].known = make(map[stepKey]*known)
	}
	m.wireByID.add(nil) // the number 0 stands for no wire and no node
	m.nodeByID.add(nil)
	permute(make([]int, 0, m.n), m.n, func(p []int) {
		m.index[permCode(p)] = len(m.perms)
		m.perms = append(m.perms, slices.Clone(p))
	})
	return m
}

// permCode is a number of a permutation of at most five servers.
func permCode(p []int) (code int) {
	for _, i := range p {
		code = 5*code + i
	}
	return code
}

// permute calls f with each permutation of 0 to n-1 that begins with p.
func permute(p []int, n int, f func([]int)) {
	if len(p) == n {
		f(p)
		return
	}
	for i := range n {
		if !slices.Contains(p, i) {
			permute(append(p, i), n, f)
		}
	}
}

// wire returns the stored wire that equals w. Equal wires are the same pointer.
func (m *memory) wire(w *wire) *wire {
	if w == nil || w.id > 0 {
		return w
	}
	if args, ok := w.message.(*AppendEntriesArgs); ok && len(args.Entries) > 1 {
		c := *args // how entries are cut into pieces does not matter
		c.Entries = []string{strings.Join(args.Entries, "")}
		w = &wire{message: sealed(&c)}
	}
	key := fields(w.message) + fields(w.reply)
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.wires[key]; ok {
		return known
	}
	w.id = m.wireByID.length()
	w.relabel = make([]atomic.Pointer[wire], len(m.perms))
	m.wireByID.add(w)
	m.wires[key] = w
	return w
}

// fields formats all fields of a message or a reply, which String does not.
func fields(message any) string {
	if message == nil {
		return ""
	}
	v := reflect.ValueOf(message).Elem()
	return fmt.Sprintf("%T%+v", v.Interface(), v.Interface())
}

// node returns the stored node with this image. A shape of 0 means that it must be computed.
func (m *memory) node(i *image, shape uint64) *node {
	key := i.key()
	m.mu.Lock()
	nd, ok := m.nodes[key]
	m.mu.Unlock()
	if ok {
		return nd
	}
	if shape == 0 {
		shape = i.shape()
	}
	nd = &node{
		image: i, shape: shape, leads: i.role == Leader, sends: i.role == Leader || i.campaign.on,
		relabel: make([]atomic.Uint32, len(m.perms)), own: make([]atomic.Pointer[[]effect], m.l.ownNumber(m.l.commands, m.l.commands)+1),
	}
	for _, e := range entriesOf(batch{segmentFrom(i.base+1, i.log)}) {
		nd.log = append(nd.log, loggedEntry{e.term, string(e.data)})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if other, ok := m.nodes[key]; ok {
		return other
	}
	nd.id = uint32(m.nodeByID.length())
	nd.logID, nd.serverID = m.textID(fmt.Sprint(i.base, ":", i.log)), m.textID(i.service)
	m.nodes[key] = nd
	m.nodeByID.add(nd)
	return nd
}

func (m *memory) textID(text string) uint32 {
	id, ok := m.texts[text]
	if !ok {
		id = uint32(len(m.texts)) + 1
		m.texts[text] = id
	}
	return id
}

func (m *memory) load(nd *node) *drivenServer { return nd.image.load(m.n, m.l.lag, m.opts) }

func (m *memory) menu(nd *node) []step {
	if menu := nd.menu.Load(); menu != nil {
		return *menu
	}
	menu := m.load(nd).menu(m.l, nil)
	nd.menu.Store(&menu)
	return menu
}

// start returns the initial node of server me.
func (m *memory) start(me int) *node {
	return m.node(newDrivenServer(m.n, me, MakePersister(), m.l.lag, m.opts).image(m.wire), 0)
}

func (in *step) key(nd *node) stepKey {
	return stepKey{nd.id, uint32(idOf(in.message)), uint32(idOf(in.reply)), int16(in.arg), in.kind, int8(in.peer), int8(in.crashAt), in.late}
}

// run returns the outcome of a step. It runs the library's code only if the outcome is not stored yet.
func (m *memory) run(nd *node, in step) *known {
	key := in.key(nd)
	shard := &m.known[nd.id%64]
	shard.mu.Lock()
	k, ok := shard.known[key]
	shard.mu.Unlock()
	if ok {
		return k
	}
	s := m.load(nd)
	k = &known{outcome: s.step(in)}
	if k.broken == nil {
		k.next = m.node(s.image(m.wire), 0)
	}
	k.message, k.reply = m.wire(k.message), m.wire(k.reply)
	shard.mu.Lock()
	shard.known[key] = k
	shard.mu.Unlock()
	return k
}

// ran returns the number of steps for which the library's code ran.
func (m *memory) ran() (n int) {
	for k := range m.known {
		n += len(m.known[k].known)
	}
	return n
}

// renamed returns the number of nd with server i called m.perms[p][i].
func (m *memory) renamed(nd *node, p int) uint32 {
	if id := nd.relabel[p].Load(); id != 0 {
		return id
	}
	r := m.node(nd.image.renamed(m.perms[p], func(w *wire) *wire { return m.renamedWire(w, p) }), nd.shape)
	nd.relabel[p].Store(r.id)
	return r.id
}

// renamedWire returns w with the servers renamed.
func (m *memory) renamedWire(w *wire, p int) *wire {
	if w == nil {
		return nil
	}
	if r := w.relabel[p].Load(); r != nil {
		return r
	}
	to := m.perms[p]
	r := &wire{message: w.message, reply: w.reply}
	switch args := w.message.(type) {
	case *RequestVoteArgs:
		c := *args
		c.CandidateID = to[c.CandidateID]
		r.message = sealed(&c)
	case *AppendEntriesArgs:
		c := *args
		c.LeaderID = to[c.LeaderID]
		r.message = sealed(&c)
	case *InstallSnapshotArgs:
		c := *args
		c.LeaderID = to[c.LeaderID]
		r.message = sealed(&c)
	}
	r = m.wire(r)
	w.relabel[p].Store(r)
	return r
}

// renamed returns the image of a cluster in which server i is called to[i].
func (m *image) renamed(to []int, wire func(*wire) *wire) *image {
	r := *m
	r.me = to[m.me]
	r.vote, r.leader = renamedID(m.vote, to), renamedID(m.leader, to)
	r.campaign.granted, r.campaign.refused = renamedBits(m.campaign.granted, to), renamedBits(m.campaign.refused, to)
	r.followers = make([]imageFollower, len(m.followers))
	for i, f := range m.followers {
		r.followers[to[i]] = f
	}
	r.calls = slices.Clone(m.calls)
	for k := range r.calls {
		c := &r.calls[k]
		c.peer, c.message = to[c.peer], wire(c.message)
	}
	return &r
}

func renamedID(id int, to []int) int {
	if id == nobody {
		return nobody
	}
	return to[id]
}

func renamedBits(bits uint8, to []int) (r uint8) {
	for i, name := range to {
		r |= bits >> i & 1 << name
	}
	return r
}

var shapeSeed = maphash.MakeSeed()

// shape returns a hash of the parts of an image that do not depend on the servers' names.
func (m *image) shape() uint64 {
	relative := func(id int) int {
		switch id {
		case nobody:
			return -1
		case m.me:
			return 0
		}
		return 1
	}
	count := func(bits uint8) (n int) {
		for ; bits > 0; bits &= bits - 1 {
			n++
		}
		return n
	}
	peers := make([]string, 0, len(m.followers))
	for i, f := range m.followers {
		bit := func(bits uint8) uint8 { return bits >> i & 1 }
		calls := 0
		for _, c := range m.calls {
			if c.peer == i {
				calls++
			}
		}
		peers = append(peers, fmt.Sprint(i == m.me, i == m.vote, i == m.leader, f, bit(m.campaign.granted), bit(m.campaign.refused), calls))
	}
	slices.Sort(peers)
	text := fmt.Sprint(m.term, relative(m.vote), m.role, relative(m.leader), m.base, m.baseTerm, m.log, m.snapshot, m.commit, m.lastApplied,
		m.accepted, m.proposals, m.campaign.on, m.campaign.preVote, count(m.campaign.granted), len(m.calls), m.reordered, m.tickets, m.service, m.acked, peers)
	return maphash.String(shapeSeed, text)
}
