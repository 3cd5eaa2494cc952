package app

import (
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/dial"
)

// vouch takes in who vouches for people. A provider whose secret is not there is not offered until it is.
func (a *App) vouch(cfg *catalog.Config) {
	var use []oidc.Provider
	for _, o := range cfg.Access.OIDC {
		secret, err := catalog.Expand("the client_secret of "+o.ID, o.ClientSecret)
		if err != nil {
			a.cfg.Log.Error("an identity provider of ombud.yaml cannot be used", "provider", o.ID, "error", err)
			continue
		}
		p := oidc.Provider{ID: o.ID, Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, Secret: strings.TrimSpace(secret), Scopes: o.Scopes,
			Groups: o.Groups, Every: o.Match == "all", AMR: o.AMR, ACR: o.ACR, Way: dial.Way{Private: o.Allow == "private", Peer: dial.Peer{CA: cfg.File(o.CA)}, Answer: 1 << 20}}
		for _, g := range o.Roles {
			p.Roles = append(p.Roles, oidc.Grant{Group: g.Group, Role: access.Role(g.Role)})
		}
		use = append(use, p)
	}
	a.Desk.Use(use)
}
