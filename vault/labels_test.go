package vault

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sources are the program's own files, by the folder they lie in.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	out, set := map[string][]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err == nil {
			out[f.Name.Name] = append(out[f.Name.Name], f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// texts are the constants of a package that are texts, by name.
func texts(files []*ast.File) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			for i := 0; ok && i < min(len(spec.Names), len(spec.Values)); i++ {
				if text, whole := textOf(spec.Values[i], nil, nil); whole {
					out[spec.Names[i].Name] = text
				}
			}
			return true
		})
	}
	return out
}

// textOf is what an expression says, and whether that is all of it; "" where nothing is known of it.
func textOf(e ast.Expr, own map[string]string, all map[string]map[string]string) (text string, whole bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, whole = own[e.Name]
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			text, whole = all[of.Name][e.Sel.Name]
		}
	case *ast.BinaryExpr:
		before, whole := textOf(e.X, own, all)
		if !whole || e.Op != token.ADD {
			return before, false
		}
		after, whole := textOf(e.Y, own, all)
		return before + after, whole
	}
	return text, whole
}

// ofVault tells whether a call is one of the methods of a vault that make a key of a label.
func ofVault(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"MAC", "Tokens", "Numbers"}, method.Sel.Name) {
		return false
	}
	of := ""
	switch x := method.X.(type) {
	case *ast.Ident:
		of = x.Name
	case *ast.SelectorExpr:
		of = x.Sel.Name
	}
	return of == "v" || strings.EqualFold(of, "vault")
}

// TestEveryLabelLasts: each label that a vault is asked to make a key of, whether it stands there, is a constant or is put together
// of both, is one that a rotation takes along; another panics when it is used first. Of a label that ends in what is known only
// when the program runs, the beginning must be one of those; one of which nothing is known is refused.
func TestEveryLabelLasts(t *testing.T) {
	packages, all, found := sources(t), map[string]map[string]string{}, 0
	for name, files := range packages {
		all[name] = texts(files)
	}
	for name, files := range packages {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !ofVault(call) || len(call.Args) == 0 {
					return true
				}
				found++
				kind := macLabel
				if call.Fun.(*ast.SelectorExpr).Sel.Name == "Numbers" {
					kind = numbersLabel
				}
				if label, whole := textOf(call.Args[0], all[name], all); !lasts(kind+label, whole) || label == "" {
					t.Errorf("package %s makes a key of %q", name, label)
				}
				return true
			})
		}
	}
	if found < 25 {
		t.Errorf("only %d labels are seen", found)
	}
}

// lasts tells whether a label is declared, or the beginning of one that is.
func lasts(label string, whole bool) bool {
	return slices.ContainsFunc(lasting(), func(l string) bool { return l == label || !whole && strings.HasPrefix(l, label) })
}
