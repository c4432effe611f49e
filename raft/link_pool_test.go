package raft

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Several messages in flight to a peer, entries of several types, and logs that differ from the beginning of the
// leader's log.

// slowPeer returns a function for intercept that delays messages to peer 1 by d and loses those to the others.
func slowPeer(d time.Duration) func(peer int, m Message) (Reply, bool) {
	return func(peer int, m Message) (Reply, bool) {
		if peer == 1 {
			time.Sleep(d)
		}
		return nil, peer != 1
	}
}

// With several messages in flight, each entry is sent once, also after the leader had to find where the logs differ.
func TestPoolSendsEachEntryOnce(t *testing.T) {
	for name, terms := range map[string][]int{"same log": {1, 1}, "short log": {1}, "another log": {1, 2, 2, 2}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, 3, newFollower(t, 3, 4, from(1).terms(1, 1, 4)).store.persister.Copy(), WithLink(LinkPool(3)))
				defer s.end()
				s.peers[1] = newPeer(t, 1, 3, from(1).terms(terms...))
				s.lead()
				s.awaitHeartbeat()
				time.Sleep(15 * time.Millisecond)
				s.sentTo(1)
				s.intercept(slowPeer(20 * time.Millisecond))
				for k := range 5 {
					s.start(k)
					time.Sleep(2 * time.Millisecond)
				}
				mustEqual(t, "in flight", messagesText(s.sentTo(1)), "3+1/3 4+1/3 5+1/3")
				time.Sleep(50 * time.Millisecond)
				entries := 0
				for _, l := range s.sentTo(1) {
					entries += entriesIn(l.Message)
				}
				mustEqual(t, "entries in further messages", entries, 2)
				mustEqual(t, "lastIndex of the peer", s.peers[1].Status().LastIndex, 8)
			})
		})
	}
}

// A snapshot in flight is not sent again for a while, however many of its entries the peer has.
func TestSnapshotInFlight(t *testing.T) {
	for have := range 4 {
		t.Run(fmt.Sprint("the peer has ", have), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := newFollower(t, 3, 1, from(1).terms(1, 1, 1, 1))
				before.commitIndex = 4
				before.Snapshot(4, []byte("four"))
				s := newScene(t, 3, before.store.persister.Copy(), WithLink(LinkPool(2)))
				defer s.end()
				s.peers[1] = newPeer(t, 1, 1, from(1).terms(1, 1, 1, 1)[:have])
				s.intercept(func(peer int, m Message) (Reply, bool) {
					if _, ok := m.(*InstallSnapshotArgs); ok && peer == 1 {
						time.Sleep(300 * time.Millisecond)
					}
					return nil, false
				})
				s.lead()
				s.start("next")
				time.Sleep(10 * time.Millisecond)
				messages := s.sentTo(1)
				messages = slices.DeleteFunc(messages, func(l sentMessage) bool { _, vote := l.Message.(*RequestVoteArgs); return vote })
				mustEqual(t, "messages", messagesText(messages), "4+0/4 >4")
				time.Sleep(200 * time.Millisecond)
				for _, l := range s.sentTo(1) {
					if _, again := l.Message.(*InstallSnapshotArgs); again {
						t.Error("the snapshot was sent again")
					}
				}
				time.Sleep(time.Second)
				mustEqual(t, "lastIndex of the peer", s.peers[1].Status().LastIndex, 5)
			})
		})
	}
}

// After a snapshot, the leader sends the entries that follow it, even if it still has entries that the snapshot covers.
func TestTrailingLogIsNotSentAfterSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newFollower(t, 3, 1, from(1).terms(1, 1, 1, 1, 1, 1), WithTrailingLog(2))
		before.commitIndex = 5
		before.Snapshot(5, []byte("five"))
		s := newScene(t, 3, before.store.persister.Copy(), WithTrailingLog(2))
		defer s.end()
		s.peers[2] = newPeer(t, 2, 1, from(1).terms(1, 1, 1, 1, 1, 1))
		s.intercept(electing(func(int, Message) (Reply, bool) { return nil, false }))
		s.lead()
		messages := slices.DeleteFunc(s.sentTo(1), func(l sentMessage) bool { _, vote := l.Message.(*RequestVoteArgs); return vote })
		mustEqual(t, "messages", messagesText(messages[:3]), "6+0/5 >5 5+1/5")
	})
}

