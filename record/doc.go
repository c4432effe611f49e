//go:build go1.25

// Package record turns what a cluster does into the events of a picture. It takes the messages from a labrpc network, or one
// by one from another transport, and the states of the servers from themselves, if they tell:
//
//	rec := picture.New(picture.Options{Title: "TestBasicAgree2B"})
//	c := record.New(rec, servers)
//	network.Observe(c)
//	c.Started(i, ends)    // before Make and AddServer; ends[j] is the name of i's end to server j
//	raft.WithObserver(c.Server(i))
//	c.Crashed(i)          // before the server is disconnected, deleted from the network or killed
//	rec.WriteFile("run.html")
package record
