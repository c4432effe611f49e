package raft

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"6.824/labgob"
)

type pointCommand struct{ X, Y int }

type boxCommand struct {
	Name string
	Any  any
}

type nodeCommand struct {
	Value int
	Next  *nodeCommand
}

// A dateCommand has its own encoding, like time.Time.
type dateCommand struct{ Year, Day int }

func (c dateCommand) GobEncode() ([]byte, error) { return fmt.Append(nil, c.Year, " ", c.Day), nil }

func (c *dateCommand) GobDecode(b []byte) error {
	_, err := fmt.Sscan(string(b), &c.Year, &c.Day)
	return err
}

// A carrierCommand is encoded with a carriedCommand in an interface.
type carrierCommand struct{}

func (carrierCommand) GobEncode() ([]byte, error) {
	var buf bytes.Buffer
	var carried any = carriedCommand{1}
	err := gob.NewEncoder(&buf).Encode(&carried)
	return buf.Bytes(), err
}

func (*carrierCommand) GobDecode([]byte) error { return nil }

// A strictCommand's zero value cannot be encoded by gob.
type strictCommand struct{ Text *string }

func (c strictCommand) GobEncode() ([]byte, error) { return []byte(*c.Text), nil }

func (c *strictCommand) GobDecode(b []byte) error {
	text := string(b)
	c.Text = &text
	return nil
}

// A refusedCommand cannot be encoded when it is negative.
type refusedCommand int

func (c refusedCommand) GobEncode() ([]byte, error) {
	if c < 0 {
		return nil, errors.New("refused")
	}
	return []byte{byte(c)}, nil
}

func (c *refusedCommand) GobDecode(b []byte) error {
	if len(b) != 1 {
		return errors.New("not a refusedCommand")
	}
	*c = refusedCommand(b[0])
	return nil
}

// Commands with fields that gob does not send.
type (
	shyCommand struct {
		X int
		_ string
	}
	shyFlagCommand struct {
		_ bool
		X int
	}
	shyFloatCommand struct {
		X int
		_ float64
	}
)

// Commands with an interface somewhere.
type (
	manyBoxesCommand  struct{ Items []any }
	boxTableCommand   struct{ Items map[string]any }
	boxesAsKeyCommand struct{ Items map[any]int }
	boxBehindCommand  struct{ Item *boxCommand }
	boxWithinCommand  struct{ Item struct{ V any } }
)

// These two types are not registered, except that one test registers lateCommand.
type (
	foreignCommand   struct{ X int }
	lateCommand      struct{ X int }
	meanwhileCommand struct{ X int }
	carriedCommand   struct{ X int }
)

func init() {
	for _, command := range []any{
		pointCommand{}, boxCommand{}, &nodeCommand{}, map[string]int{}, dateCommand{}, strictCommand{}, refusedCommand(0),
		manyBoxesCommand{}, boxTableCommand{}, boxesAsKeyCommand{}, boxBehindCommand{}, boxWithinCommand{},
	} {
		labgob.Register(command)
	}
	for _, command := range []any{
		shyCommand{}, &shyFlagCommand{}, shyFloatCommand{}, time.Time{},
	} {
		gob.Register(command) // labgob would complain
	}
}

// encode encodes a command and adds its definition to known.
func encode(t testing.TB, known *definitions, command any) []byte {
	t.Helper()
	data, c, err := encodeCommand(nil, command)
	if err != nil {
		t.Fatalf("encode %T: %v", command, err)
	}
	if c != nil {
		known.add(c.key, c.definition)
	}
	return data
}

func newDecoder(known *definitions) *decoder {
	return &decoder{definitions: known, streams: make(map[uint64]*stream)}
}

