//go:build race

package raft

// underRace says whether the race detector watches. It makes the explorer ten times slower and can find nothing in servers
// without goroutines: it explores little then, and make test lets it explore without the detector.
const underRace = true
