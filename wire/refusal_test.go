package wire

import (
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	refuse := func(cl *cluster) { cl.ask(0, 1, 2, 0, 0, false) }
	tellAll(t, 3, []story{
		{"without a reason", refused, "term 2: server 1 refuses its vote to server 0", refuse},
		{"the vote of the term before", refused, "term 2", func(cl *cluster) {
			cl.ask(2, 1, 1, 0, 0, true)
			refuse(cl)
		}},
		{"after a restart, in a new term", refused, "term 2", func(cl *cluster) {
			cl.restart(1)
			cl.send(2, 1, requestVote(2, 1, 0, 0)).handle(&voteReply{1, true})
			refuse(cl)
		}},
		{"after a restart, maybe in its term", "", "", func(cl *cluster) {
			cl.restart(1)
			refuse(cl)
		}},
		{"a vote for another", "", "", func(cl *cluster) {
			cl.ask(2, 1, 2, 0, 0, true)
			refuse(cl)
		}},
		{"a vote for another, whose handler is late", "", "", func(cl *cluster) {
			late := cl.send(2, 1, requestVote(2, 2, 0, 0)).begin()
			refuse(cl)
			cl.clock += time.Second
			cl.Err()
			late.end(&voteReply{2, true})
		}},
		{"a vote for itself", "", "", func(cl *cluster) {
			refuse(cl)
			cl.clock += refusalTime - 1
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"asked for no vote in time", refused, "", func(cl *cluster) {
			refuse(cl)
			cl.clock += refusalTime / 2
			cl.send(1, 2, requestVote(1, 3, 0, 0))
			cl.clock += refusalTime / 2
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"a process that stops for a while", "", "", func(cl *cluster) {
			refuse(cl)
			cl.clock += time.Hour
			cl.send(0, 2, requestVote(0, 2, 0, 0))
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"a candidate that drops its requests at once, in a later term", "", "", func(cl *cluster) {
			refuse(cl)
			cl.ask(2, 1, 3, 0, 0, true)
		}},
		{"a candidate that drops its requests at once, after a reply", "", "", func(cl *cluster) {
			late := cl.send(1, 2, requestVote(1, 1, 0, 0))
			refuse(cl)
			late.handle(&voteReply{3, false})
		}},
		{"a server that ignores candidates while it hears from a leader", "", "", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 2, 0, 0)).handle(&voteReply{1, false})
			refuse(cl)
		}},
		{"a crash", "", "", func(cl *cluster) {
			refuse(cl)
			cl.restart(1)
		}},
		{"a leader of the term", "", "", func(cl *cluster) {
			cl.append(1, entries(2, 2, 0, 0, 0))
			refuse(cl)
		}},
		{"another term", "", "", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 2, 0, 0)).handle(&voteReply{3, false})
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{})
		}},
		{"a later term, maybe", "", "", func(cl *cluster) {
			late := cl.send(0, 1, requestVote(0, 2, 0, 0)).begin()
			cl.ask(2, 1, 5, 0, 0, true)
			late.end(&voteReply{2, false})
		}},
		{"the term of the reply is unset", "", "", func(cl *cluster) {
			cl.elect(2, 1, 0, 0, 1)
			cl.append(1, entries(2, 1, 0, 0, 0, 1))
			refuse(cl) // its log is longer
			cl.send(0, 1, requestVote(0, 2, 1, 1)).handle(&voteReply{})
		}},
		{"a longer log", "", "", func(cl *cluster) {
			cl.elect(2, 1, 0, 0, 1)
			cl.append(1, entries(2, 1, 0, 0, 0, 1))
			refuse(cl)
		}},
		{"a log as long", refused, "", func(cl *cluster) {
			cl.elect(2, 1, 0, 0, 1)
			cl.append(1, entries(2, 1, 0, 0, 0, 1))
			cl.ask(0, 1, 2, 1, 1, false)
		}},
		{"a log of an earlier term", refused, "", func(cl *cluster) {
			cl.elect(2, 1, 0, 0, 1)
			cl.append(1, entries(2, 1, 0, 0, 0, 1, 1, 1))
			cl.ask(0, 1, 3, 1, 2, false)
		}},
		{"the log of a leader", "", "", func(cl *cluster) {
			cl.elect(1, 1, 0, 0, 2)
			refuse(cl) // server 1 has commands that nobody has seen
		}},
		{"a snapshot", "", "", func(cl *cluster) {
			cl.elect(2, 1, 0, 0, 1)
			cl.send(2, 1, &snapshotArgs{1, 2, 5, 1, nil}).handle(&snapshotReply{1})
			refuse(cl)
		}},
	})
}
