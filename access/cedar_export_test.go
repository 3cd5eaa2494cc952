package access

import "github.com/cedar-policy/cedar-go"

// CedarAlone asks Cedar itself about every policy, past index and answers made before.
func (p *Policies) CedarAlone() func(Caller, Permission) bool {
	set := cedar.NewPolicySet()
	for _, one := range p.all {
		set.Add(one.id, one.cedar)
	}
	return func(c Caller, action Permission) bool {
		decision, d := cedar.Authorize(set, p.around(c, Resource{}), p.request(c, action, Resource{}))
		return decision == cedar.Allow && len(d.Errors) == 0
	}
}

// Prepared is what CedarAlone asks, for measuring it.
func (p *Policies) Prepared(c Caller, action Permission) func() bool {
	set := cedar.NewPolicySet()
	for _, one := range p.all {
		set.Add(one.id, one.cedar)
	}
	around, request := p.around(c, Resource{}), p.request(c, action, Resource{})
	return func() bool {
		decision, _ := cedar.Authorize(set, around, request)
		return decision == cedar.Allow
	}
}

// EveryRole are all roles.
func EveryRole() []Role { return everyRole }
