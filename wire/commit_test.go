package wire

import "testing"

func TestCommit(t *testing.T) {
	tellAll(t, 5, []story{
		{"a majority holds it", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1))
			cl.heartbeat(1, entries(0, 1, 3, 1, 2))
			cl.Applied(0, 2)
		}},
		{"too few hold it", unheld, "server 0 sends in term 1 the LeaderCommit 3, but a majority has acknowledged no more than index 2", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 0, 0, 0, 1, 1))
			cl.heartbeat(1, entries(0, 1, 3, 1, 3))
		}},
		{"too few hold what is applied", unheld, "server 0 (last seen in term 1) applies 1, but a majority has acknowledged no more than index 0", func(cl *cluster) {
			inTerm1(cl)
			cl.Applied(0, 1)
		}},
		{"acknowledged in two terms", unheld, "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(3, 2, 0, 0, 2, 4)
			cl.append(2, entries(3, 2, 0, 0, 0, 2))
			cl.heartbeat(2, entries(3, 2, 1, 2, 1))
		}},
		{"by a handler that has not returned", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.send(0, 2, entries(0, 1, 0, 0, 0, 1)).begin() // another reply may tell of it
			cl.heartbeat(1, entries(0, 1, 3, 1, 1))
		}},
		{"by a lost reply, and by a killed server", "", "", func(cl *cluster) {
			inTerm1(cl)
			late := cl.send(0, 2, entries(0, 1, 0, 0, 0, 1)).begin()
			cl.Crashed(2)
			late.end(&appendReply{1, true})
			cl.heartbeat(1, entries(0, 1, 3, 1, 1))
		}},
		{"indices from 0", "", "", func(cl *cluster) {
			cl.elect(0, 1, -1, 0, 1, 2)
			cl.append(1, entries(0, 1, -1, 0, -1, 1))
			cl.append(2, entries(0, 1, -1, 0, -1, 1))
			cl.heartbeat(1, entries(0, 1, 0, 1, 0))
			cl.Applied(0, 1)
		}},
		{"a log whose begin was not seen", "", "", func(cl *cluster) {
			cl.elect(0, 1, 4, 1, 1, 2)
			cl.append(1, entries(0, 1, 4, 1, 0, 1))
			cl.Applied(0, 9)
		}},
		{"an entry at index 0", "", "", func(cl *cluster) {
			cl.elect(0, 1, 0, 1, 1, 2)
			cl.append(1, entries(0, 1, 0, 1, 0, 1))
			cl.Applied(0, 1)
		}},
		{"Figure 8", figure8, "server 0 sends in term 4 the LeaderCommit 2, but a majority has acknowledged no entry of the leader's own term beyond index 1", figure8Story},
		{"an entry of an earlier term on every server", "", "", func(cl *cluster) {
			figure8Begin(cl)
			for to := 1; to < 5; to++ {
				cl.append(to, entries(0, 4, 1, 1, 1, 2))
			}
			cl.heartbeat(1, entries(0, 4, 2, 2, 2))
		}},
		{"Figure 8, with an entry of its own", "", "", func(cl *cluster) {
			figure8Begin(cl)
			cl.append(1, entries(0, 4, 1, 1, 1, 2, 4))
			cl.append(2, entries(0, 4, 1, 1, 1, 2, 4))
			cl.heartbeat(1, entries(0, 4, 3, 4, 3))
		}},
	})
}

// figure8Begin lets all servers hold index 1, and server 0 and 1 an entry of term 2 when server 0 leads in term 4.
func figure8Begin(cl *cluster) {
	cl.elect(0, 1, 0, 0, 1, 2)
	for to := 1; to < 5; to++ {
		cl.append(to, entries(0, 1, 0, 0, 0, 1))
	}
	cl.elect(0, 2, 1, 1, 1, 2)
	cl.append(1, entries(0, 2, 1, 1, 1, 2))
	cl.elect(4, 3, 1, 1, 3, 2)
	cl.elect(0, 4, 2, 2, 1, 2)
}

func figure8Story(cl *cluster) {
	figure8Begin(cl)
	cl.append(2, entries(0, 4, 1, 1, 1, 2))
	cl.append(1, entries(0, 4, 2, 2, 1))
	cl.heartbeat(1, entries(0, 4, 2, 2, 2))
}

