//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"hash/fnv"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
)

// A gob stream defines each type once and then sends values only. Raft takes the two apart, so that an entry
// carries its value only. The definition of a type is two streams that fresh encoders write for the type's zero
// value: one with the value in an interface, which tells under what name the type is registered, and the beginning of
// one with bare values. A decoder that has read it can read any later message of that stream. It is known by
// a hash of its bytes; saved states and messages that use it bring it along.
type definition []byte

const keySize = 8

func (d definition) key() uint64 {
	h := fnv.New64a()
	h.Write(d)
	return h.Sum64()
}

// wellFormed reports whether d is two gob streams with a value each. Their type need not be registered here.
func (d definition) wellFormed() bool {
	r := bytes.NewReader(d) // two decoders read one after the other from it, since it is an io.ByteReader
	for range 2 {
		if gob.NewDecoder(r).DecodeValue(reflect.Value{}) != nil { // the value is only skipped
			return false
		}
	}
	return r.Len() == 0
}

// definitionKey returns the key of the definition that an encoded command needs; ok is false if it needs none.
func definitionKey(data []byte) (key uint64, ok bool) {
	if len(data) <= keySize || data[0] != formValue {
		return 0, false
	}
	return binary.BigEndian.Uint64(data[1:]), true
}

// definitions are those that one server has met. Safe for concurrent use.
type definitions struct {
	byKey sync.Map      // uint64 → definition
	usual atomic.Uint64 // a key in there; 0 if there is none: most logs need one definition
	more  *definitions  // further ones, or nil
}

func (ds *definitions) get(key uint64) definition {
	d, ok := ds.byKey.Load(key)
	if !ok && ds.more != nil {
		return ds.more.get(key)
	}
	def, _ := d.(definition)
	return def
}

// with returns ds together with the definitions that a message brings, and leaves ds as it is.
func (ds *definitions) with(brought [][]byte) (*definitions, error) {
	all := ds
	for _, b := range brought {
		d := definition(b)
		key := d.key()
		switch {
		case ds.isUsual(key):
		case ds.get(key) != nil:
			ds.usual.Store(key)
		case !d.wellFormed():
			return nil, errMalformed
		default:
			if all == ds {
				all = &definitions{more: ds}
			}
			all.byKey.Store(key, d)
		}
	}
	return all, nil
}

// adopt takes over what a call of with has added; nil stands for nothing.
func (ds *definitions) adopt(all *definitions) {
	if all != ds && all != nil {
		all.byKey.Range(func(key, d any) bool {
			ds.add(key.(uint64), d.(definition))
			return true
		})
	}
}

func (ds *definitions) add(key uint64, d definition) {
	if !ds.isUsual(key) {
		ds.byKey.LoadOrStore(key, d)
		ds.usual.Store(key)
	}
}

func (ds *definitions) isUsual(key uint64) bool { return key != 0 && key == ds.usual.Load() }

// suffice reports whether data is an encoded command that they can decode, as far as one can tell without
// decoding it.
func (ds *definitions) suffice(data []byte) bool {
	key, needed := definitionKey(data)
	return wellFormed(data) && (!needed || ds.isUsual(key) || ds.get(key) != nil)
}

// collect returns the definitions that the entries need, each once, in the order of their first use.
func (ds *definitions) collect(b batch) (found [][]byte) {
	var keys []uint64 // of found: there are few types
	for i := range b {
		for k := range b[i].ends {
			key, ok := definitionKey(b[i].at(k).data)
			if ok && !slices.Contains(keys, key) {
				keys = append(keys, key)
				found = append(found, ds.get(key))
			}
		}
	}
	return found
}
