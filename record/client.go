//go:build go1.25

package record

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A client sends the requests of one operation, all alike, until a server has carried it out.
type client struct {
	lane int
	text string                       // of the operation
	end  func(result string, ok bool) // nil if there is none
}

// begin begins an operation with its first request.
func (cl *client) begin(c *Cluster, text string) {
	if cl.end != nil && cl.text == text {
		return
	}
	cl.finish("no result", false)
	cl.text, cl.end = text, c.rec.Operation(cl.lane, text)
}

func (cl *client) finish(result string, ok bool) {
	if cl.end != nil {
		cl.end(result, ok)
		cl.end = nil
	}
}

// maxClients bounds the lanes of the clients that were found out. A service that makes new ends for each operation has many.
const maxClients = 24

// clientLocked returns the client that sends these arguments over a group's end.
func (c *Cluster) clientLocked(g *group, args any) *client {
	var key any = g
	if v := fieldLike(args, "clientid", "clerkid", "cid", "ckid"); v.IsValid() && v.Comparable() {
		key = v.Interface()
	}
	cl := c.foreign.clients[key]
	if cl != nil {
		return cl
	}
	cl = &client{}
	c.foreign.found++
	name := fmt.Sprintf("client %d", c.foreign.found)
	switch n := c.foreign.found - 1; {
	case n < maxClients:
		cl.lane = c.addLane(name, true)
	case n == maxClients:
		c.foreign.others = c.addLane("other clients", true)
		fallthrough
	default:
		cl.lane = c.foreign.others
	}
	c.foreign.clients[key] = cl
	return cl
}

// fieldLike returns the exported field of arguments or of a reply that has one of these names, in lower case, or the zero
// Value.
func fieldLike(v any, names ...string) reflect.Value {
	s := structure(v)
	if !s.IsValid() {
		return s
	}
	for _, f := range fieldsOf(s.Type()) {
		if slices.Contains(names, strings.ToLower(f.name)) {
			return s.Field(f.index)
		}
	}
	return reflect.Value{}
}

// declines reports whether a service's reply says that another server has to be asked, or the same one again.
func declines(reply any) bool {
	if wrong := fieldLike(reply, "wrongleader"); wrong.Kind() == reflect.Bool && wrong.Bool() {
		return true
	}
	text := strings.ToLower(errorOf(reply))
	return strings.Contains(text, "leader") || strings.Contains(text, "time") || strings.Contains(text, "maybe")
}

// errorOf returns the beginning of the error that a service's reply has as a text, or "".
func errorOf(reply any) string {
	err := fieldLike(reply, "err", "error", "status")
	if err.Kind() != reflect.String {
		return ""
	}
	return err.String()[:min(err.Len(), maxValue)]
}
