// Package disk lets programs of this module change the disk that a server of package engine has.
package disk

import (
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
)

// A Log is what a server needs of etcd's write-ahead log.
type Log interface {
	Save(*raftpb.HardState, []*raftpb.Entry) error
	SaveSnapshot(*walpb.Snapshot) error
	Sync() error
	ReleaseLockTo(index uint64) error
	Close() error
}

// Wrap returns the Log that servers use instead of l. A program that measures may set it, before it opens a server.
var Wrap = func(l Log) Log { return l }
