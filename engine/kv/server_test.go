package kv

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"6.824/engine"
)

// A cluster is three servers in this process.
type cluster struct {
	*testing.T
	servers map[int]*Server
	https   map[int]*httptest.Server
	configs map[int]engine.Config
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t, map[int]*Server{}, map[int]*httptest.Server{}, map[int]engine.Config{}}
	peers := map[int]string{}
	for id := 1; id <= 3; id++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		peers[id] = l.Addr().String()
		l.Close()
	}
	dir := t.TempDir()
	t.Cleanup(func() {
		for id := range c.servers {
			c.kill(id)
		}
	})
	for id := range peers {
		c.configs[id] = engine.Config{
			ID: id, Cluster: "kv", Dir: fmt.Sprint(dir, "/", id), Peers: peers, Tick: 10 * time.Millisecond,
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		c.start(id)
	}
	return c
}

func (c *cluster) start(id int) {
	h := httptest.NewUnstartedServer(nil)
	s, err := Open(c.configs[id], "http://"+h.Listener.Addr().String(), 50_000)
	if err != nil {
		c.Fatal(err)
	}
	h.Config.Handler = s.Handler()
	h.Start()
	c.servers[id], c.https[id] = s, h
}

func (c *cluster) kill(id int) {
	c.https[id].Close()
	c.servers[id].rsm.Kill()
	delete(c.servers, id)
	delete(c.https, id)
}

// do sends a request to a server, until the answer is not that the server cannot tell.
func (c *cluster) do(id int, method, path, body string, header ...string) (code int, answer string) {
	c.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := http.NewRequest(method, c.https[id].URL+path, strings.NewReader(body))
		if err != nil {
			c.Fatal(err)
		}
		for k := 0; k < len(header); k += 2 {
			r.Header.Set(header[k], header[k+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			b, _ := io.ReadAll(response.Body)
			response.Body.Close()
			code, answer = response.StatusCode, string(b)
		}
		if err == nil && code != http.StatusServiceUnavailable && code != http.StatusGatewayTimeout {
			return code, answer
		}
		if time.Now().After(deadline) {
			c.Fatalf("%s %s: %d, %q, error %v", method, path, code, answer, err)
		}
	}
}

func (c *cluster) expect(id int, method, path, body string, code int, want string) {
	c.Helper()
	got, answer := c.do(id, method, path, body)
	if got != code || !strings.Contains(answer, want) {
		c.Errorf("%s %s on server %d: %d, %q; want %d, %q", method, path, id, got, answer, code, want)
	}
}

func TestHTTP(t *testing.T) {
	c := newCluster(t)
	c.expect(1, "GET", "/kv/a", "", 404, "no key")
	c.expect(1, "PUT", "/kv/a", "1", 204, "")
	c.expect(2, "GET", "/kv/a", "", 200, "1")
	c.expect(2, "POST", "/kv/a?op=append", "2", 204, "")
	c.expect(3, "GET", "/kv/a", "", 200, "12")
	c.expect(3, "POST", "/kv/a?op=cas&old=1", "x", 412, "does not have that value")
	c.expect(3, "POST", "/kv/a?op=cas&old=12", "3", 204, "")
	c.expect(3, "POST", "/kv/b?op=cas&absent=1", "4", 204, "")
	c.expect(1, "GET", "/kv/b", "", 200, "4")
	c.expect(2, "DELETE", "/kv/b", "", 204, "")
	c.expect(2, "DELETE", "/kv/b", "", 404, "no key")
	c.expect(1, "GET", "/healthz", "", 200, "ok")
	c.expect(1, "GET", "/status", "", 200, `"Role"`)
	for _, key := range []string{"a/b", "a//b", "ü", "%", "a b", "?"} {
		path := "/kv/" + url.PathEscape(key)
		c.expect(1, "PUT", path, key, 204, "")
		c.expect(2, "GET", path, "", 200, key)
	}
	c.expect(1, "PUT", "/kv/", "x", 400, "A key has")
	c.expect(1, "PUT", "/kv/"+strings.Repeat("k", MaxKey+1), "x", 400, "A key has")
	c.expect(1, "PUT", "/kv/a", strings.Repeat("x", MaxValue+1), 413, "A value has")
	c.expect(1, "PUT", "/kv/a?op=append", "x", 400, "no operation")
	c.expect(1, "POST", "/kv/a", "x", 400, "no operation")
	c.expect(1, "POST", "/kv/a?op=cas", "x", 400, "needs")
	c.expect(1, "PATCH", "/kv/a", "x", 405, "")
	c.expect(1, "POST", "/admin/transfer", "", 400, "missing")
	c.expect(1, "POST", "/admin/explode?id=1", "", 404, "no action")
	c.expect(1, "POST", "/admin/remove?id=9", "", 409, "no member")
	if code, answer := c.do(1, "POST", "/kv/a?op=append", "x", "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Errorf("a request of another site's page: %d, %q", code, answer)
	}
}

func TestHTTP_once(t *testing.T) {
	c := newCluster(t)
	for _, server := range []int{1, 2, 3, 1} {
		if code, answer := c.do(server, "POST", "/kv/k?op=append", "x", ClientHeader, "5", RequestHeader, "1"); code != 204 {
			t.Errorf("the answer is %d, %q", code, answer)
		}
	}
	c.expect(1, "GET", "/kv/k", "", 200, "x")
	if _, answer := c.do(1, "GET", "/kv/k", ""); answer != "x" {
		t.Errorf("a request that was repeated made the value %q", answer)
	}
	for _, header := range [][]string{{ClientHeader, "5"}, {ClientHeader, "x", RequestHeader, "1"}, {ClientHeader, "5", RequestHeader, "0"}} {
		if code, _ := c.do(1, "PUT", "/kv/k", "", header...); code != 400 {
			t.Errorf("with %v the answer is %d", header, code)
		}
	}
}

// TestCluster kills the leader, restarts all servers, and lets the leader hand over: nothing is lost.
func TestCluster(t *testing.T) {
	c := newCluster(t)
	write := func(from, to int) {
		for k := from; k < to; k++ {
			server := k%3 + 1
			for c.servers[server] == nil {
				server = server%3 + 1
			}
			c.expect(server, "PUT", fmt.Sprintf("/kv/key%d", k), strings.Repeat(fmt.Sprint(k), 500), 204, "")
		}
	}
	read := func(to int) {
		for k := range to {
			for id := range c.servers {
				c.expect(id, "GET", fmt.Sprintf("/kv/key%d", k), "", 200, strings.Repeat(fmt.Sprint(k), 500))
			}
		}
	}
	write(0, 40)
	leader := 0
	for leader == 0 {
		leader = c.servers[1].node.Leader()
	}
	c.kill(leader)
	write(40, 60)
	c.start(leader)
	read(60)
	for id := 1; id <= 3; id++ {
		c.kill(id)
	}
	for id := 1; id <= 3; id++ {
		c.start(id)
	}
	read(60)
	for leader = 0; leader == 0; {
		leader = c.servers[1].node.Leader()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	old := c.servers[leader]
	old.handOver(ctx)
	if now := old.node.Leader(); now == leader || now == 0 {
		t.Errorf("after the hand-over, server %d leads", now)
	}
	old.Close(ctx)
	c.https[leader].Close()
	delete(c.servers, leader)
	write(60, 70)
	read(70)
}
