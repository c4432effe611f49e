package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Package raft compiles with each mutant, its tests too.
func TestTableCompiles(t *testing.T) {
	c, err := newTypeChecker("../../raft")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check(c.files); err != nil {
		t.Fatalf("without a mutant: %v", err)
	}
	mutants := make(chan mutant)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for m := range mutants {
				if err := c.checkMutant(m); err != nil {
					t.Errorf("%s: %v", m.name, err)
				}
			}
		})
	}
	for _, m := range table {
		mutants <- m
	}
	close(mutants)
	workers.Wait()
}

// The check finds a mistake in a function's body, and in another file if a declaration has changed.
func TestTypeChecker(t *testing.T) {
	c, err := newTypeChecker("testdata/toy/raft")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{"return 2 * n", "return n", ""},
		{"return 2 * n", "return unknown", "raft.go:5:9: undefined: unknown"},
		{"return 2 * n", "m := n; return n", "raft.go:5:2: declared and not used: m"},
		{"double(n int)", "triple(n int)", "raft_test.go:21:6: undefined: double"},
	} {
		err := c.checkMutant(mutant{edits: []edit{{"raft.go", test.old, test.new}}})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: error %q, want %q", test.new, got, test.want)
		}
	}
}

// A typeChecker type-checks one package with edited files, which takes milliseconds where the compiler takes seconds. Its
// methods are safe for concurrent use.
type typeChecker struct {
	dir     string
	path    string // import path
	fset    *token.FileSet
	imports imports
	files   sources // of the package and of its tests in the same package, unedited
	bare    sources // of the package: copies without the functions' bodies
}

// sources holds files by name.
type sources map[string]*ast.File

// imports holds the packages that the files import, by import path.
type imports map[string]*types.Package

// Import returns the package with this import path.
func (i imports) Import(path string) (*types.Package, error) {
	if p := i[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("no unedited file imports %q", path)
}

func newTypeChecker(dir string) (*typeChecker, error) {
	var pkg struct {
		ImportPath                                 string
		GoFiles, TestGoFiles, Imports, TestImports []string
	}
	listed, err := goList(dir, "-json=ImportPath,GoFiles,TestGoFiles,Imports,TestImports")
	if err == nil {
		err = json.Unmarshal(listed, &pkg)
	}
	if err != nil {
		return nil, err
	}
	c := &typeChecker{dir: dir, path: pkg.ImportPath, fset: token.NewFileSet(), files: make(sources), bare: make(sources)}
	for _, name := range slices.Concat(pkg.GoFiles, pkg.TestGoFiles) {
		source, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if c.files[name], err = c.parse(name, string(source)); err != nil {
			return nil, err
		}
	}
	for _, name := range pkg.GoFiles {
		c.bare[name] = withoutBodies(c.files[name])
	}
	return c, c.load(slices.Concat(pkg.Imports, pkg.TestImports))
}

// load reads the compiled packages with these import paths.
func (c *typeChecker) load(paths []string) error {
	exported, err := goList(c.dir, append([]string{"-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, paths...)...)
	if err != nil {
		return err
	}
	fileOf := make(map[string]string)
	for line := range strings.Lines(string(exported)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		fileOf[path] = file
	}
	imp := importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(fileOf[path]) })
	c.imports = make(imports)
	for _, path := range paths {
		if c.imports[path], err = imp.Import(path); err != nil {
			return err
		}
	}
	return nil
}

func (c *typeChecker) parse(name, source string) (*ast.File, error) {
	return parser.ParseFile(c.fset, name, source, parser.SkipObjectResolution)
}

// withoutBodies returns a copy of file without the functions' bodies.
func withoutBodies(file *ast.File) *ast.File {
	bare := *file
	bare.Decls = slices.Clone(file.Decls)
	for k, decl := range bare.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			head := *f
			head.Body = nil
			bare.Decls[k] = &head
		}
	}
	return &bare
}

// checkMutant returns an error unless the package compiles with m. It checks the files that m does not edit only if m
// changes a declaration, since otherwise they still compile.
func (c *typeChecker) checkMutant(m mutant) error {
	contents, err := m.mutate(c.dir)
	if err != nil {
		return err
	}
	edited, files := make(sources), c.bare
	for name, source := range contents {
		if edited[name], err = c.parse(name, source); err != nil {
			return err
		}
		if c.print(withoutBodies(edited[name])) != c.print(c.bare[name]) {
			files = c.files
		}
	}
	files = maps.Clone(files)
	maps.Copy(files, edited)
	return c.check(files)
}

// print returns the source text of file.
func (c *typeChecker) print(file *ast.File) string {
	var b strings.Builder
	format.Node(&b, c.fset, file)
	return b.String()
}

// check returns the first error in the package that consists of these files. It does not count errors in a file without
// bodies, such as the unused imports.
func (c *typeChecker) check(files sources) (first error) {
	ignored := make(map[string]bool)
	for name, file := range files {
		ignored[name] = file == c.bare[name]
	}
	config := types.Config{Importer: c.imports, Error: func(err error) {
		if e, ok := err.(types.Error); first == nil && !(ok && ignored[c.fset.Position(e.Pos).Filename]) {
			first = err
		}
	}}
	config.Check(c.path, c.fset, slices.Collect(maps.Values(files)), nil)
	return first
}

// goList returns what go list prints in dir.
func goList(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("go list: %w\n%s", err, exit.Stderr)
	}
	return out, err
}
