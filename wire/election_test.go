package wire

import "testing"

func TestElection(t *testing.T) {
	tellAll(t, 3, []story{
		{"one leader a term", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 1)
			cl.append(1, entries(0, 1, 0, 0, 0))
			cl.elect(1, 2, 0, 0, 2)
			cl.append(2, entries(1, 2, 0, 0, 0))
			cl.heartbeat(2, entries(0, 1, 0, 0, 0)) // a goroutine of the old leader is late
		}},
	})
	tellAll(t, 5, []story{
		{"two leaders", twoLeaders, "term 3: server 0 and server 4 lead; server 4 sends AppendEntries", func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1, 2)
			cl.heartbeat(1, entries(0, 3, 0, 0, 0))
			cl.heartbeat(1, entries(4, 3, 0, 0, 0))
		}},
		{"two leaders by a snapshot", twoLeaders, "sends InstallSnapshot", func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1, 2)
			cl.heartbeat(1, entries(0, 3, 0, 0, 0))
			cl.send(4, 1, &snapshotArgs{Term: 3, LeaderId: 4})
		}},
		{"two leaders by GetState", twoLeaders, "server 4 says that it leads", func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1, 2)
			cl.heartbeat(1, entries(0, 3, 0, 0, 0))
			cl.GetState(4, func() (int, bool) { return 3, true })
		}},
		{"a killed server does not know it", "", "", func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1, 2)
			cl.heartbeat(1, entries(0, 3, 0, 0, 0))
			late := cl.send(4, 1, requestVote(4, 2, 0, 0))
			cl.Crashed(4)
			cl.heartbeat(1, entries(4, 3, 0, 0, 0))
			late.handle(&voteReply{3, false})
		}},
		{"a killed server does not know that it was restarted", "", "", func(cl *cluster) {
			cl.elect(0, 3, 0, 0, 1, 2)
			cl.heartbeat(1, entries(0, 3, 0, 0, 0))
			cl.restart(4)
			cl.lives[4]-- // its old end
			cl.heartbeat(1, entries(4, 3, 0, 0, 0))
		}},
		{"a leader with too few votes", unelected, "term 1: server 0 sends AppendEntries, but only 1 of the other 4 servers", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 1)
			cl.ask(0, 2, 1, 0, 0, false)
			cl.ask(3, 2, 1, 0, 0, true)
			cl.heartbeat(1, entries(0, 1, 0, 0, 0))
		}},
		{"a leader with votes of another term", unelected, "only 1 of", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 1, 2)
			cl.elect(0, 2, 0, 0, 3)
			cl.GetState(0, func() (int, bool) { return 2, true })
		}},
		{"the same vote twice", unelected, "only 1 of", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 1, 1, 1)
			cl.heartbeat(1, entries(0, 1, 0, 0, 0))
		}},
		{"its own vote by RPC", unelected, "only 1 of", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 0, 1)
			cl.heartbeat(1, entries(0, 1, 0, 0, 0))
		}},
		{"votes from a previous start of the voters", "", "", func(cl *cluster) {
			a, b := cl.send(0, 1, requestVote(0, 1, 0, 0)).begin(), cl.send(0, 2, requestVote(0, 1, 0, 0))
			cl.restart(1)
			cl.restart(2)
			a.end(&voteReply{1, true})
			b.handle(&voteReply{0, true}) // the reply's term is unset
			cl.heartbeat(1, entries(0, 1, 0, 0, 0))
		}},
	})
}

