package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/fault"
)

const (
	flowLasts = 10 * time.Minute
	flowsKept = 1000 // that are on their way, at a time
)

// Provider is one identity provider, as ombud.yaml says it.
type Provider struct {
	ID, Name         string
	Issuer           string
	ClientID, Secret string
	Scopes           []string // beside openid, profile and email
	Groups           string   // the claim with somebody's groups
	Roles            []Grant  // the first that fits counts
	Every            bool     // or every one that fits
	AMR, ACR         []string // what counts as a second factor there; without it ours is asked
	Way              dial.Way
}

// Grant gives the members of a group a role.
type Grant struct {
	Group string
	Role  access.Role
}

// Choice is a provider as a page offers it.
type Choice struct{ ID, Name string }

// Desk takes people in from identity providers. It is safe for concurrent use.
type Desk struct {
	accounts *access.Accounts
	clock    clock.Clock
	began    time.Time // of this process: what it does not know is not confirmed since then

	mu        sync.Mutex
	providers []*provider
	flows     map[[32]byte]*flow // by the hash of what the browser holds
	tickets   map[string]*ticket // by account
}

// flow is a browser on its way to a provider and back.
type flow struct {
	provider, state, nonce, verifier, callback string
	ends                                       time.Time
}

// NewDesk makes a desk without providers.
func NewDesk(a *access.Accounts, c clock.Clock) *Desk {
	return &Desk{accounts: a, clock: c, began: c.Now(), flows: map[[32]byte]*flow{}, tickets: map[string]*ticket{}}
}

// Use takes in the providers of the newest configuration. Who is on the way to one that is still there arrives.
func (d *Desk) Use(all []Provider) {
	var next []*provider
	for _, p := range all {
		next = append(next, &provider{Provider: p, now: d.clock.Now})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.providers = next
}

// Choices are the providers in the order of the configuration.
func (d *Desk) Choices() (out []Choice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.providers {
		out = append(out, Choice{p.ID, p.Name})
	}
	return out
}

func (d *Desk) provider(id string) (*provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.providers {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no such identity provider").Then("The page to sign in shows those there are.")
}

// Begin gives the address of a provider to send a browser to, and what the browser must hold until it comes back to
// callback. fault.Unavailable when the provider does not answer, fault.Busy when too many are on the way.
func (d *Desk) Begin(ctx context.Context, id, callback string) (to, browser string, err error) {
	p, err := d.provider(id)
	if err != nil {
		return "", "", err
	}
	conf, err := p.oauth(ctx, callback)
	if err != nil {
		return "", "", err
	}
	f := &flow{provider: id, state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), callback: callback, ends: d.clock.Now().Add(flowLasts)}
	browser = rand.Text() + rand.Text()
	if err := d.keep(browser, f); err != nil {
		return "", "", err
	}
	return conf.AuthCodeURL(f.state, p.asking(f)...), browser, nil
}

func (d *Desk) keep(browser string, f *flow) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for sum, o := range d.flows {
		if !d.clock.Now().Before(o.ends) {
			delete(d.flows, sum)
		}
	}
	if len(d.flows) >= flowsKept {
		return fault.New(fault.Busy, "too many people sign in at once").Then("Try again in a few minutes.")
	}
	d.flows[sha256.Sum256([]byte(browser))] = f
	return nil
}

// spend takes the flow of a browser: whatever it is spent on, there is no second time.
func (d *Desk) spend(browser, id, state string) (*flow, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sum := sha256.Sum256([]byte(browser))
	f := d.flows[sum]
	delete(d.flows, sum)
	if f == nil || !d.clock.Now().Before(f.ends) || f.provider != id || subtle.ConstantTimeCompare([]byte(f.state), []byte(state)) != 1 {
		return nil, fault.New(fault.Denied, "this answer belongs to no sign-in that was begun here").Then("Begin again, in this browser.")
	}
	return f, nil
}

// Finish takes a browser back: q is what the provider gave it to bring, address where it comes from. It signs in, or leads to
// our second factor where the provider says of none. fault.Denied says why nobody is let in.
func (d *Desk) Finish(ctx context.Context, id, browser string, q url.Values, address string) (access.Entry, error) {
	f, err := d.spend(browser, id, q.Get("state"))
	if err != nil {
		return access.Entry{}, err
	}
	p, err := d.provider(id)
	if err != nil {
		return access.Entry{}, err
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return access.Entry{}, fault.New(fault.Denied, "%s did not let you in", p.Name).Then("Begin again, or ask those who keep accounts there.")
	}
	if iss, given := q["iss"]; given && (len(iss) != 1 || iss[0] != p.Issuer) { // RFC 9207
		return access.Entry{}, errForged(p)
	}
	c, token, err := p.exchange(ctx, f, q.Get("code"))
	if err != nil {
		return access.Entry{}, err
	}
	e, account, err := d.accounts.Arrive(ctx, access.Arrival{
		Provider: p.ID, Issuer: p.Issuer, Subject: c.Subject, Session: c.Session, Display: c.display(p.Name), Roles: p.rolesOf(c.groups), Strong: p.strong(c), Address: address,
	})
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.tickets[account] = &ticket{provider: id, subject: c.Subject, token: token, confirmed: d.clock.Now(), asked: d.clock.Now()}
	}
	return e, err
}

func errForged(p *provider) error {
	return fault.New(fault.Denied, "what came back is not what %s says of somebody who just signed in", p.Name).Then("Begin again; if it stays so, its settings and ours do not fit.")
}
