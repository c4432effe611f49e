package raft

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"6.824/labgob"
)

// Commands that gob does not change.
type (
	plainCommand struct {
		Key, Value string
		Client     int64
		Seq        uint32
		Op         opKind
		Done       bool
		At         [2]pointCommand
		Hash       [4]byte
		Inner      struct{ A, B int }
		EmbeddedCommand
	}
	opKind          uint8
	EmbeddedCommand struct{ Z int }
	namedCommand    string
	arrayCommand    [3]pointCommand
)

// Commands that gob always or sometimes changes.
type (
	bytesCommand   struct{ Value []byte }
	slicesCommand  struct{ Values [][]int }
	mapCommand     struct{ Value map[string]int }
	limitCommand   struct{ Limit *int }
	floatCommand   struct{ X float64 }
	complexCommand struct{ X complex128 }
	secretCommand  struct {
		Key    string
		secret int
	}
	funcCommand struct {
		Key  string
		Call func()
		Done chan int
	}
	textCommand struct{ When dayCommand }
	dayCommand  struct{ Day int }
	byPointer   struct{ X int } // registered as a pointer
	halfCommand struct{ X int } // its methods are on the pointer
	nestCommand struct{ Halves [2]halfCommand }
)

func (c dayCommand) MarshalText() ([]byte, error) { return fmt.Append(nil, c.Day), nil }

func (c *halfCommand) MarshalBinary() ([]byte, error) { return []byte{byte(c.X / 2)}, nil }
func (c *halfCommand) UnmarshalBinary(b []byte) error {
	if len(b) != 1 {
		return errors.New("not a halfCommand")
	}
	c.X = 2 * int(b[0])
	return nil
}

func init() {
	for _, command := range []any{
		plainCommand{}, opKind(0), namedCommand(""), arrayCommand{}, [2]string{}, bytesCommand{}, slicesCommand{}, mapCommand{},
		limitCommand{}, floatCommand{}, complexCommand{}, textCommand{}, &byPointer{}, halfCommand{}, nestCommand{}, [2]float64{},
		[]string{}, [][]byte{}, map[string][]int{},
	} {
		labgob.Register(command)
	}
	for _, command := range []any{secretCommand{}, funcCommand{}, &big.Int{}} {
		gob.Register(command) // labgob would complain
	}
}

var zero, one = 0, 1

// identities are commands that the leader may hand over without decoding, and changed those that it may not.
var (
	identities = []any{
		true, int8(-1), int64(math.MinInt64), uint(0), uint8(255), uint64(math.MaxUint64), uintptr(7), opKind(3),
		namedCommand(""), namedCommand("x\x00"), arrayCommand{}, arrayCommand{1: {1, 2}}, [2]string{"", "b"},
		pointCommand{}, pointCommand{1, -1}, plainCommand{}, fullPlain(), kvCommand{"Put", "k", "v", 1, 2},
	}
	changed = []any{
		[]byte{}, []byte(nil), []byte{0}, []string{}, []string{""}, [][]byte{{}, nil}, map[string][]int{}, map[string][]int{"a": {}},
		bytesCommand{}, bytesCommand{[]byte{}}, bytesCommand{[]byte{1}}, slicesCommand{[][]int{}}, slicesCommand{[][]int{{}, nil, {0}}},
		mapCommand{}, mapCommand{map[string]int{}}, mapCommand{map[string]int{"a": 0}},
		limitCommand{}, limitCommand{&zero}, limitCommand{&one},
		math.Copysign(0, -1), float32(1.5), complex(math.Copysign(0, -1), 0), floatCommand{math.Copysign(0, -1)}, floatCommand{1.5},
		complexCommand{complex(0, math.Copysign(0, -1))}, [2]float64{math.Copysign(0, -1), 1},
		secretCommand{"k", 1}, funcCommand{"k", func() {}, make(chan int)},
		textCommand{dayCommand{3}}, &halfCommand{3}, &nestCommand{[2]halfCommand{{3}, {4}}}, dateCommand{2020, 1},
		byPointer{1}, &byPointer{2}, &pointCommand{1, 2}, &bytesCommand{[]byte{}}, &nodeCommand{},
		boxCommand{}, boxCommand{"box", []byte{}}, boxCommand{"box", &pointCommand{}}, manyBoxesCommand{[]any{}},
		time.Now(), big.NewInt(5), shyCommand{X: 1}, nodeCommand{1, &nodeCommand{}},
	}
)

// fullPlain returns a plainCommand with all fields set.
func fullPlain() plainCommand {
	return plainCommand{"k", "v", -1, 2, 3, true, [2]pointCommand{{1, 0}, {0, 2}}, [4]byte{1, 0, 0, 9},
		struct{ A, B int }{0, 1}, EmbeddedCommand{5}}
}

// Whether a type is handed over without decoding depends on its structure. Values of these types are decoded to equal
// values of the same type.
func TestIdentity(t *testing.T) {
	var known definitions
	d := newDecoder(&known)
	for _, command := range identities {
		data, c, err := encodeCommand(nil, command)
		if err != nil || c == nil {
			t.Fatalf("%#v: codec %v, error %v", command, c, err)
		}
		mustEqual(t, fmt.Sprintf("%#v is handed over as it is", command), valueToApply(command, data, c), command)
		known.add(c.key, c.definition)
		if got, err := d.decode(data); err != nil || !reflect.DeepEqual(got, command) {
			t.Errorf("%#v is decoded to %#v, %v", command, got, err)
		}
	}
	for _, command := range changed {
		data, c, err := encodeCommand(nil, command)
		if err != nil {
			t.Errorf("%#v: %v", command, err)
		} else if got := valueToApply(command, data, c); got != nil {
			t.Errorf("%#v is handed over as %#v", command, got)
		}
	}
	for _, command := range []any{0, "", "text", RaftState{}, &RaftState{}} {
		data, c, _ := encodeCommand(nil, command)
		if got := valueToApply(command, data, c); !reflect.DeepEqual(got, command) {
			t.Errorf("%#v is handed over as %#v", command, got)
		}
	}
}

