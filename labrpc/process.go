//go:build go1.25

package labrpc

import (
	"bytes"
	"errors"
	"log"

	"6.824/labgob"
)

// This file is for trees in which each server is a process, as in the course of 2026. The network is in the process of
// the tests. In a server's process, SetCall leads the calls of its ends to that process, which forwards them (Forward).
// In the tests' process, SetDispatch leads the requests for a server to the server's process, which handles them
// (Dispatch). Between the processes, requests and replies are whole gob streams.

// Fcall sends a request elsewhere: it gets the name of the end, the method and the encoded arguments, and returns the
// encoded reply, or false if there is none.
type Fcall func(endname string, svcMeth string, args []byte) ([]byte, bool)

// Fdispatch handles a request elsewhere: it gets the method and the encoded arguments, and returns the encoded reply, or
// false if there is none.
type Fdispatch func(svcMeth string, args []byte) ([]byte, bool)

// errNoReply is the error of a server whose Fdispatch returns false.
var errNoReply = errors.New("no reply")

// SetCall makes later calls of e use f instead of the network. The name of e must be a string; otherwise Call panics.
func (e *ClientEnd) SetCall(f Fcall) { e.elsewhere.Store(&f) }

// callElsewhere is Call for an end with SetCall.
func (e *ClientEnd) callElsewhere(f Fcall, svcMeth string, args, reply interface{}) bool {
	b, ok := f(e.name.(string), svcMeth, Marshall(args))
	if ok {
		Unmarshall(b, reply)
	}
	return ok
}

// Forward is like Call, with arguments that Marshall has encoded, and returns the reply for Unmarshall. It returns false
// where Call does. The arguments must have the type of the handler's first parameter, or one that gob can decode into it.
func (e *ClientEnd) Forward(svcMeth string, args []byte) ([]byte, bool) {
	if e.rn.closed() {
		return nil, false
	}
	c := e.rn.calls.Get().(*call)
	c.svcMeth, c.args, c.request = svcMeth, args, labgob.Stream(args)
	ok := e.send(c)
	defer c.recycle()
	if !ok {
		return nil, false
	}
	if c.encodeErr != nil {
		log.Fatalf("ClientEnd.Forward(): the server could not encode the reply of %v: %v\n", svcMeth, c.encodeErr)
	}
	return c.reply.StreamBytes(), true
}

// LookupEnd returns the end of that name. If there is none, the process ends (log.Fatalf).
func (rn *Network) LookupEnd(endname interface{}) *ClientEnd {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	e := rn.ends[endname]
	if e == nil {
		log.Fatalf("MakeEnd: %v doesn't exists\n", endname)
	}
	return e
}

// SetDispatch makes the server hand its requests to f instead of its services. It must be called before the server is added
// to a network.
func (rs *Server) SetDispatch(f Fdispatch) { rs.elsewhere.Store(&f) }

// Dispatch handles one request, which Marshall has encoded, with the server's services or its Fdispatch, and returns the
// reply for Unmarshall, or false if there is none. srv and clnt, the names of server and client, have no effect.
func (rs *Server) Dispatch(srv, svcMeth, clnt string, args []byte) ([]byte, bool) {
	reply, err := rs.dispatch(&call{svcMeth: svcMeth, request: labgob.Stream(args)})
	switch {
	case err == errNoReply:
		return nil, false
	case err != nil:
		log.Fatalf("Marshall fatal: encode arg err %v\n", err)
	}
	return reply.StreamBytes(), true
}

// dispatchElsewhere is dispatch for a server with SetDispatch.
func dispatchElsewhere(f Fdispatch, c *call) (labgob.Message, error) {
	args := c.request.StreamBytes()
	if o := c.observer(); o != nil {
		o.Handling(c.info(), args)
	}
	reply, ok := f(c.svcMeth, args)
	if !ok {
		return labgob.Message{}, errNoReply
	}
	if o := c.observer(); o != nil {
		o.Handled(c.info(), reply)
	}
	return labgob.Stream(reply), nil
}

// handleStream is like handle for a request that is a whole gob stream. The variable has the type of the method's first
// parameter, and the reply is a whole gob stream, too. If the request cannot be decoded, the process ends (log.Fatalf).
func (h *handler) handleStream(c *call) (labgob.Message, error) {
	argsType := h.argsType
	args := newArgs(argsType)
	Unmarshall(c.request.StreamBytes(), args.Interface())
	reply, err := h.run(c, argsType, args)
	if err != nil {
		return labgob.Message{}, err
	}
	var b bytes.Buffer
	err = labgob.NewEncoder(&b).EncodeValue(reply)
	return labgob.Stream(b.Bytes()), err
}

// Marshall encodes args as a whole gob stream. If gob cannot encode args, the process ends (log.Fatalf).
func Marshall(args interface{}) []byte {
	var b bytes.Buffer
	if err := labgob.NewEncoder(&b).Encode(args); err != nil {
		log.Fatalf("Marshall fatal: encode arg err %v\n", err)
	}
	return b.Bytes()
}

// Unmarshall decodes what Marshall has encoded into the variable that reply points to, which should be zero. If gob cannot
// decode it, the process ends (log.Fatalf).
func Unmarshall(b []byte, reply interface{}) {
	if err := labgob.NewDecoder(bytes.NewBuffer(b)).Decode(reply); err != nil {
		log.Fatalf("Unmarshall fatal: decode reply err %v\n", err)
	}
}
