package app

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/id"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/pii"
)

// entered is the context of a request that was let in: who calls, and for the entries that it makes, from where. The name
// of the call stands in its answer too, so that the two can be brought together. Decisions make no entries of their own,
// and are spared it.
func (f *front) entered(w http.ResponseWriter, r *http.Request, c access.Caller) context.Context {
	ctx := access.With(r.Context(), c)
	if strings.HasPrefix(r.URL.Path, "/v1/decisions") {
		return ctx
	}
	now, call := f.app.cfg.Clock.Now(), c.Call()
	o := ledger.Origin{Role: c.RoleNames(), Purpose: call.Purpose, Justification: call.Justification, Session: c.Session, Request: id.New("call_", now), Address: r.RemoteAddr, Agent: said(r, "User-Agent"), Started: now}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		o.Address = host
	}
	w.Header().Set("X-Request-Id", o.Request)
	return ledger.WithOrigin(ctx, o)
}

// said is what a call says of itself, as it may be written down: entries keep it, and a card number is kept nowhere.
func said(r *http.Request, header string) string { return pii.MaskCards(r.Header.Get(header)) }

// calling tells the policies of the call what they may ask about. Decisions are spared it, unless a policy of the company
// may want to know.
func (f *front) calling(r *http.Request, c access.Caller) access.Caller {
	if strings.HasPrefix(r.URL.Path, "/v1/decisions") && !c.Policies().Narrowed() {
		return c
	}
	call := access.Call{Time: f.app.cfg.Clock.Now(), Purpose: said(r, access.PurposeHeader), Justification: access.Justification(said(r, access.JustificationHeader))}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		call.Address = from.Addr().Unmap().WithZone("")
	}
	return c.Calling(call)
}
