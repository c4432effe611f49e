//go:build go1.25

package wire

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"
)

// A Checker checks one cluster. Any number of goroutines may use it. New makes one.
type Checker struct {
	now    func() time.Duration
	broken chan struct{} // closed at the first violation

	mu      sync.Mutex // guards what follows
	err     error
	first   Violation // the reason for err
	call    int64     // the call that is being checked; 0 if there is none
	seen    map[kind]bool
	read    reader
	seed    maphash.Seed
	off     map[rule]string // why a rule is off
	checked map[signature]bool
	servers []*server
	ends    map[any]link
	calls   map[int64]*request // the calls that are not over, by number
	terms   map[int]*term
	logs    logs
	refused []refusal

	votesSeen  bool // a reply to a candidate could be read
	delivered  bool // a service has received a command
	asksItself bool // servers send RPCs to themselves, too
	order      int  // of events
}

// A link is what an end is for.
type link struct{ from, to, life int }

// A request is a call of one server to another.
type request struct {
	link
	*message
	number int64
	toLife int  // life of the receiver when the request was sent
	sure   bool // when the handler returned, the receiver had neither crashed nor started since
	state  state

	running bool // the handler has begun and has not returned
}

// New returns a Checker for a cluster of servers, numbered from 0. now returns the time on the clock that the servers use.
func New(servers int, now func() time.Duration) *Checker {
	c := &Checker{
		now:     now,
		broken:  make(chan struct{}),
		seen:    map[kind]bool{},
		read:    reader{},
		seed:    maphash.MakeSeed(),
		off:     map[rule]string{},
		checked: map[signature]bool{},
		ends:    map[any]link{},
		calls:   map[int64]*request{},
		terms:   map[int]*term{},
		logs:    newLogs(),
	}
	for range servers {
		c.servers = append(c.servers, newServer())
	}
	return c
}

// Started says that a server starts, for the first time or from what it has saved. ends[j] is the name of its end to
// server j; the names have not been used before. It must be called before the server can send or receive.
func (c *Checker) Started(server int, ends []any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[server]
	s.start()
	for to, end := range ends {
		c.ends[end] = link{server, to, s.life}
	}
	c.note(server, "starts")
}

// Crashed says that a server is about to be cut off and killed. It must be called before it is disconnected or deleted
// from the network, before what it has saved is read, and before Kill.
func (c *Checker) Crashed(server int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[server].crash()
	c.note(server, "crashes")
}

// Applied says that a service has received the command at index.
func (c *Checker) Applied(server, index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered = true
	s := c.servers[server]
	s.applied = max(s.applied, index)
	c.note(server, "applies %d", index)
	c.checkCommit(server, index, fmt.Sprintf("(last seen in term %d) applies", s.floor))
}

// Snapshot says that a service is about to give its server a snapshot up to index.
func (c *Checker) Snapshot(server, index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[server]
	s.snapshot = max(s.snapshot, index)
	c.note(server, "snapshots up to %d", index)
}

// GetState calls get, which is the GetState of a running server, checks what it returns, and returns it. Its term is of a
// moment between begin and end of the call, so it must not be below one seen before, and none may be below it later.
func (c *Checker) GetState(server int, get func() (term int, isLeader bool)) (term int, isLeader bool) {
	c.mu.Lock()
	s := c.servers[server]
	life, floor := s.life, s.floor
	c.mu.Unlock()
	term, isLeader = get()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.up || s.life != life {
		return term, isLeader
	}
	if term < floor {
		c.violate(termBack, server, term, 0, "server %d says that its term is %d, after term %d", server, term, floor)
	}
	s.floor = max(s.floor, term)
	if isLeader {
		c.checkLeader(server, term, "says that it leads")
	}
	return term, isLeader
}

// Err returns the first violation, or nil.
func (c *Checker) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judgeRefusals()
	return c.err
}

// A Violation is a broken rule.
type Violation struct {
	Rule   string // the rule and its place in the paper
	Text   string // what has happened
	Server int    // the server that broke the rule
	Term   int
	Index  int   // of an entry; 0 if the rule is about none
	Call   int64 // number of the call that showed it (see labrpc.CallInfo); 0 if none did
}

// Violation returns the first violation, whose text Err has, too.
func (c *Checker) Violation() (v Violation, broken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first, c.err != nil
}

// Broken returns a channel that is closed at the first violation.
func (c *Checker) Broken() <-chan struct{} { return c.broken }

// Off returns the rules that are off, each with the reason, such as a missing field.
func (c *Checker) Off() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	reasons := maps.Clone(c.off)
	seen := maps.Clone(c.seen)
	if seen[heartbeat] && !c.delivered { // without a command, a Raft with an RPC for heartbeats needs no other
		seen[appendEntries] = true
	}
	for k, rules := range map[kind][]rule{vote: voteRules, appendEntries: append([]rule{twoLeaders}, logRules...)} {
		for _, r := range rules {
			if !seen[k] && reasons[r] == "" {
				reasons[r] = fmt.Sprintf("no RPC with a name like %s was handled", (&message{kind: k}).describe())
			}
		}
	}
	var all []string
	for r, reason := range reasons {
		all = append(all, fmt.Sprintf("%s: %s", r, reason))
	}
	slices.Sort(all)
	return all
}

func (c *Checker) turnOff(reason string, rules ...rule) {
	for _, r := range rules {
		if c.off[r] == "" {
			c.off[r] = reason
		}
	}
}

// violate records a violation by a server, unless there is one or the rule is off. Term and index are 0 if it has none.
func (c *Checker) violate(r rule, server, term, index int, format string, args ...any) {
	if c.err != nil || c.off[r] != "" {
		return
	}
	c.first = Violation{string(r), fmt.Sprintf(format, args...), server, term, index, c.call}
	c.err = fmt.Errorf("%s: %s\n%s", c.first.Rule, c.first.Text, c.picture())
	close(c.broken)
}
