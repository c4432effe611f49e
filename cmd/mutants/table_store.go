package main

// stores are mistakes about changing the disk in place, and about the memory of dropped entries.
var stores = []mutant{
	{
		name:  "drop-forgets-front",
		wrong: "a snapshot leaves old type definitions on the disk",
		edits: []edit{{"store.go", `Drop: s.front + rf.log.start.at - s.from,`, `Drop: rf.log.start.at - s.from,`}},
	},
	{
		name:  "definition-kept-for-first-entry",
		wrong: "compaction removes a type definition that later entries need",
		edits: []edit{{"store.go", `s.definitions[k].last = max(s.definitions[k].last, index)`, ``}},
	},
	{
		name:  "definition-kept-forever",
		wrong: "type definitions stay on the disk when no entry needs them",
		edits: []edit{{"store.go", `d.last <= rf.log.base`, `d.last < 0`}},
	},
	{
		name:  "definition-not-saved",
		wrong: "a server saves entries without the type definition that they need",
		edits: []edit{{"store.go", `if lacking {`, `if false {`}},
	},
	{
		name:  "old-front-kept",
		wrong: "old type definitions stay on the disk after the new ones",
		edits: []edit{{"store.go", `c.Drop, c.Front = s.front, rf.rebuildFrontLocked()`, `c.Front = rf.rebuildFrontLocked()`}},
	},
	{
		name:  "cut-forgotten",
		wrong: "replaced entries stay on the disk before the new ones",
		edits: []edit{{"store.go", `c := Change{Cut: s.to - rf.log.end.at, Tail:`, `c := Change{Tail:`}},
	},
	{
		name:   "snapshot-saved-empty",
		wrong:  "a server saves the shortened log and erases the snapshot that replaces its beginning",
		safety: true,
		edits:  []edit{{"store.go", `Snapshot: rf.snapshot.data[:len(rf.snapshot.data):len(rf.snapshot.data)],`, ``}},
	},
	{
		name:  "course-disk-without-snapshot",
		wrong: "a server does not give the new snapshot to the course's Persister",
		edits: []edit{{"store.go", `rf.saveAllLocked(c.Replace)`, `rf.saveAllLocked(false)`}},
	},
	{
		name:  "checksum-goes-on-after-truncation",
		wrong: "the log's checksum still covers the truncated entries",
		edits: []edit{{"log.go", `l.end = s.begin`, `l.end = mark{s.begin.at, l.end.sum}`}},
	},
	{
		name:  "checksum-begins-at-segment",
		wrong: "compaction within a segment starts the log's checksum at the beginning of the segment",
		edits: []edit{{"log.go", `l.start = l.start.after(s.memory[s.start:s.offset(k)])`, `l.start.at += s.offset(k) - s.start`}},
	},
	{
		name:  "marks-begin-anew",
		wrong: "a log that a snapshot has replaced counts its bytes from 0 again",
		edits: []edit{{"log.go", `start: l.end, end: l.end}`, `}`}},
	},
	{
		name:  "front-checksum-not-verified",
		wrong: "a restarted server does not check the checksum of its saved type definitions",
		edits: []edit{{"persist.go", `checksum(front) != h.frontSum ||`, `len(front) < 0 ||`}},
	},
	{
		name:  "compacted-entries-kept-in-memory",
		wrong: "the rest of a segment keeps the memory of its compacted entries",
		edits: []edit{{"log.go", `moved = s.copyFrom(k, l.start)`, `c := s.slice(k, s.length())
		c.begin = l.start
		moved = []segment{c}`}},
	},
	{
		name:  "compacted-segments-kept",
		wrong: "the log keeps references to compacted segments and pieces of the disk",
		edits: []edit{{"segment.go", `clear(s[:free])`, ``}},
	},
	{
		name:  "truncated-segments-kept",
		wrong: "the log keeps references to truncated segments",
		edits: []edit{{"log.go", `clear(l.segments[i:])`, ``}},
	},
	{
		name:  "compacted-commands-kept",
		wrong: "the log keeps references to the commands of compacted entries",
		edits: []edit{{"log.go", `l.accepted.take(nil, index+1, index)`, ``}},
	},
	{
		name:  "copied-ends-not-moved",
		wrong: "entries that are copied to new memory keep their offsets in the old memory",
		edits: []edit{{"segment.go", `c.ends[i] = end - uint32(s.start)`, `c.ends[i] = end`}},
	},
	{
		name:  "disk-keeps-dropped-memory",
		wrong: "the rest of a piece on the disk keeps the memory of its dropped bytes",
		edits: []edit{{"persister.go", `moved = append(moved, clone(piece))`, `moved = append(moved, piece)`}},
	},
	{
		name:  "copies-share-pieces",
		wrong: "a disk and its copy share their list of pieces",
		edits: []edit{{"persister.go", `body: slices.Clone(ps.body), size: ps.size, snapshot:`, `body: ps.body, size: ps.size, snapshot:`}},
	},
	{
		name:  "cut-within-a-piece-only",
		wrong: "a truncation on the disk removes bytes from the last piece only",
		edits: []edit{{"persister.go", `n -= len(piece)`, `n = 0`}},
	},
}
