package history

import (
	"fmt"
	"strconv"

	"6.824/kvraft/rpc"
)

// Request describes what a client asks for, such as: append("k", "x").
func (s Service) Request(op *Operation) string {
	switch {
	case op.Kind == Get:
		return fmt.Sprintf("get(%q)", op.Key)
	case s == Versions:
		return fmt.Sprintf("put(%q, %s, %d)", op.Key, short(op.Value), op.Version)
	case op.Kind == Put:
		return fmt.Sprintf("put(%q, %s)", op.Key, short(op.Value))
	default:
		return fmt.Sprintf("append(%q, %s)", op.Key, short(op.Value))
	}
}

// Result describes what the operation has returned.
func (s Service) Result(op *Operation) string {
	switch {
	case s == Versions && op.Kind == Get && op.Err == rpc.OK:
		return fmt.Sprintf("%s, %d", short(op.Value), op.Version)
	case s == Versions:
		return string(op.Err)
	case op.Kind == Get:
		return short(op.Value)
	default:
		return "done"
	}
}

func (s Service) describe(op *Operation) string { return s.Request(op) + " -> " + s.Result(op) }

// short quotes a value, and leaves out the middle of a long one.
func short(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%s…%s (%d bytes)", strconv.Quote(s[:most/2]), strconv.Quote(s[len(s)-most/2:]), len(s))
	}
	return strconv.Quote(s)
}
