//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var soak = flag.Duration("soak", 0, "run TestSoak for so long")

// A measure is something of a server that must not grow.
type measure struct {
	name string
	unit float64 // for the table
	of   func(f *fleet, id int) (float64, error)
	more float64 // what the last third may have more than the first one,
	part float64 // and which part of that
}

// Some more is noise of the machine and of Go's garbage collector. The log takes space in files of 64 MB: a server has two to
// four. All clients have been there from the beginning, so that the servers need not remember more and more of them.
var measures = []measure{
	{"RSS, MB", 1 << 20, status("VmRSS:", 1<<10), 8 << 20, 0.1},
	{"heap, MB", 1 << 20, metric("go_memstats_heap_inuse_bytes"), 5 << 20, 0.1},
	{"goroutines", 1, metric("go_goroutines"), 10, 0.1},
	{"descriptors", 1, descriptors, 5, 0.1},
	{"threads", 1, status("Threads:", 1), 5, 0.1},
	{"files", 1, files(func(fs.FileInfo) float64 { return 1 }), 3, 0},
	{"disk, MB", 1 << 20, files(func(i fs.FileInfo) float64 { return float64(i.Size()) }), 136e6, 0},
}

// status returns a number of /proc/PID/status.
func status(field string, unit float64) func(f *fleet, id int) (float64, error) {
	return func(f *fleet, id int) (float64, error) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.pid(id)))
		if err != nil {
			return 0, err
		}
		_, rest, _ := bytes.Cut(b, []byte(field))
		words := bytes.Fields(rest)
		if len(words) == 0 {
			return 0, fmt.Errorf("there is no %s", field)
		}
		n, err := strconv.ParseFloat(string(words[0]), 64)
		return n * unit, err
	}
}

func descriptors(f *fleet, id int) (float64, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", f.pid(id)))
	return float64(len(list)), err
}

// metric returns a number of /metrics.
func metric(name string) func(f *fleet, id int) (float64, error) {
	return func(f *fleet, id int) (float64, error) {
		response, err := f.http.Get(f.url(id) + "/metrics")
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
				return strconv.ParseFloat(text, 64)
			}
		}
		return 0, fmt.Errorf("there is no metric %s", name)
	}
}

// files returns a sum over the files of a server.
func files(of func(fs.FileInfo) float64) func(f *fleet, id int) (float64, error) {
	return func(f *fleet, id int) (sum float64, err error) {
		err = filepath.WalkDir(f.kvds[id].dir, func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return ignoreGone(err)
			}
			info, err := e.Info()
			if err == nil {
				sum += of(info)
			}
			return ignoreGone(err)
		})
		return sum, err
	}
}

// ignoreGone returns err unless it says that a file was removed meanwhile.
func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (f *fleet) pid(id int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kvds[id].process.Process.Pid
}

// TestSoak loads three servers, which take many snapshots. Every half minute the leadership moves, and all connections between the
// servers break. Memory, goroutines, descriptors and files must not grow: the median of the last third of the time is compared
// with that of the first third, after a tenth to warm up.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes long; -soak 30m runs it")
	}
	f := newFleet(t, 3, 1, false, "", "-snapshot", "1000000")
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	var running sync.WaitGroup
	u := &users{fleet: f}
	for k := range 16 {
		one := &user{users: u, number: k, random: rand.New(rand.NewPCG(1, uint64(k)))}
		running.Go(func() { one.load(ctx) })
	}
	disturb := time.NewTicker(30 * time.Second)
	defer disturb.Stop()
	sample := time.NewTicker(min(5*time.Second, *soak/100))
	defer sample.Stop()
	samples := make([][][]float64, len(measures)) // by measure and server
	for k := range samples {
		samples[k] = make([][]float64, 4)
	}
	random, o := rand.New(rand.NewPCG(1, 99)), newOperator(f, 1)
	begun, warm := time.Now(), *soak/10
	for printed := begun; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-disturb.C:
			o.transfer()
			f.mu.Lock()
			for _, l := range f.links {
				l.set(trouble{}, random.IntN(2) == 0)
			}
			f.mu.Unlock()
		case <-sample.C:
			if time.Since(begun) > warm {
				f.sample(samples)
			}
			if time.Since(printed) > *soak/30 {
				printed = time.Now()
				t.Logf("%v: %s\n%s", time.Since(begun).Round(time.Second), f.counters(), table(samples, true))
			}
		}
	}
	running.Wait()
	t.Logf("%v: %s\nmedians of the first and the last third, by server:\n%s", *soak, f.counters(), table(samples, false))
	for k, m := range measures {
		for id := 1; id <= 3; id++ {
			first, last := thirds(samples[k][id])
			if last > first*(1+m.part)+m.more {
				t.Errorf("server %d: %s grows from %.1f to %.1f", id, m.name, first/m.unit, last/m.unit)
			}
		}
	}
	for id := 1; id <= 3; id++ {
		s, ok := f.status(id)
		if t.Logf("server %d has a snapshot up to command %d of %d", id, s.SnapshotIndex, s.LastIndex); !ok || s.SnapshotIndex == 0 {
			t.Errorf("server %d has no snapshot", id)
		}
	}
}

// sample measures all servers.
func (f *fleet) sample(samples [][][]float64) {
	for k, m := range measures {
		for id := 1; id <= 3; id++ {
			n, err := m.of(f, id)
			if err != nil {
				f.Errorf("server %d: %v", id, err)
			}
			samples[k][id] = append(samples[k][id], n)
		}
	}
}

// thirds returns the medians of the first and the last third.
func thirds(list []float64) (first, last float64) {
	n := len(list) / 3
	if n == 0 {
		return 0, 0
	}
	return median(list[:n]), median(list[len(list)-n:])
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// table shows the newest samples, or the medians of the thirds.
func table(samples [][][]float64, newest bool) string {
	var b strings.Builder
	for k, m := range measures {
		fmt.Fprintf(&b, "| %-11s |", m.name)
		for id := 1; id <= 3; id++ {
			list := samples[k][id]
			switch first, last := thirds(list); {
			case len(list) == 0:
			case newest:
				fmt.Fprintf(&b, " %8.1f |", list[len(list)-1]/m.unit)
			default:
				fmt.Fprintf(&b, " %8.1f %8.1f |", first/m.unit, last/m.unit)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// load puts, appends, gets and compares-and-sets values of up to 3 kB under 1000 keys, until ctx ends. Now and then it begins new
// connections.
func (u *user) load(ctx context.Context) {
	for ctx.Err() == nil {
		key, value := fmt.Sprint("soak", u.random.IntN(1000)), strings.Repeat("v", u.random.IntN(1000))
		u.request++
		switch u.random.IntN(8) {
		case 0, 1, 2:
			u.get(key, 0)
		case 3:
			old, ok := u.get(key, 0)
			if !ok || len(old) > 100 {
				continue
			}
			u.change("POST", key, "op=cas&old="+old, value, true)
		case 4:
			if old, _ := u.get(key, 0); len(old) < 2000 {
				u.change("POST", key, "op=append", value, true)
			}
		case 5:
			if u.random.IntN(20) == 0 {
				u.http.Transport.(*http.Transport).CloseIdleConnections()
			}
		default:
			u.change("PUT", key, "", value, true)
		}
	}
}
