package main

import (
	"cmp"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"strings"
)

// The Go linker writes no debug information for wasm. So -trace type-checks the packages under test itself, to learn where
// the arguments of a function are and what they hold.

// layout says how a value lies in memory.
type layout struct {
	Kind    types.BasicKind // of a basic type, or Invalid
	Shape   shape           // of any other type
	Size    int64
	Fields  []field // of a structure
	Methods bool    // an interface has some
	Elem    *layout // of a pointer or slice; nil if it is not shown
}

type shape int

const (
	shapeBasic shape = iota
	shapeStruct
	shapePointer
	shapeSlice
	shapeMap
	shapeInterface
	shapeOpaque // not shown
)

// field is a field of a structure, or a parameter of a function at its offset from the first one.
type field struct {
	Name   string
	Offset int64
	Type   *layout
}

// signature says where a function's parameters and results are.
type signature struct{ Params, Results []field }

// maxDepth bounds how many pointers deep a trace shows values: the receiver, and what its fields point to is not shown.
const maxDepth = 1

var wasmSizes = types.SizesFor("gc", "wasm")

// checker type-checks packages. It implements types.Importer.
type checker struct {
	fset   *token.FileSet
	local  map[string]*types.Package // the checked ones
	others types.Importer            // for the standard library
}

// signatures returns the signatures of the functions of those of pkgs that are not in the standard library, by the functions'
// names in traces. Replace is that of the overlay.
func signatures(pkgs []listedPackage, replace map[string]string) (map[string]signature, error) {
	exports := map[string]string{}
	for _, p := range pkgs {
		exports[p.ImportPath] = p.Export
	}
	c := &checker{fset: token.NewFileSet(), local: map[string]*types.Package{}}
	c.others = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	found := map[string]signature{}
	for _, p := range pkgs {
		if p.Standard || p.isMain() {
			continue
		}
		var files []*ast.File
		for _, name := range p.paths() {
			f, err := parser.ParseFile(c.fset, cmp.Or(replace[name], name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
		c.check(p.name(), files, found)
	}
	return found, nil
}

// check type-checks a package and adds its functions to found. The compiler has reported all errors that matter.
func (c *checker) check(path string, files []*ast.File, found map[string]signature) {
	info := types.Info{Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: c, Sizes: wasmSizes, Error: func(error) {}}
	c.local[path], _ = config.Check(path, c.fset, files, &info)
	for _, object := range info.Defs {
		f, ok := object.(*types.Func)
		if !ok || f.Signature().TypeParams() != nil || f.Signature().RecvTypeParams() != nil {
			continue
		}
		if recv := f.Signature().Recv(); recv == nil || !types.IsInterface(recv.Type()) {
			found[traceName(f)] = c.signature(f.Signature())
		}
	}
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if p := c.local[path]; p != nil {
		return p, nil
	}
	return c.others.Import(path)
}

// traceName returns the name that the linker gives to a function, as entry.name spells it.
func traceName(f *types.Func) string {
	name := f.FullName()
	if recv := f.Signature().Recv(); recv != nil { // (*p.T).M is p.(*T).M
		path := f.Pkg().Path() + "."
		if rest, ok := strings.CutPrefix(name, "(*"+path); ok {
			return path + "(*" + rest
		}
		return strings.NewReplacer("(", "", ")", "").Replace(name)
	}
	return name
}

// signature lays out parameters and then results one after the other, as the compiler does for wasm.
func (c *checker) signature(s *types.Signature) signature {
	var vars []*types.Var
	if s.Recv() != nil {
		vars = append(vars, s.Recv())
	}
	for v := range s.Params().Variables() {
		vars = append(vars, v)
	}
	inputs := len(vars)
	for v := range s.Results().Variables() {
		vars = append(vars, v)
	}
	var offset int64
	var all []field
	for i, v := range vars {
		align := wasmSizes.Alignof(v.Type())
		if i == inputs {
			align = wasmSizes.Sizeof(types.Typ[types.Uintptr])
		}
		offset = (offset + align - 1) &^ (align - 1)
		all = append(all, field{v.Name(), offset, c.layout(v.Type(), 0)})
		offset += wasmSizes.Sizeof(v.Type())
	}
	return signature{all[:inputs], all[inputs:]}
}

// layout describes a type, depth pointers below an argument.
func (c *checker) layout(t types.Type, depth int) *layout {
	l := &layout{Size: wasmSizes.Sizeof(t), Shape: shapeOpaque}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		l.Shape, l.Kind = shapeBasic, u.Kind()
	case *types.Pointer:
		l.Shape = shapePointer
		if depth < maxDepth {
			l.Elem = c.layout(u.Elem(), depth+1)
		}
	case *types.Slice:
		l.Shape = shapeSlice
		if _, pointer := u.Elem().Underlying().(*types.Pointer); !pointer && depth <= maxDepth {
			l.Elem = c.layout(u.Elem(), depth+1)
		}
	case *types.Map:
		l.Shape = shapeMap
	case *types.Interface:
		l.Shape, l.Methods = shapeInterface, u.NumMethods() > 0
	case *types.Struct:
		if c.opaque(t) || depth > maxDepth+1 {
			return l
		}
		l.Shape = shapeStruct
		fields := make([]*types.Var, u.NumFields())
		for i := range fields {
			fields[i] = u.Field(i)
		}
		for i, offset := range wasmSizes.Offsetsof(fields) {
			if inner := c.layout(fields[i].Type(), depth); inner.Shape != shapeOpaque && fields[i].Name() != "_" {
				l.Fields = append(l.Fields, field{fields[i].Name(), offset, inner})
			}
		}
	}
	return l
}

// opaque reports whether a structure's fields are of no interest: those of the standard library, except for atomic values.
func (c *checker) opaque(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	path := named.Obj().Pkg().Path()
	return c.local[path] == nil && path != "sync/atomic"
}
