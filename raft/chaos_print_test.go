package raft

// How a scenario is printed as a Go test.

import (
	"fmt"
	"go/format"
	"strings"
	"time"
)

// goTest returns the source of a test function that plays the scenario, in gofmt's format. It needs the imports of
// chaos_test.go.
func (s *scenario) goTest(name string) (string, error) {
	source, err := format.Source([]byte(fmt.Sprintf("func %s(t *testing.T) {\nplayChaos(t, %s)\n}\n", name, s.goLiteral())))
	return string(source), err
}

// goLiteral returns the scenario as a composite literal.
func (s *scenario) goLiteral() string {
	var b strings.Builder
	b.WriteString("scenario{\n")
	fields := literal{separator: ",\n", b: &b}
	fields.add(true, "servers", s.servers)
	fields.add(s.whole, "whole", s.whole)
	fields.add(s.snapshots, "snapshots", s.snapshots)
	fields.add(s.slowReaders, "slowReaders", s.slowReaders)
	fields.add(s.longDelays, "longDelays", s.longDelays)
	fields.add(s.seed != 0, "seed", s.seed)
	fields.add(strings.Join(s.options, "") != "", "options", fmt.Sprintf("%#v", s.options))
	b.WriteString("faults: []fault{\n")
	for i := range s.faults {
		b.WriteString(s.faults[i].goLiteral() + ",\n")
	}
	b.WriteString("},\n}")
	return b.String()
}

// goLiteral returns the fault as an element of a composite literal.
func (f *fault) goLiteral() string {
	var b strings.Builder
	fields := literal{separator: ", ", b: &b}
	server, to := f.kind.names()
	fields.add(true, "kind", f.kind)
	fields.add(server, "server", f.server)
	fields.add(to, "to", f.to)
	fields.add(f.options != "", "options", fmt.Sprintf("%q", f.options))
	fields.add(f.commands != "", "commands", fmt.Sprintf("%q", f.commands))
	fields.add(f.pause != 0, "pause", goDuration(f.pause))
	return "{" + strings.TrimSuffix(b.String(), fields.separator) + "}"
}

// A literal writes the fields of a composite literal.
type literal struct {
	separator string
	b         *strings.Builder
}

// add writes a field if wanted is true. The value must print as a Go expression.
func (l *literal) add(wanted bool, name string, value any) {
	if wanted {
		fmt.Fprintf(l.b, "%s: %v%s", name, value, l.separator)
	}
}

// goDuration returns a pause as a Go expression. A pause must be a whole number of microseconds.
func goDuration(d time.Duration) string {
	if d%time.Millisecond != 0 {
		return fmt.Sprintf("%d * time.Microsecond", d.Microseconds())
	}
	return fmt.Sprintf("%d * time.Millisecond", d.Milliseconds())
}
