package raft

// The scenarios of TestChaos: a cluster's settings and its faults, as plain data.

import (
	"fmt"
	"math/rand"
	"slices"
	"time"
)

// A scenario is a cluster and the faults that are injected into it, one after another. A fault that does not apply when
// its turn comes does nothing, so any part of the faults, with any number of servers, is a scenario, too.
type scenario struct {
	servers     int
	whole       bool     // servers save their whole state each time, as with the course's Persister
	snapshots   bool     // services take snapshots
	slowReaders bool     // services sometimes sleep before they read the next message
	longDelays  bool     // a call that cannot reach its server takes up to 7 s to fail
	seed        int64    // decides when a service takes a snapshot or sleeps
	options     []string // of each server at its first start, in the form of the flag -options; nil: the defaults
	faults      []fault
}

// A fault is one change to the cluster, and a pause after it.
type fault struct {
	kind     faultKind
	server   int           // the server concerned; of a link: the caller
	to       int           // of a link: the server that is called
	options  string        // of restartServer: in the form of the flag -options
	commands string        // of startCommands: a letter for each command, see chaosCommand
	pause    time.Duration // in virtual time
}

// A faultKind is the name of its constant.
type faultKind string

const (
	letTimePass       faultKind = "letTimePass"       // only the pause
	startCommands     faultKind = "startCommands"     // call Start on every running server
	readEverywhere    faultKind = "readEverywhere"    // call ReadIndex on every running server
	crashServer       faultKind = "crashServer"       // lose everything except the disk
	crashAtMessage    faultKind = "crashAtMessage"    // crash at the next message, after saving and before answering
	crashAll          faultKind = "crashAll"          // crash all servers
	restartServer     faultKind = "restartServer"     // start a crashed server
	cutLink           faultKind = "cutLink"           // calls from server to another fail
	restoreLink       faultKind = "restoreLink"       // calls from server to another succeed again
	restoreLinks      faultKind = "restoreLinks"      // restore the links between all servers
	isolateServer     faultKind = "isolateServer"     // cut all links of a server
	isolateLeader     faultKind = "isolateLeader"     // cut all links of the last leader that was seen
	unreliableNetwork faultKind = "unreliableNetwork" // messages are delayed and lost
	reliableNetwork   faultKind = "reliableNetwork"   // not any more
	reorderReplies    faultKind = "reorderReplies"    // most replies come late
	orderReplies      faultKind = "orderReplies"      // not any more
)

// names reports which of a fault's servers a fault of this kind uses.
func (k faultKind) names() (server, to bool) {
	switch k {
	case crashServer, crashAtMessage, restartServer, isolateServer:
		return true, false
	case cutLink, restoreLink:
		return true, true
	}
	return false, false
}

// commandLetters are the letters of startCommands.
const commandLetters = "iskb"

// chaosCommand returns command number n, of the type that the letter stands for.
func chaosCommand(letter byte, n int) any {
	switch letter {
	case 'i':
		return n
	case 's':
		return fmt.Sprint("s", n)
	case 'k':
		return kvCommand{Op: "Put", Seq: n}
	case 'b':
		return []byte{byte(n), byte(n >> 8), byte(n >> 16)}
	}
	panic(fmt.Sprintf("no command has the letter %q", letter))
}

// chaosSteps is the number of steps in which a scenario is generated. Most steps add one fault, some several or none.
const chaosSteps = 250

// A generator generates a scenario and keeps track of the cluster's state after the faults so far. It does not know
// which server isolateLeader isolates, and it assumes that a doomed server dies soon.
type generator struct {
	scenario
	random *rand.Rand
	links  [][]bool // links[i][j]: i can reach j
	states []serverState
}

type serverState int

const (
	serverUp     serverState = iota
	serverDoomed             // will crash at its next message
	serverDown
)

// scenarioOf returns the scenario of a seed.
func scenarioOf(seed int64) scenario {
	random := rand.New(rand.NewSource(seed))
	n := []int{1, 3, 3, 4, 5, 5, 7}[random.Intn(7)]
	g := &generator{
		scenario: scenario{
			servers: n, snapshots: random.Intn(4) > 0, whole: random.Intn(3) == 0, slowReaders: true,
			longDelays: random.Intn(2) == 0, seed: seed,
		},
		random: random,
		states: make([]serverState, n),
	}
	for range n {
		g.options = append(g.options, anyChoices(random))
		g.links = append(g.links, slices.Repeat([]bool{true}, n))
	}
	for range chaosSteps {
		g.step()
	}
	return g.scenario
}

