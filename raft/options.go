//go:build go1.25

package raft

import "time"

// An Option changes how one server works; Make takes any number of them. Without options a server obeys every
// rule and limit of the lab.
type Option func(*options)

type options struct {
	heartbeat   time.Duration // a leader's pause between messages to a peer
	timeoutMin  time.Duration // bounds of the randomized election timeout (§5.2)
	timeoutMax  time.Duration
	closeOnKill bool
}

// courseRules are the defaults. The lab allows ten heartbeats a second; a timeout leaves room for one to be late (§5.6).
func courseRules() options {
	return options{
		heartbeat:  110 * time.Millisecond,
		timeoutMin: 160 * time.Millisecond,
		timeoutMax: 320 * time.Millisecond,
	}
}

// WithCloseOnKill makes Kill close applyCh after the last message was sent on it. Without it applyCh stays
// open, since services of the classic labs take the zero message of a closed channel for a bad one; the 2025
// labs learn from the closed channel that their Raft has ended.
func WithCloseOnKill() Option {
	return func(o *options) { o.closeOnKill = true }
}
