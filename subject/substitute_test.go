package subject

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/vault"
)

// TestSubstituteNames: one for each person, the same after a restart, of nobody else, and another one elsewhere.
func TestSubstituteNames(t *testing.T) {
	if a, b := strings.Fields(colours), strings.Fields(animals); len(a) != 64 || len(b) != 64 || distinct(a) != 64 || distinct(b) != 64 || len(tail) != 32 {
		t.Fatalf("%d and %d words", len(a), len(b))
	}
	dir := t.TempDir()
	people := func(dir string) *People {
		t.Helper()
		v, err := vault.Open(vault.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		return &People{vault: v}
	}
	here, shape, seen := people(dir), regexp.MustCompile(`^[A-Z][a-z]+ [A-Z][a-z]+ [0-9a-z]{4}$`), map[string]bool{}
	for n := Number(1); n <= 20_000; n++ {
		name := here.Substitute(n)
		if seen[name] || !shape.MatchString(name) {
			t.Fatalf("%d: %s", n, name)
		}
		seen[name] = true
	}
	name := here.Substitute(7)
	if again, elsewhere := people(dir).Substitute(7), people(t.TempDir()).Substitute(7); again != name || elsewhere == name {
		t.Errorf("%s, again %s, elsewhere %s", name, again, elsewhere)
	}
	if here.Substitute(0) != "" {
		t.Error("nobody has a name")
	}
}

func distinct(words []string) int {
	set := map[string]bool{}
	for _, w := range words {
		set[w] = true
	}
	return len(set)
}
