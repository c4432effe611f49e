//go:build race || wasip1

package raft

// exploreLittle says that the explorer has little time: the race detector makes it ten times slower and can find nothing in
// servers without goroutines, and under replay it is slower still. "make test" has it explore without either.
const exploreLittle = true
