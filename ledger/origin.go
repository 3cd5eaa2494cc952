package ledger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// Origin is the call that acts, as far as it is known. Entries whose transaction was begun under its context carry it
// among what is sealed, with the actor; the address only as a keyed hash.
type Origin struct {
	Role    string
	Session string
	// Operation is what the caller may do and does: a permission, or on the command line the command. Resource is what it is
	// done to, as kind/id, or the kind alone.
	Operation, Resource string
	// Purpose and Justification are what whoever calls wrote down about why.
	Purpose, Justification string
	Request                string // names the call, also in its answer
	Address                string // of the network
	Agent                  string // what the caller says it runs; at most 200 bytes of it are kept
	Started                time.Time
}

// Told is what an entry says of the act in words of its own, beside kind, actor and subject.
type Told struct {
	Operation string   `json:"operation,omitempty"`
	Resource  string   `json:"resource,omitempty"`
	Fields    []string `json:"fields,omitempty"` // names of what was seen, never values
}

// Via is an Origin as it is kept.
type Via struct {
	Role    string `json:"role,omitempty"`
	Session string `json:"session,omitempty"`
	Purpose string `json:"purpose,omitempty"`
	Because string `json:"justification,omitempty"`
	Request string `json:"request,omitempty"`
	Address string `json:"address,omitempty"` // keyed hash: the same for the same address, and nothing else
	Agent   string `json:"agent,omitempty"`
	TookMS  int64  `json:"took_ms"` // from the beginning of the call until the entry
}

const maxAgent = 200

type originKey struct{}

// WithOrigin puts the call into a context.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, &o)
}

// Because adds to the call of a context why it is made; without a call there is nothing to add to.
func Because(ctx context.Context, justification string) context.Context {
	o, _ := ctx.Value(originKey{}).(*Origin)
	if o == nil {
		return ctx
	}
	with := *o
	with.Justification = justification
	return WithOrigin(ctx, with)
}

// Doing adds to the call of a context what is done to what; without a call there is nothing to add to.
func Doing(ctx context.Context, operation, resource string) context.Context {
	o, _ := ctx.Value(originKey{}).(*Origin)
	if o == nil {
		return ctx
	}
	with := *o
	with.Operation, with.Resource = operation, resource
	return WithOrigin(ctx, with)
}

// told is what an entry tells of itself: its own words before those of the call.
func (e Entry) told(origin any) Told {
	t := Told{Resource: e.Resource, Fields: e.Fields}
	if o, _ := origin.(*Origin); o != nil {
		if t.Operation = o.Operation; t.Resource == "" {
			t.Resource = o.Resource
		}
	}
	return t
}

// Carried is a context for work that outlives the call of another: its entries tell of that call.
func Carried(to, call context.Context) context.Context {
	o, _ := call.Value(originKey{}).(*Origin)
	if o == nil {
		return to
	}
	return WithOrigin(to, *o)
}

// ByProgram is a context for what the program itself does in a call: of the call its entries keep what names it, and
// nothing of who called.
func ByProgram(ctx context.Context) context.Context {
	o, _ := ctx.Value(originKey{}).(*Origin)
	if o == nil {
		return ctx
	}
	return WithOrigin(ctx, Origin{Role: "program", Operation: o.Operation, Resource: o.Resource, Request: o.Request, Started: o.Started})
}

// via is how an entry came, by what a context holds for originKey; nil where that is nothing.
func (l *Ledger) via(origin any) *Via {
	o, _ := origin.(*Origin)
	if o == nil {
		return nil
	}
	v := &Via{Role: o.Role, Session: o.Session, Purpose: o.Purpose, Because: o.Justification, Request: o.Request, Agent: strings.ToValidUTF8(o.Agent[:min(len(o.Agent), maxAgent)], "")}
	if !o.Started.IsZero() {
		v.TookMS = max(0, l.c.Clock.Now().Sub(o.Started).Milliseconds())
	}
	if o.Address != "" {
		sum := l.c.Vault.MAC("ledger/address", []byte(o.Address))
		v.Address = hex.EncodeToString(sum[:16])
	}
	return v
}

// actorForm is how actor, origin and what is told are committed to together. An actor alone stands there bare, as before there
// were origins; none begins with a brace.
type actorForm struct {
	Actor string `json:"actor"`
	Told
	Via *Via `json:"via"`
}

func actorBytes(actor string, t Told, v *Via) []byte {
	if v == nil && t.Operation == "" && t.Resource == "" && len(t.Fields) == 0 {
		return []byte(actor)
	}
	if v == nil {
		v = &Via{}
	}
	b, _ := json.Marshal(actorForm{actor, t, v}) // strings and numbers always can be
	return b
}

func readActor(b []byte) (string, Told, *Via) {
	var f actorForm
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &f) != nil || f.Via == nil {
		return string(b), Told{}, nil
	}
	return f.Actor, f.Told, f.Via
}
