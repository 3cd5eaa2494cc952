package app

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/event/redis"
	"github.com/ombudhq/ombud/internal/fault"
)

// mirrorLabel makes the key under which people are named in the mirror.
const mirrorLabel = "mirror"

// mirrorWait bounds how long the mirror waits for the index to reach an entry.
const mirrorWait = 5 * time.Second

// openMirror makes the mirror that the configuration asks for at the start; nil when it asks for none. A change of its
// address counts at the next start.
func (a *App) openMirror(cfg *catalog.Config) (err error) {
	if cfg.Mirror.Redis == "" {
		return nil
	}
	address, err := catalog.Expand("mirror.redis", cfg.Mirror.Redis)
	if err != nil {
		return err
	}
	client, err := redis.Connect(address)
	if err != nil {
		return err
	}
	key := a.Vault.MAC(mirrorLabel)
	a.Mirror, err = redis.New(redis.Config{
		Client: client, Clock: a.cfg.Clock, Log: a.cfg.Log, Key: key[:], Since: a.mirrorSince, Changed: a.Ledger.Changed, Head: a.Ledger.Head,
		Who: mirrored, State: a.mirrorState, Subjects: a.mirrorAll,
	})
	return err
}

// MirrorToken is the name of a person's key in the mirror; "" where there is no mirror.
func (a *App) MirrorToken(person string) string {
	if a.Mirror == nil || person == "" {
		return ""
	}
	key := a.Vault.MAC(mirrorLabel)
	return redis.Token(key[:], person)
}

// concerned says whose state an entry changes.
type concerned struct {
	people    []string
	everybody bool
}

// mirrorSince gives the mirror the entries of the ledger, with whom they concern.
func (a *App) mirrorSince(ctx context.Context, after int64, limit int) ([]event.Entry, error) {
	rows, err := a.Ledger.Since(ctx, after&(1<<40-1), limit)
	if err != nil {
		return nil, err
	}
	out := make([]event.Entry, len(rows))
	for i, r := range rows {
		var c concerned
		switch {
		case r.Kind == "purpose.changed":
			c.everybody = true
		case r.Kind == "request.completed": // the entry does not name who was erased by an id; the minute does
			if c.people, err = a.Consents.ErasedAbout(ctx, r.Time); err != nil {
				return nil, err
			}
		case strings.HasPrefix(r.Subject, "sub_"):
			c.people = []string{r.Subject}
		}
		out[i] = event.Entry{Revision: r.Revision, Value: c}
	}
	return out, nil
}

func mirrored(e event.Entry) (people []string, everybody bool) {
	c, _ := e.Value.(concerned)
	return c.people, c.everybody
}

// mirrorState is what is true of a person now.
func (a *App) mirrorState(ctx context.Context, person string) (redis.State, error) {
	if err := a.Consents.Await(ctx, a.Ledger.Head(), mirrorWait); err != nil {
		return redis.State{}, err
	}
	revision := a.Consents.Revision()
	h, ok := a.Consents.FindID(person)
	if !ok {
		return redis.State{}, fault.New(fault.Invalid, "this is no person of ours")
	}
	return redis.State{Revision: revision, Purposes: a.Consents.AllowedTo(h)}, nil
}

func (a *App) mirrorAll(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for n := range a.Consents.Everybody() {
			if !yield(a.Consents.Who(n), nil) {
				return
			}
		}
	}
}
