package history

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

type verdict int

const (
	undecided verdict = iota
	linearizable
	refused
)

func (v verdict) String() string {
	return [...]string{"undecided", "linearizable", "not linearizable"}[v]
}

func verdictOf(ok bool) verdict {
	if ok {
		return linearizable
	}
	return refused
}

// A Service says what the operations mean.
type Service int

// The services.
const (
	Values   Service = iota // Get, Put and Append; a key that was never written has the value ""
	Versions                // Get and Put with versions
)

// searchMost is the most operations of a key for which porcupine searches although the check in linear time has decided.
// Both must then agree. The time that porcupine takes can grow exponentially with the number of clients of one key.
const searchMost = 2000

// confirmation is how long porcupine may search if the check in linear time has decided. An easy search ends sooner, and a
// hard one would need hours.
const confirmation = 50 * time.Millisecond

// Check returns nil if the history of a service is linearizable. It needs to be so for each key alone. Otherwise it returns
// an *Error: the operations of a key are not linearizable, or could not be decided within limit.
func Check(s Service, ops []Operation, limit time.Duration) error {
	byKey := make(map[string][]Operation)
	for _, op := range ops {
		byKey[op.Key] = append(byKey[op.Key], op)
	}
	deadline := time.Now().Add(limit)
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		if e := s.checkKey(key, byKey[key], deadline); e != nil {
			if e.Why == refused.String() {
				e.blame(byKey[key], time.Now().Add(limit))
			}
			return e
		}
	}
	return nil
}

func (s Service) model() porcupine.Model {
	if s == Versions {
		return versionsModel.ToModel()
	}
	return valuesModel
}

func (s Service) ordered(ops []Operation) verdict {
	if s == Versions {
		return orderedVersions(slices.Clone(ops))
	}
	return orderedValues(ops)
}

func (s Service) checkKey(key string, ops []Operation, deadline time.Time) *Error {
	fast := s.ordered(ops)
	if fast == linearizable && len(ops) > searchMost {
		return nil
	}
	model := s.model()
	left := max(time.Until(deadline), time.Millisecond)
	if fast != undecided {
		left = min(left, confirmation)
	}
	found, info := search(model, ops, left)
	e := &Error{Service: s, Key: key, Ops: len(ops), model: model, info: info}
	switch {
	case fast != undecided && found != undecided && fast != found:
		e.Why = fmt.Sprintf("the check in linear time says %v, porcupine %v: one of them is wrong", fast, found)
	case fast == refused || found == refused:
		e.Why = refused.String()
	case fast == undecided && found == undecided:
		e.Why = "undecided: porcupine needs more time, and the order of the writes is not known"
	default:
		return nil
	}
	return e
}

// An Error says why a history does not pass.
type Error struct {
	Service Service
	Key     string
	Ops     int // operations on that key
	Why     string
	Culprit *Operation // the first operation to return with which the history is refused; nil if that is not known
	Before  *Operation // the last write of that key that had returned when Culprit began; nil if there is none

	model porcupine.Model
	info  porcupine.LinearizationInfo
}

func (e *Error) Error() string {
	text := fmt.Sprintf("the history of key %q, %d operations: %s", e.Key, e.Ops, e.Why)
	if e.Culprit != nil {
		text += ": " + e.Explain()
	}
	return text
}

// Explain says which operation cannot be explained, and which write it may have missed. It needs Culprit.
func (e *Error) Explain() string {
	text := fmt.Sprintf("no order of the operations explains client %d: %s", e.Culprit.Client, e.Service.describe(e.Culprit))
	if e.Before != nil {
		text += fmt.Sprintf(". The last write before it was client %d: %s", e.Before.Client, e.Service.describe(e.Before))
	}
	return text
}

// WritePage writes porcupine's page of the history of that key to a new file in dir, or in the directory for temporary files
// if dir is "", and returns its name.
func (e *Error) WritePage(dir string) (name string, err error) {
	f, err := os.CreateTemp(dir, "history-*.html")
	if err != nil {
		return "", err
	}
	defer f.Close()
	return f.Name(), porcupine.Visualize(e.model, e.info, f)
}