func TestCompleteness(t *testing.T) {
	commit := func(cl *cluster) {
		inTerm1(cl)
		cl.append(2, entries(0, 1, 0, 0, 0, 1, 1, 1))
		cl.append(1, entries(0, 1, 3, 1, 3))
		cl.restart(0)
	}
	tellAll(t, 5, []story{
		{"a leader has not saved its own entry", incomplete, "term 2: server 0 leads, and asked for votes with LastLogIndex 2, but in term 1 its leader committed index 3", func(cl *cluster) {
			commit(cl)
			cl.elect(0, 2, 2, 1, 3, 4)
			cl.append(3, entries(0, 2, 2, 1, 0))
		}},
		{"a candidate that does not win", "", "", func(cl *cluster) {
			commit(cl)
			cl.elect(0, 2, 2, 1, 3)
		}},
		{"all that is committed", "", "", func(cl *cluster) {
			commit(cl)
			cl.elect(0, 2, 3, 1, 3, 4)
			cl.append(3, entries(0, 2, 3, 1, 3))
		}},
		{"the leader that has committed it since", "", "", func(cl *cluster) {
			cl.elect(0, 2, 0, 0, 3, 4)
			cl.append(1, entries(0, 2, 0, 0, 0, 2))
			cl.append(2, entries(0, 2, 0, 0, 0, 2))
			cl.append(1, entries(0, 2, 1, 2, 1))
			cl.GetState(0, func() (int, bool) { return 2, true })
		}},
	})
}

// A cluster of one needs no acknowledgement, even if its leader sends entries to itself.
func TestCommit_one(t *testing.T) {
	tellAll(t, 1, []story{{"itself", "", "", func(cl *cluster) {
		cl.elect(0, 1, 0, 0, 0)
		cl.append(0, entries(0, 1, 0, 0, 0, 1))
		cl.append(0, entries(0, 1, 1, 1, 1))
		cl.Applied(0, 1)
	}}})
}

func TestMatching(t *testing.T) {
	other := func(args *appendArgs) *appendArgs {
		args.Entries[0].Command = "another"
		return args
	}
	tellAll(t, 5, []story{
		{"two commands", matching, "index 2, term 1: server 3 sends another command in term 2 than server 0 in term 1", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(3, 2, 3, 1, 2, 4)
			cl.send(3, 1, other(entries(3, 2, 1, 1, 0, 1))).begin()
		}},
		{"a command again, and another of another term", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.append(2, entries(0, 1, 1, 1, 0, 1, 1))
			cl.elect(3, 2, 3, 1, 2, 4)
			cl.append(1, other(entries(3, 2, 1, 1, 0, 2)))
		}},
		{"two entries before one", matching,
			"index 3, term 3: server 2 sends it in term 4 behind an entry of term 2, server 0 in term 3 behind one of term 1", func(cl *cluster) {
				cl.elect(0, 3, 2, 1, 1, 2)
				cl.append(1, entries(0, 3, 2, 1, 0, 3))
				cl.elect(2, 4, 3, 3, 3, 4)
				cl.append(3, entries(2, 4, 1, 1, 0, 2, 3))
			}},
		{"PrevLogTerm is not compared", matching,
			"server 1 accepts what follows entry 3 of term 2 from server 3 in term 2, but its own entry 3 is of term 1", func(cl *cluster) {
				inTerm1(cl)
				cl.elect(3, 2, 0, 0, 2, 4)
				cl.append(1, entries(3, 2, 3, 2, 0, 2))
			}},
		{"PrevLogTerm after another handler has begun", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(3, 2, 0, 0, 2, 4)
			late := cl.send(3, 1, entries(3, 2, 3, 2, 0, 2)).begin()
			cl.append(1, entries(3, 2, 0, 0, 0, 2, 2, 2))
			late.end(&appendReply{2, true})
		}},
		{"PrevLogTerm while another handler runs", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(3, 2, 0, 0, 2, 4)
			cl.send(3, 1, entries(3, 2, 0, 0, 0, 2, 2, 2)).begin()
			cl.append(1, entries(3, 2, 3, 2, 0, 2))
		}},
		{"PrevLogTerm on a server that was killed", "", "", func(cl *cluster) {
			inTerm1(cl)
			cl.elect(3, 2, 0, 0, 2, 4)
			late := cl.send(3, 1, entries(3, 2, 3, 2, 0, 2))
			cl.restart(1)
			late.handle(&appendReply{2, true})
		}},
		{"the term before the first entry is unset", "", "", func(cl *cluster) {
			cl.elect(0, 3, 2, 1, 1, 2)
			cl.append(1, entries(0, 3, 2, 1, 0, 3))
			cl.append(2, entries(0, 3, 2, 0, 0, 3))
		}},
		{"a leader changes its log", appendOnly, "term 2: server 3 sends the entry at index 3 as one of term 2 and as one of term 1", func(cl *cluster) {
			cl.elect(3, 2, 3, 1, 2, 4)
			cl.append(1, entries(3, 2, 2, 1, 0, 2))
			cl.reject(2, entries(3, 2, 3, 1, 0, 2))
		}},
		{"a leader sends in any order", "", "", func(cl *cluster) {
			cl.elect(3, 2, 2, 1, 2, 4)
			cl.append(1, entries(3, 2, 2, 1, 0, 2, 2))
			cl.reject(2, entries(3, 2, 3, 2, 0, 2))
			cl.reject(2, entries(3, 2, 1, 1, 0, 1, 2, 2))
		}},
	})
}
