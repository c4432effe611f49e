package rules

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Each mistake of the student's breaks the rule that it is about, and often nothing else first.
func TestMistakes(t *testing.T) {
	const (
		voteRefused  = "a vote refused without a reason (Figure 2, RequestVote rule 2)"
		twoVotes     = "two votes of one server in one term (§5.2, §5.4)"
		unelected    = "a leader without a majority of votes (§5.2)"
		restriction  = "a vote for a candidate whose log is behind (§5.4.1, election restriction)"
		takenBack    = "an acknowledgement that is taken back (§5.3; Figure 2, persistent state)"
		byCounting   = "an entry of an earlier term committed by counting (§5.4.2, Figure 8)"
		logsDiffer   = "logs that do not match (§5.3, log matching)"
		logIsChanged = "a leader that changes its log (§5.3, leader append-only)"
	)
	for mistake, rules := range map[string][]string{
		"vote-kept":           {voteRefused},
		"vote-not-saved":      {twoVotes},
		"stale-votes":         {unelected},
		"log-not-compared":    {restriction},
		"truncate-always":     {takenBack, restriction},
		"append-not-saved":    {takenBack, restriction},
		"old-term-committed":  {byCounting},
		"snapshot-off-by-one": {logsDiffer, logIsChanged},
	} {
		t.Run(mistake, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestRules$", "-runs=5000")
			cmd.Env = append(os.Environ(), "MISTAKE="+mistake)
			output, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("the runs pass")
			}
			for _, rule := range rules {
				if strings.Contains(string(output), ": "+rule+": ") {
					return
				}
			}
			t.Errorf("want one of %q:\n%s", rules, output)
		})
	}
}
