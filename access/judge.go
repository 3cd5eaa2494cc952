package access

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/ombudhq/ombud/internal/fault"
)

// Attributes are what policies may ask of a person beside their roles.
type Attributes struct {
	Department   string `json:"department,omitempty"`
	Clearance    int    `json:"clearance,omitempty"` // 0 none, 1 internal, 2 confidential, 3 restricted
	Place        string `json:"place,omitempty"`
	Jurisdiction string `json:"jurisdiction,omitempty"`
}

// Call is what policies may ask of the call, beside who calls. The zero Call is one of this machine.
type Call struct {
	Time          time.Time
	Address       netip.Addr
	Began         time.Time // when the session began
	Purpose       string
	Justification string // as it was written; who is judged sees whether there is one
}

// Resource is what is asked for, as far as it is known.
type Resource struct {
	Kind           string `json:"kind,omitempty"`
	ID             string `json:"id,omitempty"`
	Classification string `json:"classification,omitempty"`
	Sensitivity    int    `json:"sensitivity,omitempty"` // 0 none to 3 a person's data as it is
	Owner          string `json:"owner,omitempty"`       // actor who took it in
	Jurisdiction   string `json:"jurisdiction,omitempty"`
	Place          string `json:"place,omitempty"`
}

// On is what a permission is asked for, by its kind: the word before the dot.
func (p Permission) On(id string) Resource {
	kind, _, _ := strings.Cut(string(p), ".")
	r := kinds[kind]
	r.Kind, r.ID = kind, id
	return r
}

// kinds say how what a kind of thing holds is classified; what is not named is internal.
var kinds = map[string]Resource{
	"api": {Classification: "public"}, "catalog": {Classification: "internal"}, "purpose": {Classification: "internal"},
	"decision": {Classification: "personal", Sensitivity: 1}, "consent": {Classification: "personal", Sensitivity: 2},
	"restriction": {Classification: "personal", Sensitivity: 2}, "event": {Classification: "personal", Sensitivity: 1},
	"hold": {Classification: "personal", Sensitivity: 1}, "request": {Classification: "personal", Sensitivity: 2},
	"receipt": {Classification: "confidential", Sensitivity: 1}, "person": {Classification: "personal", Sensitivity: 2},
	"package": {Classification: "personal", Sensitivity: 3}, "value": {Classification: "personal", Sensitivity: 3},
	"pseudonym": {Classification: "personal", Sensitivity: 3}, "ledger": {Classification: "confidential", Sensitivity: 2},
	"look": {Classification: "confidential", Sensitivity: 2}, "key": {Classification: "restricted"}, "account": {Classification: "confidential", Sensitivity: 1},
	"self": {Classification: "internal"}, "factor": {Classification: "restricted"}, "elevation": {Classification: "confidential"}, "policy": {Classification: "internal"},
	"system": {Classification: "confidential"},
}

// Verdict is an answer of the policies, with those that decided.
type Verdict struct {
	Allowed bool     `json:"allowed"`
	Because []Policy `json:"because"` // the policies that forbid, else those that permit; none when nothing permits it
	Wants   Want     `json:"wants,omitempty"`
}

// Want is what would turn a denial into its opposite.
type Want string

// What a denial may want.
const (
	WantsWhy       Want = "justification"
	WantsEmergency Want = "elevation"
	WantsFactor    Want = "second factor"
)

// Allowed is the only gate: nil, or fault.Denied with the role and the permission it lacks.
func Allowed(c Caller, p Permission) error { return AllowedOn(c, p, p.On("")) }

// AllowedOn is Allowed where it is known what is asked for.
func AllowedOn(c Caller, p Permission, what Resource) error {
	if !c.within(p) {
		return fault.New(fault.Denied, "this key is not for %s", p).Then("Make one with a scope that holds it: ombud key create --scope.")
	}
	if Plainly(c, p) {
		return nil
	}
	rules := c.Policies()
	if ok, _, _ := rules.decide(c, p, what); ok {
		return nil
	}
	return denied(c, p, rules.want(c, p, what))
}

// Plainly tells whether the role of a caller is enough, whatever it is that they ask for. Where it is not, AllowedOn may still
// let them.
func Plainly(c Caller, p Permission) bool {
	if c.Also != "" || !c.within(p) {
		return false
	}
	r := c.Policies().cells[cell{c.Role, p}]
	return r != nil && r.plain && r.allow
}

func denied(c Caller, p Permission, w Want) error {
	if w == WantsWhy {
		return fault.New(fault.Denied, "%s asks for a written justification first", p).
			Then("Say why: in the form, or in the header %s.", JustificationHeader)
	}
	return fault.New(fault.Denied, "the role %s has no permission %s", c.roleWords(), p)
}