// Types for which labgob prints warnings.
func TestIdentityOfHiddenFields(t *testing.T) {
	type hidden struct{ Z int }
	for _, v := range []any{struct {
		Key   string
		items []int
	}{}, struct{ hidden }{}, struct {
		Key string
		_   int
	}{}, struct{ At time.Time }{}} {
		mustEqual(t, fmt.Sprintf("%T", v), isIdentity(reflect.TypeOf(v)), false)
	}
}

// A command is decoded if its type is not registered, or only its pointer type is.
func TestIdentityOfRegisteredType(t *testing.T) {
	mustEqual(t, "a value whose pointer is registered", codecOf(reflect.TypeFor[byPointer]()).identity, false)
	mustEqual(t, "it would be an identity", isIdentity(reflect.TypeFor[byPointer]()), true)
	mustEqual(t, "not registered", codecOf(reflect.TypeFor[foreignCommand]()).identity, false)
}

// All services get commands of the same type with the same bits, also for nil: on the leader, on followers, and after a
// restart.
func TestEveryServiceGetsTheSame(t *testing.T) {
	commands := slices.Concat(identities, changed, []any{nil, 0, -1, "", "text"})
	synctest.Test(t, func(t *testing.T) {
		const n = 3
		servers, disks, applied := make([]*Raft, n), make([]*Persister, n), make([]chan ApplyMsg, n)
		ready := make(chan struct{}) // closed when all servers are made
		for i := range servers {
			disks[i], applied[i] = MakePersister(), make(chan ApplyMsg, len(commands))
			servers[i] = Make(deadEnds(n), i, disks[i], applied[i], WithTransport(func(to int, m Message) Reply {
				<-ready
				return servers[to].OnMessage(m)
			}))
			defer servers[i].Kill()
		}
		close(ready)
		time.Sleep(5 * time.Second)
		leads := slices.IndexFunc(servers, func(rf *Raft) bool { _, leads := rf.GetState(); return leads })
		for _, command := range commands {
			servers[leads].Start(command)
		}
		time.Sleep(time.Second)
		again := newQuietServer(t, n, leads, disks[leads].Copy())
		again.commitLocked(len(commands))
		replayed := startApplier(again)
		defer again.Kill()
		for _, command := range commands {
			want := written((<-applied[leads]).Command)
			for i, ch := range applied {
				if i != leads {
					mustEqual(t, fmt.Sprintf("%#v on another server", command), written(next(t, ch).Command), want)
				}
			}
			mustEqual(t, fmt.Sprintf("%#v after a restart", command), written(next(t, replayed).Command), want)
		}
	})
}

// written formats all parts of v, also those that == and DeepEqual ignore.
func written(v any) string {
	var b bytes.Buffer
	write(&b, reflect.ValueOf(v))
	return b.String()
}

func write(b *bytes.Buffer, v reflect.Value) {
	if !v.IsValid() {
		b.WriteString("nothing")
		return
	}
	fmt.Fprint(b, v.Type())
	switch v.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice:
		if v.IsNil() {
			b.WriteString("(nil)")
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		b.WriteString("&")
		write(b, v.Elem())
	case reflect.Struct:
		for k := range v.NumField() {
			fmt.Fprintf(b, " %s:", v.Type().Field(k).Name)
			write(b, v.Field(k))
		}
	case reflect.Slice, reflect.Array:
		for k := range v.Len() {
			b.WriteString(" ")
			write(b, v.Index(k))
		}
	case reflect.Float64:
		fmt.Fprintf(b, "%x", math.Float64bits(v.Float()))
	default:
		fmt.Fprintf(b, "(%v)", v)
	}
}

// Changes that the caller makes to a command after Start have no effect.
func TestCommandBelongsToCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rf, applyCh := single(t, MakePersister())
		defer rf.Kill()
		value := bytesCommand{[]byte("before")}
		pointer := &pointCommand{1, 2}
		for _, command := range []any{value, pointer} {
			rf.Start(command)
		}
		copy(value.Value, "after!")
		pointer.X = 9
		mustEqual(t, "bytes", string((<-applyCh).Command.(bytesCommand).Value), "before")
		mustEqual(t, "pointer", (<-applyCh).Command.(pointCommand), pointCommand{1, 2})
	})
}

// A leader does not decode commands that it may hand over unchanged.
func TestIdentityIsNotDecoded(t *testing.T) {
	rf := newLeader(t, 1, 1, nil)
	for _, c := range []struct {
		command any
		decoded bool
	}{{kvCommand{"Put", "a key", "a value", 1, 2}, false}, {7, false}, {"text", false}, {bytesCommand{[]byte("x")}, true}, {[]byte("x"), true}} {
		rf.Start(c.command)
		command := rf.log.accepted.take(nil, rf.log.lastIndex(), rf.log.lastIndex())[0]
		mustEqual(t, fmt.Sprintf("%#v is decoded", c.command), command == nil, c.decoded)
	}
}
