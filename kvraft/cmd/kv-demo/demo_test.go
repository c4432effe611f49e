package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"6.824/cmd/cli/clitest"
	"6.824/kvraft"
	"6.824/kvraft/cluster"
	"6.824/kvraft/internal/labtest"
	"6.824/labrpc"
	"6.824/picture"
	"6.824/raft"
)

// mistakeEnv names a mistake for a process of the demo.
const mistakeEnv = "KV_DEMO_MISTAKE"

func TestMain(m *testing.M) {
	if mistake := os.Getenv(mistakeEnv); mistake != "" {
		right := startServer
		startServer = func(peers []*labrpc.ClientEnd, me int, disk *raft.Persister, maxraftstate int, o raft.Option) cluster.Server {
			return &KVServer{right(peers, me, disk, maxraftstate, o).(*kvraft.KVServer), mistake}
		}
	}
	clitest.Main(m, main)
}

// A KVServer makes a mistake, and has the name of the right one, as the Clerk's RPCs have.
type KVServer struct {
	*kvraft.KVServer
	mistake string
}

// PutAppend acknowledges appends that are lost, or carries them out twice.
func (kv *KVServer) PutAppend(args *kvraft.PutAppendArgs, reply *kvraft.PutAppendReply) {
	if kv.KVServer.PutAppend(args, reply); reply.Err != kvraft.OK || args.Op != "Append" {
		return
	}
	switch kv.mistake {
	case "lost":
		kv.KVServer.PutAppend(&kvraft.PutAppendArgs{Key: args.Key, Value: "", Op: "Put", Client: 1, Request: args.Request}, reply)
	case "twice":
		again := *args
		again.Client++
		kv.KVServer.PutAppend(&again, reply)
	}
}

func TestStyle(t *testing.T) {
	clitest.Style(t, "kv-demo", []string{"-servers", "five"}, []string{"-time", "1h"}, "leads in term")
}

func TestParseOptions(t *testing.T) {
	for _, c := range []struct{ args, problem string }{ // problem: how the error begins, or "" for none
		{"", ""},
		{"-servers 1 -clients 9 -faults=false -seed 7 -time 1ms -snapshot -1", ""},
		{"-servers 9", ""},
		{"-servers 0", "-servers must be"},
		{"-servers 10", "-servers must be"},
		{"-clients 0", "-clients must be"},
		{"-clients 10", "-clients must be"},
		{"-time 0s", "-time must be positive"},
		{"-time 5", "invalid value"},
		{"-snapshot 0", "-snapshot must be"},
		{"-picture=", "-picture is empty"},
		{"run.html", "unexpected argument"},
		{"-nosuch", "flag provided but not defined"},
	} {
		o, err := parseOptions(strings.Fields(c.args))
		if (err == nil) != (c.problem == "") || err != nil && !strings.HasPrefix(err.Error(), c.problem) {
			t.Errorf("%q: error %v, want %q", c.args, err, c.problem)
		}
		if err == nil && o.seed == 0 {
			t.Errorf("%q: no seed was chosen", c.args)
		}
	}
}

// A run with any number of servers and clients is linearizable, on the virtual clock. All kinds of faults happen, and servers
// take snapshots.
func TestRun(t *testing.T) {
	var said strings.Builder
	for _, args := range []string{
		"-seed 12", "-seed 1 -servers 3 -clients 9 -time 5s -snapshot 1000", "-seed 2 -servers 1 -clients 1 -time 4s -snapshot 500",
		"-servers 2 -faults=false -time 1s -snapshot -1",
	} {
		synctest.Test(t, func(t *testing.T) {
			o, err := parseOptions(strings.Fields(args))
			if err != nil {
				t.Fatal(err)
			}
			var stdout, stderr strings.Builder
			d := newDemo(o, &stderr)
			if err := d.run(&stdout, &stderr); err != nil || !strings.Contains(stdout.String(), "\nverdict: linearizable. One order of the ") {
				t.Errorf("%s: %v\n%s\n%s", args, err, stderr.String(), stdout.String())
			}
			said.WriteString(stderr.String())
			file := filepath.Join(t.TempDir(), "run.html")
			if err := d.record.WriteFile(file); err != nil {
				t.Fatal(err)
			}
			p := labtest.ReadPage(t, file)
			began, ended := p.Count(picture.Invoke, ""), p.Count(picture.Return, "")
			if began < 10 || began != ended || p.Count(picture.Apply, `append("`) == 0 || p.Count(picture.Send, "PutAppend {Key:") == 0 {
				t.Errorf("%s: %d operations, %d ended", args, began, ended)
			}
			if len(p.Lanes) != o.servers+o.clients || p.Violation >= 0 {
				t.Errorf("%s: lanes %v, violation %d", args, p.Lanes, p.Violation)
			}
			starts, repaired := p.Count(picture.Start, ""), p.Count(picture.Step, "all is repaired")
			if (starts > o.servers) != o.faults || (repaired > 0) != o.faults || (p.Count(picture.Snapshot, "its own") > 0) != (o.snapshot > 0) {
				t.Errorf("%s: %d starts, repaired %d times", args, starts, repaired)
			}
		})
	}
	for _, fault := range []string{"crashes\n", " restarts\n", "all servers crash", "a partition: ", "is cut off", "loses messages", "leads in term 2"} {
		if !strings.Contains(said.String(), fault) {
			t.Errorf("%q does not occur in\n%s", fault, said.String())
		}
	}
}

