package overlay

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"6.824/cmd/coursetree"
)

// Names that the instrumented files import and declare. They must not be the student's.
const (
	guardName = "guard6824"
	loopName  = "loop6824"
)

// An edit inserts text into a file, in place of a number of bytes.
type edit struct {
	at, length int
	text       string
}

// instrumenter edits one file. No edit changes a line number, so that messages and stack traces name the student's lines.
type instrumenter struct {
	set     *token.FileSet
	parsed  *ast.File
	text    string
	name    string // of the file, without its directory
	edits   []edit
	locks   map[string]string
	entries map[string]bool
}

// newInstrumenter returns an instrumenter of a file, or nil if the file has syntax errors.
func newInstrumenter(f *coursetree.File) *instrumenter {
	in := &instrumenter{set: token.NewFileSet(), text: string(f.Text), name: path.Base(f.Name)}
	var err error
	if in.parsed, err = parser.ParseFile(in.set, in.name, f.Text, parser.SkipObjectResolution); err != nil {
		return nil
	}
	return in
}

// instrument returns the text of a student's file with the guard's locks in place of those of sync, and with calls at the
// heads of loops and entries. A file with syntax errors stays as it is, for the compiler to report them.
func (o *Overlay) instrument(f *coursetree.File) (text []byte, changed bool) {
	in := newInstrumenter(f)
	if in == nil {
		return nil, false
	}
	in.locks, in.entries = o.names, o.entries
	guard := o.importPath("cmd/overlay/guard")
	for _, spec := range in.parsed.Imports {
		if spec.Path.Value != `"sync"` {
			continue
		}
		replacement := strconv.Quote(guard)
		if spec.Name == nil {
			replacement = "sync " + replacement
		}
		in.replace(spec.Path.Pos(), spec.Path.End(), replacement)
	}
	before := len(in.edits)
	ast.Inspect(in.parsed, in.visit)
	if len(in.edits) > before {
		in.insert(in.parsed.Name.End(), fmt.Sprintf("; import %s %q", guardName, guard))
	}
	return []byte(in.result()), len(in.edits) > 0
}

func (in *instrumenter) offset(pos token.Pos) int { return in.set.PositionFor(pos, false).Offset }

func (in *instrumenter) replace(from, to token.Pos, text string) {
	in.edits = append(in.edits, edit{in.offset(from), in.offset(to) - in.offset(from), text})
}

func (in *instrumenter) insert(at token.Pos, text string) { in.replace(at, at, text) }

// source returns the text between two positions.
func (in *instrumenter) source(from, to token.Pos) string {
	return in.text[in.offset(from):in.offset(to)]
}

// place returns the file and line of a position.
func (in *instrumenter) place(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", in.name, in.set.PositionFor(pos, false).Line)
}

func (in *instrumenter) visit(n ast.Node) bool {
	in.catch(n)
	switch n := n.(type) {
	case *ast.ForStmt:
		in.loop(n)
	case *ast.RangeStmt:
		in.head(n.Body, guardName+".Pass()")
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Lock", "RLock", "TryLock", "TryRLock"}, f.Sel.Name) {
			in.locks[in.place(f.Sel.Pos())] = in.source(f.X.Pos(), f.X.End())
		}
	}
	return true
}

// head inserts a statement at the head of a body.
func (in *instrumenter) head(body *ast.BlockStmt, statement string) {
	in.insert(body.Lbrace+1, " "+statement+";")
}

// loop lets a loop count its turns. A loop with init and post statements and a condition counts something itself.
func (in *instrumenter) loop(n *ast.ForStmt) {
	place := in.place(n.For)
	begin := fmt.Sprintf(" %s := %s.Begin(%q)", loopName, guardName, place)
	after := n.For + token.Pos(len("for"))
	switch {
	case n.Init != nil && n.Post != nil && n.Cond != nil:
		in.head(n.Body, guardName+".Pass()")
		return
	case n.Init != nil:
		in.head(n.Body, fmt.Sprintf("%s.Turn(%q)", guardName, place))
		return
	case n.Cond == nil && n.Post == nil && !in.hasSemicolon(after, n.Body.Lbrace):
		in.insert(after, begin+";;")
	case n.Cond != nil && n.Post == nil && !in.hasSemicolon(after, n.Cond.Pos()):
		in.insert(after, begin+";")
		in.insert(n.Cond.End(), ";")
	default: // for ; cond; post
		in.insert(after, begin)
	}
	in.head(n.Body, loopName+".Turn()")
}

// hasSemicolon reports whether there is a semicolon between two positions, where no statement is.
func (in *instrumenter) hasSemicolon(from, to token.Pos) bool {
	for line := range strings.Lines(in.source(from, to)) {
		line, _, _ = strings.Cut(line, "//")
		if strings.Contains(line, ";") {
			return true
		}
	}
	return false
}

// result returns the edited text.
func (in *instrumenter) result() string {
	slices.SortStableFunc(in.edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	done := 0
	for _, e := range in.edits {
		b.WriteString(in.text[done:e.at])
		b.WriteString(e.text)
		done = e.at + e.length
	}
	b.WriteString(in.text[done:])
	return b.String()
}
