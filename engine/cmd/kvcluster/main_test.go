package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build builds the three programs and returns their directory.
func build(t *testing.T) string {
	dir := t.TempDir()
	b := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "6.824/engine/cmd/kvd", "6.824/engine/cmd/kvctl", "6.824/engine/cmd/kvcluster")
	if out, err := b.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// freePorts returns the first of three ports that nobody listens on. They are not among those that outgoing connections take,
// so that they stay free while no server runs.
func freePorts(t *testing.T) int {
	for range 100 {
		port, free := 10_000+rand.IntN(20_000), true
		for k := range 3 {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+k))
			if free = free && err == nil; err == nil {
				l.Close()
			}
		}
		if free {
			return port
		}
	}
	t.Fatal("there are no three free ports")
	return 0
}

// A session is a running kvcluster, and the lines that it has printed for its user.
type session struct {
	*testing.T
	process *exec.Cmd
	lines   []string
	rest    *bufio.Scanner // what it prints later
}

func begin(t *testing.T, programs string, args ...string) *session {
	s := &session{T: t, process: exec.Command(filepath.Join(programs, "kvcluster"), args...)}
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	s.process.Stderr = &stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.process.Process.Signal(os.Interrupt) // it stops its servers
		time.AfterFunc(30*time.Second, func() { s.process.Process.Kill() })
		s.process.Wait() // fails if it has ended before
	})
	s.rest = bufio.NewScanner(out)
	for s.rest.Scan() {
		s.lines = append(s.lines, s.rest.Text())
		if strings.HasPrefix(s.rest.Text(), "Ctrl-C") {
			return s
		}
	}
	t.Fatalf("kvcluster has ended: %v\n%s%s", s.process.Wait(), strings.Join(s.lines, "\n"), &stderr)
	return nil
}

// line returns the printed line that matches a pattern, without its comment.
func (s *session) line(pattern string) string {
	for _, line := range s.lines {
		if regexp.MustCompile(pattern).MatchString(line) {
			line, _, _ = strings.Cut(line, "#")
			return line
		}
	}
	s.Fatalf("no line is like %q:\n%s", pattern, strings.Join(s.lines, "\n"))
	return ""
}

// types does what a user does who copies a line, and returns what is printed then.
func (s *session) types(pattern string) (string, error) {
	words := strings.Fields(s.line(pattern))
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	return string(out), err
}

func (s *session) expect(want, pattern string) {
	s.Helper()
	if got, err := s.types(pattern); err != nil || got != want {
		s.Errorf("%q printed %q, error %v; want %q", s.line(pattern), got, err, want)
	}
}

// interrupt stops the session as Ctrl-C does.
func (s *session) interrupt() {
	s.process.Process.Signal(os.Interrupt)
	for s.rest.Scan() {
	}
	s.process.Wait()
	if code := s.process.ProcessState.ExitCode(); code != 130 {
		s.Errorf("after Ctrl-C, kvcluster exits with %d", code)
	}
}

const (
	put    = `kvctl .*put a 1$`
	get    = `kvctl .*get a$`
	status = `kvctl .*status$`
	getAt2 = `endpoints http://127.0.0.1:\d+ get a$`
)

// TestUser does what kvcluster tells its user to do.
func TestUser(t *testing.T) {
	programs, data := build(t), t.TempDir()
	args := []string{"-data", data, "-clients", fmt.Sprint(freePorts(t)), "-peers", fmt.Sprint(freePorts(t)), "-tick", "20ms"}
	s := begin(t, programs, args...)
	s.expect("", put)
	s.expect("1", getAt2)
	second := exec.Command(filepath.Join(programs, "kvcluster"), args...)
	if out, _ := second.CombinedOutput(); second.ProcessState.ExitCode() != 2 || !bytes.Contains(out, []byte("other ports")) {
		t.Errorf("a second cluster on the same ports: exit code %d, %s", second.ProcessState.ExitCode(), out)
	}
	text, err := s.types(status)
	leader := regexp.MustCompile(`server (\d), Leader`).FindStringSubmatch(text)
	if err != nil || leader == nil {
		t.Fatalf("the status is %s, error %v", text, err)
	}
	s.expect("", `kill -9 .*server `+leader[1]+`;`)
	s.expect("1", get)
	for s.rest.Scan() && !strings.Contains(s.rest.Text(), "server "+leader[1]+" has ended") {
	}
	s.rest.Scan()
	s.lines = append(s.lines, s.rest.Text())
	again := exec.Command("sh", "-c", "exec "+s.line(`kvd -id `+leader[1]))
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(text, "server "+leader[1]+", Follower of"); text, _ = s.types(status) {
		if time.Now().After(deadline) {
			t.Fatalf("the server that was started again is no follower: %s", text)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.interrupt()
	again.Process.Signal(syscall.SIGTERM)
	again.Wait()
	s = begin(t, programs, args...)
	s.expect("1", get)
	s.interrupt()
}
