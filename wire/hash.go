//go:build go1.25

package wire

import (
	"hash/maphash"
	"math"
	"reflect"
)

// hash returns a hash of a command. Two copies of a command that gob has decoded have the same hash: it covers what pointers
// point to, not addresses, and leaves out what is nested deeply or in a cycle.
func (c *Checker) hash(v reflect.Value) uint64 {
	h := hasher{seed: c.seed, left: 10000}
	return h.value(v, 0)
}

// A hasher hashes a bounded number of values.
type hasher struct {
	seed maphash.Seed
	left int
}

func (h *hasher) value(v reflect.Value, depth int) uint64 {
	h.left--
	if !v.IsValid() || depth > 20 || h.left < 0 {
		return 0
	}
	mix := func(parts ...uint64) uint64 {
		return maphash.Comparable(h.seed, [3]uint64{parts[0], parts[1], uint64(v.Kind())})
	}
	switch {
	case v.CanInt():
		return mix(uint64(v.Int()), 1)
	case v.CanUint():
		return mix(v.Uint(), 2)
	}
	switch v.Kind() {
	case reflect.Bool:
		return mix(map[bool]uint64{true: 1}[v.Bool()], 3)
	case reflect.Float32, reflect.Float64:
		return mix(math.Float64bits(v.Float()), 3)
	case reflect.String:
		return mix(maphash.String(h.seed, v.String()), 4)
	case reflect.Pointer:
		return h.value(v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return mix(h.value(v.Elem(), depth+1), maphash.String(h.seed, v.Elem().Type().String()))
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return mix(maphash.Bytes(h.seed, v.Bytes()), 4)
		}
		sum := uint64(v.Len())
		for k := 0; k < v.Len() && h.left > 0; k++ {
			sum = mix(sum, h.value(v.Index(k), depth+1))
		}
		return sum
	case reflect.Struct:
		sum := uint64(5)
		for k := range v.NumField() {
			if v.Type().Field(k).IsExported() { // gob sends no others
				sum = mix(sum, h.value(v.Field(k), depth+1))
			}
		}
		return sum
	}
	return 0 // maps, whose order is random, functions and channels
}