// Every message brings the type definitions that it needs, whatever the follower has acknowledged: it may have lost its
// disk.
func TestDefinitionsTravelWithEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := leading(t, 3, MakePersister())
		defer s.end()
		commands := []any{pointCommand{1, 2}, "none", map[string]int{"k": 3}, pointCommand{4, 5}}
		for k, command := range commands {
			s.start(command)
			time.Sleep(20 * time.Millisecond)
			mustEqual(t, "lastIndex of a peer", s.peers[1].Status().LastIndex, k+1)
		}
		var definitions []int
		for _, l := range s.sentTo(1) {
			if args := l.Message.(*AppendEntriesArgs); entriesIn(args) > 0 {
				definitions = append(definitions, len(args.Definitions))
			}
		}
		mustEqual(t, "definitions in each message", fmt.Sprint(definitions), "[1 0 1 1]")
		for name, peer := range map[string]*Raft{"peer": s.peers[1], "after a restart": newQuiet(t, 3, s.peers[1].store.persister.Copy())} {
			d := newDecoder(&peer.definitions)
			for k, command := range commands {
				got, err := d.decode(peer.log.at(k + 1).data)
				mustEqual(t, fmt.Sprint(name, " has at ", k+1), fmt.Sprint(got, err), fmt.Sprint(command, nil))
			}
		}
	})
}

// BackupByHalf halves the distance to an index at which the logs must agree: the beginning of the leader's log, or
// matchIndex. If the logs differ even at the beginning, the leader sends the snapshot. Its log begins after 10 and ends
// at 20.
func TestBackupByHalfAtTheBeginning(t *testing.T) {
	for _, c := range []struct {
		agree int // the logs agree up to here
		want  string
	}{
		{20, "20+0"}, {19, "20+0 15+5"}, {15, "20+0 15+5"}, {14, "20+0 15+5 12+8"}, {12, "20+0 15+5 12+8"},
		{11, "20+0 15+5 12+8 11+9"}, {10, "20+0 15+5 12+8 11+9 10+10"}, {9, "20+0 15+5 12+8 11+9 10+10 > 10+10"},
		{0, "20+0 15+5 12+8 11+9 10+10 > 10+10"},
	} {
		t.Run(fmt.Sprint("they agree up to ", c.agree), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := newFollower(t, 3, 3, from(1).terms(slices.Repeat([]int{1}, 20)...))
				before.commitIndex = 10
				before.Snapshot(10, []byte("ten"))
				s := newScene(t, 3, before.store.persister.Copy(), WithBackup(BackupByHalf))
				defer s.end()
				terms := slices.Concat(slices.Repeat([]int{1}, c.agree), slices.Repeat([]int{2}, 20-c.agree))
				s.peers[1] = newPeer(t, 1, 3, from(1).terms(terms...))
				s.peers[2] = newPeer(t, 2, 3, from(1).terms(slices.Repeat([]int{1}, 20)...))
				s.intercept(electing(func(int, Message) (Reply, bool) { return nil, false }))
				s.lead()
				time.Sleep(30 * time.Millisecond)
				var asked []string
				for _, l := range s.sentTo(1) {
					switch m := l.Message.(type) {
					case *InstallSnapshotArgs:
						asked = append(asked, ">")
					case *AppendEntriesArgs:
						if m.LeaderCommit == 10 { // it is 20 after the logs agree
							asked = append(asked, fmt.Sprintf("%d+%d", m.PrevLogIndex, entriesIn(m)))
						}
					}
				}
				mustEqual(t, "messages", fmt.Sprint(asked), "["+c.want+"]")
			})
		})
	}
}
