package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Policy is one policy as it may be shown.
type Policy struct {
	ID      string `json:"id"`
	Says    string `json:"says,omitempty"`
	Effect  string `json:"effect"` // permit or forbid
	File    string `json:"file"`
	Line    int    `json:"line"`
	Text    string `json:"text"`
	Shipped bool   `json:"shipped"`
}

func (p *policy) show() Policy {
	out := Policy{ID: string(p.id), Says: p.says, Effect: "permit", File: p.file, Line: p.cedar.Position().Line, Text: string(p.cedar.MarshalCedar()), Shipped: !p.own}
	if p.forbids() {
		out.Effect = "forbid"
	}
	return out
}

// All are the policies, in the order of their files.
func (p *Policies) All() []Policy {
	out := make([]Policy, len(p.all))
	for i, one := range p.all {
		out[i] = one.show()
	}
	return out
}

// Actions are what policies decide on.
func (p *Policies) Actions() []Permission { return slices.Clone(p.actions) }

// RoleReach is what a role may do.
type RoleReach struct {
	Role    Role         `json:"role"`
	Says    string       `json:"says"`
	May     []Permission `json:"may"`      // without more
	MayWith []Reach      `json:"may_with"` // when something is there
	Forbids []Policy     `json:"forbids"`  // what is forbidden whatever else is permitted
	For     string       `json:"for"`      // people, programs or this machine
}

// Reach is an action that is open when something is there.
type Reach struct {
	Action Permission `json:"action"`
	Wants  Want       `json:"wants"`
}

// Roles tells what each role may do, in the order of the roles. A condition that names more than justification, second
// factor or elevation is answered for a call of nobody in particular.
func (p *Policies) Roles() []RoleReach {
	out := []RoleReach{}
	for _, role := range everyRole {
		r := RoleReach{Role: role, May: []Permission{}, MayWith: []Reach{}, Forbids: []Policy{}, For: roleIsFor(role)}
		c := Caller{Actor: string(role), Role: role, rules: p}
		if slices.Contains(forPeople, role) {
			c.Session = "given"
		}
		for _, action := range p.actions {
			v := Judge(c, action, Resource{})
			switch {
			case v.Allowed:
				r.May = append(r.May, action)
			case v.Wants != "":
				r.MayWith = append(r.MayWith, Reach{action, v.Wants})
			}
		}
		for _, one := range p.all {
			r.note(one)
		}
		out = append(out, r)
	}
	return out
}

// note takes from a policy what it says of the role itself.
func (r *RoleReach) note(one *policy) {
	mine := one.principal() == r.Role
	switch {
	case mine && one.forbids():
		r.Forbids = append(r.Forbids, one.show())
	case mine && one.scoped && r.Says == "":
		r.Says = one.says
	}
}

func roleIsFor(r Role) string {
	switch {
	case slices.Contains(forPeople, r) && slices.Contains(forKeys, r):
		return "people and programs"
	case slices.Contains(forPeople, r):
		return "people"
	case slices.Contains(forKeys, r):
		return "programs"
	case r == DataSubject:
		return "persons whose data it is"
	}
	return "this machine"
}

// Asked is a question to the policies.
type Asked struct {
	Who       string // an account by id or name, an API key by id, or a role
	Action    Permission
	Resource  string   // id of what it is about, "" for any
	Purpose   string   // for which it is asked, "" for no one in particular; only keys are for some
	Systems   []string // that the purpose is used in, as its register says
	Justified bool
	Elevated  bool
}

// Explanation is the answer: yes or no, and which policies decided.
type Explanation struct {
	Who      string     `json:"who"`
	Roles    []Role     `json:"roles"`
	Action   Permission `json:"action"`
	Resource Resource   `json:"resource"`
	Purpose  string     `json:"purpose,omitempty"`
	Key      *KeyReach  `json:"key,omitempty"` // where it is a key: what of its role it is for
	Verdict
}

// KeyReach is what an API key is for, and what of it stands against an answer.
type KeyReach struct {
	Scope []Permission `json:"scope,omitempty"`
	Limits
	Denies string `json:"denies,omitempty"` // ended, scope or limits; "" when nothing does
}

// What of a key may stand against an answer: it was revoked or is over; its scope; the purposes and systems that it is for.
const (
	DeniedEnded  = "ended"
	DeniedScope  = "scope"
	DeniedLimits = "limits"
)

