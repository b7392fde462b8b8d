// Package arch holds no code: its tests keep the house in order.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/voipd/voipd"

// mayImport says which packages of the module each one may import in what is
// not a test. Arrows point at the domain, record. A new package gets a line
// here; a new arrow needs a reason.
func mayImport() map[string][]string {
	return map[string][]string{
		"record": nil,
		"ami":    {"record", "internal/link"},
		"ari":    {"record", "internal/link"},
		"store":  {"record"},
		"lab":    {"internal/torture"}, // it knows voipd only from outside

		"internal/config":                 nil,
		"internal/link":                   nil, // states and back-off are the same for AMI and ARI
		"internal/arch":                   nil,
		"internal/contract":               {"record"},
		"internal/caught":                 nil,
		"internal/pbx":                    {"ami", "ari", "record", "internal/contract", "internal/link"},
		"internal/ingest":                 {"record", "store", "internal/caught", "internal/contract"},
		"internal/backfill":               {"record", "internal/caught"},
		"internal/repair":                 {"record", "store", "internal/backfill", "internal/ingest", "internal/contract"},
		"internal/recording":              {"record", "store", "internal/caught"},
		"internal/recording/convert":      {"internal/recording"},
		"internal/recording/convert/fake": nil, // for tests
		"internal/retention":              {"record", "store", "internal/contract", "internal/recording"},
		"internal/webhook":                {"record", "store", "internal/caught", "internal/contract"},
		"internal/api":                    {"record", "store", "internal/contract", "internal/recording", "internal/recording/convert", "internal/trace"},
		"internal/ship":                   {"store", "internal/caught", "internal/contract"},
		"internal/centre":                 {"record", "store", "internal/api", "internal/contract", "internal/recording", "internal/web"}, // the edge's API and page over its own rows
		"internal/systemd":                nil,
		"internal/web":                    nil, // the page; it knows the API as a browser does
		"internal/trace":                  {"record"},
		"internal/capture":                {"ami", "ari", "record", "internal/backfill", "internal/trace"},
		"internal/doctor":                 {"ami", "ari", "record", "internal/link", "internal/pbx"},
		"internal/databases":              nil,        // servers for tests
		"internal/fixture":                {"record"}, // for tests
		"internal/torture":                nil,        // besides, tests
		"internal/numbers":                {"record", "internal/config"},
		"internal/setup":                  {"ami", "internal/config", "internal/link"},
		"internal/sim":                    {"ami"},

		"integrations/brix": nil, // tests only
		"packaging":         nil, // tests only
		"internal/clients":  nil, // tests only

		// It wires the parts, and knows neither which interface a PBX speaks nor a
		// single message of it.
		"internal/daemon": {"record", "store", "internal/api", "internal/backfill", "internal/config", "internal/contract", "internal/ingest", "internal/numbers", "internal/pbx",
			"internal/recording", "internal/recording/convert", "internal/repair", "internal/retention", "internal/ship", "internal/systemd", "internal/web", "internal/webhook"},
		"cmd/voipd": {"*"},
	}
}

// pure is all that the domain may import: nothing that does anything.
func pure() []string {
	return []string{"bytes", "cmp", "crypto/sha256", "encoding/hex", "errors", "fmt", "hash/fnv", "iter", "maps", "math", "regexp", "slices", "sort",
		"strconv", "strings", "time", "unicode", "unicode/utf8"}
}

// clock is what of package time the domain may not touch: time is what the
// events say.
func clock() []string {
	return []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local"}
}

// file is one parsed file of the module.
type file struct {
	path string // from the root, with slashes
	dir  string // its package's folder
	test bool
	tree *ast.File
}

// house is the whole module, whatever build tags.
func house(t *testing.T) (*token.FileSet, []file) {
	t.Helper()
	root := filepath.Join("..", "..")
	set := token.NewFileSet()
	var files []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		tree, err := parser.ParseFile(set, name, nil, 0)
		rel, _ := filepath.Rel(root, name) // both are relative to the same folder
		rel = filepath.ToSlash(rel)
		files = append(files, file{path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), tree: tree})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files were found under %s", len(files), root)
	}
	return set, files
}

