package traced

import (
	"fmt"
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

func (s *server) String() string { return "a server" }
