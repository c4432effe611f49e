package engine

import (
	"slices"
	"strings"
	"testing"
)

// add adds a server.
func (c *cluster) add(id int) {
	c.Helper()
	leader := c.leader()
	c.addresses[id] = freeAddress(c)
	c.start(id, true)
	c.change("member already", func() error {
		err := leader.AddServer(withTimeout(c), id, c.addresses[id])
		leader = c.some()
		return err
	})
}

// change changes the membership. On a busy machine, the leader may lose its lead meanwhile: then it tries again. Done is what
// the error says if an earlier attempt was successful.
func (c *cluster) change(done string, f func() error) {
	c.Helper()
	c.eventually("the membership does not change", func() bool {
		err := f()
		return err == nil || strings.Contains(err.Error(), done)
	})
}

// some returns a server that believes that it leads, or else any.
func (c *cluster) some() *server {
	for _, s := range c.servers {
		if _, leads := s.GetState(); leads {
			return s
		}
	}
	return c.any()
}

// remove removes a server, and kills it when the others know that.
func (c *cluster) remove(id int) {
	c.Helper()
	c.change("no member", func() error { return c.some().RemoveServer(withTimeout(c), id) })
	removed := c.servers[id]
	delete(c.servers, id)
	c.eventually("a server does not hear of the removal", func() bool {
		for _, s := range c.servers {
			if slices.ContainsFunc(s.Status().Servers, func(other ServerStatus) bool { return other.ID == id }) {
				return false
			}
		}
		return true
	})
	removed.Kill()
	delete(c.addresses, id)
}

// TestMembership_newLeader adds a server while one leads that was added, too, and that no snapshot has as a member yet. The
// snapshot with which the new server begins does not say who the leader is.
func TestMembership_newLeader(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.add(4)
	c.eventually("the new server does not take over", func() bool { // it cannot before it has applied its own addition
		return c.leader().TransferLeadership(withTimeout(t), 4) == nil
	})
	c.add(5)
	c.one("with five")
	c.checkSame()
}

// TestMembership_awayMeanwhile replaces all servers but one, which is away meanwhile. When it is back, it knows none of
// those that lead.
func TestMembership_awayMeanwhile(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, nil)
	c.one("a")
	c.kill(1)
	c.add(4)
	c.add(5)
	c.remove(2)
	c.remove(3)
	c.one("b")
	c.start(1, false)
	c.one("with the first server again")
	c.checkSame()
}
