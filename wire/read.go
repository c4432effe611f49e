//go:build go1.25

package wire

import (
	"reflect"
	"slices"
	"strings"
)

// A kind is one of the three RPCs of the paper.
type kind int

const (
	unknown kind = iota
	vote
	appendEntries
	heartbeat // an RPC of its own for AppendEntries without entries
	snapshot
	preVote // none of the paper's
)

// kindOf recognizes an RPC by the name of its method. A key/value service may have methods such as PutAppend.
func kindOf(svcMeth string) kind {
	dot := strings.LastIndexByte(svcMeth, '.')
	name := strings.ToLower(svcMeth[dot+1:])
	switch {
	case strings.Contains(name, "put") || strings.Contains(strings.ToLower(svcMeth[:dot+1]), "kv"):
		return unknown
	case strings.Contains(name, "pre") && strings.Contains(name, "vote"):
		return preVote
	case strings.Contains(name, "pre"):
		return unknown
	case strings.Contains(name, "vote"):
		return vote
	case strings.Contains(name, "append"):
		return appendEntries
	case strings.Contains(name, "heartbeat"):
		return heartbeat
	case strings.Contains(name, "snapshot"):
		return snapshot
	}
	return unknown
}

// A field is what a field of a message means.
type field int

const (
	fTerm field = iota
	fPreVote
	fLastLogIndex
	fLastLogTerm
	fGranted
	fPrevIndex
	fPrevTerm
	fEntries
	fCommit
	fSuccess
	fSnapIndex
	fSnapTerm
	fCommand
	fIndex
	fCandidate
	fLeader
	fConflictIndex // of the replies that §5.3 describes at its end, as the next
	fConflictTerm
	fieldCount
)

// names are the paper's.
var names = [...]string{"Term", "PreVote", "LastLogIndex", "LastLogTerm", "VoteGranted", "PrevLogIndex", "PrevLogTerm", "Entries", "LeaderCommit",
	"Success", "LastIncludedIndex", "LastIncludedTerm", "Command", "Index", "CandidateId", "LeaderId", "ConflictIndex", "ConflictTerm"}

func (f field) String() string { return names[f] }

// aliases holds the names of each field in lower case and without underscores.
var aliases = [fieldCount][]string{
	fTerm:         {"term", "currentterm", "currterm", "logterm", "entryterm"},
	fPreVote:      {"prevote", "isprevote", "ispre", "pre"},
	fLastLogIndex: {"lastlogindex", "lastindex", "lastlogidx"},
	fLastLogTerm:  {"lastlogterm", "lastterm"},
	fGranted:      {"votegranted", "granted", "isgranted", "voted"},
	fPrevIndex:    {"prevlogindex", "previndex", "prevlogidx", "prelogindex"},
	fPrevTerm:     {"prevlogterm", "prevterm", "prelogterm"},
	fEntries:      {"entries", "logs", "log", "logentries"},
	fCommit:       {"leadercommit", "commitindex", "leadercommitindex"},
	fSuccess:      {"success", "ok", "succeeded", "succ"},
	fSnapIndex:    {"lastincludedindex", "lastincludeindex", "snapshotindex"},
	fSnapTerm:     {"lastincludedterm", "lastincludeterm", "snapshotterm"},
	fCommand:      {"command", "cmd", "data", "op", "value"},
	fIndex:        {"index", "idx", "logindex"},

	fCandidate:     {"candidateid", "candidate", "candidateindex", "serverid", "server", "peerid", "id", "from", "me"},
	fLeader:        {"leaderid", "leader", "leaderindex", "serverid", "server", "peerid", "id", "from", "me"},
	fConflictIndex: {"conflictindex", "xindex", "nextindex", "conflictfirstindex", "firstindex"},
	fConflictTerm:  {"conflictterm", "xterm"},
}

// A reader finds fields in structs. It remembers where they are in each type.
type reader map[reflect.Type]*places

// places holds the path to each field of a type, or nil.
type places [fieldCount][]int

// indirect follows pointers and interfaces to a struct. It returns the zero Value if there is none within a few steps.
func indirect(v reflect.Value) reflect.Value {
	for range 4 {
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Interface {
			break
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v
}

// find returns a field of a struct, or the zero Value.
func (r reader) find(v reflect.Value, f field) reflect.Value {
	if !v.IsValid() {
		return v
	}
	t := v.Type()
	at := r[t]
	if at == nil {
		at = new(places)
		for f := range fieldCount {
			at[f] = search(t, f)
		}
		r[t] = at
	}
	switch path := at[f]; len(path) {
	case 0:
		return reflect.Value{}
	case 1:
		return v.Field(path[0])
	}
	found, err := v.FieldByIndexErr(at[f])
	if err != nil {
		return reflect.Value{}
	}
	return found
}

// search returns the path to the field of t that has the first of f's names that t knows, or nil.
func search(t reflect.Type, f field) []int {
	for _, name := range aliases[f] {
		for _, candidate := range reflect.VisibleFields(t) {
			if candidate.IsExported() && strings.ToLower(strings.ReplaceAll(candidate.Name, "_", "")) == name {
				return slices.Clone(candidate.Index)
			}
		}
	}
	return nil
}

// A number is a term or an index, if ok.
type number struct {
	n  int
	ok bool
}

// maxNumber bounds what is taken for a term or an index, so that sums do not overflow.
const maxNumber = 1<<31 - 1

func (r reader) number(v reflect.Value, f field) number {
	v = r.find(v, f)
	var n int64
	switch {
	case !v.IsValid():
		return number{}
	case v.CanInt():
		n = v.Int()
	case v.CanUint() && v.Uint() <= maxNumber:
		n = int64(v.Uint())
	default:
		return number{}
	}
	if n < -1 || n > maxNumber/2 {
		return number{}
	}
	return number{int(n), true}
}

// A truth is a bool, if ok.
type truth struct{ yes, ok bool }

func (r reader) truth(v reflect.Value, f field) truth {
	v = r.find(v, f)
	if v.Kind() != reflect.Bool {
		return truth{}
	}
	return truth{v.Bool(), true}
}
