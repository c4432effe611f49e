package engine

import (
	"fmt"
	"slices"
	"sort"
)

// positions maps raft indices to the indices that the service sees. A raft log also holds entries that are no commands:
// the one that a new leader begins its term with, changes of the membership, and the empty entry that replaces a refused
// change. The service's indices count commands only, from 1 on and without gaps.
//
// A positions holds, for each entry of the log behind the snapshot, how many commands there are up to and including it.
// It is pure data, and belongs to the loop.
type positions struct {
	base   uint64  // raft index of the snapshot's last entry
	places []place // places[k] is that of the entry at base+k
}

// A place says what a log holds up to and including an entry.
type place struct {
	commands int   // since the log began
	bytes    int64 // of entries, since an arbitrary one
}

// newPositions returns the positions of a log that holds only a snapshot: of the entries up to raft index base, which
// hold that many commands.
func newPositions(base uint64, commands int) positions {
	return positions{base: base, places: []place{{commands: commands}}}
}

// last returns the raft index of the log's last entry.
func (p *positions) last() uint64 { return p.base + uint64(len(p.places)-1) }

// append notes the entry at raft index. If the log has one there, that and all behind it are replaced.
func (p *positions) append(index uint64, isCommand bool, bytes int) {
	if index <= p.base || index > p.last()+1 {
		panic(fmt.Sprintf("engine: entry %d does not fit behind a snapshot at %d and a last entry at %d", index, p.base, p.last()))
	}
	p.places = p.places[:index-p.base]
	at := p.places[len(p.places)-1]
	at.bytes += int64(bytes)
	if isCommand {
		at.commands++
	}
	p.places = append(p.places, at)
}

// commands returns how many commands there are up to and including the entry at raft index.
func (p *positions) commands(index uint64) int {
	if index < p.base || index > p.last() {
		panic(fmt.Sprintf("engine: entry %d is not between %d and %d", index, p.base, p.last()))
	}
	return p.places[index-p.base].commands
}

// raftIndex returns the raft index of a command that is in the log.
func (p *positions) raftIndex(command int) uint64 {
	k := sort.Search(len(p.places), func(k int) bool { return p.places[k].commands >= command })
	if k == 0 || k == len(p.places) {
		panic(fmt.Sprintf("engine: command %d is not between %d and %d", command, p.places[0].commands, p.commands(p.last())))
	}
	return p.base + uint64(k)
}

// bytesBehind returns the size of the entries behind the one at raft index.
func (p *positions) bytesBehind(index uint64) int64 {
	return p.places[len(p.places)-1].bytes - p.places[index-p.base].bytes
}

// compact forgets all entries before the one at raft index, which becomes the base.
func (p *positions) compact(index uint64) {
	if index > p.base {
		p.places = slices.Clone(p.places[index-p.base:])
		p.base = index
	}
}
