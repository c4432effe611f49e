//go:build go1.25

// Package picture draws the run of a distributed system as one HTML page, which needs no network.
//
// A Recorder takes events of plain types: servers that start and crash, messages with their fates, changes of terms, roles
// and logs, steps of a test, and the rule that was broken. It knows no Raft and no network; package record translates for it.
package picture