func (f file) imports() []string {
	var all []string
	for _, spec := range f.tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // it was parsed
		}
		all = append(all, name)
	}
	return all
}

func TestArrowsPointAtTheDomain(t *testing.T) {
	allowed := mayImport()
	_, files := house(t)
	for _, f := range files {
		may, known := allowed[f.dir]
		if !known {
			t.Errorf("%s: no word about this package in mayImport: say there what it may import", f.path)
		}
		if f.test || slices.Contains(may, "*") {
			continue
		}
		for _, name := range f.imports() {
			if of, ours := strings.CutPrefix(name, module+"/"); ours && !slices.Contains(may, of) {
				t.Errorf("%s imports %s; %s may import only %v", f.path, of, f.dir, may)
			}
		}
	}
}

func TestDomainIsPure(t *testing.T) {
	_, files := house(t)
	for _, f := range files {
		if f.dir != "record" || f.test {
			continue
		}
		for _, name := range f.imports() {
			if !slices.Contains(pure(), name) {
				t.Errorf("%s imports %s, which is not among the pure packages", f.path, name)
			}
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if name, ok := selected(n, "time"); ok && slices.Contains(clock(), name) {
				t.Errorf("%s uses time.%s: the domain has no clock", f.path, name)
			}
			if _, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s starts a goroutine", f.path)
			}
			return true
		})
	}
}

// selected tells whether n is pkg.Name, and gives the name.
func selected(n ast.Node, pkg string) (name string, ok bool) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || x.Name != pkg {
		return "", false
	}
	return s.Sel.Name, true
}

func TestSizes(t *testing.T) {
	const longestFile, longestFunction = 400, 60
	set, files := house(t)
	for _, f := range files {
		if f.test {
			continue
		}
		if lines := set.File(f.tree.Pos()).LineCount(); lines > longestFile {
			t.Errorf("%s has %d lines, more than %d: it holds more than one idea", f.path, lines, longestFile)
		}
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !isTable(fn) {
				if lines := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; lines > longestFunction {
					t.Errorf("%s: %s has %d lines, more than %d", f.path, fn.Name.Name, lines, longestFunction)
				}
			}
		}
	}
}

// isTable tells whether a function is nothing but a table: it returns a value
// that stands there.
func isTable(fn *ast.FuncDecl) bool {
	if fn.Body == nil || len(fn.Body.List) != 1 {
		return false
	}
	ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	_, ok = ret.Results[0].(*ast.CompositeLit)
	return ok
}

// TestNoSleeping: a test that sleeps is slow on good days and fails on bad
// ones; testing/synctest and channels do it right. The laboratory waits for a
// real PBX.
func TestNoSleeping(t *testing.T) {
	_, files := house(t)
	for _, f := range files {
		if !f.test || f.dir == "lab" {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if name, ok := selected(n, "time"); ok && name == "Sleep" {
				t.Errorf("%s sleeps", f.path)
			}
			return true
		})
	}
}

func TestNoInit(t *testing.T) {
	_, files := house(t)
	for _, f := range files {
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init: what a package does, it does when it is asked", f.path)
			}
		}
	}
}

// TestNoMutableGlobals: a variable of a package may only be a constant that Go
// has no word for: given its value where it stands, and never changed.
func TestNoMutableGlobals(t *testing.T) {
	_, files := house(t)
	packages := map[string][]file{}
	for _, f := range files {
		if !f.test {
			packages[f.dir] = append(packages[f.dir], f)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		globals := map[string]bool{}
		for _, f := range packages[dir] {
			for _, v := range variables(f.tree) {
				if !v.fixed {
					t.Errorf("%s: the global %s has no value where it stands, so it must get one later", f.path, v.name)
				}
				globals[v.name] = true
			}
		}
		for _, f := range packages[dir] {
			for _, name := range changed(f.tree) {
				if globals[name] {
					t.Errorf("%s changes the global %s", f.path, name)
				}
			}
		}
	}
}
