package wire

import "testing"

// inTerm1 makes server 0 the leader of term 1 and lets server 1 acknowledge three entries.
func inTerm1(cl *cluster) {
	cl.elect(0, 1, 0, 0, 1, 2)
	cl.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1))
}

func TestRestriction(t *testing.T) {
	tellAll(t, 5, []story{
		{"a shorter log", restriction, "term 2: server 1 votes for server 3, whose last entry is 2 of term 1, after it acknowledged entry 3 of term 1", func(cl *cluster) {
			inTerm1(cl)
			cl.ask(3, 1, 2, 2, 1, true)
		}},
		{"an empty log, after a restart", restriction, "", func(cl *cluster) {
			inTerm1(cl)
			cl.restart(1)
			cl.ask(3, 1, 2, 0, 0, true)
		}},
		{"an older term", restriction, "whose last entry is 9 of term 1, after it acknowledged entry 4 of term 2", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(2, 2, 3, 1, 3, 4)
			cl.append(1, entries(2, 2, 3, 1, 0, 2))
			cl.ask(3, 1, 3, 9, 1, true)
		}},
		{"a log as good", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.ask(3, 1, 2, 3, 1, true)
			cl.ask(4, 1, 3, 1, 2, true)
		}},
		{"handlers overlap", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 4)
			late := cl.send(3, 1, requestVote(3, 2, 0, 0)).begin()
			cl.append(1, entries(0, 1, 0, 0, 0, 1))
			late.end(&voteReply{2, true})
		}},
		{"an entry that was replaced", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(2, 2, 1, 1, 3, 4)
			cl.send(2, 1, entries(2, 2, 1, 1, 0, 2)).begin() // maybe not done yet
			cl.ask(3, 1, 3, 2, 1, true)
		}},
		{"a message of a newer leader was under way", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 4)
			cl.elect(2, 2, 0, 0, 3, 4)
			cl.send(2, 1, entries(2, 2, 0, 0, 0, 2)).begin()
			cl.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.ask(3, 1, 3, 2, 1, true)
		}},
		{"a snapshot does not end an acknowledgement of its term", restriction, "", func(cl *cluster) {
			inTerm1(cl)
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).handle(&snapshotReply{1})
			cl.ask(3, 1, 2, 2, 1, true)
		}},
		{"a snapshot that is being handled", restriction, "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 4)
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).begin()
			cl.append(1, entries(0, 1, 1, 1, 0, 1, 1))
			cl.ask(3, 1, 2, 2, 1, true)
		}},
		{"a snapshot during the acknowledgement", restriction, "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 4)
			late := cl.send(0, 1, entries(0, 1, 1, 1, 0, 1, 1)).begin()
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).handle(&snapshotReply{1})
			late.end(&appendReply{1, true})
			cl.ask(3, 1, 2, 2, 1, true)
		}},
		{"an entry that was replaced during the vote", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(2, 2, 1, 1, 3, 4)
			late := cl.send(3, 1, requestVote(3, 3, 2, 1)).begin()
			cl.append(1, entries(2, 2, 1, 1, 0, 2))
			late.end(&voteReply{3, true})
		}},
	})
}

