package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// A loop that waits for another goroutine and calls no function that the host listens to would run for ever: nothing in it
// can yield. So the tests are built with an overlay in which each loop of the packages under test, unless these come from the
// module cache, counts its iterations down and calls an empty function at the end. The host listens to that function, makes
// the goroutine yield, and sets the counter to a new random number. Lines keep their numbers.
const (
	loopCounter  = "replayCounter_"
	loopFunction = "replayTurn_"
	loopCode     = " if %[1]s--; %[1]s < 0 { %[2]s(&%[1]s) }; "
	loopDecl     = "\n\nvar %[1]s int\n\n//go:noinline\nfunc %[2]s(n *int) {\n\tif *n < 0 {\n\t\t%[2]s(n)\n\t}\n}\n"

	meanIterations = 1000                  // between two turns
	maxTurn        = 20 * time.Microsecond // the longest time that they take
	offsetArgument = 8                     // of the first argument from the stack pointer when a function begins
)

// overlayLoops writes an overlay for the given source files, on top of the overlay file base unless that is "". It returns
// the overlay's file name.
func overlayLoops(files []string, base, scratch string) (string, error) {
	o := replacements{map[string]string{}}
	if err := o.read(base); err != nil {
		return "", err
	}
	dir := filepath.Join(scratch, "loops")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for i, name := range files {
		actual, replaced := o.Replace[name]
		if !replaced {
			actual = name
		}
		src, err := os.ReadFile(actual)
		if err != nil {
			return "", err
		}
		changed := countLoops(filepath.Base(name), src)
		if changed == nil {
			continue
		}
		o.Replace[name] = filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(o.Replace[name], changed, 0o600); err != nil {
			return "", err
		}
	}
	name := filepath.Join(scratch, "loops.json")
	return name, o.write(name)
}

// countLoops returns the source file with counting loops, or nil if it has no loops or is not valid.
func countLoops(base string, src []byte) []byte {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, base, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil // the compiler will say why
	}
	var at []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return !isNosplit(n)
		case *ast.ForStmt:
			at = append(at, n.Body.Lbrace+1)
		case *ast.RangeStmt:
			at = append(at, n.Body.Lbrace+1)
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				at = append(at, n.Pos())
			}
		}
		return true
	})
	if len(at) == 0 {
		return nil
	}
	slices.Sort(at)
	hash := fnv.New32()
	hash.Write([]byte(base)) // the names need only differ within a package
	suffix := fmt.Sprintf("%x", hash.Sum32())
	var out []byte
	done := 0
	for _, pos := range at {
		offset := fset.File(pos).Offset(pos)
		out = append(out, src[done:offset]...)
		out = fmt.Appendf(out, loopCode, loopCounter+suffix, loopFunction+suffix)
		done = offset
	}
	out = append(out, src[done:]...)
	return fmt.Appendf(out, loopDecl, loopCounter+suffix, loopFunction+suffix)
}

// isNosplit reports whether a function must not yield.
func isNosplit(f *ast.FuncDecl) bool {
	return f.Doc != nil && slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:nosplit")
	})
}

// turn handles that the counter of a loop has run out. The iterations have taken some time, too.
func (h *host) turn(mem api.Memory, g, sp uint32) {
	counter, ok := mem.ReadUint64Le(sp + offsetArgument)
	if !ok {
		return
	}
	// The function begins again after it has yielded. Then the counter is already set.
	if left, ok := mem.ReadUint64Le(uint32(counter)); ok && int64(left) < 0 {
		mem.WriteUint64Le(uint32(counter), uint64(h.preempt.rand.IntN(2*meanIterations)))
		h.note('l', h.advance(maxTurn))
		h.preempt.yield(mem, g)
	}
}
