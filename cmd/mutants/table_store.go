package main

// stores are mistakes about changing the disk in place, and about the memory of what was dropped.
var stores = []mutant{
	{
		name:  "drop-forgets-front",
		wrong: "a snapshot leaves the old type definitions on the disk",
		edits: []edit{{"store.go", `Drop: s.front + rf.log.start.at - s.from,`, `Drop: rf.log.start.at - s.from,`}},
	},
	{
		name:  "definition-kept-for-first-entry",
		wrong: "a type definition goes from the disk with the first entry that needs it, though others do",
		edits: []edit{{"store.go", `s.defined[k].last = max(s.defined[k].last, index)`, ``}},
	},
	{
		name:  "definition-kept-for-ever",
		wrong: "type definitions stay on the disk when no entry needs them any more",
		edits: []edit{{"store.go", `d.last <= rf.log.base`, `d.last < 0`}},
	},
	{
		name:  "definition-not-saved",
		wrong: "entries are saved without the type definition that they need",
		edits: []edit{{"store.go", `if lacking {`, `if false {`}},
	},
	{
		name:  "old-front-kept",
		wrong: "new type definitions are saved in front of the old ones",
		edits: []edit{{"store.go", `c.Drop, c.Front = s.front, rf.rebuildFrontLocked()`, `c.Front = rf.rebuildFrontLocked()`}},
	},
	{
		name:  "cut-forgotten",
		wrong: "entries that were replaced stay on the disk, before the new ones",
		edits: []edit{{"store.go", `c := Change{Cut: s.to - rf.log.end.at, Tail:`, `c := Change{Tail:`}},
	},
	{
		name:   "snapshot-saved-empty",
		wrong:  "the log is saved without its beginning, and the snapshot that replaces it is erased",
		safety: true,
		edits:  []edit{{"store.go", `Snapshot: rf.snapshot.data[:len(rf.snapshot.data):len(rf.snapshot.data)],`, ``}},
	},
	{
		name:  "course-disk-without-snapshot",
		wrong: "a Persister of the course is not given the new snapshot",
		edits: []edit{{"store.go", `rf.saveAllLocked(c.Replace)`, `rf.saveAllLocked(false)`}},
	},
	{
		name:  "checksum-goes-on-after-truncation",
		wrong: "the checksum of the log goes on from the entries that were cut off",
		edits: []edit{{"log.go", `l.end = s.begin`, `l.end = mark{s.begin.at, l.end.sum}`}},
	},
	{
		name:  "checksum-begins-at-segment",
		wrong: "the checksum before a log whose beginning was cut off is that before the segment",
		edits: []edit{{"log.go", `l.start = l.start.after(s.memory[s.start:s.offset(k)])`, `l.start.at += s.offset(k) - s.start`}},
	},
	{
		name:  "marks-begin-anew",
		wrong: "a log that was replaced by a snapshot counts its bytes from 0 again",
		edits: []edit{{"log.go", `start: l.end, end: l.end}`, `}`}},
	},
	{
		name:  "front-checksum-not-verified",
		wrong: "saved type definitions that were altered are believed",
		edits: []edit{{"persist.go", `checksum(front) != h.frontSum ||`, `len(front) < 0 ||`}},
	},
	{
		name:  "compacted-entries-kept-in-memory",
		wrong: "what is left of a segment keeps the memory of the entries that were cut off",
		edits: []edit{{"log.go", `moved = s.copyFrom(k, l.start)`, `c := s.slice(k, s.length())
		c.begin = l.start
		moved = []segment{c}`}},
	},
	{
		name:  "compacted-segments-kept",
		wrong: "segments and pieces of the disk that are cut off are still referred to",
		edits: []edit{{"segment.go", `clear(s[:free])`, ``}},
	},
	{
		name:  "truncated-segments-kept",
		wrong: "the segments that truncation cuts off are still referred to",
		edits: []edit{{"log.go", `clear(l.segments[i:])`, ``}},
	},
	{
		name:  "compacted-commands-kept",
		wrong: "the commands of entries that were cut off are still referred to",
		edits: []edit{{"log.go", `l.accepted.take(nil, index+1, index)`, ``}},
	},
	{
		name:  "copied-ends-not-moved",
		wrong: "entries that move to memory of their own keep the ends that they had in the old one",
		edits: []edit{{"segment.go", `c.ends[i] = end - uint32(s.start)`, `c.ends[i] = end`}},
	},
	{
		name:  "disk-keeps-dropped-memory",
		wrong: "what is left of a piece on the disk keeps the memory of what was dropped",
		edits: []edit{{"persister.go", `moved = append(moved, clone(piece))`, `moved = append(moved, piece)`}},
	},
	{
		name:  "copies-share-pieces",
		wrong: "a disk and its copy have their list of pieces in common",
		edits: []edit{{"persister.go", `body: slices.Clone(ps.body), size: ps.size, snapshot:`, `body: ps.body, size: ps.size, snapshot:`}},
	},
	{
		name:  "cut-within-a-piece-only",
		wrong: "a cut takes bytes from the last piece on the disk only",
		edits: []edit{{"persister.go", `n -= len(piece)`, `n = 0`}},
	},
}