var manyCommands = []struct {
	name    string
	command any
	form    byte
}{
	{"nil", nil, formNil},
	{"zero", 0, formInt},
	{"one", 1, formInt},
	{"minus one", -1, formInt},
	{"least int", math.MinInt, formInt},
	{"greatest int", math.MaxInt, formInt},
	{"empty string", "", formString},
	{"string", "a\x00\xff☃", formString},
	{"long string", strings.Repeat("x", 1<<16), formString},
	{"bytes", []byte{0, 1, 255}, formValue},
	{"float", -0.5, formValue},
	{"bool", true, formValue},
	{"struct", pointCommand{3, -4}, formValue},
	{"zero struct", pointCommand{}, formValue},
	{"interface inside", boxCommand{"box", pointCommand{1, 2}}, formStream},
	{"nil interface inside", boxCommand{Name: "empty"}, formStream},
	{"pointer", &nodeCommand{1, &nodeCommand{2, nil}}, formValue},
	{"map", map[string]int{"a": 1, "b": -2}, formValue},
	{"GobEncoder", dateCommand{2020, -60}, formValue},
	{"no zero value", strictCommand{new(string)}, formStream},
	{"interfaces in a slice", manyBoxesCommand{[]any{1, "a"}}, formStream},
	{"interfaces in a map", boxTableCommand{map[string]any{"a": 1}}, formStream},
	{"interfaces as keys", boxesAsKeyCommand{map[any]int{"a": 1}}, formStream},
	{"interface behind a pointer", boxBehindCommand{&boxCommand{"box", 1}}, formStream},
	{"interface in a field's field", boxWithinCommand{struct{ V any }{1}}, formStream},
	{"field without a name", shyCommand{X: 1}, formStream},
	{"lower-case bool behind a pointer", &shyFlagCommand{X: 1}, formStream},
	{"lower-case float", shyFloatCommand{X: 1}, formStream},
	{"time", time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC), formStream},
}

// Only types that the course's labgob cannot send are encoded inside an interface.
func TestCommandHidesScalar(t *testing.T) {
	type base struct{ _ int }
	for _, c := range []struct {
		v    any
		want bool
	}{
		{1, false}, {pointCommand{}, false}, {[]base{}, false},
		{base{}, true}, {new(*base), true}, {shyFloatCommand{}, true}, {time.Time{}, true},
		{struct {
			base
			X int
			_ []string
		}{}, false},
		{struct{ At time.Time }{}, false}, {struct{ P *base }{}, false},
	} {
		mustEqual(t, fmt.Sprintf("%T", c.v), hasUnexportedScalar(reflect.TypeOf(c.v)), c.want)
	}
}

// Each command is decoded to an equal one, by a new decoder and by one that has decoded its type before.
func TestCommandRoundTrip(t *testing.T) {
	var known definitions
	old := newDecoder(&known)
	for range 2 {
		for _, c := range manyCommands {
			data := encode(t, &known, c.command)
			mustEqual(t, c.name+": form", data[0], c.form)
			if !wellFormed(data) || !known.suffice(data) {
				t.Errorf("%s: not well-formed, or not decodable: % .20x", c.name, data)
			}
			for _, d := range []*decoder{old, newDecoder(&known)} {
				if got, err := d.decode(data); err != nil || !reflect.DeepEqual(got, c.command) {
					t.Errorf("%s: %#v, %v", c.name, got, err)
				}
			}
		}
	}
}

// A command is decoded as gob decodes it inside an interface: to the registered type, a value or a pointer, without
// remains of the command before.
func TestCommandComesBackAsInInterface(t *testing.T) {
	var known definitions
	d := newDecoder(&known)
	word := "word"
	for _, command := range []any{
		pointCommand{1, 2}, &pointCommand{3, 4}, pointCommand{}, &pointCommand{},
		nodeCommand{1, &nodeCommand{2, nil}}, &nodeCommand{3, nil}, nodeCommand{}, &nodeCommand{},
		map[string]int{"a": 1}, map[string]int{}, map[string]int(nil), []byte{1, 2}, []byte{}, []byte(nil), []string{"x"}, []string{},
		dateCommand{2020, 1}, &dateCommand{2021, 2}, dateCommand{}, strictCommand{&word}, &strictCommand{&word}, refusedCommand(3),
		1.5, 0.0, true, false, int8(0), uint64(1 << 63), complex(1, -1),
	} {
		var stream bytes.Buffer
		var want any
		if err := labgob.NewEncoder(&stream).Encode(&command); err != nil {
			t.Fatalf("%#v: %v", command, err)
		}
		if err := labgob.NewDecoder(&stream).Decode(&want); err != nil {
			t.Fatalf("%#v: %v", command, err)
		}
		got, err := d.decode(encode(t, &known, command))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v came back as %#v, not %#v (%v)", command, got, want, err)
		}
	}
}

// A decoded command does not change when the next one of its type is decoded.
func TestCommandsShareNoMemory(t *testing.T) {
	var known definitions
	d := newDecoder(&known)
	for _, pair := range [][2]any{
		{[]byte{1, 2, 3}, []byte{4, 5, 6}},
		{map[string]int{"a": 1}, map[string]int{"a": 2, "b": 3}},
		{&nodeCommand{1, &nodeCommand{2, nil}}, &nodeCommand{3, &nodeCommand{4, nil}}},
		{pointCommand{1, 2}, pointCommand{3, 4}},
	} {
		first, _ := d.decode(encode(t, &known, pair[0]))
		second, _ := d.decode(encode(t, &known, pair[1]))
		if !reflect.DeepEqual(first, pair[0]) || !reflect.DeepEqual(second, pair[1]) {
			t.Errorf("%#v and %#v came back as %#v and %#v", pair[0], pair[1], first, second)
		}
	}
}

