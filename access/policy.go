package access

import (
	"embed"
	"iter"
	"slices"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

//go:embed policies
var shippedFiles embed.FS

// Policies say who may do what: those shipped with Ombud, and those of the company, which can only forbid. They are found
// by role and action; where no policy of a pair sets a condition, the answer was made when they were loaded. They never
// change, and are safe for concurrent use.
type Policies struct {
	cells    map[cell]*rules
	actions  []Permission
	entities types.EntityMap // actions with their groups
	all      []*policy
	narrowed bool
}

// Narrowed tells whether the company has policies of its own.
func (p *Policies) Narrowed() bool { return p.narrowed }

// cell is a role and an action.
type cell struct {
	role   Role
	action Permission
}

// rules are the policies whose scope holds for a cell.
type rules struct {
	list  []*policy
	plain bool // none has a condition
	allow bool // the answer when it is plain
}

type policy struct {
	id     cedar.PolicyID
	says   string
	file   string
	cedar  *cedar.Policy
	own    bool // of the company
	scoped bool // beyond role and action, nothing decides whether it holds
}

func (p *policy) forbids() bool { return p.cedar.Effect() == cedar.Forbid }

// Shipped are the policies that come with Ombud.
func Shipped() *Policies { return shipped() }

var shipped = sync.OnceValue(func() *Policies {
	p, err := LoadPolicies(nil)
	if err != nil {
		panic(err) // what is embedded is tested
	}
	return p
})

// isScoped tells whether the scope of a policy alone decides, once role and action are known.
func isScoped(c *cedar.Policy) bool {
	a := (*ast.Policy)(c.AST())
	_, any := a.Principal.(ast.ScopeTypeAll)
	in, one := a.Principal.(ast.ScopeTypeIn)
	_, whatever := a.Resource.(ast.ScopeTypeAll)
	return len(a.Conditions) == 0 && whatever && (any || one && in.Entity.Type == roleType)
}

const (
	roleType     types.EntityType = "Role"
	callerType   types.EntityType = "Caller"
	resourceType types.EntityType = "Resource"
	actionType   types.EntityType = "Action"
)

// index finds for each role and action the policies that can hold.
func (l *loader) index() *Policies {
	p := &Policies{cells: map[cell]*rules{}, entities: types.EntityMap{}, all: l.all}
	p.narrowed = slices.ContainsFunc(p.all, func(one *policy) bool { return one.own })
	for uid, a := range l.schema.Actions {
		p.entities[uid] = a.Entity
		if a.AppliesTo != nil {
			p.actions = append(p.actions, Permission(uid.ID))
		}
	}
	slices.Sort(p.actions)
	for _, role := range everyRole {
		for _, action := range p.actions {
			r := &rules{plain: true}
			permits, forbids := 0, 0
			for _, one := range l.all {
				if !p.concerns(one, role, action) {
					continue
				}
				r.list, r.plain = append(r.list, one), r.plain && one.scoped
				if one.forbids() {
					forbids++
				} else {
					permits++
				}
			}
			r.allow = permits > 0 && forbids == 0
			p.cells[cell{role, action}] = r
		}
	}
	return p
}

// concerns tells whether the scope of a policy can hold for a role and an action.
func (p *Policies) concerns(one *policy, role Role, action Permission) bool {
	uid := actionUID(action)
	if only := one.principal(); only != "" && only != role {
		return false
	}
	switch s := (*ast.Policy)(one.cedar.AST()).Action.(type) {
	case ast.ScopeTypeEq:
		return s.Entity == uid
	case ast.ScopeTypeIn:
		return p.within(uid, s.Entity)
	case ast.ScopeTypeInSet:
		return slices.ContainsFunc(s.Entities, func(group types.EntityUID) bool { return p.within(uid, group) })
	}
	return true
}

// principal is the one role that a policy is about, "" when it is about others too.
func (p *policy) principal() Role {
	var of types.EntityUID
	switch s := (*ast.Policy)(p.cedar.AST()).Principal.(type) {
	case ast.ScopeTypeIn:
		of = s.Entity
	case ast.ScopeTypeIsIn:
		of = s.Entity
	}
	if of.Type != roleType {
		return ""
	}
	return Role(of.ID)
}

// roles are all that a policy names, in scope and conditions.
func (p *policy) roles() []Role {
	var out []Role
	if one := p.principal(); one != "" {
		out = append(out, one)
	}
	for _, c := range (*ast.Policy)(p.cedar.AST()).Conditions {
		ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
			if v, ok := n.(ast.NodeValue); ok {
				if uid, ok := v.Value.(types.EntityUID); ok && uid.Type == roleType {
					out = append(out, Role(uid.ID))
				}
			}
			return true
		})
	}
	return out
}

// within tells whether an action is a group, or in it, or in one that is.
func (p *Policies) within(uid, group types.EntityUID) bool {
	if uid == group {
		return true
	}
	for parent := range p.entities[uid].Parents.All() {
		if p.within(parent, group) {
			return true
		}
	}
	return false
}

func actionUID(a Permission) types.EntityUID { return types.NewEntityUID(actionType, types.String(a)) }
func roleUID(r Role) types.EntityUID         { return types.NewEntityUID(roleType, types.String(r)) }

// of gives the policies that can hold for one of these roles, and whether none of them sets a condition.
func (p *Policies) of(roles []Role, action Permission) (list []*policy, plain bool) {
	plain = true
	for _, role := range roles {
		r := p.cells[cell{role, action}]
		switch {
		case r == nil:
			continue
		case len(list) == 0:
			list = r.list[:len(r.list):len(r.list)]
		default:
			for _, one := range r.list {
				if !slices.Contains(list, one) {
					list = append(list, one)
				}
			}
		}
		plain = plain && r.plain
	}
	return list, plain
}

// some are policies as Cedar takes them.
type some []*policy

// All gives each with its id.
func (s some) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range s {
			if !yield(p.id, p.cedar) {
				return
			}
		}
	}
}
