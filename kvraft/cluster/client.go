package cluster

import (
	"slices"
	"sync"

	"6.824/labrpc"
)

// A Client has a connection to each server. A partition of the servers does not affect it.
type Client struct {
	net  *labrpc.Network
	ends []*labrpc.ClientEnd // by server

	servers []string // their names

	mu    sync.Mutex
	names []string // of the ends; nil after Close
}

// NewClient returns a client that reaches all servers.
func (c *Cluster[S]) NewClient() *Client { return c.NewClientTo(c.All()) }

// NewClientTo returns a client that reaches only these servers. Calls to the others fail.
func (c *Cluster[S]) NewClientTo(servers []int) *Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	cl := &Client{net: c.net}
	for i := range c.members {
		endname, end := c.newEndLocked("client", i)
		cl.names, cl.ends, cl.servers = append(cl.names, endname), append(cl.ends, end), append(cl.servers, name(i))
	}
	cl.Connect(servers)
	return cl
}

// Connect makes the client reach only these servers from now on.
func (cl *Client) Connect(servers []int) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for i, endname := range cl.names {
		cl.net.Enable(endname, slices.Contains(servers, i))
	}
}

// Ends returns the connections, by server.
func (cl *Client) Ends() []*labrpc.ClientEnd { return slices.Clone(cl.ends) }

// EndNames returns the names of the connections in the network, by server. There are none after Close.
func (cl *Client) EndNames() (names []any) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, endname := range cl.names {
		names = append(names, endname)
	}
	return names
}

// Servers returns the names of the servers, for Call.
func (cl *Client) Servers() []string { return slices.Clone(cl.servers) }

// Call calls a method of the named server, as ClientEnd.Call does. It returns false if there is no server of that name.
func (cl *Client) Call(server string, method string, args any, reply any) bool {
	i := slices.Index(cl.servers, server)
	return i >= 0 && cl.ends[i].Call(method, args, reply)
}

// Close ends the connections. Calls in flight fail.
func (cl *Client) Close() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for _, endname := range cl.names {
		cl.net.DeleteEnd(endname)
	}
	cl.names = nil
}
