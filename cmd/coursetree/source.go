package coursetree

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

// A File is a Go file, and what an installation needs to know about it.
type File struct {
	Name    string // path within the tree, with slashes
	Text    []byte
	Clause  string          // the package's name
	Imports []Import        // in the file's order
	Names   map[string]bool // declared at the top level; a method as Type.Method
	Uses    map[string]bool // identifiers that the file itself does not declare
}

// An Import is the path of an import and where it stands in the file, quotes included.
type Import struct {
	Path     string
	From, To int
}

// HasImport reports whether f imports the package with this path.
func (f *File) HasImport(path string) bool {
	return slices.ContainsFunc(f.Imports, func(i Import) bool { return i.Path == path })
}

// IsTest reports whether f is a file of tests by its name.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Name, "_test.go") }

// GoFiles returns the names of the Go files in dir.
func GoFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if n := e.Name(); !e.IsDir() && strings.HasSuffix(n, ".go") && n[0] != '.' && n[0] != '_' {
			names = append(names, n)
		}
	}
	return names, err
}

// ReadPackage parses the Go files in a directory of root. A file with errors is parsed as far as possible.
func ReadPackage(root, dir string) ([]*File, error) {
	names, err := GoFiles(filepath.Join(root, dir))
	if err != nil {
		return nil, err
	}
	var files []*File
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // such as a symbolic link that leads nowhere
			return nil, err
		}
		files = append(files, Parse(path.Join(dir, name), text))
	}
	return files, nil
}

// Parse parses a Go file as far as possible. The name is its path within the tree.
func Parse(name string, text []byte) *File {
	f := &File{Name: name, Text: text, Names: map[string]bool{}, Uses: map[string]bool{}}
	set := token.NewFileSet()
	parsed, _ := parser.ParseFile(set, name, text, 0)
	if parsed == nil {
		return f
	}
	f.Clause = parsed.Name.Name
	for _, spec := range parsed.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			f.Imports = append(f.Imports, Import{p, set.Position(spec.Path.Pos()).Offset, set.Position(spec.Path.End()).Offset})
		}
	}
	for _, d := range parsed.Decls {
		f.declare(d)
	}
	for _, id := range parsed.Unresolved {
		f.Uses[id.Name] = true
	}
	return f
}

// declare adds the names that d declares.
func (f *File) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil && len(d.Recv.List) > 0 {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		f.Names[name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				f.Names[spec.Name.Name] = true
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					f.Names[id.Name] = true
				}
			}
		}
	}
	delete(f.Names, "_")
	delete(f.Names, "init")
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

// HasClause reports whether one of these files is of the package with this name.
func HasClause(files []*File, name string) bool {
	return slices.ContainsFunc(files, func(f *File) bool { return f.Clause == name })
}

// Declares reports whether one of these files declares the name.
func Declares(files []*File, name string) bool {
	return slices.ContainsFunc(files, func(f *File) bool { return f.Names[name] })
}

// LibraryModule is the path of this repository's module.
const LibraryModule = "6.824"

// LibraryDir returns the root of this repository: the source of this package is two directories below.
func LibraryDir() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	if !filepath.IsAbs(file) || !isFile(filepath.Join(root, "raft", "raft.go")) {
		return "", fmt.Errorf("the library's source is not at %s: run the command in its repository, without -trimpath", root)
	}
	return root, nil
}

// ForTree returns the text of a file of the library with the import paths of a tree, in which package raft is in the
// directory raft. It also lets the file be compiled by the rules of Go 1.25, whatever go.mod says.
func (f *File) ForTree(prefix, raft string) []byte {
	text := string(f.Text)
	for _, spec := range slices.Backward(f.Imports) {
		rest, ours := strings.CutPrefix(spec.Path, LibraryModule+"/")
		if !ours {
			continue
		}
		if rest == "raft" {
			rest = raft
		}
		text = text[:spec.From] + strconv.Quote(prefix+rest) + text[spec.To:]
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
