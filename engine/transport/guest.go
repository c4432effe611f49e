package transport

import "errors"

// A guest is a server that calls and is no peer: this server's log may not yet have the change that has added it to the cluster.
// That change comes from the leader, which may be that guest. So guests are heard, and answered at the address that they say, as
// long as they are connected. With TLS, a guest has a certificate for its number in this cluster, as a peer has.

// maxGuests bounds the guests at a time: without TLS, everyone who can reach the port may be one.
const maxGuests = 16

var errGuests = errors.New("too many servers that are not known here have called")

// admit makes the caller of a connection a guest, unless it is a peer. The caller must call leave when the connection has ended.
func (t *Transport) admit(h hello) (leave func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.peers[h.from] != nil {
		return func() {}, nil
	}
	t.dismiss(h.from)
	if len(t.guests) >= maxGuests {
		return nil, errGuests
	}
	g := t.newPeer(h.from, h.address)
	t.guests[h.from] = g
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.guests[h.from] == g {
			t.dismiss(h.from)
			delete(t.callers, h.from)
		}
	}, nil
}

// dismiss ends what a guest is answered with. It is called with mu held.
func (t *Transport) dismiss(id uint64) {
	if g := t.guests[id]; g != nil {
		g.cancel()
		delete(t.guests, id)
	}
}
