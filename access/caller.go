package access

import "context"

// Caller is who asks.
type Caller struct {
	// Actor is how the ledger names them: "local:ida", "service:key_01…".
	Actor string
	Role  Role
	// Key is the id of the API key they came with, "" for those who came otherwise.
	Key string
	// Session is the id of the session of an account, "" for those who came otherwise. One that is not signed in to the end
	// has no role yet.
	Session string
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
