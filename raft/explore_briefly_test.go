//go:build race || wasip1

package raft

// exploreBriefly makes the explorer's tests small. The race detector slows the explorer down ten times and cannot find
// anything in servers without goroutines; replay slows it down even more. "make test" also runs the tests without
// either.
const exploreBriefly = true
