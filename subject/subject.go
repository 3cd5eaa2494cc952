// Package subject names people: the identities that lead to a person, and the facts about a person
// that every plan, decision and sweep obeys (holds here; restrictions and objections come with consent).
// An identity lives in memory only as long as it is needed; what is stored is its keyed token or sealed.
package subject

import (
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// Identity is one value that leads to a person. Value is kept as given: for acting, the stored
// spelling counts; for searching, the canonical one. It never prints.
type Identity struct {
	Kind  string // "email", "phone", "customer" …: the kinds under people/by in ombud.yaml
	Value string
}

// String hides the value, so that no log line can hold it.
func (i Identity) String() string { return i.Kind + "=····" }

// GoString hides the value too.
func (i Identity) GoString() string { return i.String() }

// Hint is what may be shown of the value: its first letter, where it is long enough to hide behind that.
func (i Identity) Hint() string {
	const dots = "····"
	value := strings.TrimSpace(i.Value)
	if len(value) < 4 {
		return dots
	}
	for _, first := range value {
		return string(first) + dots
	}
	return dots
}

// Parse reads "kind=value". The value may hold anything, '=' included.
func Parse(s string) (Identity, error) {
	kind, value, ok := strings.Cut(s, "=")
	kind = strings.TrimSpace(kind)
	if !ok || kind == "" || strings.TrimSpace(value) == "" {
		return Identity{}, fault.New(fault.Invalid, "a subject is written kind=value").Then("for example --subject email=name@example.com, or --subject @file")
	}
	return Identity{kind, value}, nil
}