func TestTerms(t *testing.T) {
	tellAll(t, 3, []story{
		{"a reply goes back", termBack, "server 1 replies term 4 to RequestVote of server 2, after term 5", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{5, false})
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{4, false})
		}},
		{"a reply goes back after a restart", termBack, "after term 5", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{5, false})
			cl.restart(1)
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{4, false})
		}},
		{"a reply below a term that was sent", termBack, "after term 6", func(cl *cluster) {
			cl.send(1, 0, requestVote(1, 6, 0, 0))
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{5, false})
		}},
		{"a vote in a term that was not entered", termBack, "server 1 replies term 4 to RequestVote of server 2, after term 5", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{4, true})
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{4, false})
		}},
		{"entries of a term that was not entered", termBack, "server 2 replies term 1 to RequestVote of server 1, after term 2", func(cl *cluster) {
			cl.elect(0, 2, 0, 0, 1)
			cl.send(0, 2, entries(0, 2, 0, 0, 0, 2)).handle(&appendReply{1, true})
			cl.send(1, 2, requestVote(1, 1, 0, 0)).handle(&voteReply{1, false})
		}},
		{"handlers overlap", "", "", func(cl *cluster) {
			old := cl.send(2, 1, requestVote(2, 3, 0, 0)).begin()
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{5, true})
			old.end(&voteReply{4, false})
		}},
		{"the term of a reply is unset", "", "", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{5, true})
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{})
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{Term: -1})
		}},
		{"a reply of a server that has crashed", "", "", func(cl *cluster) {
			late := cl.send(0, 1, requestVote(0, 5, 0, 0)).begin()
			cl.restart(1)
			late.end(&voteReply{5, false}) // not saved before the crash
			cl.send(2, 1, requestVote(2, 3, 0, 0)).handle(&voteReply{4, false})
		}},
		{"a request that the previous start handles", "", "", func(cl *cluster) {
			late := cl.send(2, 1, requestVote(2, 3, 0, 0))
			cl.restart(1)
			cl.send(0, 1, requestVote(0, 5, 0, 0)).handle(&voteReply{5, false})
			late.handle(&voteReply{4, false})
		}},
		{"requests of one start in any order", "", "", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0))
			cl.send(0, 1, requestVote(0, 4, 0, 0))
		}},
		{"a request after a restart", termBack, "server 0 sends RequestVote of term 4 after a restart, but had term 5", func(cl *cluster) {
			cl.send(0, 1, requestVote(0, 5, 0, 0))
			cl.restart(0)
			cl.send(0, 1, requestVote(0, 4, 0, 0))
		}},
		{"GetState goes back", termBack, "server 0 says that its term is 4, after term 5", func(cl *cluster) {
			cl.GetState(0, func() (int, bool) { return 5, false })
			cl.GetState(0, func() (int, bool) { return 4, false })
		}},
		{"GetState was called before", "", "", func(cl *cluster) {
			cl.GetState(0, func() (int, bool) {
				cl.GetState(0, func() (int, bool) { return 5, false })
				return 4, false
			})
		}},
		{"GetState of a server that crashes meanwhile", "", "", func(cl *cluster) {
			cl.elect(1, 5, 0, 0, 2)
			cl.append(2, entries(1, 5, 0, 0, 0))
			cl.GetState(0, func() (int, bool) {
				cl.restart(0)
				return 5, true
			})
		}},
		{"GetState does not see what is saved", "", "", func(cl *cluster) {
			cl.GetState(0, func() (int, bool) { return 5, false })
			cl.restart(0)
			cl.GetState(0, func() (int, bool) { return 4, false })
		}},
	})
}

func TestVotes(t *testing.T) {
	tellAll(t, 3, []story{
		{"two votes", twoVotes, "term 2: server 1 votes for server 0 and for server 2", func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, true)
			cl.ask(2, 1, 2, 0, 0, true)
		}},
		{"two votes around a restart", twoVotes, "", func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, true)
			cl.restart(1)
			cl.ask(2, 1, 2, 0, 0, true)
		}},
		{"a vote that was not saved did not leave", "", "", func(cl *cluster) {
			late := cl.send(0, 1, requestVote(0, 2, 0, 0)).begin()
			cl.restart(1)
			late.end(&voteReply{2, true})
			cl.ask(2, 1, 2, 0, 0, true)
		}},
		{"a vote twice, and one in the next term", "", "", func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, true)
			cl.ask(0, 1, 2, 0, 0, true)
			cl.ask(2, 1, 3, 0, 0, true)
		}},
		{"a candidate votes for another", twoVotes, "term 2: server 1 votes for server 0, and is a candidate", func(cl *cluster) {
			cl.send(1, 2, requestVote(1, 2, 0, 0))
			cl.ask(0, 1, 2, 0, 0, true)
		}},
		{"a voter becomes a candidate", twoVotes, "", func(cl *cluster) {
			cl.ask(0, 1, 2, 0, 0, true)
			cl.restart(1)
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"a candidate that asks itself by RPC votes for another first", "", "", func(cl *cluster) {
			cl.send(1, 1, requestVote(1, 2, 0, 0))
			cl.send(1, 2, requestVote(1, 2, 0, 0))
			cl.ask(0, 1, 2, 0, 0, true)
		}},
		{"a candidate of another term", "", "", func(cl *cluster) {
			cl.send(1, 2, requestVote(1, 2, 0, 0))
			cl.ask(0, 1, 3, 0, 0, true)
		}},
	})
}
