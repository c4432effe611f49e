package raft

// Reads in the explorer. A read begins in an action of its own, and ends in any step that confirms or fails it. If it ends
// well, its index must be at least the highest index that a leader had committed when it began.

// readsEnd is a property that only the explorer checks.
const readsEnd = "no read waits on a server that does not lead"

// An openRead is a read that waits.
type openRead struct {
	round *round
	index int
	floor int // what leaders had committed when it began
}

// isStale reports whether the read must not end well.
func (r *openRead) isStale() bool { return r.floor > r.index }

// read begins a read, as ReadIndex does. Leaders have committed up to index committed.
func (s *drivenServer) read(committed int) {
	index, round, err := s.rf.beginRead()
	if err != nil {
		return
	}
	if index > s.rf.commitIndex {
		s.violate(onlyCommitted, "a read waits for index %d, but commitIndex is %d", index, s.rf.commitIndex)
	}
	s.reads = append(s.reads, openRead{round, index, committed})
}

// checkReads removes the reads that have ended, and checks them.
func (s *drivenServer) checkReads() {
	waiting := s.reads[:0]
	for _, r := range s.reads {
		select {
		case <-r.round.done:
			if r.round.err == nil && r.isStale() {
				s.violate(readsAreRecent, "a read ends with index %d, but leaders had committed up to %d when it began", r.index, r.floor)
			}
		default:
			waiting = append(waiting, r)
		}
	}
	if s.reads = waiting; len(waiting) > 0 && s.rf.role != Leader {
		s.violate(readsEnd, "%d still wait in term %d", len(waiting), s.rf.currentTerm)
	}
}

// An imageRead is one or more rounds of reads that will end together, since neither a call in flight nor a confirmation
// separates them. It is zero if no read among them is stale: any end is right then.
type imageRead struct{ index, floor int }

// rounds returns the last round of each imageRead.
func (s *drivenServer) rounds() (last []*round) {
	waiting := s.rf.reads.waiting
	for k, r := range waiting {
		if k == len(waiting)-1 || s.separates(r.after, waiting[k+1].after) {
			last = append(last, r)
		}
	}
	return last
}

// separates reports whether a call or a confirmation of the current term counts for reads that began after one call, but
// not for those that began after a later one.
func (s *drivenServer) separates(after, later int) bool {
	between := func(number int) bool { return after < number && number <= later }
	for _, o := range s.open {
		if between(o.call.number) && o.call.term() == s.rf.currentTerm {
			return true
		}
	}
	for _, f := range s.rf.followers {
		if f != nil && between(f.confirmed) {
			return true
		}
	}
	return false
}

func (s *drivenServer) imageReads() (all []imageRead) {
	k := 0
	for _, last := range s.rounds() {
		var m imageRead
		for ; k < len(s.reads) && s.reads[k].round.after <= last.after; k++ {
			if r := &s.reads[k]; r.isStale() && m == (imageRead{}) {
				m = imageRead{r.index, r.floor}
			}
		}
		all = append(all, m)
	}
	return all
}

// readsBefore returns how many imageReads the call with this number counts for.
func (s *drivenServer) readsBefore(number int) (n int) {
	for _, r := range s.rounds() {
		if r.after < number {
			n++
		}
	}
	return n
}

// loadReads makes the rounds of an image wait. It also numbers calls and confirmations. Only the order of numbers matters:
// round k, counted from 1, began after call k, and a call that counts for the first n rounds has the number n+1.
func (m *image) loadReads(s *drivenServer) {
	rs := &s.rf.reads
	for k, i := range m.reads {
		r := &round{after: k + 1, readers: 1, done: make(chan struct{})}
		rs.waiting = append(rs.waiting, r)
		s.reads = append(s.reads, openRead{r, i.index, i.floor})
		rs.sent = r.after
	}
	for k, c := range m.calls {
		s.open[k].call.number = c.reads + 1
		rs.sent = max(rs.sent, c.reads+1)
	}
	for peer, f := range m.followers {
		if f.confirmed > 0 {
			s.rf.followers[peer].confirmed = f.confirmed + 1
			rs.sent = max(rs.sent, f.confirmed+1)
		}
	}
}
