//go:build go1.25

package record

import (
	"6.824/labrpc"
	"6.824/picture"
)

// A linkState says whether messages from one lane to another can pass. The page takes a link as whole until it is told. A
// new server's ends are cut until its test connects them; that is told only if it sends meanwhile.
type linkState struct{ up, told bool }

// linkLocked notes the state of an end that is a link of the page, and records a change.
func (c *Cluster) linkLocked(end any) {
	at, used := c.ends[end]
	info, told := c.infos[end]
	if !used || !told || at.from == at.to || at.life != c.servers[at.from].life {
		return
	}
	l := c.links[[2]int{at.from, at.to}]
	if l == nil {
		l = &linkState{told: true}
		c.links[[2]int{at.from, at.to}] = l
	}
	was := l.up
	if l.up = info.Enabled && info.Server != nil && !info.Deleted; was || l.up {
		c.tellLinkLocked(at, l)
	}
}

// cutLocked records that a link over which a message is sent is cut.
func (c *Cluster) cutLocked(at link) {
	if l := c.links[[2]int{at.from, at.to}]; l != nil {
		c.tellLinkLocked(at, l)
	}
}

func (c *Cluster) tellLinkLocked(at link, l *linkState) {
	if l.up != l.told {
		l.told = l.up
		c.rec.Add(picture.Event{Kind: picture.Link, Lane: at.from, Peer: at.to, Up: l.up})
	}
}

// EndChanged records whether messages can pass.
func (c *Cluster) EndChanged(end labrpc.EndInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.infos[end.Name] = end
	if c.foreign != nil {
		c.groupLocked(end)
	}
	c.linkLocked(end.Name)
	if end.Deleted {
		delete(c.infos, end.Name)
		delete(c.ends, end.Name)
	}
}

// ServerChanged records starts and crashes, unless Started and Crashed tell of them.
func (c *Cluster) ServerChanged(server any, exists bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.foreign == nil {
		return
	}
	lane := c.laneLocked(server)
	c.crashLocked(lane)
	if exists {
		c.startLocked(lane)
		c.adoptLocked(lane)
	}
}

// SettingsChanged records that the network has become better or worse.
func (c *Cluster) SettingsChanged(now labrpc.Settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range []struct {
		was, is bool
		on, off string
	}{
		{c.settings.Reliable, now.Reliable, "reliable", "unreliable: messages are late or lost"},
		{c.settings.LongReordering, now.LongReordering, "most replies are late", "replies are no longer late"},
		{c.settings.LongDelays, now.LongDelays, "calls over a cut link take up to 7 s to fail", "calls over a cut link fail soon"},
	} {
		if text := map[bool]string{true: s.on, false: s.off}[s.is]; s.was != s.is {
			c.rec.Add(picture.Event{Kind: picture.Net, Lane: picture.NoLane, Text: text})
		}
	}
	c.settings = now
}