// Headers in which a program writes down why, in words, and for which purpose, in one word.
const (
	JustificationHeader = "Justification"
	PurposeHeader       = "Purpose"
)

// Judge is Allowed with reasons: which policies decided, and what a denial wants.
func Judge(c Caller, p Permission, what Resource) Verdict {
	if !c.within(p) {
		return Verdict{Because: []Policy{}}
	}
	rules := c.Policies()
	ok, list, why := rules.decide(c, p, what)
	v := Verdict{Allowed: ok, Because: []Policy{}}
	for _, one := range list {
		if slices.ContainsFunc(why, func(r cedar.DiagnosticReason) bool { return r.PolicyID == one.id }) {
			v.Because = append(v.Because, one.show())
		}
	}
	if !ok {
		v.Wants = rules.want(c, p, what)
	}
	return v
}

// Wants tells what a denial of the gate wants; "" when nothing would help.
func Wants(c Caller, p Permission, what Resource) Want { return c.Policies().want(c, p, what) }

// decide asks Cedar. A policy that cannot be evaluated denies: a forbid that fails would otherwise forbid nothing.
func (p *Policies) decide(c Caller, action Permission, what Resource) (bool, []*policy, []cedar.DiagnosticReason) {
	list, _ := p.of(c.Roles(), action)
	if len(list) == 0 {
		return false, nil, nil
	}
	decision, d := cedar.Authorize(some(list), p.around(c, what), p.request(c, action, what))
	return decision == cedar.Allow && len(d.Errors) == 0, list, d.Reasons
}

// want finds what a denial wants, by asking again as if it were there.
func (p *Policies) want(c Caller, action Permission, what Resource) Want {
	if _, plain := p.of(c.Roles(), action); plain {
		return ""
	}
	why := c
	call := c.Call()
	call.Justification = "given"
	why.call = &call
	elevated, two := c, c
	elevated.Elevated, two.Session = true, "given"
	for _, w := range []struct {
		want Want
		as   Caller
	}{{WantsWhy, why}, {WantsFactor, two}, {WantsEmergency, elevated}} {
		if ok, _, _ := p.decide(w.as, action, what); ok {
			return w.want
		}
	}
	return ""
}

// around are the entities that an evaluation may meet.
type around struct {
	actions          types.EntityMap
	caller, resource types.Entity
}

// Get finds one.
func (a *around) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case a.caller.UID:
		return a.caller, true
	case a.resource.UID:
		return a.resource, true
	}
	e, ok := a.actions[uid]
	return e, ok
}

func (p *Policies) around(c Caller, what Resource) *around {
	roles := c.Roles()
	parents := make([]types.EntityUID, len(roles))
	for i, r := range roles {
		parents[i] = roleUID(r)
	}
	var attr Attributes
	if c.person != nil {
		attr = *c.person
	}
	return &around{actions: p.entities,
		caller: types.Entity{UID: types.NewEntityUID(callerType, types.String(c.Actor)), Parents: types.NewEntityUIDSet(parents...), Attributes: types.NewRecord(types.RecordMap{
			"department": types.String(attr.Department), "clearance": types.Long(attr.Clearance), "place": types.String(attr.Place),
			"jurisdiction": types.String(attr.Jurisdiction), "factor": types.Boolean(c.Session != ""),
		})},
		resource: types.Entity{UID: resourceUID(what), Attributes: types.NewRecord(types.RecordMap{
			"kind": types.String(what.Kind), "classification": types.String(what.Classification), "sensitivity": types.Long(what.Sensitivity),
			"owner": types.String(what.Owner), "jurisdiction": types.String(what.Jurisdiction), "place": types.String(what.Place),
		})},
	}
}

func resourceUID(what Resource) types.EntityUID {
	return types.NewEntityUID(resourceType, types.String(what.Kind+"/"+what.ID))
}

func (p *Policies) request(c Caller, action Permission, what Resource) cedar.Request {
	call := c.Call()
	stay := time.Duration(0)
	if !call.Began.IsZero() {
		stay = call.Time.Sub(call.Began)
	}
	if !call.Address.IsValid() {
		call.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return cedar.Request{
		Principal: types.NewEntityUID(callerType, types.String(c.Actor)), Action: actionUID(action), Resource: resourceUID(what),
		Context: types.NewRecord(types.RecordMap{
			"time": types.NewDatetime(call.Time), "hour": types.Long(call.Time.UTC().Hour()), "ip": types.IPAddr(netip.PrefixFrom(call.Address, call.Address.BitLen())),
			"purpose": types.String(call.Purpose), "justified": types.Boolean(call.Justification != ""), "elevated": types.Boolean(c.Elevated),
			"duration": types.NewDuration(stay),
		}),
	}
}