// encodeCommand appends, and later values of a type take as many bytes as the first.
func TestCommandEncodingIsStateless(t *testing.T) {
	first, _, _ := encodeCommand([]byte("head"), pointCommand{1, 2})
	second, _, _ := encodeCommand([]byte("head"), pointCommand{1, 2})
	if !bytes.Equal(first, second) || !bytes.HasPrefix(first, []byte("head")) {
		t.Errorf("% x, then % x", first, second)
	}
}

func TestCommandDefinitions(t *testing.T) {
	var known definitions
	points := []any{pointCommand{1, 2}, 5, map[string]int{"a": 1}, pointCommand{3, 4}, "x", boxCommand{}, map[string]int{}}
	var entries []entry
	for _, command := range points {
		entries = append(entries, entry{term: 1, data: encode(t, &known, command)})
	}
	a, needed := definitionKey(entries[0].data)
	b, _ := definitionKey(entries[3].data)
	c, _ := definitionKey(entries[2].data)
	if !needed || a != b || a == c {
		t.Errorf("keys of a type twice and another: %x, %x, %x (needed: %v)", a, b, c, needed)
	}
	found := known.collect(batch{segmentOf(entries...)})
	mustEqual(t, "definitions", len(found), 2)
	mustEqual(t, "first", definition(found[0]).key(), a)
	mustEqual(t, "second", definition(found[1]).key(), c)
	if _, needed := definitionKey(entries[5].data); needed {
		t.Error("a stream of its own needs a definition")
	}
}

func TestCommandMissingDefinition(t *testing.T) {
	var known, none definitions
	data := encode(t, &known, pointCommand{1, 2})
	if none.suffice(data) {
		t.Error("no definitions suffice")
	}
	d := newDecoder(&none)
	if got, err := d.decode(data); err == nil {
		t.Errorf("decoded to %v without its definition", got)
	}
	key, _ := definitionKey(data)
	none.add(key, known.get(key))
	if got, err := d.decode(data); err != nil || got != (pointCommand{1, 2}) {
		t.Errorf("with its definition: %v, %v", got, err)
	}
}

// No definitions can be added to no definitions, and to known ones.
func TestAdoptNoDefinitions(t *testing.T) {
	var known, none definitions
	none.adopt(new(definitions))
	mustEqual(t, "definitions", none.count(), 0)
	encode(t, &known, pointCommand{1, 2})
	known.adopt(&none)
	mustEqual(t, "definitions", known.count(), 1)
}

// Goroutines that add definitions at once, each its own, lose none.
func TestDefinitionsConcurrently(t *testing.T) {
	var known, shared definitions
	encode(t, &known, pointCommand{1, 2})
	encode(t, &known, map[string]int{"a": 1})
	var brought [][]byte
	for _, d := range known.all() {
		brought = append(brought, d)
	}
	const goroutines = 8
	var wg sync.WaitGroup
	for g := range uint64(goroutines) {
		wg.Go(func() {
			for n := range uint64(100) {
				shared.add(g<<32|n, brought[0])
				if types, err := shared.with(brought); err != nil || types.get(g<<32|n) == nil {
					t.Errorf("with: error %v, or a definition is lost", err)
				} else {
					shared.adopt(types)
				}
			}
		})
	}
	wg.Wait()
	mustEqual(t, "definitions", shared.count(), goroutines*100+len(brought))
}

var registerLate, registerMeanwhile, registerCarried sync.Once

func TestCommandNotRegistered(t *testing.T) {
	for range 2 {
		data, _, err := encodeCommand([]byte("head"), foreignCommand{1})
		if err == nil || !strings.Contains(err.Error(), "foreignCommand") || string(data) != "head" {
			t.Errorf("data %q, error %v", data, err)
		}
	}
	registerLate.Do(func() { // once a process: -count may repeat the test
		if _, _, err := encodeCommand(nil, lateCommand{1}); err == nil {
			t.Error("encoded before its type was registered")
		}
		labgob.Register(lateCommand{})
	})
	var known definitions
	data := encode(t, &known, lateCommand{2})
	if got, err := newDecoder(&known).decode(data); err != nil || got != (lateCommand{2}) {
		t.Errorf("registered late: %v, %v", got, err)
	}
}

