//go:build go1.25

package raft

// accepted holds the values of commands that Start accepted on this server, until they are applied, so that the applier
// need not decode them. The values lie in chunks, so that adding one copies at most one chunk, however many wait.
type accepted struct {
	first  int     // index of the first command in the first chunk
	chunks [][]any // all but the last are full; an element is nil for an entry of another leader, or one to decode
	taken  int     // number of commands at the beginning of the first chunk that were taken
}

// commandsPerChunk is the length of a full chunk.
const commandsPerChunk = 1024

// length returns the number of commands in the chunks, including those that were taken.
func (a *accepted) length() int {
	last := len(a.chunks) - 1
	if last < 0 {
		return 0
	}
	return last*commandsPerChunk + len(a.chunks[last])
}

// at returns the command of the entry at index, or nil if it is not known.
func (a *accepted) at(index int) any {
	k := index - a.first
	if k < a.taken || k >= a.length() {
		return nil
	}
	return a.chunks[k/commandsPerChunk][k%commandsPerChunk]
}

// add adds the commands of the entries from index on. The log already holds all entries before index.
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
		if last < 0 || len(a.chunks[last]) == commandsPerChunk {
			a.chunks = append(a.chunks, nil)
			last++
		}
		n := min(len(commands), commandsPerChunk-len(a.chunks[last]))
		a.chunks[last] = append(a.chunks[last], commands[:n]...)
		commands = commands[n:]
	}
}

// take appends to dst the commands of entries first to last, nil for each that is not known. It then drops these and all
// earlier commands.
func (a *accepted) take(dst []any, first, last int) []any {
	for index := first; index <= last; index++ {
		dst = append(dst, a.at(index))
	}
	done := min(max(last+1-a.first, a.taken), a.length())
	if gone := done / commandsPerChunk; gone > 0 {
		clear(a.chunks[:gone])
		a.chunks = a.chunks[gone:]
		a.first, a.taken, done = a.first+gone*commandsPerChunk, 0, done%commandsPerChunk
	}
	if done > a.taken {
		clear(a.chunks[0][a.taken:done])
		a.taken = done
	}
	return dst
}

// truncateFrom drops the commands of the entry at index and all after it.
func (a *accepted) truncateFrom(index int) {
	k := max(index-a.first, a.taken)
	if k >= a.length() {
		return
	}
	i, n := k/commandsPerChunk, k%commandsPerChunk
	clear(a.chunks[i][n:])
	a.chunks[i] = a.chunks[i][:n]
	clear(a.chunks[i+1:])
	a.chunks = a.chunks[:i+1]
}
