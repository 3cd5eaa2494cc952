package access

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/db"
)

// whyLasts is how long a justification holds for the one thing it was written about.
const whyLasts = 15 * time.Minute

// why is a justification of a session.
type why struct {
	text  string
	until int64
}

// Justify keeps why whoever is signed in looks at one thing, such as "/people/sub_…", in an entry and for a while in their
// session. fault.Invalid when the words say too little.
func (a *Accounts) Justify(ctx context.Context, who Caller, about, because string) error {
	_, s := a.sessionOf(who)
	if s == nil || s.stage != SignedIn {
		return errHalfOver()
	}
	if because = Justification(because); because == "" {
		return errWhy("because", "say why you look at this")
	}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		return a.note(tx, "access.justified", "ok", who.Actor, map[string]any{"about": about, "justification": because})
	})
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.whys == nil || len(s.whys) > 100 {
		s.whys = map[string]why{}
	}
	s.whys[about] = why{because, a.clock.Now().Add(whyLasts).Unix()}
	return nil
}

// WhyOf is the justification that a session has for one thing, "" without one.
func (a *Accounts) WhyOf(who Caller, about string) string {
	_, s := a.sessionOf(who)
	if s == nil {
		return ""
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	w := s.whys[about]
	if a.clock.Now().Unix() >= w.until {
		return ""
	}
	return w.text
}