// A type that is registered between the look-up of its codec and the encoding of a command, by another goroutine, gets a
// definition afterwards.
func TestCommandRegisteredMeanwhile(t *testing.T) {
	registerMeanwhile.Do(func() {
		if c := codecOf(reflect.TypeFor[meanwhileCommand]()); c.definition != nil {
			t.Error("a definition of a type that is not registered")
		}
		labgob.Register(meanwhileCommand{})
	})
	for range 2 {
		data, _, err := encodeCommand(nil, meanwhileCommand{1})
		if err != nil || data[0] != formValue {
			t.Errorf("% x, %v: want a value that needs a definition", data, err)
		}
	}
}

// The same holds for a type that a GobEncode method needs, although the command's own type is registered.
func TestCommandNeedsTypeRegisteredLater(t *testing.T) {
	labgob.Register(carrierCommand{})
	registerCarried.Do(func() {
		if _, _, err := encodeCommand(nil, carrierCommand{}); err == nil {
			t.Error("encoded before the carried type was registered")
		}
		codecOf(reflect.TypeFor[carrierCommand]())
		labgob.Register(carriedCommand{})
	})
	for range 2 {
		data, _, err := encodeCommand(nil, carrierCommand{})
		if err != nil || data[0] != formValue {
			t.Errorf("% x, %v: want a value that needs a definition", data, err)
		}
	}
}

// A command may take up to a gigabyte.
func TestCommandSize(t *testing.T) {
	for _, n := range []int{0, 1, maxCommand - 1, maxCommand} {
		mustEqual(t, fmt.Sprint("error of ", n, " bytes"), checkSize(n), nil)
	}
	err := checkSize(maxCommand + 1)
	mustEqual(t, "error of one more", fmt.Sprint(err), "it takes 1073741825 bytes encoded, more than the limit of 1073741824")
}

// After a command cannot be encoded, the encoder still works for the next.
func TestCommandEncoderSurvivesError(t *testing.T) {
	var known definitions
	for range 3 {
		if _, _, err := encodeCommand(nil, refusedCommand(-1)); err == nil {
			t.Error("encoded what GobEncode refuses")
		}
		if got, err := newDecoder(&known).decode(encode(t, &known, refusedCommand(7))); err != nil || got != refusedCommand(7) {
			t.Errorf("after an error: %v, %v", got, err)
		}
	}
}

// Decoding a command allocates only the memory that its value needs in an interface.
func TestCommandDecoderMemory(t *testing.T) {
	var known definitions
	d := newDecoder(&known)
	for _, c := range []struct {
		command any
		pieces  float64
	}{{1, 0}, {1000, 1}, {"a string", 2}, {pointCommand{3, 4}, 1}} {
		data := encode(t, &known, c.command)
		pieces := testing.AllocsPerRun(100, func() {
			if got, err := d.decode(data); err != nil || got != c.command {
				t.Errorf("%#v, %v", got, err)
			}
		})
		mustEqual(t, fmt.Sprintf("%#v: pieces of memory", c.command), pieces, c.pieces)
	}
}

// A damaged command gives an error or another value of its type. It never causes a panic or affects the next command.
func TestCommandDecoderSurvivesDamage(t *testing.T) {
	parallel(t)
	var known definitions
	d := newDecoder(&known)
	for _, c := range manyCommands {
		data := encode(t, &known, c.command)
		for cut := range min(len(data), 200) {
			if _, err := d.decode(data[:cut]); err == nil && data[0] != formString {
				t.Errorf("%s: decoded from %d of %d bytes", c.name, cut, len(data))
			}
			flipped := bytes.Clone(data)
			flipped[cut] ^= 1 << (cut % 8)
			_, _ = d.decode(flipped)
			if got, err := d.decode(data); err != nil || !reflect.DeepEqual(got, c.command) {
				t.Fatalf("%s: after damage at byte %d: %#v, %v", c.name, cut, got, err)
			}
		}
	}
}

func TestCommandMalformed(t *testing.T) {
	for _, data := range [][]byte{
		nil, {}, {formNil, 0}, {formInt}, {formInt, 0x80}, {formInt, 2, 2}, {formValue}, {formValue, 1, 2, 3, 4, 5, 6, 7, 8},
		{formState + 1}, {formState, 0}, {255, 1, 2}, bytes.Repeat([]byte{0xff}, 20),
		append([]byte{formInt}, bytes.Repeat([]byte{0xff}, 11)...),
	} {
		if wellFormed(data) {
			t.Errorf("% x is accepted as a command", data)
		}
		if got, err := newDecoder(new(definitions)).decode(data); err == nil {
			t.Errorf("% x decoded to %v", data, got)
		}
	}
}