// A process writes the page and prints its name.
func TestPicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	code, stdout, stderr := clitest.Run(t, "-picture", file, "-seed", "7", "-servers", "3", "-clients", "2", "-time", "300ms")
	if code != 0 || !strings.Contains(stdout, "\nverdict: linearizable. One order of the ") || !strings.HasSuffix(stderr, "\npicture: "+file+"\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	p := labtest.ReadPage(t, file)
	if want := "go run ./cmd/kv-demo -clients=2 -seed=7 -servers=3 -time=300ms"; p.Title != "kv-demo" || p.Command != want {
		t.Errorf("title %q, command %q, want %q", p.Title, p.Command, want)
	}
	if len(p.Lanes) != 5 || p.Lanes[4].Name != "client 1" || p.Count(picture.Return, "") == 0 {
		t.Errorf("lanes %v, %d operations have ended", p.Lanes, p.Count(picture.Return, ""))
	}
}

// Ctrl-C writes the page of what has happened until then.
func TestPictureInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	clitest.Style(t, "kv-demo", []string{"-picture", ""}, []string{"-time", "1h", "-picture", file}, "leads in term")
	if p := labtest.ReadPage(t, file); p.Count(picture.Step, "leads in term") == 0 || p.Count(picture.Step, "interrupted") != 1 {
		t.Errorf("the page has %d events", len(p.Events.Kind))
	}
}

var madePage = regexp.MustCompile(`(?m)^(picture|history of key "\w+"): (.+)$`)

// A service that makes a mistake gets a bad verdict, with the operation that cannot be explained. The page opens there. The seed
// makes the first operation of a client an append.
func TestMistakes(t *testing.T) {
	for _, mistake := range []string{"lost", "twice"} {
		t.Setenv(mistakeEnv, mistake)
		t.Setenv("PICTURES", t.TempDir())
		code, stdout, stderr := clitest.Run(t, "-faults=false", "-servers", "1", "-clients", "2", "-seed", "7", "-time", "300ms")
		if code != 1 || !strings.Contains(stdout, "\nverdict: WRONG. ") || !strings.Contains(stdout, "not linearizable: no order of the operations explains client ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", mistake, code, stdout, stderr)
		}
		if !strings.Contains(stdout, " it is there ") {
			t.Errorf("%s: the final values are not wrong: %s", mistake, stdout)
		}
		files := make(map[string]string)
		for _, m := range madePage.FindAllStringSubmatch(stderr, -1) {
			files[m[1][:7]] = m[2]
		}
		p := labtest.ReadPage(t, files["picture"])
		if p.Violation < 0 || p.Name(p.Violation) != "not linearizable" || p.Events.Kind[p.Open] != int(picture.Return) ||
			!strings.HasPrefix(p.Lane(p.Open), "client ") {
			t.Errorf("%s: the page opens at event %d, violation %d", mistake, p.Open, p.Violation)
		}
		if text, err := os.ReadFile(files["history"]); err != nil || !bytes.Contains(text, []byte("append(")) {
			t.Errorf("%s: porcupine's page has %d bytes: %v", mistake, len(text), err)
		}
	}
}

// What is missing in the final values is found, and what nobody wrote.
func TestMissing(t *testing.T) {
	clients := []*client{
		{id: 0, texts: map[string][]string{"red": {"0.1 ", "0.2 "}, "blue": {"0.3 "}}, last: "0.4 "},
		{id: 1, texts: map[string][]string{"red": {"1.1 "}}},
	}
	right := map[string]string{"red": "0.1 1.1 0.2 ", "blue": "0.3 ", "client 0": "0.4 "}
	if problems := missing(clients, right); len(problems) > 0 {
		t.Errorf("problems of right values: %q", problems)
	}
	for _, c := range []struct{ key, value, want string }{
		{"red", "0.1 0.2 ", `client 1 appended "1.1 " to "red"; it is there 0 times`},
		{"red", "0.1 1.1 1.1 0.2 ", `client 1 appended "1.1 " to "red"; it is there 2 times`},
		{"blue", "0.3 9.9 ", `nobody appended "9.9 ", which is in "blue"`},
		{"client 0", "0.3 ", `client 0 put "0.4 " under "client 0" last, but the value is "0.3 "`},
		{"client 1", "x", `client 1 put "" under "client 1" last, but the value is "x"`},
	} {
		wrong := maps.Clone(right)
		wrong[c.key] = c.value
		if problems := missing(clients, wrong); len(problems) != 1 || problems[0] != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.value, c.key, problems, c.want)
		}
	}
}
