//go:build go1.25

package raft

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
)

// A definition is the type definition that a reader needs to decode values of one Go type. A gob stream defines each type
// once and then carries only values. Raft separates the two, so that a log entry carries only its value.
//
// A definition consists of two gob streams that fresh encoders write for the zero value of the type: one with the value in
// an interface, which gives the name under which the type is registered, and the beginning of one with bare values. A
// decoder that has read them can decode every later message of the second stream. The key of a definition is a hash of its
// bytes. Saved states and messages carry the definitions that their entries need.
type definition []byte

const keySize = 8

func (d definition) key() uint64 {
	h := fnv.New64a()
	h.Write(d)
	return h.Sum64()
}

// wellFormed reports whether d consists of two gob streams with one value each. Their type need not be registered here.
func (d definition) wellFormed() bool {
	r := bytes.NewReader(d) // an io.ByteReader: a decoder does not read ahead
	for range 2 {
		if gob.NewDecoder(r).DecodeValue(reflect.Value{}) != nil { // the value is only skipped
			return false
		}
	}
	return r.Len() == 0
}

// definitionKey returns the key of the definition that an encoded command needs. If it needs none, ok is false.
func definitionKey(data []byte) (key uint64, ok bool) {
	if len(data) <= keySize || data[0] != formValue {
		return 0, false
	}
	return binary.BigEndian.Uint64(data[1:]), true
}

// definitions holds the type definitions that one server knows, by key. It is safe for concurrent use.
type definitions struct {
	adding sync.Mutex                            // held to replace the map
	byKey  atomic.Pointer[map[uint64]definition] // the map never changes, so that looking up takes no lock
}

// all returns the map, which the caller must not change.
func (ds *definitions) all() map[uint64]definition {
	if p := ds.byKey.Load(); p != nil {
		return *p
	}
	return nil
}

func (ds *definitions) get(key uint64) definition { return ds.all()[key] }

// add adds a definition, unless it is known.
func (ds *definitions) add(key uint64, d definition) {
	if ds.get(key) == nil {
		ds.addAll(map[uint64]definition{key: d})
	}
}

// addAll adds definitions by key. Known ones stay as they are.
func (ds *definitions) addAll(more map[uint64]definition) {
	ds.adding.Lock()
	defer ds.adding.Unlock()
	all := make(map[uint64]definition, len(more)+len(ds.all()))
	maps.Copy(all, more)
	maps.Copy(all, ds.all())
	ds.byKey.Store(&all)
}

// with returns the definitions of ds and those that a message brings. It does not change ds, and returns ds itself if the
// message brings nothing new. It fails if a definition is malformed.
func (ds *definitions) with(brought [][]byte) (*definitions, error) {
	var more map[uint64]definition // usually none
	for _, b := range brought {
		d := definition(b)
		switch key := d.key(); {
		case ds.get(key) != nil:
		case !d.wellFormed():
			return nil, errMalformed
		case more == nil:
			more = map[uint64]definition{key: d}
		default:
			more[key] = d
		}
	}
	if more == nil {
		return ds, nil
	}
	both := new(definitions)
	both.addAll(ds.all())
	both.addAll(more)
	return both, nil
}

// adopt adds the definitions that a call of with returned. Nil adds nothing.
func (ds *definitions) adopt(others *definitions) {
	if others != ds && others != nil {
		ds.addAll(others.all())
	}
}

// suffice reports whether data is an encoded command whose definition is known. It does not decode the command.
func (ds *definitions) suffice(data []byte) bool {
	key, needed := definitionKey(data)
	return wellFormed(data) && (!needed || ds.get(key) != nil)
}

// collect returns the definitions that the entries need, each once, in the order of their first use.
func (ds *definitions) collect(b batch) (found [][]byte) {
	var keys []uint64 // of found; few, since a service has few command types
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
