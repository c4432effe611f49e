package rsm

import "time"

// pollEvery is how often watchTerm asks a Raft server for its state.
const pollEvery = 100 * time.Millisecond

// watchTerm stands in for events that the Raft server may not send: it finds the operations that were accepted in a term in
// which the server no longer leads. It ends with the reader, after Kill or when applyCh is closed.
func (r *RSM) watchTerm() {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-r.done:
			return
		case <-r.ended:
			return
		}
		accepted := r.waiters.accepted() // before GetState: a later Start may be in a later term
		if len(accepted) == 0 {
			continue
		}
		term, isLeader := r.rf.GetState()
		lost := accepted[:0]
		for _, s := range accepted {
			if s.term < term || s.term == term && !isLeader {
				lost = append(lost, s)
			}
		}
		r.waiters.giveUp(lost)
	}
}
