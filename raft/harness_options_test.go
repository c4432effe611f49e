package raft

// The options that can be chosen by name for every cluster under test: -args -options=link=ordered,backup=half.

import (
	"flag"
	"fmt"
	"math/rand"
	"strings"
)

// choices lists the alternatives to the defaults, grouped by kind.
var choices = []struct {
	kind         string
	alternatives []alternative
}{
	{"vote", []alternative{
		{"first", WithVotePolicy(VoteSelfFirst)},
	}},
	{"concession", []alternative{
		{"on", WithConcession(true)},
	}},
	{"prevote", []alternative{
		{"off", WithPreVote(false)},
	}},
	{"standsoon", []alternative{
		{"off", WithStandSoon(false)},
	}},
	{"link", []alternative{
		{"ordered", WithLink(LinkOrdered)},
		{"permessage", WithLink(LinkPerMessage)},
		{"pool4", WithLink(LinkPool(4))},
		{"pools16-2", WithLink(LinkPools(16, 2))},
	}},
	{"backup", []alternative{
		{"half", WithBackup(BackupByHalf)},
		{"one", WithBackup(BackupByOne)},
		{"fifty", WithBackup(BackupBy(50))},
	}},
	{"backlog", []alternative{
		{"500", WithMaxBacklog(500)},
	}},
	{"trailing", []alternative{
		{"8", WithTrailingLog(8)},
	}},
	{"events", []alternative{
		{"on", WithEvents()},
	}},
	{"snapshot", []alternative{
		{"first", WithSnapshotFirst()},
	}},
}

type alternative struct {
	name   string
	option Option
}

var optionsFlag = flag.String("options", "", "options of every server, a comma-separated list of:\n"+
	strings.Join(choiceNames(), "\n")+"\nor all, which means the first of each kind")

func choiceNames() (names []string) {
	for _, c := range choices {
		for _, a := range c.alternatives {
			names = append(names, c.kind+"="+a.name)
		}
	}
	return names
}

// chosen returns the options that a list names.
func chosen(list string) (options []Option, err error) {
	if list == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		found := false
		for _, c := range choices {
			for k, a := range c.alternatives {
				if name == c.kind+"="+a.name || name == "all" && k == 0 {
					found = true
					options = append(options, a.option)
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("-options: there is no %q; want %s or all", name, strings.Join(choiceNames(), ", "))
		}
	}
	return options, nil
}

// anyChoices returns a random list for chosen. Each kind keeps its default two times out of three.
func anyChoices(random *rand.Rand) string {
	var names []string
	for _, c := range choices {
		if k := random.Intn(3 * len(c.alternatives)); k < len(c.alternatives) {
			names = append(names, c.kind+"="+c.alternatives[k].name)
		}
	}
	return strings.Join(names, ",")
}
