package overlay

import (
	"go/parser"
	"go/token"
	"maps"
	"strings"
	"testing"

	"6.824/cmd/coursetree"
)

// Each edit keeps the lines.
func TestInstrument(t *testing.T) {
	const head = "package raft; import guard6824 \"6.5840/raftguard\""
	const begin = " loop6824 := guard6824.Begin(\"a.go:4\")"
	for _, tt := range []struct{ name, in, out string }{
		{"nothing", "package raft\n\nfunc f() {}\n", ""},
		{"endless", "for {\n}", "for" + begin + ";; { loop6824.Turn();\n}"},
		{"endless in one line", "for {f()}", "for" + begin + ";; { loop6824.Turn();f()}"},
		{"comment", "for { // for ever; always\n}", "for" + begin + ";; { loop6824.Turn(); // for ever; always\n}"},
		{"while", "for !done {\n}", "for" + begin + "; !done; { loop6824.Turn();\n}"},
		{"while in two lines", "for a &&\n\t\tb {\n}", "for" + begin + "; a &&\n\t\tb; { loop6824.Turn();\n}"},
		{"label", "again:\n\tfor {\n\t\tcontinue again\n\t}", "again:\n\tfor loop6824 := guard6824.Begin(\"a.go:5\");; { loop6824.Turn();\n\t\tcontinue again\n\t}"},
		{"semicolons", "for ; ; {\n}", "for" + begin + " ; ; { loop6824.Turn();\n}"},
		{"condition after semicolon", "for ; a; {\n}", "for" + begin + " ; a; { loop6824.Turn();\n}"},
		{"post", "for ; a; i++ {\n}", "for" + begin + " ; a; i++ { loop6824.Turn();\n}"},
		{"counting", "for i := 0; i < 9; i++ {\n}", "for i := 0; i < 9; i++ { guard6824.Pass();\n}"},
		{"init", "for t := now(); since(t) < d; {\n}", "for t := now(); since(t) < d; { guard6824.Turn(\"a.go:4\");\n}"},
		{"no condition", "for i := 0; ; i++ {\n}", "for i := 0; ; i++ { guard6824.Turn(\"a.go:4\");\n}"},
		{"range", "for range c {\n}", "for range c { guard6824.Pass();\n}"},
	} {
		in, out := tt.in, tt.out
		if out != "" {
			in = "package raft\n\nfunc f() {\n\t" + in + "\n}\n"
			out = head + "\n\nfunc f() {\n\t" + out + "\n}\n"
		}
		o := &Overlay{Tree: &coursetree.Tree{Own: "6.5840/"}, names: map[string]string{}}
		text, changed := o.instrument(coursetree.Parse("raft/a.go", []byte(in)))
		if changed != (tt.out != "") || changed && string(text) != out {
			t.Errorf("%s: changed %v:\n%s\nwant:\n%s", tt.name, changed, text, out)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "a.go", text, 0); changed && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A panic that can end the process is seen by the guard first.
func TestInstrumentEntries(t *testing.T) {
	const in = `package raft

func (rf *Raft) ticker() { work() }
func (rf *Raft) RequestVote(args *Args, reply *Reply) { work() }
func (rf *Raft) Start(command any) (int, int, bool) { go rf.ticker(); return 0, 0, false }
func (rf *Raft) after(a, b int) {
	time.AfterFunc(a, rf.elect)
	time.AfterFunc(a, func() { work() })
	go func(b int) { work() }(b)
	defer func() { work() }()
}
func (rf *Raft) elect() {
	work()
}
func work()
`
	want := strings.NewReplacer("package raft\n", "package raft; import guard6824 \"6.5840/raftguard\"\n",
		"ticker() {", "ticker() { defer guard6824.Panics();",
		"reply *Reply) {", "reply *Reply) { defer guard6824.Panics();",
		"a, func() {", "a, func() { defer guard6824.Panics();",
		"go func(b int) {", "go func(b int) { defer guard6824.Panics();",
		"elect() {", "elect() { defer guard6824.Panics();").Replace(in)
	o := &Overlay{Tree: &coursetree.Tree{Own: "6.5840/"}, names: map[string]string{}, entries: map[string]bool{}}
	file := coursetree.Parse("raft/a.go", []byte(in))
	o.addEntries(file)
	if text, _ := o.instrument(file); string(text) != want {
		t.Errorf("%s\nwant:\n%s", text, want)
	}
}

// The import of sync is replaced under its name, and the locks are named. Package sync/atomic stays.
func TestInstrumentSync(t *testing.T) {
	const in = `package raft

import (
	"sync"
	s "sync"
	"sync/atomic"
)

func f() {
	rf.mu.Lock(); defer rf.mu.Unlock()
	peers[i+1].RLock()
	s.Lock(7)
}
`
	want := strings.NewReplacer(`	"sync"`, `	sync "6.5840/raftguard"`, `s "sync"`, `s "6.5840/raftguard"`).Replace(in)
	o := &Overlay{Tree: &coursetree.Tree{Own: "6.5840/"}, names: map[string]string{}}
	text, changed := o.instrument(coursetree.Parse("raft/a.go", []byte(in)))
	if !changed || string(text) != want {
		t.Errorf("changed %v:\n%s", changed, text)
	}
	if locks := map[string]string{"a.go:10": "rf.mu", "a.go:11": "peers[i+1]", "a.go:12": "s"}; !maps.Equal(o.names, locks) {
		t.Errorf("locks %q", o.names)
	}
	if text, changed := o.instrument(coursetree.Parse("raft/a.go", []byte("package raft\nfunc {"))); changed {
		t.Errorf("a file with errors was changed:\n%s", text)
	}
}
