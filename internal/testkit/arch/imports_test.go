package arch_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ombudhq/ombud/"

// words are the packages that our users have words for, and which other words each may import. Reactions across
// them go through events, never sideways.
var words = map[string][]string{
	"subject":   {},
	"catalog":   {},
	"purpose":   {},
	"plan":      {"catalog", "subject"},
	"request":   {"plan", "subject", "catalog"}, // catalog: a package names organization, purposes and places
	"retention": {"plan", "subject", "catalog"},
	"consent":   {"purpose", "subject"},
	"register":  {"purpose", "catalog"},
	"breach":    {"catalog", "subject"},
	"report":    {"subject", "catalog", "purpose", "plan", "request", "retention", "consent", "register", "breach"},
}

// tools serve the words and know none of them; each may import these others.
var tools = map[string][]string{
	"connector": {},
	"vault":     {},
	"ledger":    {"vault"},
	"pii":       {},
	"law":       {},
	"access":    {"ledger", "vault"},
	"backup":    {"ledger", "vault"},
}

// allowed says whether a package may import another; both are paths below the module.
func allowed(from, to string) bool {
	a, b := first(from), first(to)
	if a == b && a != "internal" {
		return true
	}
	switch {
	case strings.HasPrefix(from, "internal/testkit"), a == "test":
		return true // and nobody imports them, but for tests
	case strings.HasPrefix(to, "internal/testkit"), b == "test", b == "cmd":
		return false
	case a == "client":
		return to == "internal/minimise"
	case a == "internal":
		return b == "internal"
	case b == "internal":
		return !isEdge(a) || to != "internal/db"
	case a == "cmd":
		return true
	case a == "app":
		return b != "demo"
	case isEdge(a):
		return isWord(b) || isTool(b) && b != "connector"
	case a == "demo":
		return isWord(b) || isTool(b)
	case isWord(a):
		return isTool(b) && isContract(to) || slices.Contains(words[a], b)
	case isTool(a):
		return slices.Contains(tools[a], b)
	}
	return false
}

func first(p string) string { word, _, _ := strings.Cut(p, "/"); return word }

func isEdge(w string) bool { return w == "cli" || w == "api" || w == "web" }
func isWord(w string) bool { _, ok := words[w]; return ok }
func isTool(w string) bool { _, ok := tools[w]; return ok }

// isContract keeps words from importing one connector instead of the contract of all.
func isContract(to string) bool { return first(to) != "connector" || to == "connector" }

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointDown(t *testing.T) {
	all := packages(t)
	if len(all) < 10 {
		t.Fatalf("only %d packages were listed", len(all))
	}
	for _, p := range all {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, module)
			if ours && !allowed(from, to) {
				t.Errorf("%s must not import %s", from, to)
			}
		}
	}
}

// TestImportTable checks the table itself: what it is there to refuse, it refuses.
func TestImportTable(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"cmd/ombud", "app", true},
		{"app", "connector/sqlite", true},
		{"app", "internal/db", true},
		{"cli", "request", true},
		{"plan", "connector", true},
		{"web/console", "web/page", true},
		{"demo", "connector/sqlite", true},
		{"cli", "app", false},
		{"cli", "internal/db", false},
		{"api", "connector", false},
		{"web/console", "connector/sqlite", false},
		{"plan", "request", false},
		{"subject", "plan", false},
		{"plan", "connector/postgres", false},
		{"vault", "ledger", false},
		{"internal/db", "vault", false},
		{"app", "demo", false},
		{"app", "internal/testkit/pgtest", false},
		{"client", "plan", false},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("%s → %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	if path.Base(module) != "ombud" {
		t.Error("the module has another name")
	}
}
