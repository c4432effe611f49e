package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"6.824/engine"
	"6.824/engine/transport"
)

// A fleet is some kvd processes with a link from each to each other one.
type fleet struct {
	*testing.T
	dir       string
	seed      uint64
	scheme    string
	http      *http.Client
	flags     []string // of each kvd
	disk      string   // where server 1 has a small disk, if that can be mounted
	authority *authority

	mu     sync.Mutex
	kvds   map[int]*kvd
	links  map[[2]int]*link // from, to; from 0 is for those that have heard of a server only by AddServer
	gone   int              // bits that were altered on links that are gone
	last   int              // number of the newest server
	counts map[string]int   // of what the test has done and seen
}

// A kvd is a server: a process, or one that could be started again. Its fields are guarded by the fleet's mutex.
type kvd struct {
	id           int
	dir          string
	client, peer string // addresses
	join         bool   // it was not there from the beginning
	process      *exec.Cmd
	ended        chan struct{} // closed when the process has ended
	killed       bool
	full         bool // its disk is full, so that it may end by itself
}

// newFleet starts n servers. The disk of server 1 has the given size, if any. The directories are kept if the test fails.
func newFleet(t *testing.T, n int, seed uint64, withTLS bool, size string, flags ...string) *fleet {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{T: t, dir: dir, seed: seed, scheme: "http", flags: flags, kvds: map[int]*kvd{}, links: map[[2]int]*link{}, counts: map[string]int{}}
	t.Cleanup(f.remove)
	connections := http.DefaultTransport.(*http.Transport).Clone()
	connections.MaxIdleConnsPerHost = 64
	t.Cleanup(connections.CloseIdleConnections)
	f.http = &http.Client{Transport: connections}
	if withTLS {
		f.scheme, f.authority = "https", newAuthority(t)
		f.authority.issue("client", "client")
		own, err := tls.LoadX509KeyPair(f.authority.file("client.pem"), f.authority.file("client.key"))
		if err != nil {
			t.Fatal(err)
		}
		connections.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{own}}
		connections.TLSClientConfig.RootCAs.AddCert(f.authority.cert)
	}
	if size != "" {
		f.mountDisk(size)
	}
	for range n {
		f.add(false)
	}
	for id := range f.kvds {
		f.start(id)
	}
	for id := range f.kvds { // one that has no directory yet must not be told of others
		f.eventually("a server does not start", func() bool { _, ok := f.status(id); return ok })
	}
	return f
}

// remove ends all, and removes the directories unless the test has failed.
func (f *fleet) remove() {
	for _, id := range f.ids() {
		f.kill(id)
	}
	for _, l := range f.links {
		l.close()
	}
	if f.disk != "" {
		if f.Failed() {
			f.keepDisk()
		}
		if err := unmount(f.disk); err != nil {
			f.Errorf("cannot unmount: %v", err)
		}
	}
	if f.Failed() {
		f.Logf("the directories and logs of the servers are in %s", f.dir)
	} else if err := os.RemoveAll(f.dir); err != nil {
		f.Error(err)
	}
}

// mountDisk makes a small disk for server 1.
func (f *fleet) mountDisk(size string) {
	disk := filepath.Join(f.dir, "1")
	if err := os.Mkdir(disk, 0o700); err != nil {
		f.Fatal(err)
	}
	if err := mount(disk, size); err != nil {
		f.Logf("a full disk is not tested, since no small file system can be mounted: %v", err)
		return
	}
	f.disk = disk
}

// keepDisk copies the small disk, whose contents would be lost.
func (f *fleet) keepDisk() {
	if err := os.CopyFS(filepath.Join(f.dir, "1.copy"), os.DirFS(f.disk)); err != nil {
		f.Log(err)
	}
}

// count counts something.
func (f *fleet) count(what string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[what] += n
}

// add makes a server and its links. It returns its number.
func (f *fleet) add(join bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	id := f.last
	k := &kvd{id: id, dir: filepath.Join(f.dir, fmt.Sprint(id)), client: freeAddress(f.T), peer: freeAddress(f.T), join: join}
	if id == 1 {
		k.dir = filepath.Join(k.dir, "data") // beside what fills the disk
	}
	for other, o := range f.kvds {
		f.links[[2]int{id, other}] = f.newLink(o.peer)
		f.links[[2]int{other, id}] = f.newLink(k.peer)
	}
	f.links[[2]int{0, id}] = f.newLink(k.peer)
	f.kvds[id] = k
	if f.authority != nil {
		f.authority.issue(fmt.Sprint("server-", id), transport.ServerName("kvd", uint64(id)), k.client)
	}
	return id
}