// Explain answers whether somebody may do something, and which policies say so; of a key, also what it is for. fault.Invalid
// when there is no such action, fault.NotFound when Who is neither a role, nor an account, nor a key.
func (a *Accounts) Explain(ctx context.Context, p *Policies, q Asked) (Explanation, error) {
	if !slices.Contains(p.actions, q.Action) {
		return Explanation{}, fault.New(fault.Invalid, "there is no such action").Then("The actions are %s.", listOf(p.actions))
	}
	if strings.HasPrefix(q.Who, "key_") {
		return a.explainKey(ctx, p, q)
	}
	c, err := a.callerOf(ctx, q.Who)
	if err != nil {
		return Explanation{}, err
	}
	return a.explain(c, p, q), nil
}

func (a *Accounts) explain(c Caller, p *Policies, q Asked) Explanation {
	call := Call{Time: a.clock.Now()}
	if q.Justified {
		call.Justification = "given"
	}
	c.Elevated = c.Elevated || q.Elevated
	what := q.Action.On(q.Resource)
	return Explanation{Who: q.Who, Roles: c.Roles(), Action: q.Action, Resource: what, Purpose: q.Purpose, Verdict: Judge(c.Under(p).Calling(call), q.Action, what)}
}

// explainKey adds what a key is for, which may turn a yes into a no.
func (a *Accounts) explainKey(ctx context.Context, p *Policies, q Asked) (Explanation, error) {
	var key Key
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		return readKeys(ctx, tx, func(k Key, _ digest) {
			if k.ID == q.Who {
				key = k
			}
		})
	})
	if err == nil && key.ID == "" {
		err = errNoKey()
	}
	if err != nil {
		return Explanation{}, err
	}
	c := key.caller()
	e := a.explain(c, p, q)
	e.Key = &KeyReach{Scope: key.Scope, Limits: key.Limits}
	switch {
	case key.Revoked != nil || key.Expires != nil && !key.Expires.After(a.clock.Now()):
		e.Key.Denies = DeniedEnded
	case !c.within(q.Action):
		e.Key.Denies = DeniedScope
	case q.Purpose != "" && c.For(q.Purpose, q.Systems) != nil:
		e.Key.Denies = DeniedLimits
	default:
		return e, nil
	}
	e.Verdict = Verdict{Because: []Policy{}}
	return e, nil
}

func listOf[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// callerOf is somebody as if they were signed in: an account, or anybody with a role.
func (a *Accounts) callerOf(ctx context.Context, who string) (Caller, error) {
	if role := Role(who); slices.Contains(everyRole, role) {
		c := Caller{Actor: "role:" + who, Role: role}
		if slices.Contains(forPeople, role) {
			c.Session = "as if"
		}
		return c, nil
	}
	var c Caller
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		r, err := a.find(ctx, tx, who)
		if err == nil {
			c = Caller{Actor: r.actor(), Role: r.Role, Also: joinRoles(r.Also), Session: "as if", person: &r.Attributes}
		}
		return err
	})
	return c, err
}

// Sentence says it in words.
func (e Explanation) Sentence() string {
	switch {
	case e.Allowed && e.Key != nil && e.Purpose == "" && !e.Key.Limits.None():
		return fmt.Sprintf("Yes: %s may %s, for %s.", e.Who, e.Action, e.Key.Words())
	case e.Allowed:
		return fmt.Sprintf("Yes: %s may %s.", e.Who, e.Action)
	case e.Key != nil && e.Key.Denies != "":
		return fmt.Sprintf("No: %s.", e.Key.why(e.Who))
	case e.Wants != "":
		return fmt.Sprintf("No: %s may %s only with %s.", e.Who, e.Action, e.Wants)
	case len(e.Because) == 0:
		return fmt.Sprintf("No: no policy permits %s to %s, and what none permits is denied.", e.Who, e.Action)
	}
	return fmt.Sprintf("No: it is forbidden for %s to %s.", e.Who, e.Action)
}

func (k *KeyReach) why(who string) string {
	switch k.Denies {
	case DeniedEnded:
		return who + " is over, and lets nobody in"
	case DeniedScope:
		return who + " has a scope, and this is not in it: " + listOf(k.Scope)
	}
	return who + " is for " + k.Words() + " only"
}
