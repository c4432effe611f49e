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
	link        Link
	backup      Backup
	trailing    int // entries to keep behind a snapshot
	closeOnKill bool
	observer    observer // nil for none
}

// courseRules are the defaults. The lab allows ten heartbeats a second; a timeout leaves room for one to be late (§5.6).
func courseRules() options {
	return options{
		heartbeat:  110 * time.Millisecond,
		timeoutMin: 160 * time.Millisecond,
		timeoutMax: 320 * time.Millisecond,
		link:       LinkPool(1),
		backup:     BackupByTerm,
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

// A Link is a way for a leader to send a peer entries, snapshots and heartbeats. All of them are as safe: a message
// carries the term and the place in the log that it belongs to, so that one that comes late, twice or out of order
// changes nothing or what it would have changed then (§5.1, §5.3). Votes are asked for on their own in any case.
type Link int

const (
	// LinkOrdered is like one long-lived connection: one message at a time, a heartbeat too, so that a slow one holds up
	// those behind it, for half a heartbeat's time at most. Order is kept: an answer that a later message's answer
	// has overtaken is dropped.
	LinkOrdered Link = -1
	// LinkPerMessage is a short connection for each message: nothing waits for anything, and nothing is ordered.
	LinkPerMessage Link = -2
)

// LinkPool is a pool of connections: at most n messages with entries or a snapshot wait for an answer at a time,
// while heartbeats do not queue behind them. A message that has waited for half a heartbeat's time leaves its place to
// the next; its answer counts whenever it comes. With n = 1 what waits goes out in one batch (§10.2.1 of Ongaro's
// dissertation); a greater n pays where the network is slow. LinkPool panics if n is not positive.
func LinkPool(n int) Link {
	if n < 1 {
		panic(fmt.Sprintf("raft: LinkPool(%d): want at least one", n))
	}
	return Link(n)
}

// WithLink chooses how a leader talks to each peer; LinkPool(1) is the default.
func WithLink(l Link) Option {
	return func(o *options) { o.link = l }
}

// A Backup is how far a leader goes back in a follower's log to where they agree, after the consistency check has found
// that they differ (§5.3). It matters for the number of messages only: whichever nextIndex a leader tries, the check
// decides. Past the end of a follower's log all of them go back at once.
type Backup int

const (
	// BackupByTerm goes to the first entry that the follower has of the conflicting term, or just past it if the
	// logs agree there: a message for each term that conflicts.
	BackupByTerm Backup = iota
	// BackupByHalf goes half of the way back to what is known to agree.
	BackupByHalf
	// BackupByOne goes back by one entry, as Figure 2 does.
	BackupByOne
)

// WithBackup chooses how a leader finds where a follower's log begins to differ; BackupByTerm is the default.
func WithBackup(b Backup) Option {
	return func(o *options) { o.backup = b }
}

// WithTrailingLog keeps up to n of the entries that a snapshot covers, 0 by default. A follower that is no further behind
// then gets those that it lacks instead of the whole snapshot (§7). They are committed, and stay part of the log and of
// the saved state, whose size grows accordingly. Make panics if n is negative.
func WithTrailingLog(n int) Option {
	return func(o *options) { o.trailing = n }
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
	case o.link < 1 && o.link != LinkOrdered && o.link != LinkPerMessage:
		return fmt.Errorf("WithLink(%d): want LinkOrdered, LinkPerMessage or LinkPool(n)", o.link)
	case o.backup < BackupByTerm || o.backup > BackupByOne:
		return fmt.Errorf("WithBackup(%d): want BackupByTerm, BackupByHalf or BackupByOne", o.backup)
	case o.trailing < 0:
		return fmt.Errorf("WithTrailingLog(%d): it must not be negative", o.trailing)
	}
	return nil
}
