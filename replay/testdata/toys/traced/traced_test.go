package traced

import (
	"fmt"
	"os"
	"testing"
)

func TestCalls(t *testing.T) {
	s := &server{me: 2, currentTerm: 3}
	args := &voteArgs{Term: 4, Candidate: -1, Name: "n", Log: []entry{{1, "x", week}, {2, nil, nil}, {3, 300 + s.me, s}, {4, s, nil}}}
	s.RequestVote(args, &voteReply{})
	func() {
		defer func() { recover() }()
		mixed(1, true, 0, 0, "")
	}()
	mixed(-1, false, 2.5, 65535, "text")
	fmt.Println("printed")
	t.Log("logged")
}

func TestDive(*testing.T) { dive(1000, 1-2i, signal{one: 3i}) }

// TestUnfinished ends the program in the middle of a line, and prints what the testing package prints if no test runs.
func TestUnfinished(*testing.T) {
	fmt.Println("testing: warning: no tests to run")
	fmt.Print("unfinished")
	os.Exit(3)
}

func (s *server) String() string { return "a server" }
