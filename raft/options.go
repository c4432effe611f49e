//go:build go1.25

package raft

import (
	"fmt"
	"time"
)

// An Option changes how one server works; Make takes any number of them. Without options a server obeys every
// rule and limit of the lab.
type Option func(*options)

type options struct {
	heartbeat   time.Duration // a leader's pause between messages to a peer
	timeoutMin  time.Duration // bounds of the randomized election timeout (§5.2)
	timeoutMax  time.Duration
	closeOnKill bool
	events      bool
	transport   func(peer int, m Message) Reply // instead of labrpc
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

// WithHeartbeat sets how long a leader leaves a follower without a message, 110 ms by default: the lab allows ten
// heartbeats a second. It must be positive and below the election timeout, or Make panics. All servers of a cluster
// should agree on it.
func WithHeartbeat(d time.Duration) Option {
	return func(o *options) { o.heartbeat = d }
}

// WithElectionTimeout sets the bounds between which each election timeout is drawn (§5.2), 160 and 320 ms by
// default. min must be positive, above the heartbeat and not above max, or Make panics. A wide range splits
// few votes, a short one finds a leader soon (§9.3); min should leave room for a heartbeat to be late.
func WithElectionTimeout(min, max time.Duration) Option {
	return func(o *options) { o.timeoutMin, o.timeoutMax = min, max }
}

// WithEvents has the server report on applyCh how its state changes: ApplyMsgs with EventValid set, in order with the
// commands and snapshots around them. Event says what there is and what the order means. A reader that is slow loses none, and
// delays nobody but itself: events wait for it in a queue that may grow without bound. After Kill nothing is sent. Without
// the option nothing is queued or sent. It changes nothing of what servers tell each other, so each server may have it or not.
func WithEvents() Option {
	return func(o *options) { o.events = true }
}

// WithTransport has the server send its messages through send instead of labrpc; of peers, Make then uses the length only.
// send takes a message to a peer, hands it to OnMessage there, and returns the reply, of the type that belongs to the
// message, or nil if there is none. As with labrpc, which it stands for, messages may be lost, delayed, repeated and
// overtake each other (§5.1, §5.5), but not be altered.
//
// It is called without a lock and from many goroutines at once, some of which may be calls to the same peer. It may block, which
// delays other messages to that peer by at most half a heartbeat; but each call must end some time, or its goroutine
// outlives Kill. Neither side changes m afterwards: a transport within one process may hand it over as it is.
// Another one encodes it, for example with labgob: all fields of messages and replies are exported.
func WithTransport(send func(peer int, m Message) Reply) Option {
	return func(o *options) { o.transport = send }
}

// check reports what options cannot work together.
func (o *options) check() error {
	switch {
	case o.heartbeat <= 0:
		return fmt.Errorf("WithHeartbeat(%v): it must be positive", o.heartbeat)
	case o.timeoutMin <= 0 || o.timeoutMin > o.timeoutMax:
		return fmt.Errorf("WithElectionTimeout(%v, %v): want 0 < min <= max", o.timeoutMin, o.timeoutMax)
	case o.timeoutMin <= o.heartbeat:
		return fmt.Errorf("an election timeout of %v does not leave time for a heartbeat of %v", o.timeoutMin, o.heartbeat)
	}
	return nil
}
