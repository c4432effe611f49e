// Package toy has tests that end in every way a test can end.
package toy

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	linger = flag.Bool("linger", false, "do not end after the tests")
	deaf   = flag.Bool("deaf", false, "ignore SIGQUIT")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *deaf {
		signal.Ignore(syscall.SIGQUIT)
	}
	code := m.Run()
	if *linger && flag.Lookup("test.list").Value.String() == "" {
		time.Sleep(time.Hour)
	}
	os.Exit(code)
}

func TestPasses(*testing.T) {}

// A passing test of a program's own flags: package flag prints its complaint on standard error.
func TestBadFlag(t *testing.T) {
	fs := flag.NewFlagSet("prog", flag.ContinueOnError)
	fs.SetOutput(os.Stderr)
	fs.Int("n", 1, "a number")
	if fs.Parse([]string{"-bogus"}) == nil {
		t.Error("accepted")
	}
	if fs.Parse([]string{"-n=x"}) == nil {
		t.Error("accepted")
	}
}

// printWords prints what a test binary prints when it fails or has wrong arguments, and bytes that XML cannot hold.
func printWords() {
	fmt.Println("flag provided but not defined: -bogus")
	fmt.Println("testing: warning: no tests to run")
	fmt.Println("testing: invalid regexp for -test.run")
	fmt.Println("panic: not a real one")
	fmt.Println("fatal error: not a real one")
	fmt.Println("WARNING: DATA RACE")
	fmt.Println("--- FAIL: TestNever (0.00s)")
	fmt.Println("--- FAIL: TestMany1 (0.00s)")
	fmt.Println("=== RUN   TestMany2")
	fmt.Println("nul \x00, escape \x1b[2J, not UTF-8 \xff, end of CDATA ]]> and <tag>")
}

func TestWords(*testing.T) { printWords() }

func TestWordsFails(t *testing.T) {
	printWords()
	fmt.Print("no newline")
	t.Error("\n\tnul \x00 ]]> <tag>")
	t.Error("second message")
}

// TestPictures fails and names two files, one of which it writes where pages of failing tests belong.
func TestPictures(t *testing.T) {
	page := filepath.Join(os.Getenv("PICTURES"), "TestPictures-1.html")
	if err := os.WriteFile(page, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Error("a mistake")
	fmt.Fprintf(t.Output(), "picture: %s\n", page)
	fmt.Fprintln(t.Output(), "picture: /nowhere/other.html")
	fmt.Println("picture: no/line/of/a/test.html")
}

func TestSubtests(t *testing.T) {
	t.Run("good", func(*testing.T) {})
	t.Run("bad", func(t *testing.T) { t.Error("bad subtest") })
}

func TestMany1(t *testing.T) { t.Error("one") }
func TestMany2(t *testing.T) { t.Error("two") }
func TestMany3(t *testing.T) { t.Error("three") }
func TestMany4(t *testing.T) { t.Error("four") }

func TestPanics(*testing.T) { panic("out of luck") }

func TestPanicsElsewhere(*testing.T) {
	go panic("elsewhere")
	select {}
}

// TestUnended ends in a line that it has not ended.
func TestUnended(*testing.T) {
	fmt.Print("no newline")
	go panic("elsewhere")
	select {}
}

func TestUnlocks(*testing.T) {
	var mu sync.Mutex
	mu.Unlock()
}

func TestExits(*testing.T) { os.Exit(3) }

func TestRaces(*testing.T) {
	n := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { n++ })
	}
	wg.Wait()
}

// connect tells the listener at TOY_ADDRESS that this process lives. Its end closes the connection.
func connect(t *testing.T) {
	conn, err := net.Dial("tcp", os.Getenv("TOY_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintln(conn, "connected")
}

func TestHangs(t *testing.T) {
	connect(t)
	time.Sleep(time.Hour)
}

// TestHangsLater passes once, and hangs when it runs again.
func TestHangsLater(t *testing.T) {
	if os.Mkdir(os.Getenv("TOY_ONCE"), 0o700) != nil {
		TestHangs(t)
	}
}

// TestLeaves leaves a process behind.
func TestLeaves(t *testing.T) {
	if os.Getenv("TOY_LEFT") != "" {
		connect(t)
		fmt.Println("connected")
		time.Sleep(time.Hour)
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestLeaves$", "-test.v")
	cmd.Env = append(os.Environ(), "TOY_LEFT=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(out, make([]byte, len("=== RUN   TestLeaves\nconnected\n")))
}
