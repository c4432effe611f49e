//go:build !race && !wasip1

package raft

const exploreBriefly = false
