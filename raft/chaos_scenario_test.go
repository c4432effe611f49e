package raft

// The scenarios of TestChaos: what a cluster is made of and what happens to it, as plain data.

import (
	"fmt"
	"math/rand"
	"slices"
	"time"
)

// A scenario is a cluster and the faults that happen to it, one after another. A fault that does not apply when its turn
// comes does nothing. So every part of the faults makes a scenario, with any number of servers.
type scenario struct {
	servers     int
	whole       bool     // servers save their whole state each time, as with the course's Persister
	snapshots   bool     // services take snapshots
	slowReaders bool     // services sometimes sleep before they read the next message
	longDelays  bool     // a call that cannot reach its server takes up to 7 s to fail
	seed        int64    // decides when a service takes a snapshot or sleeps
	options     []string // what each server is made with at first, as -options names it; nil: the defaults
	faults      []fault
}

// A fault is something that happens to the cluster, and a pause after it.
type fault struct {
	kind     faultKind
	server   int           // the server that it happens to; of a link, the end that calls
	to       int           // of a link: the end that is called
	options  string        // of restartServer: what the server is made with, as -options names it
	commands string        // of startCommands: a letter for each command, see chaosCommand
	pause    time.Duration // in virtual time
}

// A faultKind is the name of its constant.
type faultKind string

const (
	letTimePass       faultKind = "letTimePass"       // only the pause
	startCommands     faultKind = "startCommands"     // call Start on every server that runs
	crashServer       faultKind = "crashServer"       // lose all but the disk
	crashAtMessage    faultKind = "crashAtMessage"    // crash at the next message, after saving and before answering
	crashAll          faultKind = "crashAll"          // crash all servers
	restartServer     faultKind = "restartServer"     // start a server that has crashed
	cutLink           faultKind = "cutLink"           // calls from server to another fail
	restoreLink       faultKind = "restoreLink"       // they succeed again
	restoreLinks      faultKind = "restoreLinks"      // restore the links between all servers
	isolateServer     faultKind = "isolateServer"     // cut all links of a server
	isolateLeader     faultKind = "isolateLeader"     // cut all links of the latest leader that was seen
	unreliableNetwork faultKind = "unreliableNetwork" // messages are delayed and lost
	reliableNetwork   faultKind = "reliableNetwork"   // not any more
	reorderReplies    faultKind = "reorderReplies"    // most replies come late
	orderReplies      faultKind = "orderReplies"      // not any more
)

// names tells which of a fault's servers its kind makes use of.
func (k faultKind) names() (server, to bool) {
	switch k {
	case crashServer, crashAtMessage, restartServer, isolateServer:
		return true, false
	case cutLink, restoreLink:
		return true, true
	}
	return false, false
}

// The letters of startCommands.
const commandLetters = "iskb"

// chaosCommand returns the command with number n of the type that the letter stands for.
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

// chaosSteps is how many steps a scenario is drawn in. Most steps are one fault, some are several or none.
const chaosSteps = 250

// A drawing is a scenario that is being drawn, and the state that its cluster has after the faults so far. The drawing does
// not know which server isolateLeader isolates, and it assumes that a server which shall crash at a message does so soon.
type drawing struct {
	scenario
	random *rand.Rand
	links  [][]bool // links[i][j]: i can reach j
	states []serverState
}

type serverState int

const (
	serverUp     serverState = iota
	serverDoomed             // to crash at its next message
	serverDown
)

// scenarioOf draws a scenario from a seed.
func scenarioOf(seed int64) scenario {
	random := rand.New(rand.NewSource(seed))
	n := []int{1, 3, 3, 4, 5, 5, 7}[random.Intn(7)]
	d := &drawing{
		scenario: scenario{
			servers: n, snapshots: random.Intn(4) > 0, whole: random.Intn(3) == 0, slowReaders: true,
			longDelays: random.Intn(2) == 0, seed: seed,
		},
		random: random,
		states: make([]serverState, n),
	}
	for range n {
		d.options = append(d.options, anyChoices(random))
		d.links = append(d.links, slices.Repeat([]bool{true}, n))
	}
	for range chaosSteps {
		d.step()
	}
	return d.scenario
}

func (d *drawing) add(faults ...fault) { d.faults = append(d.faults, faults...) }

// step adds something that happens to the cluster, and mostly lets some time pass.
func (d *drawing) step() {
	i, j := d.random.Intn(d.servers), d.random.Intn(d.servers)
	switch k := d.random.Intn(32); {
	case k < 4 && d.links[i][j]:
		d.links[i][j] = false
		d.add(fault{kind: cutLink, server: i, to: j})
	case k < 4:
		d.links[i][j] = true
		d.add(fault{kind: restoreLink, server: i, to: j})
	case k == 4:
		d.isolate(i)
	case k == 5:
		for i := range d.links {
			d.links[i] = slices.Repeat([]bool{true}, d.servers)
		}
		d.add(fault{kind: restoreLinks})
	case k == 6:
		d.add(fault{kind: []faultKind{reliableNetwork, unreliableNetwork}[d.random.Intn(2)]})
	case k == 7:
		d.add(fault{kind: []faultKind{reorderReplies, orderReplies}[d.random.Intn(2)]})
	case k < 12 && d.states[i] != serverDown:
		d.states[i] = serverDown
		d.add(fault{kind: crashServer, server: i})
	case k < 17 && d.states[i] == serverDown:
		d.restart(i)
	case k == 17:
		d.add(fault{kind: crashAll})
		for i := range d.servers {
			d.restart(i)
		}
	case k < 20 && d.states[i] != serverDown:
		d.states[i]++ // doomed now; if it was doomed before, it has died by now, most likely, and goes down
		d.add(fault{kind: crashAtMessage, server: i})
	default:
		d.load()
	}
	if d.random.Intn(3) > 0 {
		d.pause(time.Duration(d.random.Intn(1<<d.random.Intn(10))) * time.Millisecond)
	}
}

func (d *drawing) isolate(i int) {
	if d.random.Intn(2) == 0 {
		d.add(fault{kind: isolateLeader})
		return
	}
	for j := range d.servers {
		d.links[i][j], d.links[j][i] = false, false
	}
	d.add(fault{kind: isolateServer, server: i})
}

func (d *drawing) restart(i int) {
	d.states[i] = serverUp
	d.add(fault{kind: restartServer, server: i, options: anyChoices(d.random)})
}

// load starts up to four commands of all types. An int is the most frequent one.
func (d *drawing) load() {
	letters := make([]byte, d.random.Intn(5))
	for k := range letters {
		letters[k] = (commandLetters + "i")[d.random.Intn(len(commandLetters)+1)]
	}
	if len(letters) > 0 {
		d.add(fault{kind: startCommands, commands: string(letters)})
	}
}

func (d *drawing) pause(time time.Duration) {
	if len(d.faults) == 0 {
		d.add(fault{kind: letTimePass})
	}
	d.faults[len(d.faults)-1].pause += time
}

// size returns how many faults a scenario has, and how many commands its faults start on every server.
func (s *scenario) size() (faults, commands int) {
	for _, f := range s.faults {
		commands += len(f.commands)
	}
	return len(s.faults), commands
}
