package wire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"6.824/labrpc"
)

type voteArgs struct{ Term, CandidateId, LastLogIndex, LastLogTerm int }

type voteReply struct {
	Term        int
	VoteGranted bool
}

type logEntry struct {
	Term    int
	Command any
}

type appendArgs struct {
	Term, LeaderId, PrevLogIndex, PrevLogTerm int
	Entries                                   []logEntry
	LeaderCommit                              int
}

type appendReply struct {
	Term    int
	Success bool
}

type snapshotArgs struct {
	Term, LeaderId, LastIncludedIndex, LastIncludedTerm int
	Data                                                []byte
}

type snapshotReply struct{ Term int }

// A cluster drives a Checker by hand.
type cluster struct {
	*Checker
	t     testing.TB
	clock time.Duration
	calls int64
	lives []int
}

func newCluster(t testing.TB, n int) *cluster {
	cl := &cluster{t: t, lives: make([]int, n)}
	cl.Checker = New(n, func() time.Duration { return cl.clock })
	for i := range n {
		cl.start(i)
	}
	return cl
}

type endName struct{ from, to, life int }

func (cl *cluster) start(server int) {
	cl.lives[server]++
	var ends []any
	for to := range cl.lives {
		ends = append(ends, endName{server, to, cl.lives[server]})
	}
	cl.Started(server, ends)
}

func (cl *cluster) restart(server int) {
	cl.Crashed(server)
	cl.start(server)
}

// A sent is a request that was sent.
type sent struct {
	cl   *cluster
	info labrpc.CallInfo
	args any
}

var methods = map[reflect.Type]string{
	reflect.TypeFor[*voteArgs]():     "Raft.RequestVote",
	reflect.TypeFor[*appendArgs]():   "Raft.AppendEntries",
	reflect.TypeFor[*snapshotArgs](): "Raft.InstallSnapshot",
}

func (cl *cluster) send(from, to int, args any) *sent {
	cl.calls++
	s := &sent{cl, labrpc.CallInfo{
		Number: cl.calls, End: endName{from, to, cl.lives[from]}, Server: to, Method: methods[reflect.TypeOf(args)],
	}, args}
	cl.Sent(s.info, args)
	return s
}

func (s *sent) begin() *sent {
	s.cl.Handling(s.info, s.args)
	return s
}

func (s *sent) end(reply any) {
	s.cl.Handled(s.info, reply)
	s.cl.Ended(s.info, labrpc.Delivered)
}

func (s *sent) handle(reply any) { s.begin().end(reply) }

// ask sends a vote request that is granted or refused in the candidate's term.
func (cl *cluster) ask(candidate, voter, term, lastIndex, lastTerm int, granted bool) {
	cl.send(candidate, voter, requestVote(candidate, term, lastIndex, lastTerm)).handle(&voteReply{term, granted})
}

func requestVote(candidate, term, lastIndex, lastTerm int) *voteArgs {
	return &voteArgs{term, candidate, lastIndex, lastTerm}
}

// elect makes a server leader with the votes of others.
func (cl *cluster) elect(leader, term, lastIndex, lastTerm int, voters ...int) {
	for _, voter := range voters {
		cl.ask(leader, voter, term, lastIndex, lastTerm, true)
	}
}

// entries returns AppendEntries arguments with entries of the terms.
func entries(leader, term, prevIndex, prevTerm, commit int, terms ...int) *appendArgs {
	args := &appendArgs{term, leader, prevIndex, prevTerm, nil, commit}
	for k, t := range terms {
		args.Entries = append(args.Entries, logEntry{t, fmt.Sprint(prevIndex+1+k, "/", t)})
	}
	return args
}

// append sends AppendEntries that is accepted.
func (cl *cluster) append(to int, args *appendArgs) {
	cl.send(args.LeaderId, to, args).handle(&appendReply{args.Term, true})
}

// reject sends AppendEntries that is rejected in its term.
func (cl *cluster) reject(to int, args *appendArgs) {
	cl.send(args.LeaderId, to, args).handle(&appendReply{args.Term, false})
}

func (cl *cluster) heartbeat(to int, args *appendArgs) { cl.send(args.LeaderId, to, args) }

// A story is a sequence of events, which breaks a rule or, without one, none.
type story struct {
	name string
	want rule
	text string // part of the violation
	tell func(cl *cluster)
}

func tellAll(t *testing.T, n int, stories []story) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			cl := newCluster(t, n)
			s.tell(cl)
			for range 2 {
				cl.clock += refusalTime / 2
				cl.Err()
			}
			err := cl.Err()
			switch {
			case s.want == "" && err != nil:
				t.Errorf("no rule is broken, but: %v", err)
			case s.want != "" && (err == nil || !strings.HasPrefix(err.Error(), string(s.want)+": ") || !strings.Contains(err.Error(), s.text)):
				t.Errorf("got %v\nwant %s: … %s", err, s.want, s.text)
			}
			select {
			case <-cl.Broken():
				if s.want == "" {
					t.Error("Broken is closed")
				}
			default:
				if s.want != "" {
					t.Error("Broken is not closed")
				}
			}
		})
	}
}
