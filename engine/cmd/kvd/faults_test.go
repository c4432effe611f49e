//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A deck deals numbers below n in random order, again and again: within n deals, each comes up.
type deck struct {
	random *rand.Rand
	n      int
	left   []int
}

func (d *deck) deal() int {
	if len(d.left) == 0 {
		d.left = d.random.Perm(d.n)
	}
	top := d.left[0]
	d.left = d.left[1:]
	return top
}

// A faults causes faults in a fleet.
type faults struct {
	*fleet
	random    *rand.Rand
	processes deck   // which fault of the processes comes next
	network   deck   // which one of the network
	filler    string // the file that fills the disk of server 1
}

func newFaults(f *fleet, seed uint64) *faults {
	random := rand.New(rand.NewPCG(seed, 99))
	return &faults{fleet: f, random: random, processes: deck{random: random, n: 6}, network: deck{random: random, n: len(networkFaults)}}
}

// some returns n servers, or all if there are fewer.
func (f *faults) some(n int) []int {
	ids := f.ids()
	f.random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids[:min(n, len(ids))]
}

// begin causes a fault of the processes and one of the network.
func (f *faults) begin() string {
	return f.troubleNetwork(f.network.deal()) + ", " + f.troubleProcesses(f.processes.deal())
}

func (f *faults) troubleProcesses(kind int) string {
	n := len(f.ids())
	kill := func(what string, some []int) string {
		for _, id := range some {
			if f.kill(id) {
				f.count("servers killed", 1)
			}
		}
		f.count("kill -9 of "+what, 1)
		return fmt.Sprintf("killed %v", some)
	}
	switch kind {
	case 0:
		return kill("one", f.some(1))
	case 1:
		return kill("a majority", f.some(n/2+1))
	case 2:
		return kill("all", f.some(n))
	case 3:
		some := f.some(1 + f.random.IntN(n))
		for _, id := range some {
			f.signal(id, syscall.SIGSTOP)
		}
		f.count("servers stopped for a while", len(some))
		return fmt.Sprintf("stopped %v", some)
	case 4:
		if f.disk != "" {
			f.fillDisk()
			return "filled the disk of 1"
		}
	}
	return "no server"
}

// A choice says whom a fault of the network concerns.
type choice struct {
	one   int           // a server
	alone []int         // some servers, at most half of them
	delay time.Duration // if the network is slow
}

// apart reports whether one of two servers is alone, and the other is not.
func (c choice) apart(from, to int) bool {
	return slices.Contains(c.alone, from) != slices.Contains(c.alone, to)
}

// networkFaults are the faults of the network: the trouble of each link.
var networkFaults = []struct {
	name string
	of   func(c choice, from, to int) trouble
}{
	{"partition, connections refused", func(c choice, from, to int) trouble { return trouble{closed: c.apart(from, to)} }},
	{"partition, packets lost", func(c choice, from, to int) trouble {
		return trouble{stuck: [2]bool{c.apart(from, to), c.apart(from, to)}}
	}},
	{"one way: a server is not heard", func(c choice, from, to int) trouble { return trouble{stuck: [2]bool{from == c.one, false}} }},
	{"one way: a server does not hear", func(c choice, from, to int) trouble { return trouble{stuck: [2]bool{to == c.one, false}} }},
	{"one way: nothing comes back", func(c choice, from, to int) trouble { return trouble{stuck: [2]bool{false, from == c.one}} }},
	{"slow network", func(c choice, from, to int) trouble { return trouble{delay: c.delay} }},
	{"bits altered", func(c choice, from, to int) trouble { return trouble{alter: true} }},
	{"network in order", func(c choice, from, to int) trouble { return trouble{} }},
}

// troubleNetwork puts links in trouble.
func (f *faults) troubleNetwork(kind int) string {
	c := choice{one: f.some(1)[0], alone: f.some(1 + f.random.IntN(len(f.ids())/2)), delay: time.Duration(5+f.random.IntN(100)) * time.Millisecond}
	fault := networkFaults[kind]
	f.setLinks(func(from, to int) trouble { return fault.of(c, from, to) }, false)
	f.count(fault.name, 1)
	return fmt.Sprintf("%s (%d, %v)", fault.name, c.one, c.alone)
}

