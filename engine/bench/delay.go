package main

import (
	"context"
	"net"
	"time"

	"6.824/engine/internal/disk"
	"go.etcd.io/raft/v3/raftpb"
)

// A slowLog makes each sync of entries last as long as syncDelay says, if the disk is faster.
type slowLog struct{ disk.Log }

func (l slowLog) Save(hard *raftpb.HardState, entries []*raftpb.Entry) error {
	begun := time.Now()
	err := l.Log.Save(hard, entries)
	if len(entries) > 0 {
		sleepUntil(begun.Add(time.Duration(syncDelay.Load())))
	}
	return err
}

// sleepUntil returns at a time, or at once if that is over.
func sleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 {
		time.Sleep(d)
	}
}

// A slowConn delivers what is written after wayDelay, in order.
type slowConn struct {
	net.Conn
	queue chan delayed
}

type delayed struct {
	data []byte
	due  time.Time
}

// slowDial connects to a peer.
func slowDial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newSlowConn(conn), nil
}

func newSlowConn(conn net.Conn) slowConn {
	c := slowConn{conn, make(chan delayed, 1<<16)}
	go func() {
		for d := range c.queue {
			sleepUntil(d.due)
			if _, err := conn.Write(d.data); err != nil {
				conn.Close()
				return
			}
		}
	}()
	return c
}

// Write delays nothing if there is no delay. The parent changes the delay only while there is no load.
func (c slowConn) Write(b []byte) (int, error) {
	delay := time.Duration(wayDelay.Load())
	if delay == 0 {
		return c.Conn.Write(b)
	}
	select {
	case c.queue <- delayed{append([]byte(nil), b...), time.Now().Add(delay)}:
		return len(b), nil
	default:
		return 0, net.ErrClosed // its goroutine has ended
	}
}
