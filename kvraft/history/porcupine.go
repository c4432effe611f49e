package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"6.824/kvraft/rpc"
)

// valuesModel is the service with Get, Put and Append, of one key. The state is the value.
var valuesModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		value, op := state.(string), input.(*Operation)
		switch op.Kind {
		case Get:
			return op.Value == value, value
		case Put:
			return true, op.Value
		default:
			return true, value + op.Value
		}
	},
	DescribeOperation: func(input, output any) string { return Values.describe(input.(*Operation)) },
	DescribeState:     func(state any) string { return short(state.(string)) },
}

// versioned is the state of one key in versionsModel.
type versioned struct {
	value   string
	version rpc.Tversion
}

// versionsModel is the service with versions, of one key. A Put that has returned ErrMaybe may have been carried out or
// not, so that there may be two next states.
var versionsModel = porcupine.NondeterministicModel{
	Init: func() []any { return []any{versioned{}} },
	Step: func(state, input, output any) []any {
		s, op := state.(versioned), input.(*Operation)
		next := versioned{op.Value, op.Version + 1}
		switch {
		case op.Kind == Get && s.version == 0:
			return when(op.Err == rpc.ErrNoKey, s)
		case op.Kind == Get:
			return when(op.Err == rpc.OK && op.Version == s.version && op.Value == s.value, s)
		case op.Err == rpc.OK:
			return when(op.Version == s.version, next)
		case op.Err == rpc.ErrMaybe && op.Version == s.version:
			return []any{s, next}
		case op.Err == rpc.ErrMaybe:
			return []any{s}
		case op.Err == rpc.ErrVersion:
			return when(op.Version != s.version && s.version != 0, s)
		default:
			return when(op.Err == rpc.ErrNoKey && s.version == 0 && op.Version != 0, s)
		}
	},
	DescribeOperation: func(input, output any) string { return Versions.describe(input.(*Operation)) },
	DescribeState: func(state any) string {
		s := state.(versioned)
		return fmt.Sprintf("%s, %d", short(s.value), s.version)
	},
}

// when returns the state if the condition holds, and no state otherwise.
func when(holds bool, s versioned) []any {
	if holds {
		return []any{s}
	}
	return nil
}

// search looks for an order of the operations for the given time. It never decides before that unless it knows.
func search(model porcupine.Model, ops []Operation, limit time.Duration) (verdict, porcupine.LinearizationInfo) {
	calls := make([]porcupine.Operation, len(ops))
	var clients []int
	for k := range ops {
		op := &ops[k]
		if !slices.Contains(clients, op.Client) {
			clients = append(clients, op.Client)
		}
		calls[k] = porcupine.Operation{ClientId: slices.Index(clients, op.Client), Input: op, Call: op.Call, Return: op.Return}
	}
	result, info := porcupine.CheckOperationsVerbose(model, calls, limit)
	switch result {
	case porcupine.Ok:
		return linearizable, info
	case porcupine.Illegal:
		return refused, info
	default:
		return undecided, info
	}
}
