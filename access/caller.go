package access

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Caller is who asks.
type Caller struct {
	// Actor is how the ledger names them: "local:ida", "service:key_01…".
	Actor string
	Role  Role
	// Also are further roles of an account, with a space between them.
	Also string
	// Key is the id of the API key they came with, "" for those who came otherwise.
	Key string
	// Scope is what of the role that key is for: permissions with a space between them, "" for all.
	Scope string
	// Session is the id of the session of an account, "" for those who came otherwise. One that is not signed in to the end
	// has no role yet.
	Session string
	// Elevated tells that a break-glass elevation of this account goes on.
	Elevated bool

	rules  *Policies   // nil: those shipped
	call   *Call       // nil: one of this machine
	person *Attributes // nil: nothing is known
	limits *Limits     // nil: the key is for every purpose and system
}

// Under is the caller, judged by these policies.
func (c Caller) Under(p *Policies) Caller { c.rules = p; return c }

// Calling is the caller in a call of which more is known.
func (c Caller) Calling(call Call) Caller {
	if c.call != nil && call.Began.IsZero() {
		call.Began = c.call.Began
	}
	c.call = &call
	return c
}

// Justification is what was written down about why, as it may be kept: "" when it says nothing, is no text, or is too long.
func Justification(text string) string {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < shortestWhy || len(text) > longestWhy || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

const (
	shortestWhy = 8    // characters: less says nothing
	longestWhy  = 1000 // bytes
)

// Has tells whether the caller has a role.
func (c Caller) Has(r Role) bool { return slices.Contains(c.Roles(), r) }

// Same tells whether two callers are who they are in the same roles, whatever they call for.
func (c Caller) Same(o Caller) bool {
	return c.Actor == o.Actor && c.Role == o.Role && c.Also == o.Also && c.Key == o.Key && c.Scope == o.Scope && c.Session == o.Session
}

// Being is the caller, of whom more is known.
func (c Caller) Being(a Attributes) Caller { c.person = &a; return c }

// Policies are those the caller is judged by.
func (c Caller) Policies() *Policies {
	if c.rules == nil {
		return Shipped()
	}
	return c.rules
}

// Call is what is known of the call.
func (c Caller) Call() Call {
	if c.call == nil {
		return Call{}
	}
	return *c.call
}

// Roles are all of the caller's, the first one first.
func (c Caller) Roles() []Role {
	out := []Role{c.Role}
	for _, r := range strings.Fields(c.Also) {
		out = append(out, Role(r))
	}
	return out
}

// RoleNames are the roles in one text, as the log has them.
func (c Caller) RoleNames() string {
	if c.Also == "" {
		return string(c.Role)
	}
	return string(c.Role) + " " + c.Also
}

// roleWords names the roles for people.
func (c Caller) roleWords() string {
	var known []string
	for _, r := range c.Roles() {
		if slices.Contains(everyRole, r) {
			known = append(known, string(r))
		}
	}
	if len(known) == 0 {
		return "nobody"
	}
	return strings.Join(known, " and ")
}

// callerContext carries a caller; a type of its own costs one allocation where context.WithValue costs two.
type callerContext struct {
	context.Context
	caller Caller
}

type callerKey struct{}

// Value answers itself for the caller, and else what the context below answers.
func (c *callerContext) Value(key any) any {
	if key == (callerKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// With puts the caller into a context.
func With(ctx context.Context, c Caller) context.Context { return &callerContext{ctx, c} }

// From gives the caller of a context. Without one it is the zero Caller, who may do nothing.
func From(ctx context.Context) Caller {
	if c, ok := ctx.Value(callerKey{}).(*callerContext); ok {
		return c.caller
	}
	return Caller{}
}
