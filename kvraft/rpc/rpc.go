// Package rpc has the errors of the services in this module, and the messages of the versioned key/value service. The
// course of 2025 has them in its package kvsrv1/rpc.
package rpc

// Err is the outcome of an operation.
type Err string

// The outcomes. Their values are their names.
const (
	OK       Err = "OK"
	ErrNoKey Err = "ErrNoKey" // there is no such key

	ErrVersion Err = "ErrVersion" // the key has another version; the Put was not carried out

	// ErrMaybe: the operation may have been carried out, may still be carried out later, or neither. A Clerk's Put
	// returns it, and so does RSM.Submit, when a command was accepted but its result is not known.
	ErrMaybe Err = "ErrMaybe"

	ErrWrongLeader Err = "ErrWrongLeader" // this server does not lead; the operation was not and will not be carried out
)

// Tversion is the version of a key: how many Puts of it have succeeded.
type Tversion uint64

// PutArgs asks to store Value under Key, if the key has this version. Version 0 stands for a key that does not exist.
type PutArgs struct {
	Key     string
	Value   string
	Version Tversion
}

// PutReply is OK, ErrNoKey, ErrVersion, ErrMaybe or ErrWrongLeader.
type PutReply struct {
	Err Err
}

// GetArgs asks for the value and version of Key.
type GetArgs struct {
	Key string
}

// GetReply has Value and Version if Err is OK. Otherwise Err is ErrNoKey, ErrMaybe or ErrWrongLeader.
type GetReply struct {
	Value   string
	Version Tversion
	Err     Err
}
