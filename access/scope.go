package access

import (
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// checkScope names every permission that is none, or that the role does not have: a scope narrows, and never adds.
func (in KeyInput) checkScope() (faults []fault.Detail) {
	for _, p := range in.Scope {
		if Allowed(Caller{Role: in.Role}, p) != nil {
			faults = append(faults, fault.Detail{Where: "scope", Message: "a scope is of what the role may, such as " + string(DecisionAsk) + " of a service; ombud access roles lists it"})
			break // what was given is not repeated: it may be a key
		}
	}
	return faults
}

func joinScope(scope []Permission) string {
	words := make([]string, len(scope))
	for i, p := range scope {
		words[i] = string(p)
	}
	return strings.Join(words, " ")
}

func splitScope(text string) (scope []Permission) {
	for _, word := range strings.Fields(text) {
		scope = append(scope, Permission(word))
	}
	return scope
}

// within tells whether a permission is in the scope of the caller's key. It allocates nothing.
func (c Caller) within(p Permission) bool {
	if c.Scope == "" {
		return true
	}
	for rest, word := c.Scope, ""; rest != ""; {
		if word, rest, _ = strings.Cut(rest, " "); word == string(p) {
			return true
		}
	}
	return false
}
