package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// A trouble is what is wrong with a link.
type trouble struct {
	closed bool          // connections are closed as soon as they are there
	stuck  [2]bool       // bytes stay where they are: there, and back. That is what TCP makes of lost packets.
	delay  time.Duration // each way
	alter  bool          // bits of what goes there are altered
}

// A link is a TCP proxy that can be in trouble. Each server has a link to each other one.
type link struct {
	net.Listener
	to      string
	running sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	now     trouble
	changed chan struct{} // closed when now is replaced
	conns   map[net.Conn]bool
	ended   bool
	altered int // bits
}

func newLink(t *testing.T, to string, seed uint64) *link {
	listener, err := net.Listen("tcp", freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	l := &link{Listener: listener, to: to, random: rand.New(rand.NewPCG(seed, 3)), changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	l.running.Go(l.accept)
	return l
}

// set replaces the trouble. Reset closes the connections that there are, too.
func (l *link) set(next trouble, reset bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = next
	close(l.changed)
	l.changed = make(chan struct{})
	if reset || next.closed {
		for conn := range l.conns {
			conn.Close()
		}
	}
}

// close ends the link and waits until nothing of it is left.
func (l *link) close() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.Close()
	l.set(trouble{}, true)
	l.running.Wait()
}

func (l *link) accept() {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.carry(conn) })
	}
}

// add notes a connection that set may close. It reports false if it must be closed at once.
func (l *link) add(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = true
	return !l.now.closed && !l.ended
}

// carry carries the bytes of a connection to the server and back.
func (l *link) carry(from net.Conn) {
	defer l.drop(from)
	if !l.add(from) {
		return
	}
	to, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer l.drop(to)
	if !l.add(to) {
		return
	}
	both := [2]net.Conn{from, to}
	var pumps sync.WaitGroup
	for way := range both {
		pumps.Go(func() {
			l.pump(both[1-way], both[way], way)
			from.Close()
			to.Close()
		})
	}
	pumps.Wait()
}

func (l *link) drop(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}

// A piece is some bytes that have to wait.
type piece struct {
	bytes []byte
	read  time.Time
}

// pump carries bytes one way until a connection breaks.
func (l *link) pump(to io.Writer, from net.Conn, way int) {
	pieces := make(chan piece, 64)
	l.running.Go(func() {
		defer close(pieces)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			pieces <- piece{b[:n], time.Now()}
		}
	})
	for p := range pieces {
		if !l.pass(p, way) {
			from.Close()
		} else if _, err := to.Write(p.bytes); err != nil {
			from.Close() // and the pieces that are left are dropped
		}
	}
}

// pass waits until a piece may go on, and perhaps alters it. It reports false if the link has ended.
func (l *link) pass(p piece, way int) bool {
	for {
		l.mu.Lock()
		now, changed, ended := l.now, l.changed, l.ended
		l.mu.Unlock()
		wait := time.Until(p.read.Add(now.delay))
		switch {
		case ended || now.closed:
			return false
		case now.stuck[way]:
			<-changed
		case wait > 0:
			select {
			case <-changed:
			case <-time.After(wait):
			}
		default:
			if now.alter && way == 0 {
				l.spoil(p.bytes)
			}
			return true
		}
	}
}

// alterations returns how many bits were altered.
func (l *link) alterations() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.altered
}

// spoil alters a bit of every fourth piece.
func (l *link) spoil(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.random.IntN(4) == 0 {
		b[l.random.IntN(len(b))] ^= 1 << l.random.IntN(8)
		l.altered++
	}
}

// TestLink shows that each trouble does what it says.
func TestLink(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() { // an echo
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	l := newLink(t, server.Addr().String(), 1)
	defer l.close()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	conn := dial()
	defer conn.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	echo := func(conn net.Conn, limit time.Duration) ([]byte, error) {
		conn.SetDeadline(time.Now().Add(limit))
		conn.Write(sent)
		got := make([]byte, len(sent))
		n, err := io.ReadFull(conn, got)
		return got[:n], err
	}
	if got, err := echo(conn, time.Minute); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("without trouble %d bytes came back, error %v", len(got), err)
	}
	for way := range 2 {
		stuck := trouble{}
		stuck.stuck[way] = true
		l.set(stuck, false)
		if got, err := echo(conn, 50*time.Millisecond); err == nil || len(got) > 0 {
			t.Errorf("stuck %d: %d bytes came back, error %v", way, len(got), err)
		}
		l.set(trouble{}, false)
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.ReadFull(conn, make([]byte, len(sent))); err != nil {
			t.Errorf("no more stuck: %v", err)
		}
	}
	l.set(trouble{delay: 20 * time.Millisecond}, false)
	begun := time.Now()
	if got, err := echo(conn, time.Minute); err != nil || !bytes.Equal(got, sent) || time.Since(begun) < 40*time.Millisecond {
		t.Errorf("slow: %d bytes came back in %v, error %v", len(got), time.Since(begun), err)
	}
	l.set(trouble{alter: true}, false)
	for range 100 {
		if got, err := echo(conn, time.Minute); err != nil || bytes.Equal(got, sent) != (l.alterations() == 0) {
			t.Fatalf("altered %d: error %v", l.alterations(), err)
		} else if l.alterations() > 0 {
			break
		}
	}
	l.set(trouble{closed: true}, false)
	if got, err := echo(conn, time.Minute); err == nil {
		t.Errorf("closed: %d bytes came back", len(got))
	}
	if got, err := echo(dial(), time.Minute); err == nil {
		t.Errorf("closed: %d bytes came back on a new connection", len(got))
	}
	l.set(trouble{}, false)
	if got, err := echo(dial(), time.Minute); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("open again: %d bytes came back, error %v", len(got), err)
	}
}
