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
	// Purpose and Justification are what whoever calls wrote down about why.
	Purpose, Justification string
	Request                string // names the call, also in its answer
	Address                string // of the network
	Agent                  string // what the caller says it runs; at most 200 bytes of it are kept
	Started                time.Time
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
	return WithOrigin(ctx, Origin{Role: "program", Request: o.Request, Started: o.Started})
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

// actorForm is how actor and origin are committed to together. An actor alone stands there bare, as before there were
// origins; none begins with a brace.
type actorForm struct {
	Actor string `json:"actor"`
	Via   *Via   `json:"via"`
}

func actorBytes(actor string, v *Via) []byte {
	if v == nil {
		return []byte(actor)
	}
	b, _ := json.Marshal(actorForm{actor, v}) // strings and a number always can be
	return b
}

func readActor(b []byte) (string, *Via) {
	var f actorForm
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &f) != nil || f.Via == nil {
		return string(b), nil
	}
	return f.Actor, f.Via
}
