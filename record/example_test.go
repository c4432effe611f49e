package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"6.824/labrpc"
	"6.824/picture"
	"6.824/raft"
	"6.824/record"
)

// A cluster of three servers, whose run becomes a page.
func Example() {
	const servers = 3
	begun := time.Now()
	rec := picture.New(picture.Options{
		Title: "three servers",
		Now:   func() time.Duration { return time.Since(begun) },
	})
	cluster := record.New(rec, servers)
	net := labrpc.MakeNetwork()
	defer net.Cleanup()
	net.Observe(cluster)

	applied := make(chan raft.ApplyMsg, 100)
	rafts := make([]*raft.Raft, servers)
	for i := range rafts {
		ends, names := make([]*labrpc.ClientEnd, servers), make([]any, servers)
		for j := range ends {
			names[j] = fmt.Sprint(i, " to ", j)
			ends[j] = net.MakeEnd(names[j])
			net.Connect(names[j], j)
			net.Enable(names[j], true)
		}
		cluster.Started(i, names)
		rafts[i] = raft.Make(ends, i, raft.MakePersister(), applied, raft.WithObserver(cluster.Server(i)))
		server := labrpc.MakeServer()
		server.AddService(labrpc.MakeService(rafts[i]))
		net.AddServer(i, server)
	}

	end := rec.Operation(rec.Lane("client", true), "write x")
	for started := false; !started; time.Sleep(10 * time.Millisecond) {
		for _, rf := range rafts {
			_, _, leads := rf.Start("x")
			started = started || leads
		}
	}
	end(fmt.Sprint("applied ", (<-applied).Command), true)
	for i, rf := range rafts {
		cluster.Crashed(i)
		rf.Kill()
	}

	page := filepath.Join(os.TempDir(), "three-servers.html")
	defer os.Remove(page)
	if err := rec.WriteFile(page); err != nil {
		fmt.Println(err)
		return
	}
	info, err := os.Stat(page)
	fmt.Println("a page of more than 50 KB:", err == nil && info.Size() > 50_000)
	// Output: a page of more than 50 KB: true
}
