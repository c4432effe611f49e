//go:build go1.25

package picture

import "time"

// A Kind says what an Event is. The comments name the fields that count, besides At and Lane.
type Kind uint8

const (
	Start     Kind = iota + 1 // the lane's server starts; what it has restored follows as State, Log, Snapshot and Commit
	Crash                     // it stops
	State                     // Term, Role, Peer: its term and role, and the lane of its leader or NoLane
	Commit                    // Index: the entries up to Index are known to be committed
	Apply                     // Index, Text: it has handed the command at Index to its service; not a command if there is a Name
	Snapshot                  // Index, Term, Text: a snapshot now covers the entries up to Index; Text says whose it is
	Save                      // Text: what it has written to its disk
	Log                       // Index, Entries, Words: its log now has Entries from Index on, and nothing after them
	Send                      // Call, Peer, Name, Term, Index, Last, Text, Detail: it sends a request to Peer
	Receive                   // Call: the handler of that request begins
	Answer                    // Call, OK, Term, Text, Detail: the handler has returned
	End                       // Call, Fate, Text: the call has returned to its sender; Text may say what is odd about the reply
	Link                      // Peer, Up: messages from Lane to Peer can or cannot pass
	Net                       // Text: the whole network has changed, such as "unreliable"; Lane is NoLane
	Step                      // Text: a step of the test; Lane is NoLane
	Invoke                    // Call, Text: the lane's client begins an operation
	Return                    // Call, OK, Text: the operation has ended, with its result
	Note                      // Text: anything else
	Violation                 // Name, Text, Lane, Term, Index, Call: a rule is broken, or the test fails; Name is the rule
)

// NoLane stands for no lane.
const NoLane = -1

// A Role is the role of a server in its term. NoRole means that it is not known.
type Role uint8

const (
	NoRole Role = iota
	Follower
	Candidate
	Leader
)

// A Fate is how a message has ended.
type Fate uint8

const (
	Delivered   Fate = iota + 1 // the reply has reached the sender
	Late                        // likewise, but long after it was sent
	RequestLost                 // the request was lost
	ReplyLost                   // the reply was lost
	Unreachable                 // there was no link when the request was sent
	CutOff                      // the link was cut, or one side stopped, before the reply arrived
	Ignored                     // the reply has reached the sender too late, and the sender threw it away
)

// An Event is something that has happened. A field that its Kind does not use is zero.
type Event struct {
	At     time.Duration // since the run began
	Kind   Kind
	Role   Role
	Fate   Fate
	OK     bool // Answer: granted or accepted. Return: successful
	Up     bool
	Lane   int   // where it has happened; NoLane if nowhere
	Peer   int   // another lane, or NoLane
	Call   int64 // the number of a message, from 1 on, or of an operation, from -1 down; 0 if none
	Term   int   // 0 if unknown
	Index  int   // with Send, the first entry that the message brings, or the next one if it brings none; 0 if unknown
	Last   int   // with Send, the last entry that a receiver has who accepts the message; 0 if unknown
	Name   string
	Text   string // one line
	Detail string // all fields, a line each

	Entries []Entry
	Words   func(k int) string // with Log, returns the text of Entries[k] when the page is written; nil if they have their own
}

// An Entry is an entry of a log.
type Entry struct {
	Term int
	Text string // the command
}
