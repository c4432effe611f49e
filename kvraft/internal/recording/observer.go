package recording

import (
	"runtime"

	"6.824/raft"
	"6.824/record"
)

// Option returns the option with which the Raft of a server that was Started tells what it does. describe describes a command.
func (r *Recording) Option(server int, describe func(command any) string) raft.Option {
	return raft.WithObserver(observer{r.Server(server), describe})
}

// An observer tells of commands as they are described. Those in a log would have to be decoded, which takes longer than all else.
type observer struct {
	*record.Server
	describe func(command any) string
}

func (o observer) Log(first int, terms []int, command func(k int) any) {
	if runtime.GOOS == "wasip1" { // a seeded host keeps the events, and cannot call functions
		o.Server.Log(first, terms, func(k int) any { return record.Words(o.describe(command(k))) })
		return
	}
	o.LogLater(first, terms, func(k int) string { return o.describe(command(k)) })
}

func (o observer) Applied(index int, command any) {
	if command != nil {
		command = record.Words(o.describe(command))
	}
	o.Server.Applied(index, command)
}
