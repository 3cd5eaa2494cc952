package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// House measures.
const (
	maxFile         = 400 // lines
	maxTestFile     = 600 // a test may tell a longer story
	maxFunction     = 60
	maxMedian       = 12
	maxDependencies = 35 // direct ones
)

// source is one Go file of ours.
type source struct {
	path  string
	file  *ast.File
	lines int
	fset  *token.FileSet
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) length(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "node_modules" || name == "testdata" || len(name) > 2 && name[0] == '.') {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{strings.TrimPrefix(path, "../../../"), f, fset.File(f.Pos()).LineCount(), fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSizes(t *testing.T) {
	var lengths []int
	for _, s := range sources(t) {
		limit := maxFile
		if s.isTest() {
			limit = maxTestFile
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, at most %d", s.path, s.lines, limit)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := s.length(f)
			if n > maxFunction {
				t.Errorf("%s: %s has %d lines, at most %d", s.path, f.Name.Name, n, maxFunction)
			}
			if !s.isTest() {
				lengths = append(lengths, n)
			}
		}
	}
	slices.Sort(lengths)
	median, p90 := lengths[len(lengths)/2], lengths[len(lengths)*9/10]
	t.Logf("%d functions: median %d lines, 90%% at most %d, longest %d", len(lengths), median, p90, lengths[len(lengths)-1])
	if median > maxMedian {
		t.Errorf("the median function has %d lines, at most %d", median, maxMedian)
	}
}

// TestSizesOfDocs: every exported name says what it promises, and nothing runs before main.
func TestSizesOfDocs(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s has an init function", s.path)
				}
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !known(d.Name.Name) {
					t.Errorf("%s: %s has no comment", s.path, d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(t, s, d)
			}
		}
	}
}

// known are methods that everybody knows the promise of.
func known(name string) bool { return name == "Error" || name == "String" || name == "GoString" }

// exportedReceiver is true for functions, and for methods of exported types.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.Ident:
			return y.IsExported()
		default:
			return true
		}
	}
}

func undocumented(t *testing.T, s source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if ty, ok := spec.(*ast.TypeSpec); ok && ty.Name.IsExported() && ty.Doc == nil && d.Doc == nil {
			t.Errorf("%s: %s has no comment", s.path, ty.Name.Name)
		}
	}
}

func TestSizesOfDependencies(t *testing.T) {
	b, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	direct := 0
	for _, r := range f.Require {
		if !r.Indirect {
			direct++
		}
	}
	if t.Logf("%d direct dependencies", direct); direct > maxDependencies {
		t.Errorf("%d direct dependencies, at most %d", direct, maxDependencies)
	}
}
