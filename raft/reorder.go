//go:build go1.25

package raft

// A reorderBuffer holds entries of the current leader that overtook earlier entries, until those arrive. So the leader need
// not send them again when several messages are in flight (LinkPools). That is as safe as a network that delays a message:
// kept entries pass the same consistency check (§5.3) before they enter the log, and setRoleLocked drops them when the
// leader or term changes.
type reorderBuffer struct {
	kept  []reorderedBatch
	bytes int
}

type reorderedBatch struct {
	prev, prevTerm int // index and term of the entry before the first one
	entries        batch
	types          *definitions // those of this server and the message together; nil if there are no entries
}

// maxReordered bounds the messages whose entries are kept. maxBytesInFlight bounds their bytes.
const maxReordered = 256

// keep adds the entries of a message, unless the buffer is full or holds them already.
func (rb *reorderBuffer) keep(prev, prevTerm int, b batch, types *definitions) {
	size := b.size()
	if len(b) == 0 || len(rb.kept) >= maxReordered || rb.bytes+size > maxBytesInFlight {
		return
	}
	for _, k := range rb.kept {
		if k.prev == prev && k.prevTerm == prevTerm && k.entries.length() >= b.length() {
			return
		}
	}
	rb.kept = append(rb.kept, reorderedBatch{prev, prevTerm, b, types})
	rb.bytes += size
}

// next removes and returns a batch that leaves no gap after a log that ends at last. ok is false if there is none.
func (rb *reorderBuffer) next(last int) (b reorderedBatch, ok bool) {
	for k, b := range rb.kept {
		if b.prev <= last {
			end := len(rb.kept) - 1
			rb.kept[k], rb.kept[end] = rb.kept[end], reorderedBatch{}
			rb.kept = rb.kept[:end]
			rb.bytes -= b.entries.size()
			return b, true
		}
	}
	return reorderedBatch{}, false
}

// takeReorderedLocked appends the kept entries that now fit the log. It returns the index of the last one, or 0 if there are
// none. Each batch passes the consistency check (§5.3); one that fails it is dropped.
func (rf *Raft) takeReorderedLocked() (beyond int) {
	for {
		b, ok := rf.reordered.next(rf.log.lastIndex())
		if !ok {
			return beyond
		}
		if !rf.log.matches(b.prev, b.prevTerm) {
			continue
		}
		known := rf.log.firstNew(b.prev+1, b.entries)
		if rf.takeEntriesLocked(b.prev+1+known, b.entries.drop(known), b.types) {
			beyond = max(beyond, b.prev+b.entries.length())
		}
	}
}
