package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// A floor measures how long the parts of a commit take that nothing can avoid: a sync and a round trip. This process and two
// children do what three servers do at least. They sync at the same time, since the servers share a disk here.
type floor struct {
	conns []net.Conn
	disk  *syncFile
}

// A note is what a floor sends to its children and they send back: about as many bytes as raft's message with a command of
// 100 bytes. Its first bytes are the parts below.
const (
	noteWay  = 0 // how much longer the way back takes, in milliseconds
	noteSync = 1 // 1 if the child must write and sync before it answers
	noteMin  = 2 // how long the sync lasts at least, in milliseconds
	noteTook = 8 // in an answer: how long it took, 8 bytes
	noteSize = 160
)

// newFloor returns a floor with children that listen at addresses.
func newFloor(dir string, addresses map[int]string) (*floor, error) {
	disk, err := newSyncFile(dir)
	if err != nil {
		return nil, err
	}
	f := &floor{disk: disk}
	for _, address := range addresses {
		conn, err := dialPatiently(address)
		if err != nil {
			return nil, err
		}
		f.conns = append(f.conns, conn)
	}
	return f, nil
}

// dialPatiently connects to a child that may just be starting.
func dialPatiently(address string) (conn net.Conn, err error) {
	for begun := time.Now(); time.Since(begun) < startPatience; time.Sleep(10 * time.Millisecond) {
		if conn, err = net.Dial("tcp", address); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("a process does not start: %w", err)
}

// roundTrip returns the median time from the sending of a note until its answer, when each way takes longer than on the
// loopback interface by way.
func (f *floor) roundTrip(way, d time.Duration) (time.Duration, error) {
	note := make([]byte, noteSize)
	note[noteWay] = byte(way / time.Millisecond)
	var took []time.Duration
	for begun := time.Now(); time.Since(begun) < d; {
		before := time.Now()
		sleepUntil(before.Add(way))
		if err := exchange(f.conns[0], note); err != nil {
			return 0, err
		}
		took = append(took, time.Since(before))
	}
	return medianOf(took), nil
}

// exchange sends a note and reads the answer into it.
func exchange(conn net.Conn, note []byte) error {
	if _, err := conn.Write(note); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, note)
	return err
}

// sync returns the median time to write and sync a small record, as etcd's log does it, when three processes do so at the
// same time and a sync lasts at least some time.
func (f *floor) sync(atLeast, d time.Duration) (time.Duration, error) {
	var took []time.Duration
	for begun := time.Now(); time.Since(begun) < d; {
		notes := make([][noteSize]byte, len(f.conns))
		ended := make(chan error, len(f.conns))
		for k, conn := range f.conns {
			notes[k][noteSync], notes[k][noteMin] = 1, byte(atLeast/time.Millisecond)
			go func() { ended <- exchange(conn, notes[k][:]) }()
		}
		own, err := f.disk.sync(atLeast)
		for range f.conns {
			err = errors.Join(err, <-ended)
		}
		if err != nil {
			return 0, err
		}
		took = append(took, own)
		for k := range notes {
			took = append(took, time.Duration(binary.LittleEndian.Uint64(notes[k][noteTook:])))
		}
	}
	return medianOf(took), nil
}

func medianOf(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// A syncFile is a file with room for records, as etcd's log has it.
type syncFile struct{ *os.File }

// syncFileSize is the size of a file of etcd's log.
const syncFileSize = 64 << 20

func newSyncFile(dir string) (*syncFile, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, err
	}
	return &syncFile{f}, errors.Join(fileutil.Preallocate(f, syncFileSize, true), fileutil.Fsync(f))
}

// sync writes a record, syncs, and returns how long that took.
func (f *syncFile) sync(atLeast time.Duration) (time.Duration, error) {
	begun := time.Now()
	_, err := f.Write(make([]byte, noteSize))
	if err == nil {
		err = fileutil.Fdatasync(f.File)
	}
	sleepUntil(begun.Add(atLeast))
	return time.Since(begun), err
}

// runEcho is a child of a floor.
func runEcho(c childConfig) error {
	disk, err := newSyncFile(c.Dir)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Peers[c.ID])
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the parent ends
		os.Exit(0)
	}()
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	note := make([]byte, noteSize)
	for {
		if _, err := io.ReadFull(conn, note); err != nil {
			return err
		}
		if note[noteSync] == 1 {
			took, err := disk.sync(time.Duration(note[noteMin]) * time.Millisecond)
			if err != nil {
				return err
			}
			binary.LittleEndian.PutUint64(note[noteTook:], uint64(took))
		}
		sleepUntil(time.Now().Add(time.Duration(note[noteWay]) * time.Millisecond))
		if _, err := conn.Write(note); err != nil {
			return err
		}
	}
}
