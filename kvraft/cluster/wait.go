package cluster

import (
	"context"
	"fmt"
	"math/rand"
	"time"
)

// Leader returns the running server that leads in the highest term, or -1 if none does. It may be cut off from the others.
func (c *Cluster[S]) Leader() int {
	leader, latest := -1, 0
	for i, m := range c.snapshotOfMembers() {
		if !m.up {
			continue
		}
		if term, leads := m.server.Raft().GetState(); leads && term > latest {
			leader, latest = i, term
		}
	}
	return leader
}

// waitEvery is how often a wait looks at the servers.
const waitEvery = 5 * time.Millisecond

// WaitLeader waits until a server leads, and returns its number.
func (c *Cluster[S]) WaitLeader(ctx context.Context) (int, error) {
	for {
		if leader := c.Leader(); leader >= 0 {
			return leader, nil
		}
		if err := sleep(ctx, waitEvery); err != nil {
			return -1, fmt.Errorf("cluster: no server leads: %w", err)
		}
	}
}

// WaitApplied waits until each of the servers, or all if none is named, has carried out the command at index. A new leader
// may not carry out the commands of earlier leaders before it gets one of its own (§5.4.2).
func (c *Cluster[S]) WaitApplied(ctx context.Context, index int, servers ...int) error {
	if len(servers) == 0 {
		servers = c.All()
	}
	for {
		behind := -1
		for _, i := range servers {
			if s, up := c.Server(i); !up || s.Applied() < index {
				behind = i
			}
		}
		if behind < 0 {
			return nil
		}
		if err := sleep(ctx, waitEvery); err != nil {
			return fmt.Errorf("cluster: server %d has not carried out command %d: %w", behind, index, err)
		}
	}
}

// Applied returns the highest index of a command that a running server has carried out.
func (c *Cluster[S]) Applied() (index int) {
	for _, m := range c.snapshotOfMembers() {
		if m.up {
			index = max(index, m.server.Applied())
		}
	}
	return index
}

// sleep waits for d, or until ctx is done, and then returns its error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// RandomGroups divides the servers at random into two groups, either of which may be empty.
func (c *Cluster[S]) RandomGroups() (a, b []int) {
	for i := range c.members {
		if rand.Intn(2) == 0 {
			a = append(a, i)
		} else {
			b = append(b, i)
		}
	}
	return a, b
}
