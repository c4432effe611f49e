//go:build go1.25

package labrpc

import "sync/atomic"

// A LinkObserver is an Observer that is also told how the network changes. Observe finds out by itself whether an Observer
// is one, and tells it at once about the ends and servers that there are, and about the settings. Cleanup is not told.
//
// The methods are called one at a time, in the order of the changes and before the method of Network that makes the change
// has returned, with the network's lock held. So they must not use the network, or wait for something that does. The caller
// of that method may hold locks of its own. A call that is cut off by a change may be told as Ended before or after it.
type LinkObserver interface {
	Observer
	EndChanged(end EndInfo)                        // an end was made, connected, enabled, disabled or deleted
	ServerChanged(server interface{}, exists bool) // a server of that name was added or replaced, or else deleted
	SettingsChanged(now Settings)
}

// EndInfo describes a client end to a LinkObserver.
type EndInfo struct {
	Name    interface{}
	Server  interface{} // name of the server to which it is connected; nil if to none
	Enabled bool
	Deleted bool
}

// Settings are what Reliable, LongDelays and LongReordering have set.
type Settings struct{ Reliable, LongDelays, LongReordering bool }

// observeEndLocked tells that e has changed.
func (rn *Network) observeEndLocked(e *ClientEnd) {
	if rn.links == nil {
		return
	}
	info := EndInfo{Name: e.name, Enabled: rn.enabled[e], Deleted: rn.ends[e.name] != e}
	if h := e.connected(); h != nil {
		info.Server = h.name
	}
	rn.links.EndChanged(info)
}

// observeAllLocked tells a new observer about the network.
func (rn *Network) observeAllLocked() {
	if rn.links == nil {
		return
	}
	rn.links.SettingsChanged(rn.settings())
	for name, h := range rn.hosts {
		if h.server.Load() != nil {
			rn.links.ServerChanged(name, true)
		}
	}
	for _, e := range rn.ends {
		rn.observeEndLocked(e)
	}
}

func (rn *Network) settings() Settings {
	return Settings{rn.reliable.Load(), rn.longDelays.Load(), rn.longReordering.Load()}
}

// set sets one of the settings.
func (rn *Network) set(setting *atomic.Bool, yes bool) {
	rn.mu.Lock()
	defer rn.mu.Unlock()
	if setting.Swap(yes) != yes && rn.links != nil {
		rn.links.SettingsChanged(rn.settings())
	}
}
