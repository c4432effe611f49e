package rules

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each mistake of the student's breaks the rule that it is about.
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
			var found []string
			for next := 0; len(found) < maxViolations; {
				output := runMistake(t, mistake, next)
				for _, rule := range rules {
					if strings.Contains(output, ": "+rule+": ") {
						return
					}
				}
				m := violation.FindStringSubmatch(output)
				if m == nil {
					t.Fatalf("no rule is named:\n%s", output)
				}
				seed, _ := strconv.Atoi(m[1])
				found, next = append(found, m[0]), seed+1
			}
			t.Errorf("want one of %q in\n%s", rules, strings.Join(found, "\n"))
		})
	}
}

// A mistake can also break another rule first, as a leader elected by a wrong vote can lack a committed entry. Then the
// runs go on from the next seed, but not for ever.
const maxViolations = 20

var violation = regexp.MustCompile(`seed (\d+): .* \(.*§.*\): .*`)

// runMistake runs the student's Raft with a mistake from one seed after another until a rule is broken.
func runMistake(t *testing.T, mistake string, first int) (output string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRules$", "-runs=5000", fmt.Sprintf("-first=%d", first))
	cmd.Env = append(os.Environ(), "MISTAKE="+mistake)
	text, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the runs pass")
	}
	return string(text)
}
