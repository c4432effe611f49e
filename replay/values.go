package main

import (
	"encoding/binary"
	"fmt"
	"go/types"
	"math"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// values formats values in the guest's memory.
type values struct {
	mem  api.Memory
	base uint32
}

const (
	maxText     = 60 // bytes of a string that are shown
	maxElements = 4  // of a slice, at each end
)

// list formats fields at the base, as name=value.
func (v values) list(fields []field) []string {
	var words []string
	for _, f := range fields {
		word := v.at(f).format(f.Type)
		if f.Name != "" {
			word = f.Name + "=" + word
		}
		words = append(words, word)
	}
	return words
}

func (v values) at(f field) values { return values{v.mem, v.base + uint32(f.Offset)} }

// pointees formats the fields of the structures to which parameters point, as parameter.name=value.
func (v values) pointees(params []field) []string {
	var words []string
	for _, p := range params {
		if target := uint32(v.at(p).word(0)); p.Type.Shape == shapePointer && p.Type.Elem.Shape == shapeStruct && target != 0 {
			for _, word := range (values{v.mem, target}).list(p.Type.Elem.Fields) {
				words = append(words, p.Name+"."+word)
			}
		}
	}
	return words
}

// structure formats a structure without its zero values.
func (v values) structure(l *layout) string {
	var words []string
	for _, f := range l.Fields {
		switch word := v.at(f).format(f.Type); word {
		case "0", "0x0", "(0+0i)", "false", `""`, "nil", "[0]", "{}":
		default:
			words = append(words, f.Name+"="+word)
		}
	}
	return "{" + strings.Join(words, " ") + "}"
}

// word returns the i-th word at the base.
func (v values) word(i uint32) uint64 {
	w, _ := v.mem.ReadUint64Le(v.base + 8*i)
	return w
}

// format formats the value at the base.
func (v values) format(l *layout) string {
	switch l.Shape {
	case shapeBasic:
		return v.basic(l)
	case shapeStruct:
		return v.structure(l)
	case shapePointer:
		if p := v.word(0); p == 0 {
			return "nil"
		} else if l.Elem == nil {
			return fmt.Sprintf("%#x", p)
		}
		return "&" + values{v.mem, uint32(v.word(0))}.format(l.Elem)
	case shapeSlice:
		return v.slice(l)
	case shapeMap:
		if v.word(0) == 0 {
			return "nil"
		}
		used := values{v.mem, uint32(v.word(0))}.word(0) // the first field of internal/runtime/maps.Map
		return fmt.Sprintf("map[%d]", used)
	case shapeInterface:
		return v.dynamic(l)
	}
	return "…"
}

// Parts of the runtime's description of a type (internal/abi.Type), which begins with the type's size.
const (
	offsetKind = 23
	kindMask   = 1<<5 - 1
	kindString = 24 // the numbers of bool to float64 are those of go/types
)

// dynamic formats an interface value if its type is basic. Such a value is behind the second word. The first word leads to the
// type, or, if the interface has methods, to a table with the type at its second word.
func (v values) dynamic(l *layout) string {
	about := v.word(0)
	if about == 0 {
		return "nil"
	}
	if l.Methods {
		about = values{v.mem, uint32(about)}.word(1)
	}
	kind, _ := v.mem.ReadByte(uint32(about) + offsetKind)
	basic := &layout{Kind: types.BasicKind(kind & kindMask), Size: int64(values{v.mem, uint32(about)}.word(0))}
	if basic.Kind == kindString {
		basic.Kind = types.String
	} else if basic.Kind < types.Bool || basic.Kind > types.Float64 {
		return "…"
	}
	return values{v.mem, uint32(v.word(1))}.basic(basic)
}

// slice formats a slice: its length, and its elements, but not those in the middle of a long one.
func (v values) slice(l *layout) string {
	n := v.word(1)
	text := fmt.Sprintf("[%d]", n)
	if l.Elem == nil || l.Elem.Shape == shapeOpaque || n == 0 {
		return text
	}
	var words []string
	for i := uint64(0); i < n; i++ {
		if i == maxElements && n > 2*maxElements {
			words = append(words, "…")
			i = n - maxElements
		}
		words = append(words, values{v.mem, uint32(v.word(0) + i*uint64(l.Elem.Size))}.format(l.Elem))
	}
	return text + "{" + strings.Join(words, " ") + "}"
}

// basic formats a value of a basic type.
func (v values) basic(l *layout) string {
	if l.Kind == types.String {
		text, _ := v.mem.Read(uint32(v.word(0)), uint32(min(v.word(1), maxText)))
		if v.word(1) > maxText {
			return fmt.Sprintf("%q…", text)
		}
		return fmt.Sprintf("%q", text)
	}
	raw, _ := v.mem.Read(v.base, uint32(l.Size))
	bits := binary.LittleEndian.Uint64(append(append([]byte{}, raw...), make([]byte, 8)...))
	shift := 64 - 8*l.Size
	switch l.Kind {
	case types.Bool:
		return fmt.Sprint(bits != 0)
	case types.Int, types.Int8, types.Int16, types.Int32, types.Int64:
		return fmt.Sprint(int64(bits<<shift) >> shift)
	case types.Float32:
		return fmt.Sprint(math.Float32frombits(uint32(bits)))
	case types.Float64:
		return fmt.Sprint(math.Float64frombits(bits))
	case types.Complex64:
		return fmt.Sprint(complex(math.Float32frombits(uint32(bits)), math.Float32frombits(uint32(bits>>32))))
	case types.Complex128:
		return fmt.Sprint(complex(math.Float64frombits(bits), math.Float64frombits(v.word(1))))
	case types.Uintptr, types.UnsafePointer:
		return fmt.Sprintf("%#x", bits)
	}
	return fmt.Sprint(bits)
}
