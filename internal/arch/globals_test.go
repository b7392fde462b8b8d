package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// variable is a variable of a package.
type variable struct {
	name  string
	fixed bool // it has its value where it stands, or is embedded
}

// variables are the file's globals; those that only assert something (_) are
// none.
func variables(tree *ast.File) []variable {
	var all []variable
	for _, d := range tree.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ValueSpec) // what a var holds
			for _, name := range spec.Names {
				if name.Name != "_" {
					all = append(all, variable{name.Name, len(spec.Values) > 0 || isFS(spec.Type)})
				}
			}
		}
	}
	return all
}

// isFS: an embed.FS gets its content from the compiler.
func isFS(typ ast.Expr) bool {
	name, ok := selected(typ, "embed")
	return ok && name == "FS"
}

// changed are the names of what is outside a function and gets assigned, or
// has its address taken, in it. Names declared in the function do not count.
func changed(tree *ast.File) []string {
	var all []string
	for _, d := range tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		own := declared(fn)
		note := func(x ast.Expr) {
			if name := root(x); name != "" && !own[name] {
				all = append(all, name)
			}
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, x := range n.Lhs {
						note(x)
					}
				}
			case *ast.IncDecStmt:
				note(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					note(n.X)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, f.Name) && len(n.Args) > 0 {
					note(n.Args[0])
				}
			}
			return true
		})
	}
	return all
}

// root is the variable that an expression such as x.y[i] is a part of, or "".
func root(x ast.Expr) string {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return ""
		}
	}
}

// declared are the names that a function declares itself.
func declared(fn *ast.FuncDecl) map[string]bool {
	own := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				own[name.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, x := range n.Lhs {
					own[root(x)] = true
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				own[name.Name] = true
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				own[root(n.Key)] = true
				own[root(n.Value)] = true
			}
		}
		return true
	})
	return own
}

// TestGlobalsAreSeen: the rule finds what it is there for.
func TestGlobalsAreSeen(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
		import ("embed"; "errors"; "sync")
		var errX = errors.New("x")
		var files embed.FS
		var _ error = errX
		var mu sync.Mutex
		var table, list, n, slot = map[string]int{}, []int{1}, 0, 0
		func f(slot int) int {
			table["a"] = 1
			list[0]++
			p := &n
			slot = 3
			for i := range 3 { i++ }
			return *p
		}`, 0)
	if err != nil {
		t.Fatal(err)
	}
	var loose []string
	for _, v := range variables(tree) {
		if !v.fixed {
			loose = append(loose, v.name)
		}
	}
	if want := []string{"mu"}; !slices.Equal(loose, want) {
		t.Errorf("globals without a value: %v, want %v", loose, want)
	}
	if got, want := changed(tree), []string{"table", "list", "n"}; !slices.Equal(got, want) {
		t.Errorf("changed globals: %v, want %v", got, want)
	}
}
