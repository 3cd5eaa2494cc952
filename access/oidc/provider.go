package oidc

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
)

// algorithms are those a token may be signed with. With none of them could somebody sign who knows only what is public.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// tokenAge is how old a token may be that answers a question just asked, and how far clocks may differ.
const tokenAge = 10 * time.Minute

// provider is a Provider that is asked.
type provider struct {
	Provider
	now func() time.Time

	mu     sync.Mutex
	client *http.Client
	known  *oidc.Provider // nil until it has answered once
}

// found asks the provider where its endpoints are, once.
func (p *provider) found(ctx context.Context) (*oidc.Provider, context.Context, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		client, err := dial.Client(p.Way)
		if err != nil {
			return nil, nil, err
		}
		p.client = client
	}
	ctx = oidc.ClientContext(ctx, p.client)
	if p.known != nil {
		return p.known, ctx, nil
	}
	known, err := oidc.NewProvider(context.WithoutCancel(ctx), p.Issuer)
	if err != nil || !encrypted(known) {
		return nil, nil, fault.New(fault.Unavailable, "%s does not answer, or not as an identity provider does", p.Name).
			Then("Try again; if it stays so, look at issuer in access.oidc of ombud.yaml, and whether it can be reached from here.")
	}
	p.known = known
	return known, ctx, nil
}

// encrypted tells whether every endpoint that a provider names is reached over TLS.
func encrypted(known *oidc.Provider) bool {
	var keys struct {
		URL string `json:"jwks_uri"`
	}
	if known.Claims(&keys) != nil {
		return false
	}
	for _, s := range []string{known.Endpoint().AuthURL, known.Endpoint().TokenURL, keys.URL} {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
			return false
		}
	}
	return true
}

func (p *provider) oauth(ctx context.Context, callback string) (*oauth2.Config, error) {
	known, _, err := p.found(ctx)
	if err != nil {
		return nil, err
	}
	at := known.Endpoint()
	at.AuthStyle = p.style(known)
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: at, RedirectURL: callback,
		Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, p.Scopes...)}, nil
}

// style is how we show our secret: in the header, unless the provider takes it in the body only, or there is none. It is
// not found out by trying: a code is good once.
func (p *provider) style(known *oidc.Provider) oauth2.AuthStyle {
	var takes struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	const basic, post = "client_secret_basic", "client_secret_post"
	if known.Claims(&takes) == nil && slices.Contains(takes.Methods, post) && !slices.Contains(takes.Methods, basic) || p.Secret == "" {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// asking is what a question carries beside its state.
func (p *provider) asking(f *flow) []oauth2.AuthCodeOption {
	out := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.verifier), oidc.Nonce(f.nonce)}
	if len(p.ACR) > 0 {
		out = append(out, oauth2.SetAuthURLParam("acr_values", strings.Join(p.ACR, " ")))
	}
	return out
}

// exchange gives the code to the provider and judges what it says in return.
func (p *provider) exchange(ctx context.Context, f *flow, code string) (*claims, *oauth2.Token, error) {
	conf, err := p.oauth(ctx, f.callback)
	if err != nil {
		return nil, nil, err
	}
	_, ctx, err = p.found(ctx)
	if err != nil {
		return nil, nil, err
	}
	token, err := conf.Exchange(ctx, code, oauth2.VerifierOption(f.verifier))
	if err != nil { // its text may hold what the provider answered
		return nil, nil, errForged(p)
	}
	raw, _ := token.Extra("id_token").(string)
	c, err := p.judge(ctx, raw, token.AccessToken)
	if err != nil || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(f.nonce)) != 1 {
		return nil, nil, errForged(p)
	}
	if !c.grouped {
		p.askGroups(ctx, conf, token, c)
	}
	return c, token, nil
}

// verify verifies a token: its signature, who it is from and for, and its time.
func (p *provider) verify(ctx context.Context, raw string) (*oidc.IDToken, error) {
	known, ctx, err := p.found(ctx)
	if err != nil {
		return nil, err
	}
	verifier := known.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms, Now: p.now})
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, errForged(p)
	}
	now := p.now()
	if !now.Before(id.Expiry) || id.IssuedAt.Before(now.Add(-tokenAge)) || id.IssuedAt.After(now.Add(tokenAge)) {
		return nil, errForged(p)
	}
	return id, nil
}

// judge verifies a token that names somebody who just signed in.
func (p *provider) judge(ctx context.Context, raw, accessToken string) (*claims, error) {
	id, err := p.verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	c := &claims{Subject: id.Subject}
	if err := c.read(id.Claims, p.Groups); err != nil {
		return nil, errForged(p)
	}
	switch {
	case id.Subject == "" || len(id.Subject) > 255:
	case c.AZP != "" && c.AZP != p.ClientID || c.AZP == "" && len(id.Audience) > 1:
	case id.AccessTokenHash != "" && id.VerifyAccessToken(accessToken) != nil:
	default:
		return c, nil
	}
	return nil, errForged(p)
}

// askGroups asks for the groups where the token does not hold them. What belongs to somebody else is not taken.
func (p *provider) askGroups(ctx context.Context, conf *oauth2.Config, token *oauth2.Token, c *claims) {
	known, ctx, err := p.found(ctx)
	if err != nil || known.UserInfoEndpoint() == "" {
		return
	}
	info, err := known.UserInfo(ctx, conf.TokenSource(ctx, token))
	if err != nil || info.Subject != c.Subject {
		return
	}
	var more claims
	if more.read(info.Claims, p.Groups) == nil && more.grouped {
		c.groups, c.grouped = more.groups, true
	}
}

// rolesOf gives the roles of the grants that the groups have, each once, in the order of the configuration: of the first
// that fits, unless every one counts.
func (p *provider) rolesOf(groups []string) (out []access.Role) {
	for _, g := range p.Roles {
		if slices.Contains(groups, g.Group) && !slices.Contains(out, g.Role) && (p.Every || out == nil) {
			out = append(out, g.Role)
		}
	}
	return out
}

// strong tells whether the provider says that it asked for a second factor.
func (p *provider) strong(c *claims) bool {
	return slices.Contains(p.ACR, c.ACR) || slices.ContainsFunc(c.AMR, func(s string) bool { return slices.Contains(p.AMR, s) })
}
