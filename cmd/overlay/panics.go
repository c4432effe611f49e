package overlay

import (
	"go/ast"

	"6.824/cmd/coursetree"
)

// Where a panic of a student's Raft can end the process: in a function that runs in a goroutine of its own, or that the
// network calls. There the guard is told first.

// addEntries adds to o.entries the names of the functions of a file that go statements and timers call.
func (o *Overlay) addEntries(f *coursetree.File) {
	in := newInstrumenter(f)
	if in == nil {
		return
	}
	ast.Inspect(in.parsed, func(n ast.Node) bool {
		if called := entered(n); called != nil {
			o.entries[functionName(called)] = true
		}
		return true
	})
}

// entered returns the function that a node starts in a goroutine of its own, or nil.
func entered(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.GoStmt:
		return n.Call.Fun
	case *ast.CallExpr: // time.AfterFunc(d, f)
		if len(n.Args) == 2 && functionName(n.Fun) == "AfterFunc" {
			return n.Args[1]
		}
	}
	return nil
}

// functionName returns the name of a function or method, without its package or receiver, or "".
func functionName(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// catch lets the guard see the panics of a node's function, if it is an entry.
func (in *instrumenter) catch(n ast.Node) {
	var body *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		if in.entries[n.Name.Name] || isHandler(n) {
			body = n.Body
		}
	default:
		if literal, ok := entered(n).(*ast.FuncLit); ok {
			body = literal.Body
		}
	}
	if body != nil {
		in.head(body, "defer "+guardName+".Panics()")
	}
}

// isHandler reports whether a function has the shape of an RPC handler: an exported method of two arguments, the reply a
// pointer, and no result.
func isHandler(f *ast.FuncDecl) bool {
	if f.Recv == nil || !f.Name.IsExported() || f.Type.Results != nil {
		return false
	}
	fields := f.Type.Params.List
	if f.Type.Params.NumFields() != 2 {
		return false
	}
	_, pointer := fields[len(fields)-1].Type.(*ast.StarExpr)
	return pointer
}
