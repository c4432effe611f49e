package history

import (
	"cmp"
	"slices"
	"strings"
)

// orderedValues decides in linear time whether the operations on one key are linearizable, if every Put is alone, and if the
// appended texts are unique between two Puts. A Put is alone if no other write overlaps it.
func orderedValues(ops []Operation) verdict {
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b Operation) int { return cmp.Compare(a.Call, b.Call) })
	writes := slices.DeleteFunc(slices.Clone(ops), func(op Operation) bool { return op.Kind == Get })
	end := int64(-1)
	for k, op := range writes { // by Call
		next := k+1 < len(writes) && writes[k+1].Call < op.Return
		if op.Kind == Put && (next || op.Call < end) {
			return undecided
		}
		end = max(end, op.Return)
	}
	var e epoch
	for k := 0; k < len(writes); {
		first := k
		for k++; k < len(writes) && writes[k].Kind == Append; k++ {
		}
		e.periods = append(e.periods, writes[first:k])
	}
	return e.check(ops, writes)
}

// An epoch is the history of a key, cut before each Put. The first period may have no writes.
type epoch struct {
	periods [][]Operation // the writes; each begins with a Put, except the first
	order   *order
	base    int // number of writes before the current period
}

// check assigns each Get to a period and a state. A Get that overlaps a Put may belong to the period before or after it.
func (e *epoch) check(ops, writes []Operation) verdict {
	gets := slices.DeleteFunc(ops, func(op Operation) bool { return op.Kind != Get })
	e.order = newOrder(len(writes))
	if len(e.periods) == 0 || e.periods[0][0].Kind == Put { // what precedes the first Put
		e.periods = slices.Insert(e.periods, 0, nil)
	}
	for p, period := range e.periods {
		var here []Operation
		for _, op := range gets {
			in := p == 0 || len(period) == 0 || period[0].Call < op.Return
			if p+1 < len(e.periods) && e.periods[p+1][0].Call < op.Return {
				if in && e.periods[p+1][0].Return > op.Call {
					return undecided // it overlaps the next Put
				}
				in = false
			}
			if in {
				here = append(here, op)
			}
		}
		if v := e.checkPeriod(period, here); v != linearizable {
			return v
		}
		e.base += len(period)
	}
	_, ok := e.order.earliest()
	return verdictOf(ok)
}

// checkPeriod finds the order of the appends of a period from the longest value that a Get has returned, and adds its bounds.
func (e *epoch) checkPeriod(writes, gets []Operation) verdict {
	value, written := "", 0
	if len(writes) > 0 && writes[0].Kind == Put {
		value, written = writes[0].Value, 1
		e.order.wrote(e.base+1, &writes[0])
		writes = writes[1:]
	}
	longest := value
	for _, op := range gets {
		if len(op.Value) > len(longest) {
			longest = op.Value
		}
	}
	states, ordered, v := cut(longest, value, writes)
	if v != linearizable {
		return v
	}
	for k, op := range ordered {
		e.order.wrote(e.base+written+k+1, &op)
	}
	for _, op := range gets {
		k, ok := states[len(op.Value)]
		if !ok || !strings.HasPrefix(longest, op.Value) {
			return refused
		}
		e.order.saw(e.base+written+k, &op)
	}
	e.addUnseen(e.base+written+len(ordered), ordered, writes)
	return linearizable
}

// addUnseen adds the appends that no Get has returned. They come after all others. Each may come at its call or, if that is
// earlier, right after the others, so the order of their calls is as good as any.
func (e *epoch) addUnseen(seen int, ordered, writes []Operation) {
	was := make(map[int64]bool)
	for _, op := range ordered {
		was[op.Call] = true
	}
	for _, op := range writes {
		if !was[op.Call] {
			seen++
			e.order.wrote(seen, &op)
		}
	}
}

// cut divides longest, which begins with value, into appended texts. It returns the number of appends in each of its
// beginnings, by their length, and the appends in their order.
func cut(longest, value string, writes []Operation) (states map[int]int, ordered []Operation, v verdict) {
	if !strings.HasPrefix(longest, value) {
		return nil, nil, refused
	}
	byText, lengths := make(map[string]Operation), make(map[int]bool)
	for _, op := range writes {
		if _, twice := byText[op.Value]; twice || op.Value == "" {
			return nil, nil, undecided
		}
		byText[op.Value], lengths[len(op.Value)] = op, true
	}
	states = map[int]int{len(value): 0}
	for at := len(value); at < len(longest); {
		var found []Operation
		for n := range lengths {
			if at+n <= len(longest) {
				if op, ok := byText[longest[at:at+n]]; ok {
					found = append(found, op)
				}
			}
		}
		switch len(found) {
		case 0:
			return nil, nil, refused // nobody appended this, or somebody's text is there twice
		case 1:
		default:
			return nil, nil, undecided
		}
		at += len(found[0].Value)
		ordered = append(ordered, found[0])
		states[at] = len(ordered)
		delete(byText, found[0].Value)
	}
	return states, ordered, linearizable
}