// setLinks puts each link in the trouble that next returns.
func (f *faults) setLinks(next func(from, to int) trouble, reset bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for way, l := range f.links {
		l.set(next(way[0], way[1]), reset)
	}
}

// end ends all faults.
func (f *faults) end() {
	f.setLinks(func(int, int) (t trouble) { return t }, f.random.IntN(2) == 0)
	filled := f.filler != ""
	if filled {
		if err := os.Remove(f.filler); err != nil {
			f.Error(err)
		}
		f.filler = ""
	}
	for _, id := range f.ids() {
		f.signal(id, syscall.SIGCONT)
		f.start(id)
	}
	if filled {
		f.settle(1)
	}
}

// fillDisk fills the disk of server 1, and kills the server if it is to find that out when it starts.
func (f *faults) fillDisk() {
	f.mu.Lock()
	f.kvds[1].full = true
	f.mu.Unlock()
	f.filler = filepath.Join(f.disk, "filler")
	file, err := os.Create(f.filler)
	if err != nil {
		f.Error(err)
		return
	}
	defer file.Close()
	for _, size := range []int{1 << 20, 1 << 10} {
		for b := make([]byte, size); err == nil || errors.Is(err, syscall.EINTR); {
			_, err = file.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			f.Errorf("the disk does not fill up: %v", err)
		}
		err = nil
	}
	f.count("disk filled", 1)
	if f.random.IntN(3) == 0 {
		f.kill(1)
		f.start(1)
	}
}

// waitForFullDisk gives a server whose disk is full some time to find that out.
func (f *faults) waitForFullDisk() {
	for k := 0; f.filler != "" && k < 20; k++ {
		f.mu.Lock()
		runs := f.kvds[1].process != nil
		f.mu.Unlock()
		if !runs {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// An operator changes the membership and the leader, while faults go on.
type operator struct {
	*fleet
	random *rand.Rand
	least  int // servers; at most one more is there
	deck   deck
}

func newOperator(f *fleet, seed uint64) *operator {
	random := rand.New(rand.NewPCG(seed, 98))
	return &operator{fleet: f, random: random, least: len(f.ids()), deck: deck{random: random, n: 3}}
}

// run works until ctx ends, and then finishes what it has begun.
func (o *operator) run(ctx context.Context) {
	for ctx.Err() == nil {
		if o.deck.deal() > 0 {
			o.transfer()
		} else if len(o.ids()) <= o.least {
			o.addServer()
		} else {
			o.removeServer()
		}
		select {
		case <-time.After(time.Duration(o.random.IntN(300)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (o *operator) addServer() {
	id := o.add(true)
	o.start(id)
	o.mu.Lock()
	address := o.links[[2]int{0, id}].Addr().String()
	o.mu.Unlock()
	o.until("is a member already", "add?id=%d&address=%s", id, url.QueryEscape(address))
	o.count("servers added", 1)
}

func (o *operator) removeServer() {
	id := o.any(o.random)
	if id == 1 {
		return // it has the small disk
	}
	o.until("is no member", "remove?id=%d", id)
	o.forget(id)
	o.count("servers removed", 1)
}

// until asks until a change of the membership is done. Done is what a server says if an attempt with an unknown outcome has
// done it.
func (o *operator) until(done, format string, args ...any) {
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; {
		code, text := o.ask(10*time.Second, fmt.Sprintf(format, args...))
		if code == http.StatusNoContent || strings.Contains(text, done) {
			return
		}
		time.Sleep(time.Duration(o.random.IntN(100)) * time.Millisecond)
	}
	o.Errorf("not done within two minutes: "+format, args...)
}

func (o *operator) transfer() {
	code, _ := o.ask(5*time.Second, fmt.Sprint("transfer?to=", o.any(o.random)))
	if code == http.StatusNoContent {
		o.count("leadership transferred", 1)
	} else {
		o.count("leadership not transferred", 1)
	}
}

// ask asks a server to act.
func (o *operator) ask(limit time.Duration, action string) (code int, text string) {
	client := *o.http
	client.Timeout = limit
	response, err := client.Post(o.url(o.any(o.random))+"/admin/"+action, "", nil)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	b := make([]byte, 1<<10)
	n, _ := response.Body.Read(b)
	return response.StatusCode, string(b[:n])
}
