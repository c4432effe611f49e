package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"6.824/cmd/cli"
)

// TestRejoin damages what a server has synced. It must refuse to start; then the test does what it says.
func TestRejoin(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for id := 1; id <= 3; id++ {
		c.start(id)
	}
	c.expect(0, "", "put", "a", "a value")
	c.expect(2, "a value", "get", "a")
	c.kill(2)
	damageLog(t, filepath.Join(c.dir, "2", "v1", "wal"), "a value")
	os.Remove(c.log(2))
	c.start(2)
	kvd := c.kvds[2]
	timer := time.AfterFunc(20*time.Second, func() { kvd.Process.Kill() })
	kvd.Wait()
	timer.Stop()
	delete(c.kvds, 2)
	if code := kvd.ProcessState.ExitCode(); code != cli.ExitUsage {
		t.Errorf("the damaged server exits with %d", code)
	}
	c.expect(0, "", "put", "b", "2")
	var commands [][]string
	for line := range strings.Lines(c.readLog(2)) {
		if strings.HasPrefix(line, "  kv") {
			line = strings.NewReplacer("A-NEW-DIRECTORY", filepath.Join(c.dir, "4"), " N", " 4").Replace(line)
			commands = append(commands, strings.Fields(line))
		}
	}
	if len(commands) != 3 {
		t.Fatalf("the server does not say what to do:\n%s", c.readLog(2))
	}
	t.Logf("%s", c.readLog(2))
	for _, words := range commands {
		command := exec.Command(filepath.Join(programs, words[0]), append(words[1:], map[string][]string{"kvd": {"-tick", "20ms"}}[words[0]]...)...)
		command.Env = append(os.Environ(), "KVCTL_ENDPOINTS=http://"+c.clients[0]+",http://"+c.clients[2])
		if words[0] == "kvd" {
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			c.kvds[4] = command
		} else if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v, %s", words, err, out)
		}
	}
	c.expect(2, "a value", "get", "a") // server 4 has the address of server 2
	c.expect(2, "2", "get", "b")
	c.kill(1)
	c.expect(2, "", "put", "c", "3")
	if out, err := c.kvctl(2, "status"); err != nil || !strings.Contains(out, "server 4,") || !strings.Contains(out, "members 1 3 4") {
		t.Errorf("the status is %s, error %v", out, err)
	}
}

// damageLog flips a bit where the log in dir has a text.
func damageLog(t *testing.T, dir, text string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(b, []byte(text)); at >= 0 {
			b[at] ^= 1
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the log %v does not have %q", names, text)
}
