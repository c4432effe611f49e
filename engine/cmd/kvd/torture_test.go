package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"6.824/engine/kv"
	"6.824/kvraft/history"
)

var (
	tortureSeed   = flag.Uint64("torture.seed", 1, "seed of TestTorture")
	tortureRounds = flag.Int("torture.rounds", 4, "faults that TestTorture causes")
)

// A user is a client that repeats each operation until a server has answered.
type user struct {
	*cluster
	number  int
	request int
	random  *rand.Rand
	rec     *history.Recorder
	round   *atomic.Int64 // each round has keys of its own, so that the verdict on a key takes little time
}

// run carries out operations until ctx ends, and the last one to its end.
func (u *user) run(ctx context.Context) {
	for ctx.Err() == nil {
		o := history.Operation{Client: u.number, Kind: history.Kind(u.random.IntN(3)), Key: fmt.Sprintf("key%d.%d", u.round.Load(), u.random.IntN(4))}
		if u.request++; o.Kind != history.Get {
			o.Value = fmt.Sprintf("%d.%d ", u.number, u.request)
		}
		if o.Kind == history.Put && u.random.IntN(4) > 0 {
			o.Kind = history.Append // so that values grow
		}
		o.Call = u.rec.Begin()
		got := u.do(o)
		if o.Kind == history.Get {
			o.Value = got
		}
		u.rec.End(o)
	}
}

// do asks one server after the other until one knows the answer, which for a Get is the value.
func (u *user) do(o history.Operation) string {
	method, query := "GET", ""
	switch o.Kind {
	case history.Put:
		method = "PUT"
	case history.Append:
		method, query = "POST", "?op=append"
	}
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Duration(u.random.IntN(20)) * time.Millisecond) {
		r, err := http.NewRequest(method, "http://"+u.clients[u.random.IntN(3)]+"/kv/"+o.Key+query, strings.NewReader(o.Value))
		if err != nil {
			panic(err)
		}
		if o.Kind != history.Get {
			r.Header.Set(kv.ClientHeader, strconv.Itoa(u.number+1))
			r.Header.Set(kv.RequestHeader, strconv.Itoa(u.request))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		response, err := http.DefaultClient.Do(r.WithContext(ctx))
		if err != nil {
			cancel()
			continue
		}
		b, err := io.ReadAll(response.Body)
		response.Body.Close()
		cancel()
		switch code := response.StatusCode; {
		case err != nil || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout:
		case code == http.StatusNotFound && o.Kind == history.Get:
			return ""
		case code >= 300:
			u.Errorf("%s of %s: %d, %s", method, o.Key, code, b)
			return ""
		default:
			return string(b)
		}
	}
	u.Errorf("client %d has had no answer for a minute", u.number)
	return ""
}

// fault kills some servers, or stops some for a while, and starts all again.
func (c *cluster) fault(random *rand.Rand) {
	some := random.Perm(3)[:1+random.IntN(3)]
	if random.IntN(2) == 0 {
		for _, k := range some {
			c.kill(k + 1)
		}
	} else {
		for _, k := range some {
			c.kvds[k+1].Process.Signal(syscall.SIGSTOP)
		}
	}
	time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
	for id := 1; id <= 3; id++ {
		if c.kvds[id] == nil {
			c.start(id, "-snapshot", "20000")
		} else {
			c.kvds[id].Process.Signal(syscall.SIGCONT)
		}
	}
}

// TestTorture kills kvd processes with SIGKILL and stops them for up to a second, one, two or all three, while clients get,
// put and append. The history must be linearizable: nothing that was acknowledged is lost, nothing happens twice.
func TestTorture(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for id := 1; id <= 3; id++ {
		c.start(id, "-snapshot", "20000")
	}
	c.expect(0, "", "put", "begun", "1")
	var rec history.Recorder
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var users sync.WaitGroup
	var round atomic.Int64
	for k := range 5 {
		u := &user{cluster: c, number: k, random: rand.New(rand.NewPCG(*tortureSeed, uint64(k))), rec: &rec, round: &round}
		users.Go(func() { u.run(ctx) })
	}
	random := rand.New(rand.NewPCG(*tortureSeed, 99))
	for range *tortureRounds {
		time.Sleep(time.Duration(300+random.IntN(500)) * time.Millisecond)
		c.fault(random)
		round.Add(1)
	}
	time.Sleep(time.Second)
	cancel()
	users.Wait()
	ops := rec.History()
	if err := history.Check(history.Values, ops, time.Minute); err != nil {
		t.Error(err)
	}
	t.Logf("seed %d: %d operations", *tortureSeed, len(ops))
	if len(ops) < 50**tortureRounds {
		t.Errorf("only %d operations: the test shows nothing", len(ops))
	}
}
