package history

import (
	"cmp"
	"slices"

	"6.824/kvraft/rpc"
)

// orderedVersions decides in linear time whether the operations on one key are linearizable, for the service with versions.
// The version orders the writes. Three things make that more than one pass:
//
//   - A Put that returned ErrMaybe may be the write of its version plus one, if no Put returned OK for that. It may also have
//     written a version that nobody has seen.
//   - A Put of version v that returned ErrVersion was carried out while the key had another version, so before write v or
//     after write v+1. With the smallest moments, it is checked whether it can be the latter. If not, it must be the
//     former, which raises a lower bound, and all begins again.
//   - A Put that returned ErrNoKey was carried out before the first write.
func orderedVersions(ops []Operation) verdict {
	v := versions{puts: make(map[rpc.Tversion]*Operation), maybe: make(map[rpc.Tversion][]*Operation), values: make(map[rpc.Tversion]string)}
	for k := range ops {
		if !v.add(&ops[k]) {
			return refused
		}
	}
	for k := rpc.Tversion(1); k <= v.last; k++ {
		if !v.chooseMaybe(k) {
			return refused
		}
	}
	for v.check() == refused {
		if v.last++; !v.chooseMaybe(v.last) { // nobody has seen this version, but it may explain an ErrVersion
			if v.guessed {
				return undecided
			}
			return refused
		}
	}
	return linearizable
}

// versions is what the operations say about the versions of a key.
type versions struct {
	last    rpc.Tversion                  // the highest version that anybody has seen
	puts    map[rpc.Tversion]*Operation   // the Put that wrote each version
	maybe   map[rpc.Tversion][]*Operation // Puts that may have written it
	values  map[rpc.Tversion]string       // values that Gets have returned
	gets    []*Operation
	others  []*Operation // Puts that returned ErrVersion or ErrNoKey
	guessed bool         // there was more than one choice of a write
}

// add sorts an operation in. It reports false if that alone shows a mistake.
func (v *versions) add(op *Operation) bool {
	switch {
	case op.Kind == Get && op.Err == rpc.ErrNoKey:
		v.gets = append(v.gets, op)
		op.Version = 0
	case op.Kind == Get:
		value, read := v.values[op.Version]
		v.values[op.Version], v.last = op.Value, max(v.last, op.Version)
		v.gets = append(v.gets, op)
		return op.Err == rpc.OK && op.Version > 0 && (!read || value == op.Value)
	case op.Err == rpc.OK:
		written := op.Version + 1
		if v.puts[written] != nil {
			return false
		}
		v.puts[written], v.last = op, max(v.last, written)
	case op.Err == rpc.ErrMaybe:
		v.maybe[op.Version+1] = append(v.maybe[op.Version+1], op)
	case op.Err == rpc.ErrVersion || op.Err == rpc.ErrNoKey && op.Version > 0:
		v.others = append(v.others, op)
	default:
		return false
	}
	return true
}

// chooseMaybe chooses the write of version k if no Put has surely written it: among the Puts that may have written it, one
// with the value that was read, and of these the one that was called first. The others need not have been carried out. It
// reports false if there is none, or if the value that was read is not the one written.
func (v *versions) chooseMaybe(k rpc.Tversion) bool {
	value, read := v.values[k]
	if p := v.puts[k]; p != nil {
		return !read || value == p.Value
	}
	candidates := slices.DeleteFunc(v.maybe[k], func(op *Operation) bool { return read && op.Value != value })
	if len(candidates) == 0 {
		return false
	}
	v.guessed = v.guessed || len(candidates) > 1
	v.puts[k] = slices.MinFunc(candidates, func(a, b *Operation) int { return cmp.Compare(a.Call, b.Call) })
	return true
}

// check finds the smallest moments of the writes.
func (v *versions) check() verdict {
	o := newOrder(int(v.last))
	for k, op := range v.puts {
		o.wrote(int(k), op)
	}
	for _, op := range v.gets {
		o.saw(int(op.Version), op)
	}
	for _, op := range v.others {
		switch {
		case op.Err == rpc.ErrNoKey:
			o.saw(0, op)
		case o.n() == 0:
			return refused
		default:
			o.before(1, op.Return) // the key existed
		}
	}
	for {
		c, ok := o.earliest()
		if !ok {
			return refused
		}
		again := false
		for _, op := range v.others {
			k := int(op.Version)
			isOver := k+1 <= o.n() && c[k+1] <= op.Return
			if op.Err == rpc.ErrNoKey || isOver || k > o.n() || k > 0 && c[k] >= op.Call {
				continue
			}
			if k <= 1 {
				return refused // there was no key before write 1
			}
			o.after(k, op.Call)
			again = true
		}
		if !again {
			return linearizable
		}
	}
}
