//go:build go1.25

package raft

// A sum is the checksum of a message or a reply: of its type and all its fields, in their order. A change of a single
// number is always detected, since mix is invertible in each operand. Other damage goes undetected with a probability of
// about 2^-64, or 2^-32 in the bytes of entries, definitions and snapshots.
type sum uint64

// The types of messages and replies, which begin each sum.
const (
	sumRequestVote = iota + 1
	sumRequestVoteReply
	sumAppendEntries
	sumAppendEntriesReply
	sumInstallSnapshot
	sumInstallSnapshotReply
)

// mix returns the sum with a number added. Its constants are those of the last step of MurmurHash3.
func (s sum) mix(n uint64) sum {
	s = (s ^ sum(n)) * 0xff51afd7ed558ccd
	s = (s ^ s>>33) * 0xc4ceb9fe1a85ec53
	return s ^ s>>33
}

func (s sum) add(n int) sum { return s.mix(uint64(n)) }

func (s sum) addBool(yes bool) sum {
	if yes {
		return s.add(1)
	}
	return s.add(0)
}

func (s sum) addBytes(b []byte) sum { return s.add(len(b)).mix(uint64(checksum(b))) }

func (m *RequestVoteArgs) sum() sum {
	return sum(sumRequestVote).add(m.Term).add(m.CandidateID).add(m.LastLogIndex).add(m.LastLogTerm).addBool(m.PreVote)
}

// sum reads all entries, so callers do not hold the lock.
func (m *AppendEntriesArgs) sum() sum {
	s := sum(sumAppendEntries).add(m.Term).add(m.LeaderID).add(m.PrevLogIndex).add(m.PrevLogTerm).add(m.LeaderCommit)
	s = s.add(len(m.Entries))
	for _, piece := range m.Entries {
		s = s.addBytes(bytesOf(piece))
	}
	s = s.add(len(m.Definitions))
	for _, d := range m.Definitions {
		s = s.addBytes(d)
	}
	return s
}

// sum takes the checksum of Data from the caller, which has already computed it.
func (m *InstallSnapshotArgs) sum(data uint32) sum {
	s := sum(sumInstallSnapshot).add(m.Term).add(m.LeaderID).add(m.LastIncludedIndex).add(m.LastIncludedTerm)
	return s.add(len(m.Data)).mix(uint64(data))
}

func (r *RequestVoteReply) sum() sum {
	return sum(sumRequestVoteReply).add(r.Term).addBool(r.VoteGranted)
}

func (r *AppendEntriesReply) sum() sum {
	return sum(sumAppendEntriesReply).add(r.Term).addBool(r.Success).add(r.ConflictTerm).add(r.ConflictIndex).
		add(r.Beyond).addBool(r.Full)
}

func (r *InstallSnapshotReply) sum() sum {
	return sum(sumInstallSnapshotReply).add(r.Term).addBool(r.Success)
}

// sealed returns the sum as a reply carries it: never 0, which stands for a reply without a checksum.
func (s sum) sealed() uint64 { return uint64(max(s, 1)) }

// matches reports whether a reply with this sum may carry the given checksum.
func (s sum) matches(sealed uint64) bool { return sealed == 0 || sealed == s.sealed() }

func (r *RequestVoteReply) seal()     { r.Checksum = r.sum().sealed() }
func (r *AppendEntriesReply) seal()   { r.Checksum = r.sum().sealed() }
func (r *InstallSnapshotReply) seal() { r.Checksum = r.sum().sealed() }

func (r *RequestVoteReply) intact() bool     { return r.sum().matches(r.Checksum) }
func (r *AppendEntriesReply) intact() bool   { return r.sum().matches(r.Checksum) }
func (r *InstallSnapshotReply) intact() bool { return r.sum().matches(r.Checksum) }