func TestTakenBack(t *testing.T) {
	tellAll(t, 5, []story{
		{"a candidate has lost entries", takenBack, "server 1 acknowledged index 3 in term 1, but asks for votes in term 2 with LastLogIndex 2", func(cl *cluster) {
			inTerm1(cl)
			cl.restart(1)
			cl.send(1, 2, requestVote(1, 2, 2, 1))
		}},
		{"LastLogIndex counts from 0, PrevLogIndex from 1", "", "", func(cl *cluster) {
			cl.elect(0, 1, -1, 0, 1, 2)
			cl.append(1, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.send(1, 2, requestVote(1, 2, 2, 1))
			cl.elect(1, 2, 2, 1, 2, 3)
			cl.append(2, entries(1, 2, 3, 1, 0))
		}},
		{"a candidate of a newer leader", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(2, 2, 1, 1, 3, 4)
			cl.append(1, entries(2, 2, 1, 1, 0, 2))
			cl.send(1, 2, requestVote(1, 3, 2, 2))
		}},
		{"a candidate of before", "", "", func(cl *cluster) {
			cl.elect(0, 2, 0, 0, 2, 3)
			cl.append(1, entries(0, 2, 0, 0, 0, 2))
			cl.send(1, 2, requestVote(1, 1, 0, 0)) // its goroutine is late
		}},
		{"an acknowledgement of a killed server", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 3)
			late := cl.send(0, 1, entries(0, 1, 0, 0, 0, 1)).begin()
			cl.restart(1)
			late.end(&appendReply{1, true})
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"a heartbeat that is not checked", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 4)
			cl.append(1, entries(0, 1, 3, 1, 0))
			cl.send(1, 2, requestVote(1, 2, 0, 0))
		}},
		{"a rejection", takenBack, "term 1: server 1 rejects PrevLogIndex 3 of server 0, after it acknowledged index 3", func(cl *cluster) {
			inTerm1(cl)
			cl.reject(1, entries(0, 1, 3, 1, 0, 1))
		}},
		{"a rejection after a restart", takenBack, "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.append(1, entries(0, 1, 3, 1, 3))
			cl.restart(1)
			cl.reject(1, entries(0, 1, 3, 1, 3, 1)) // its own LeaderCommit does not excuse it
		}},
		{"a rejection of what is beyond", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.reject(1, entries(0, 1, 4, 1, 0, 1))
		}},
		{"a rejection below the commit", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.append(1, entries(0, 1, 3, 1, 3))
			cl.reject(1, entries(0, 1, 2, 1, 3, 1))
		}},
		{"a rejection below the commit of another handler", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			late := cl.send(0, 1, entries(0, 1, 2, 1, 0, 1)).begin()
			cl.send(0, 1, entries(0, 1, 3, 1, 3)).begin()
			late.end(&appendReply{1, false})
		}},
		{"a rejection below a snapshot", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.Snapshot(1, 3)
			cl.restart(1)
			cl.reject(1, entries(0, 1, 2, 1, 3, 1))
		}},
		{"a rejection below what is applied", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.Applied(1, 3)
			cl.reject(1, entries(0, 1, 2, 1, 0, 1))
		}},
		{"a rejection below what it has committed as leader", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
			cl.elect(3, 2, 3, 1, 2, 4)
			cl.append(0, entries(3, 2, 3, 1, 0, 2))
			cl.reject(0, entries(3, 2, 3, 1, 0, 2, 2))
		}},
		{"a rejection while a snapshot is handled", "", "", func(cl *cluster) {
			inTerm1(cl)
			late := cl.send(0, 1, entries(0, 1, 3, 1, 0, 1)).begin()
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).begin()
			late.end(&appendReply{1, false})
		}},
		{"a rejection while a snapshot is installed, after its handler", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).handle(&snapshotReply{1})
			cl.reject(1, entries(0, 1, 3, 1, 0, 1))
		}},
		{"a rejection after entries that came after a snapshot", takenBack, "", func(cl *cluster) {
			inTerm1(cl)
			cl.send(0, 1, &snapshotArgs{1, 0, 1, 1, nil}).handle(&snapshotReply{1})
			cl.append(1, entries(0, 1, 3, 1, 0, 1))
			cl.reject(1, entries(0, 1, 4, 1, 0, 1))
		}},
		{"a rejection of an old term", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.send(0, 1, entries(0, 1, 3, 1, 0, 1)).handle(&appendReply{2, false})
		}},
		{"a rejection that began before", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 0, 2, 3)
			late := cl.send(0, 1, entries(0, 1, 1, 1, 0, 1)).begin()
			cl.append(1, entries(0, 1, 0, 0, 0, 1))
			late.end(&appendReply{1, false})
		}},
	})
}
