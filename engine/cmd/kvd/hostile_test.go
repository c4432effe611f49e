package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"6.824/engine/transport"
)

// certify issues the certificate of a server, and returns its flags.
func (c *cluster) certify(a *authority, id int) []string {
	name := fmt.Sprint("server-", id)
	a.issue(name, transport.ServerName("kvd", uint64(id)), c.clients[id-1])
	return []string{"-tls-cert", a.file(name + ".pem"), "-tls-key", a.file(name + ".key"), "-tls-ca", a.file("ca.pem")}
}

// TestTLS shows that a client or a server without a certificate of the authority gets nowhere.
func TestTLS(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	a, other := newAuthority(t), newAuthority(t)
	c.scheme = "https"
	a.issue("client", "client")
	for id := 1; id <= 2; id++ {
		c.start(id, c.certify(a, id)...)
	}
	withCertificate := []string{"-tls-ca", a.file("ca.pem"), "-tls-cert", a.file("client.pem"), "-tls-key", a.file("client.key")}
	c.ctl = withCertificate
	c.expect(0, "", "put", "a", "1")
	c.expect(2, "1", "get", "a")
	c.refusesClients(a, other)
	// Server 3 of another authority, without certificates, and with the certificate of another server.
	impostor := append(c.certify(a, 2)[:4:4], "-tls-ca", a.file("ca.pem"))
	for name, flags := range map[string][]string{"another authority": c.certify(other, 3), "none": nil, "another server's": impostor} {
		c.start(3, flags...)
		c.waitForLog(3, "cannot reach a server")
		c.ctl, c.scheme = append([]string{"-json", "-timeout", "1s"}, withCertificate...), "https"
		if name == "none" {
			c.scheme = "http"
		}
		if out, err := c.kvctl(3, "status"); err == nil && !strings.Contains(out, `"AppliedIndex": 0`) {
			t.Errorf("with certificates of %s, server 3 has got something: %s", name, out)
		}
		c.scheme = "https"
		c.kill(3)
		os.Remove(c.log(3))
		os.RemoveAll(filepath.Join(c.dir, "3"))
	}
	c.ctl = withCertificate
	c.start(3, c.certify(a, 3)...)
	c.expect(3, "1", "get", "a")
}

// refusesClients checks that clients without a certificate of the authority are refused.
func (c *cluster) refusesClients(a, other *authority) {
	c.Helper()
	before, scheme := c.ctl, c.scheme
	c.ctl = []string{"-tls-ca", a.file("ca.pem"), "-timeout", "1s"}
	c.fails(1, "certificate required", "get", "a")
	other.issue("client", "client")
	c.ctl = append(c.ctl, "-tls-cert", other.file("client.pem"), "-tls-key", other.file("client.key"))
	c.fails(1, "", "get", "a")
	c.scheme, c.ctl = "http", []string{"-timeout", "1s"}
	c.fails(1, "", "get", "a")
	c.scheme, c.ctl = scheme, before
}

func (c *cluster) readLog(id int) string {
	b, err := os.ReadFile(c.log(id))
	if err != nil {
		c.Fatal(err)
	}
	return string(b)
}

func (c *cluster) waitForLog(id int, text string) {
	c.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(c.readLog(id), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("server %d has not logged %q:\n%s", id, text, c.readLog(id))
		}
	}
}

// metric returns a metric of a server without certificates.
func (c *cluster) metric(id int, name string) float64 {
	c.Helper()
	response, err := http.Get("http://" + c.clients[id-1] + "/metrics")
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (.+)$`).FindSubmatch(b)
	if found == nil {
		c.Fatalf("server %d has no metric %s", id, name)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		c.Fatal(err)
	}
	return value
}

// garbage returns what a stranger may send: noise, the beginnings of requests and of peers' calls, and requests that make
// no sense.
func garbage(random *rand.Rand) []byte {
	noise := make([]byte, random.IntN(4000))
	for k := range noise {
		noise[k] = byte(random.Uint32())
	}
	hello := append([]byte("6.824 engine \x01m"), bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0, 1}, 2)...)
	return [][]byte{
		noise,
		append([]byte{byte(len(hello)), 0, 0, 0}, append(hello, noise...)...),
		{0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0},
		append([]byte("\x16\x03\x01\x02\x00\x01"), noise...),
		append([]byte("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), noise...),
		append([]byte("PUT /kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), noise...),
		append([]byte("GET /kv/a HTTP/1.1\r\nHost: "), noise...),
		[]byte("GET /kv/a HTTP/1.1\r\nX: " + strings.Repeat("x", 100_000)),
		[]byte("BREW /kv/%zz HTTP/1.1\r\n\r\n"),
	}[random.IntN(9)]
}

// flood makes so many connections with garbage to an address, some at a time. Most stay open until all were made.
func (c *cluster) flood(address string, connections int, seed uint64) {
	var all sync.WaitGroup
	for k := range 10 {
		random := rand.New(rand.NewPCG(seed, uint64(k)))
		all.Go(func() {
			for range connections / 10 {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					c.Error(err)
					return
				}
				conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
				conn.Write(garbage(random)) // fails if the server has closed the connection
				if random.IntN(3) == 0 {
					conn.Close()
				} else {
					defer conn.Close()
				}
			}
		})
	}
	all.Wait()
}

// TestFlood sends garbage to both ports of a server. It must go on, and neither its log, its goroutines, its descriptors nor
// its memory must grow.
func TestFlood(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for id := 1; id <= 3; id++ {
		c.start(id)
	}
	c.expect(0, "", "put", "b", "1")
	_, peer, _ := strings.Cut(strings.Split(c.peers, ",")[0], "=")
	measured := []string{"go_goroutines", "process_open_fds", "process_resident_memory_bytes"}
	const connections = 2000
	var before [3]float64
	for round := range 2 {
		c.flood(peer, connections, uint64(round))
		c.flood(c.clients[0], connections, uint64(round))
		http.DefaultClient.CloseIdleConnections()
		for k, name := range measured {
			if round == 0 {
				before[k] = c.metric(1, name)
				continue
			}
			most := before[k] + 50
			if name == "process_resident_memory_bytes" {
				most = before[k] + 32<<20
			}
			deadline := time.Now().Add(20 * time.Second) // for connections that wait for the rest of a request
			for got := c.metric(1, name); got > most; got = c.metric(1, name) {
				if time.Now().After(deadline) {
					t.Errorf("%s was %v after %d connections, and %v after %d", name, before[k], 2*connections, got, 4*connections)
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	c.expect(1, "1", "get", "b")
	lines := strings.Count(c.readLog(1), "\n")
	if refused := strings.Count(c.readLog(1), "refused a call"); refused == 0 || refused > 3 || lines > 30 {
		t.Errorf("of %d lines, %d tell of refused calls:\n%s", lines, refused, c.readLog(1))
	}
	t.Logf("after the first half: %v %v; the log has %d lines", measured, before, lines)
}
