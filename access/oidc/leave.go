package oidc

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/ombudhq/ombud/access"
)

// signedOut is the event of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4).
const signedOut = "http://schemas.openid.net/event/backchannel-logout"

// Leave takes the word of a provider that somebody signed out there: the sessions it names are over when it returns.
// fault.Denied for a token that is not believed or came before, fault.Busy after too many of those from one address.
func (d *Desk) Leave(ctx context.Context, id, raw, address string) error {
	p, err := d.provider(id)
	if err != nil {
		return err
	}
	return d.accounts.Leave(ctx, address, func() (access.Farewell, error) { return p.farewell(ctx, raw) })
}

// farewell verifies a logout token: signed as any token, of this event, and no answer to a question of ours.
func (p *provider) farewell(ctx context.Context, raw string) (access.Farewell, error) {
	id, err := p.verify(ctx, raw)
	if err != nil {
		return access.Farewell{}, err
	}
	var c struct {
		Session string                     `json:"sid"`
		ID      string                     `json:"jti"`
		Nonce   json.RawMessage            `json:"nonce"`
		Events  map[string]json.RawMessage `json:"events"`
	}
	if id.Claims(&c) != nil || len(c.Nonce) > 0 || !bytes.HasPrefix(bytes.TrimSpace(c.Events[signedOut]), []byte("{")) ||
		c.ID == "" || max(len(c.ID), len(c.Session), len(id.Subject)) > 255 {
		return access.Farewell{}, errForged(p)
	}
	return access.Farewell{Issuer: p.Issuer, Subject: id.Subject, Session: c.Session, ID: c.ID, Known: 2 * tokenAge}, nil
}
