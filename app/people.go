package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// snapshotFile is where the decision index is kept for a quick start.
const snapshotFile = "decisions.snapshot"

// openConsents opens what is known of people and what they said. It belongs to the store, not to a configuration: there
// is one index, whatever ombud.yaml says now.
func (a *App) openConsents(ctx context.Context, cfg *catalog.Config) (err error) {
	if a.People, err = subject.OpenPeople(ctx, a.DB, a.Vault, a.cfg.Clock); err != nil {
		return err
	}
	facts, err := subject.OpenFacts(ctx, a.DB, a.Vault, a.Ledger, a.cfg.Clock, a.People)
	if err != nil {
		return err
	}
	if a.Pseudonyms, err = subject.OpenPseudonyms(ctx, a.DB, a.Vault, a.Ledger, a.People, a.cfg.Clock); err != nil {
		return err
	}
	if a.suppressions, err = subject.OpenSuppressions(ctx, a.DB, a.Vault, a.Ledger, a.cfg.Clock); err != nil {
		return err
	}
	if a.shreds, err = subject.OpenShreds(ctx, a.DB, a.Vault, a.Ledger, a.cfg.Clock); err != nil {
		return err
	}
	if a.Purposes, err = purpose.Open(ctx, a.DB, a.Ledger); err != nil {
		return err
	}
	a.Consents, err = consent.Open(ctx, consent.Config{
		DB: a.DB, Vault: a.Vault, Ledger: a.Ledger, Clock: a.cfg.Clock, People: a.People, Facts: facts, Suppressions: a.suppressions, Shreds: a.shreds,
		Purposes: a.Purposes, Snapshot: filepath.Join(a.cfg.DataDir, snapshotFile), Organization: cfg.Organization.Name,
		Jurisdictions: cfg.Organization.Jurisdictions, Log: a.cfg.Log,
	})
	if err != nil {
		return err
	}
	if err := a.openRelay(ctx); err != nil {
		return err
	}
	return a.openMirror(cfg)
}

// declare takes the purposes and the place of a configuration in. Without a file nothing is declared and nothing retired.
func (a *App) declare(ctx context.Context, cfg *catalog.Config, print string) error {
	if print == "" {
		return nil
	}
	before := a.Purposes.Now()
	if err := a.Purposes.Sync(ctx, "ombud.yaml", purposesOf(cfg)); err != nil {
		return err
	}
	a.Consents.Place(cfg.Organization.Name, cfg.Organization.Jurisdictions)
	a.Accounts.SetDownloads(access.Downloads{Most: cfg.Access.Downloads.Most, In: time.Duration(cfg.Access.Downloads.Minutes) * time.Minute})
	a.Consents.Log(consent.Logging{All: cfg.Decisions.Log == catalog.LogFull, Sample: cfg.Decisions.Sample})
	if a.Purposes.Now() != before {
		a.Consents.PurposesChanged()
	}
	a.tellTo(cfg)
	a.vouch(cfg)
	a.mailCodes(cfg)
	return nil
}

// purposesOf gives the purposes of ombud.yaml to their register.
func purposesOf(cfg *catalog.Config) []purpose.Purpose {
	var out []purpose.Purpose
	for _, p := range cfg.Purposes {
		one := purpose.Purpose{
			ID: p.ID, Name: p.Name, Description: p.Description, Basis: purpose.Basis(p.Basis), Because: p.Because, Categories: p.Categories,
			Explicit: p.Explicit, Uses: p.Uses, Systems: p.Systems, Retention: p.Retention, Recipients: p.Recipients, Expires: p.Expires,
			DoubleOptIn: p.DoubleOptIn, Reconsent: p.Reconsent, Review: p.Review, OnWithdrawal: p.OnWithdrawal,
		}
		if p.LIA != nil {
			lia := purpose.LIA(*p.LIA)
			one.LIA = &lia
		}
		for _, f := range p.Fields {
			one.Fields = append(one.Fields, purpose.Field(f))
		}
		for _, n := range p.Notices {
			one.Notices = append(one.Notices, purpose.Notice(n))
		}
		out = append(out, one)
	}
	return out
}

// keepConsents tells of what expired, keeps the snapshot near the present, and makes old copies of destroyed keys useless,
// until ctx ends; then once more. Who was forgotten is in no file of ours a minute later.
func (a *App) keepConsents(ctx context.Context) {
	saved := a.Consents.Saved()
	for ctx.Err() == nil {
		select {
		case <-a.cfg.Clock.After(time.Minute):
		case <-ctx.Done():
		}
		last := context.WithoutCancel(ctx)
		err := a.Consents.Expire(last)
		if _, e := a.shreds.Close(last); e != nil {
			err = errors.Join(err, e)
		}
		if head := a.Ledger.Head(); head-saved > 10_000 || a.Consents.Stale() || ctx.Err() != nil && head != saved {
			err = errors.Join(err, a.Consents.SaveSnapshot(last))
			saved = head
		}
		if err != nil {
			a.cfg.Log.Error("keeping consents", "error", err)
		}
	}
}
