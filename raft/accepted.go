//go:build go1.25

package raft

// accepted holds the commands themselves of entries that Start took here, until they are applied: so the leader need not
// decode them. They lie in chunks, so that none of them ever moves, however many wait.
type accepted struct {
	first  int     // index of the first command in there
	chunks [][]any // all but the last are full; nil where an entry came from another leader, or must be decoded
	taken  int     // how many at the beginning of the first chunk are gone
}

// perChunk is how many commands a chunk has.
const perChunk = 1024

// length returns how many commands there are, those that are gone included.
func (a *accepted) length() int {
	last := len(a.chunks) - 1
	if last < 0 {
		return 0
	}
	return last*perChunk + len(a.chunks[last])
}

// at returns the command of an entry, nil if it is not known.
func (a *accepted) at(index int) any {
	k := index - a.first
	if k < a.taken || k >= a.length() {
		return nil
	}
	return a.chunks[k/perChunk][k%perChunk]
}

// add takes in the commands of the entries from index on; all before that are in the log already.
func (a *accepted) add(index int, commands []any) {
	if a.taken == a.length() {
		if len(a.chunks) > 0 {
			a.chunks[0] = a.chunks[0][:0]
		}
		a.first, a.taken = index, 0
	}
	for missing := index - a.first - a.length(); missing > 0; missing-- {
		a.append([]any{nil})
	}
	a.append(commands)
}

func (a *accepted) append(commands []any) {
	for len(commands) > 0 {
		last := len(a.chunks) - 1
		if last < 0 || len(a.chunks[last]) == perChunk {
			a.chunks = append(a.chunks, nil)
			last++
		}
		n := min(len(commands), perChunk-len(a.chunks[last]))
		a.chunks[last] = append(a.chunks[last], commands[:n]...)
		commands = commands[n:]
	}
}

// take appends to dst the command of each entry from first up to and including last, nil if it is not known. It
// forgets them and all before.
func (a *accepted) take(dst []any, first, last int) []any {
	for index := first; index <= last; index++ {
		dst = append(dst, a.at(index))
	}
	done := min(max(last+1-a.first, a.taken), a.length())
	if gone := done / perChunk; gone > 0 {
		clear(a.chunks[:gone])
		a.chunks = a.chunks[gone:]
		a.first, a.taken, done = a.first+gone*perChunk, 0, done%perChunk
	}
	if done > a.taken {
		clear(a.chunks[0][a.taken:done])
		a.taken = done
	}
	return dst
}

func (a *accepted) truncateFrom(index int) {
	k := max(index-a.first, a.taken)
	if k >= a.length() {
		return
	}
	i, n := k/perChunk, k%perChunk
	clear(a.chunks[i][n:])
	a.chunks[i] = a.chunks[i][:n]
	clear(a.chunks[i+1:])
	a.chunks = a.chunks[:i+1]
}
