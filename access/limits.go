package access

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// Limits are the purposes and the systems that a key is for; where none is named, it is for all. Like a scope they narrow and
// never add. A purpose is within them when it is named, and when one of the systems that it is used in is.
type Limits struct {
	Purposes []string `json:"purposes,omitempty"`
	Systems  []string `json:"systems,omitempty"`
}

// None tells whether nothing is narrowed.
func (l Limits) None() bool { return len(l.Purposes) == 0 && len(l.Systems) == 0 }

// within tells whether a purpose that is used in these systems is one of those that a key is for. "" is all of them at once,
// which a key that is for some is not for.
func (l Limits) within(purpose string, in []string) bool {
	switch {
	case l.None():
		return true
	case purpose == "", len(l.Purposes) > 0 && !slices.Contains(l.Purposes, purpose):
		return false
	}
	return len(l.Systems) == 0 || l.meets(in)
}

// meets tells whether one of these systems is one of those named.
func (l Limits) meets(systems []string) bool {
	return slices.ContainsFunc(systems, func(id string) bool { return slices.Contains(l.Systems, id) })
}

// Words names them for people, "" when nothing is narrowed.
func (l Limits) Words() string {
	var out []string
	if len(l.Purposes) > 0 {
		out = append(out, "purposes "+strings.Join(l.Purposes, ", "))
	}
	if len(l.Systems) > 0 {
		out = append(out, "systems "+strings.Join(l.Systems, ", "))
	}
	return strings.Join(out, "; ")
}

// Limited tells whether a caller came with a key that is for some purposes or systems only.
func (c Caller) Limited() bool { return c.limits != nil }

// Limits are those of the key that the caller came with.
func (c Caller) Limits() Limits {
	if c.limits == nil {
		return Limits{}
	}
	return *c.limits
}

// For answers whether the caller's key is for a purpose that is used in these systems: nil, or fault.Denied with what it is
// for. "" is every purpose at once.
func (c Caller) For(purpose string, in []string) error {
	if c.limits == nil || c.limits.within(purpose, in) {
		return nil
	}
	if purpose == "" {
		return c.errLimits("this key is for some purposes or systems, and this is about all")
	}
	return c.errLimits("this key is not for that purpose")
}

// ForSystems is For where it is systems that are named, and not a purpose: used are those of the key's purposes.
func (c Caller) ForSystems(systems, used []string) error {
	switch {
	case c.limits == nil, len(c.limits.Systems) > 0 && c.limits.meets(systems):
		return nil
	case len(c.limits.Systems) == 0 && (Limits{Systems: used}).meets(systems):
		return nil
	}
	return c.errLimits("this key is not for that system")
}

// errLimits says what the key is for; what was asked for is not repeated.
func (c Caller) errLimits(why string) error {
	return fault.New(fault.Denied, "%s", why).Then("It is for %s. Make another: ombud key create --purpose, --system.", c.limits.Words())
}

// checkLimits names every purpose and system that is not declared, and a role that does not ask by purpose.
func (in KeyInput) checkLimits() (faults []fault.Detail) {
	if in.Limits.None() {
		return nil
	}
	if in.Role != Service {
		faults = append(faults, fault.Detail{Where: "role", Message: "purposes and systems narrow a key of the role service; what the others read is not divided by them"})
	}
	undeclared := func(where string, given, declared []string) {
		if slices.ContainsFunc(given, func(id string) bool { return !slices.Contains(declared, id) }) {
			faults = append(faults, fault.Detail{Where: where, Message: "each is the id of one that is declared: " + listed(declared)}) // what was given is not repeated: it may be a key
		}
	}
	undeclared("purposes", in.Purposes, in.Among.Purposes)
	undeclared("systems", in.Systems, in.Among.Systems)
	return faults
}

func listed(ids []string) string {
	if len(ids) == 0 {
		return "there is none"
	}
	return strings.Join(ids, ", ")
}
