package oidc

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/ombudhq/ombud/access"
)

const (
	askedEvery = 5 * time.Minute
	unasked    = 15 * time.Minute // how long a session goes on that nobody confirms
)

// ticket is what a provider gave for asking again about somebody. It lives in memory only.
type ticket struct {
	provider, subject string
	token             *oauth2.Token
	confirmed, asked  time.Time
}

// Run asks the providers again about those who are signed in, once a minute, until ctx ends; failed takes what could not be
// written.
func (d *Desk) Run(ctx context.Context, failed func(error)) {
	for {
		select {
		case <-d.clock.After(time.Minute):
		case <-ctx.Done():
			return
		}
		if err := d.Confirm(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// Confirm asks about everybody whose turn it is, and ends the sessions of those who have another role now, or none, or of
// whom nothing was heard for too long.
func (d *Desk) Confirm(ctx context.Context) error {
	var errs []error
	here := map[string]bool{}
	for _, account := range d.accounts.Vouched() {
		here[account] = true
		errs = append(errs, d.confirm(ctx, account))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for account := range d.tickets {
		if !here[account] && d.clock.Now().Sub(d.tickets[account].confirmed) > flowLasts { // not half way in either
			delete(d.tickets, account)
		}
	}
	return errors.Join(errs...)
}

func (d *Desk) confirm(ctx context.Context, account string) error {
	d.mu.Lock()
	known := d.tickets[account]
	d.mu.Unlock()
	now := d.clock.Now()
	if known == nil {
		if now.Sub(d.began) < unasked {
			return nil
		}
		return d.accounts.Unvouched(ctx, account, "nobody can be asked about it since a restart")
	}
	t := *known
	if now.Sub(t.asked) >= askedEvery {
		t.asked = now
		roles, heard := d.ask(ctx, &t)
		if heard {
			t.confirmed = now
			if err := d.accounts.Revise(ctx, account, roles); err != nil {
				return err
			}
		}
		d.mu.Lock()
		d.tickets[account] = &t
		d.mu.Unlock()
	}
	if now.Sub(t.confirmed) < unasked {
		return nil
	}
	return d.accounts.Unvouched(ctx, account, "the identity provider does not confirm it")
}

// ask hears from the provider which roles somebody has now. That it says nothing of groups is no answer.
func (d *Desk) ask(ctx context.Context, t *ticket) (roles []access.Role, heard bool) {
	p, err := d.provider(t.provider)
	if err != nil {
		return nil, false
	}
	conf, err := p.oauth(ctx, "")
	if err != nil {
		return nil, false
	}
	_, ctx, err = p.found(ctx)
	if err != nil {
		return nil, false
	}
	fresh, err := conf.TokenSource(ctx, t.token).Token()
	if err != nil {
		var refused *oauth2.RetrieveError
		return nil, errors.As(err, &refused) && refused.ErrorCode == "invalid_grant" // it takes back what it gave
	}
	c := &claims{Subject: t.subject}
	if raw, ok := fresh.Extra("id_token").(string); ok && fresh.AccessToken != t.token.AccessToken {
		if said, err := p.judge(ctx, raw, fresh.AccessToken); err == nil && said.Subject == t.subject {
			c = said
		}
	}
	if !c.grouped {
		p.askGroups(ctx, conf, fresh, c)
	}
	t.token = fresh
	return p.rolesOf(c.groups), c.grouped
}
