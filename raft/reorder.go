//go:build go1.25

package raft

// An early holds entries of the current leader that have overtaken those before them, until these come: on a link with
// several messages on their way (LinkPools) they need not be sent again. A message that is kept is as one that the network
// has delayed: it goes through the same consistency check when its turn comes, and a new leader or term drops it.
type reorderBuffer struct {
	kept  []reorderedBatch
	bytes int
}

type reorderedBatch struct {
	prev, prevTerm int // the entry before
	entries        batch
	types          *definitions // ours, and those that the message brought; nil for none
}

// maxReordered bounds how many messages are kept, and maxOnTheWay their bytes.
const maxReordered = 256

// keep takes in entries, if there is room and they are not there already.
func (e *reorderBuffer) keep(prev, prevTerm int, b batch, types *definitions) {
	size := b.size()
	if len(b) == 0 || len(e.kept) >= maxReordered || e.bytes+size > maxOnTheWay {
		return
	}
	for _, k := range e.kept {
		if k.prev == prev && k.prevTerm == prevTerm && k.entries.length() >= b.length() {
			return
		}
	}
	e.kept = append(e.kept, reorderedBatch{prev, prevTerm, b, types})
	e.bytes += size
}

// next takes out entries that begin in a log which ends at last, or right behind it.
func (e *reorderBuffer) next(last int) (b reorderedBatch, ok bool) {
	for k, b := range e.kept {
		if b.prev <= last {
			end := len(e.kept) - 1
			e.kept[k], e.kept[end] = e.kept[end], reorderedBatch{}
			e.kept = e.kept[:end]
			e.bytes -= b.entries.size()
			return b, true
		}
	}
	return reorderedBatch{}, false
}

// takeReorderedLocked appends the entries that were kept and now follow the log's last one. It returns up to where they reach, 0
// if there are none.
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
