package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// echo is a child that sends back what it gets, to measure a round trip. Each message has echoSize bytes; its first
// says whether the way is delayed.
func echo(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the parent ends
		l.Close()
	}()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			b := make([]byte, echoSize)
			for {
				if _, err := io.ReadFull(conn, b); err != nil {
					return
				}
				time.Sleep(time.Duration(b[0]) * time.Millisecond)
				if _, err := conn.Write(b); err != nil {
					return
				}
			}
		}()
	}
}

// echoSize is about what raft's message with a command of 100 bytes takes on a connection.
const echoSize = 160

// roundTrip measures the median time from the sending of a small message to a process until its answer, when each way
// takes some whole milliseconds more than on the loopback interface.
func roundTrip(address string, way time.Duration, d time.Duration) (time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	b := make([]byte, echoSize)
	b[0] = byte(way / time.Millisecond)
	return median(d, func() error {
		time.Sleep(way)
		_, err := conn.Write(b)
		if err == nil {
			_, err = io.ReadFull(conn, b)
		}
		return err
	})
}

// syncTime measures the median time to write and sync a small record, as etcd's log does it, when a sync lasts at least
// some time.
func syncTime(dir string, atLeast time.Duration, d time.Duration) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := fileutil.Preallocate(f, 64<<20, true); err != nil {
		return 0, err
	}
	if err := fileutil.Fsync(f); err != nil {
		return 0, err
	}
	record := make([]byte, echoSize)
	return median(d, func() error {
		begun := time.Now()
		_, err := f.Write(record)
		if err == nil {
			err = fileutil.Fdatasync(f)
		}
		sleepUntil(begun.Add(atLeast))
		return err
	})
}

// median calls f again and again for a time, and returns the median of the times that it takes.
func median(d time.Duration, f func() error) (time.Duration, error) {
	var took []time.Duration
	for begun := time.Now(); time.Since(begun) < d; {
		before := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(before))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