func (g *generator) add(faults ...fault) { g.faults = append(g.faults, faults...) }

// step adds the faults of one step and, in two of three steps, a pause.
func (g *generator) step() {
	i, j := g.random.Intn(g.servers), g.random.Intn(g.servers)
	switch k := g.random.Intn(32); {
	case k < 4 && g.links[i][j]:
		g.links[i][j] = false
		g.add(fault{kind: cutLink, server: i, to: j})
	case k < 4:
		g.links[i][j] = true
		g.add(fault{kind: restoreLink, server: i, to: j})
	case k == 4:
		g.isolate(i)
	case k == 5:
		g.restoreLinks()
	case k == 6:
		g.add(fault{kind: []faultKind{reliableNetwork, unreliableNetwork}[g.random.Intn(2)]})
	case k == 7:
		g.add(fault{kind: []faultKind{reorderReplies, orderReplies}[g.random.Intn(2)]})
	case k < 12 && g.states[i] != serverDown:
		g.states[i] = serverDown
		g.add(fault{kind: crashServer, server: i})
	case k < 17 && g.states[i] == serverDown:
		g.restart(i)
	case k == 17:
		g.add(fault{kind: crashAll})
		for i := range g.servers {
			g.restart(i)
		}
	case k < 20 && g.states[i] != serverDown:
		g.states[i]++ // up becomes doomed; doomed becomes down, as it has probably died by now
		g.add(fault{kind: crashAtMessage, server: i})
	case k < 22:
		g.add(fault{kind: readEverywhere})
	case k == 22 && g.random.Intn(2) == 0:
		g.usurp()
	default:
		g.load()
	}
	if g.random.Intn(3) > 0 {
		g.pause(time.Duration(g.random.Intn(1<<g.random.Intn(10))) * time.Millisecond)
	}
}

func (g *generator) isolate(i int) {
	if g.random.Intn(2) == 0 {
		g.add(fault{kind: isolateLeader})
		return
	}
	for j := range g.servers {
		g.links[i][j], g.links[j][i] = false, false
	}
	g.add(fault{kind: isolateServer, server: i})
}

func (g *generator) restoreLinks() {
	for i := range g.links {
		g.links[i] = slices.Repeat([]bool{true}, g.servers)
	}
	g.add(fault{kind: restoreLinks})
}

// usurp adds faults in which others may replace a leader that is cut off, and commit. It still leads when it is read from.
func (g *generator) usurp() {
	g.restoreLinks()
	for range 3 {
		g.pause(time.Duration(g.random.Intn(300)) * time.Millisecond)
		g.add(fault{kind: startCommands, commands: "i"})
	}
	g.add(fault{kind: isolateLeader})
	for range 3 {
		g.pause(time.Duration(g.random.Intn(300)) * time.Millisecond)
		g.add(fault{kind: startCommands, commands: "i"}, fault{kind: readEverywhere})
	}
}

func (g *generator) restart(i int) {
	g.states[i] = serverUp
	g.add(fault{kind: restartServer, server: i, options: anyChoices(g.random)})
}

// load adds the start of up to four commands of any types, most often ints.
func (g *generator) load() {
	letters := make([]byte, g.random.Intn(5))
	for k := range letters {
		letters[k] = (commandLetters + "i")[g.random.Intn(len(commandLetters)+1)]
	}
	if len(letters) > 0 {
		g.add(fault{kind: startCommands, commands: string(letters)})
	}
}

func (g *generator) pause(time time.Duration) {
	if len(g.faults) == 0 {
		g.add(fault{kind: letTimePass})
	}
	g.faults[len(g.faults)-1].pause += time
}

// size returns the number of faults in a scenario, and the number of commands that they start on every server.
func (s *scenario) size() (faults, commands int) {
	for _, f := range s.faults {
		commands += len(f.commands)
	}
	return len(s.faults), commands
}
