//go:build go1.25

package labgob

import (
	"fmt"
	"reflect"
	"sync"
	"unicode"
	"unicode/utf8"
)

var (
	mu         sync.Mutex // guards errorCount
	errorCount int        // diagnostics of both kinds since the process began, printed or not
	checked    sync.Map   // reflect.Type -> struct{}: each type is judged once a process
)

// checkType reports every lower-case field in the static type t and the types it is made of. It
// never looks into an interface. A type that is already checked costs one lock-free lookup.
func checkType(t reflect.Type) {
	if _, done := checked.Load(t); done {
		return
	}
	checkNewType(t)
}

func checkNewType(t reflect.Type) {
	kind := t.Kind() // panics on an untyped nil, which has no type
	if _, done := checked.LoadOrStore(t, struct{}{}); done {
		return // marked before descending, so a recursive type ends here
	}
	switch kind {
	case reflect.Struct:
		for i := range t.NumField() {
			field := t.Field(i)
			if first, _ := utf8.DecodeRuneInString(field.Name); !unicode.IsUpper(first) {
				reportLowerCase(field.Name, t.Name())
			}
			checkType(field.Type)
		}
	case reflect.Slice, reflect.Array, reflect.Pointer:
		checkType(t.Elem())
	case reflect.Map:
		checkType(t.Elem())
		checkType(t.Key())
	}
}

func reportLowerCase(field, structName string) {
	mu.Lock()
	defer mu.Unlock()
	fmt.Printf("labgob error: lower-case field %s of %s in RPC or persist/snapshot will break your Raft\n",
		field, structName)
	errorCount++
}

// maxDepth is how deep checkDefault looks. With the pointer at depth 1 and the struct at 2, only the
// struct's own fields are in reach.
const maxDepth = 3

// checkDefault reports every scalar in reach of e that does not hold its zero value.
func checkDefault(e interface{}) {
	if e != nil {
		checkDefaultValue(reflect.ValueOf(e), 1, place{})
	}
}

// place tells which field is being looked at. Finding its name is dear and only a warning needs it.
type place struct {
	outer string       // the fields around it, dotted
	in    reflect.Type // the struct; nil: no field, the decoded variable itself
	field int
}

func (p place) name() string {
	name := p.in.Field(p.field).Name
	if p.outer != "" {
		return p.outer + "." + name
	}
	return name
}

func checkDefaultValue(v reflect.Value, depth int, at place) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < maxDepth && !v.IsNil() {
			checkDefaultValue(v.Elem(), depth+1, at)
		}
	case reflect.Struct:
		if depth < maxDepth {
			checkDefaultFields(v, depth+1, at)
		}
	default:
		if holdsScalar(v) {
			reportNonDefault(v, at)
		}
	}
}

func checkDefaultFields(v reflect.Value, depth int, at place) {
	inside := place{in: v.Type()}
	if at.in != nil {
		inside.outer = at.name()
	}
	for inside.field = range v.NumField() {
		// gob never touches an unexported field, so it cannot lose one's value either.
		if field := v.Field(inside.field); field.CanInterface() {
			checkDefaultValue(field, depth, inside)
		}
	}
}

// holdsScalar tells whether v is of one of the examined kinds and differs from zero.
func holdsScalar(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return v.Float() != 0 // unlike IsZero, == says that -0 is zero
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return !v.IsZero()
	}
	return false
}

// reportNonDefault counts always and prints once a process, if nothing was reported before: the
// first warning is the useful one, since after a retry every reply variable holds something.
func reportNonDefault(v reflect.Value, at place) {
	mu.Lock()
	defer mu.Unlock()
	if errorCount == 0 {
		name := v.Type().Name()
		if at.in != nil {
			name = at.name()
		}
		fmt.Printf("labgob warning: Decoding into a non-default variable/field %s may not work\n", name)
	}
	errorCount++
}
