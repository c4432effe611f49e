// Package ours uses this repository's labrpc, and records nothing itself.
package ours

import (
	"testing"

	"6.824/labrpc"
)

type Echo struct{}

func (*Echo) Say(args string, reply *string) { *reply = args }

func TestSay(t *testing.T) {
	net := labrpc.MakeNetwork()
	defer net.Cleanup()
	server := labrpc.MakeServer()
	server.AddService(labrpc.MakeService(&Echo{}))
	net.AddServer("echo", server)
	end := net.MakeEnd("end")
	net.Connect("end", "echo")
	net.Enable("end", true)
	var reply string
	if !end.Call("Echo.Say", "hello", &reply) || reply != "hello" {
		t.Errorf("reply %q", reply)
	}
}

// TestPanic ends the process.
func TestPanic(t *testing.T) {
	labrpc.MakeNetwork()
	done := make(chan bool)
	go func() { panic("planted") }()
	<-done
}
