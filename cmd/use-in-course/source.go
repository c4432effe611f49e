package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A goFile is what the plan needs to know about a Go file.
type goFile struct {
	name    string // path within the tree, with slashes
	text    []byte
	clause  string          // the package's name
	imports []importSpec    // in the file's order
	names   map[string]bool // declared at the top level; a method as Type.Method
	uses    map[string]bool // identifiers that the file itself does not declare
}

// An importSpec is the path of an import and where it stands in the file, quotes included.
type importSpec struct {
	path     string
	from, to int
}

func (f *goFile) hasImport(path string) bool {
	return slices.ContainsFunc(f.imports, func(i importSpec) bool { return i.path == path })
}

func (f *goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// goFiles returns the names of the Go files in dir.
func goFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if n := e.Name(); !e.IsDir() && strings.HasSuffix(n, ".go") && n[0] != '.' && n[0] != '_' {
			names = append(names, n)
		}
	}
	return names, err
}

// readPackage parses the Go files in a directory of root. A file with errors is parsed as far as possible.
func readPackage(root, dir string) ([]*goFile, error) {
	names, err := goFiles(filepath.Join(root, dir))
	if err != nil {
		return nil, err
	}
	var files []*goFile
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // such as a symbolic link that leads nowhere
			return nil, err
		}
		files = append(files, parse(path.Join(dir, name), text))
	}
	return files, nil
}

func parse(name string, text []byte) *goFile {
	f := &goFile{name: name, text: text, names: map[string]bool{}, uses: map[string]bool{}}
	set := token.NewFileSet()
	parsed, _ := parser.ParseFile(set, name, text, 0)
	if parsed == nil {
		return f
	}
	f.clause = parsed.Name.Name
	for _, spec := range parsed.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			f.imports = append(f.imports, importSpec{p, set.Position(spec.Path.Pos()).Offset, set.Position(spec.Path.End()).Offset})
		}
	}
	for _, d := range parsed.Decls {
		f.declare(d)
	}
	for _, id := range parsed.Unresolved {
		f.uses[id.Name] = true
	}
	return f
}

// declare adds the names that d declares.
func (f *goFile) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil && len(d.Recv.List) > 0 {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		f.names[name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				f.names[spec.Name.Name] = true
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					f.names[id.Name] = true
				}
			}
		}
	}
	delete(f.names, "_")
	delete(f.names, "init")
}

func receiver(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func hasClause(files []*goFile, name string) bool {
	return slices.ContainsFunc(files, func(f *goFile) bool { return f.clause == name })
}

func declares(files []*goFile, name string) bool {
	return slices.ContainsFunc(files, func(f *goFile) bool { return f.names[name] })
}

// libraryModule is the path of this repository's module.
const libraryModule = "6.824"

// libraryDir returns the root of this repository: the source of this command is two directories below.
func libraryDir() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	if !filepath.IsAbs(file) || !isFile(filepath.Join(root, "raft", "raft.go")) {
		return "", fmt.Errorf("the library's source is not at %s: run this command in its repository, without -trimpath", root)
	}
	return root, nil
}

// forTree returns the text of a file of the library with the import paths of a tree, in which package raft is in the
// directory raft. It also lets the file be compiled by the rules of Go 1.25, whatever go.mod says.
func (f *goFile) forTree(prefix, raft string) []byte {
	text := string(f.text)
	for _, spec := range slices.Backward(f.imports) {
		rest, ours := strings.CutPrefix(spec.path, libraryModule+"/")
		if !ours {
			continue
		}
		if rest == "raft" {
			rest = raft
		}
		text = text[:spec.from] + strconv.Quote(prefix+rest) + text[spec.to:]
	}
	return []byte(withVersion(text))
}

// withVersion adds go1.25 to the build constraint of a Go file.
func withVersion(text string) string {
	const version = "go1.25"
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "package ") {
			break
		}
		if !constraint.IsGoBuild(line) {
			continue
		}
		if strings.Contains(line, version) {
			return text
		}
		expr := strings.TrimSpace(strings.TrimPrefix(line, "//go:build"))
		return strings.Replace(text, line, "//go:build "+version+" && ("+expr+")\n", 1)
	}
	return "//go:build " + version + "\n\n" + text
}
