// Package raft is a small package to plant mistakes in.
package raft

func double(n int) int {
	return 2 * n
}

func halve(n int) int {
	return n / 2
}