func (f *fleet) newLink(to string) *link { return newLink(f.T, to, f.seed+uint64(len(f.links))) }

// forget removes a server and its links.
func (f *fleet) forget(id int) {
	f.kill(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	for way, l := range f.links {
		if way[0] == id || way[1] == id {
			l.close()
			f.gone += l.alterations()
			delete(f.links, way)
		}
	}
	if err := os.RemoveAll(f.kvds[id].dir); err != nil {
		f.Error(err)
	}
	delete(f.kvds, id)
}

// ids returns the numbers of the servers.
func (f *fleet) ids() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.kvds))
}

// start starts a server, unless it runs or is gone.
func (f *fleet) start(id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.kvds[id]
	if k == nil || k.process != nil {
		return
	}
	log, err := os.OpenFile(filepath.Join(f.dir, fmt.Sprint(id, ".log")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		f.Error(err)
		return
	}
	defer log.Close()
	peers := []string{fmt.Sprint(id, "=", k.peer)}
	for other := range f.kvds {
		if l := f.links[[2]int{id, other}]; l != nil {
			peers = append(peers, fmt.Sprint(other, "=", l.Addr()))
		}
	}
	args := append([]string{"-id", fmt.Sprint(id), "-peers", strings.Join(peers, ","), "-data", k.dir, "-listen", k.client}, f.flags...)
	if k.join {
		args = append(args, "-join")
	}
	if a := f.authority; a != nil {
		name := fmt.Sprint("server-", id)
		args = append(args, "-tls-cert", a.file(name+".pem"), "-tls-key", a.file(name+".key"), "-tls-ca", a.file("ca.pem"))
	}
	process := exec.Command(filepath.Join(programs, "kvd"), args...)
	process.Stderr = log
	process.Env = append(os.Environ(), "GORACE=halt_on_error=1") // so that a race ends the server
	if err := process.Start(); err != nil {
		f.Error(err)
		return
	}
	k.process, k.ended, k.killed = process, make(chan struct{}), false
	go f.wait(k, process, k.ended)
}

// wait is a goroutine that waits until a process ends.
func (f *fleet) wait(k *kvd, process *exec.Cmd, ended chan struct{}) {
	process.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !k.killed && !k.full {
		f.Errorf("server %d has ended by itself: %v", k.id, process.ProcessState)
	}
	if !k.killed && k.full {
		f.counts["servers that stopped since their disk was full"]++
	}
	k.process = nil
	close(ended)
}

// kill kills a server as kill -9 does. It reports false if it does not run.
func (f *fleet) kill(id int) bool {
	f.mu.Lock()
	k := f.kvds[id]
	if k == nil || k.process == nil {
		f.mu.Unlock()
		return false
	}
	k.killed = true
	k.process.Process.Kill()
	ended := k.ended
	f.mu.Unlock()
	<-ended
	return true
}

// signal sends a signal to a server, if it runs.
func (f *fleet) signal(id int, s os.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.kvds[id]; k != nil && k.process != nil {
		k.process.Process.Signal(s)
	}
}

// settle waits until a server that has had no room has ended or goes on.
func (f *fleet) settle(id int) {
	client := *f.http
	client.Timeout = time.Second
	f.eventually("a server whose disk was full neither ends nor goes on", func() bool {
		if response, err := client.Get(f.url(id) + "/healthz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return true
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.kvds[id].process == nil
	})
	f.mu.Lock()
	f.kvds[id].full = false
	f.mu.Unlock()
	f.start(id)
}

// url returns where a client reaches a server.
func (f *fleet) url(id int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.kvds[id]; k != nil {
		return f.scheme + "://" + k.client
	}
	return ""
}

// any returns the number of a server.
func (f *fleet) any(random *rand.Rand) int {
	ids := f.ids()
	return ids[random.IntN(len(ids))]
}

// status asks a server for its status.
func (f *fleet) status(id int) (s engine.Status, ok bool) {
	client := *f.http
	client.Timeout = time.Second
	response, err := client.Get(f.url(id) + "/status")
	if err != nil {
		return s, false
	}
	defer response.Body.Close()
	return s, json.NewDecoder(response.Body).Decode(&s) == nil
}

// eventually waits until condition reports true, for at most a minute.
func (f *fleet) eventually(complaint string, condition func() bool) {
	f.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.Fatal(complaint)
		}
	}
}
