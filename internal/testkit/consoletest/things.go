package consoletest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// Make makes a thing of a kind for somebody, and gives its id as an address names it. within is the id of the thing it lies
// in, for kinds that lie in another. The world was populated. A kind that is unknown here is an error, so that no route with
// an id goes untried; "" is nothing: this caller cannot have one.
func (w *World) Make(ctx context.Context, kind, within string, by access.Caller) (string, error) {
	make, ok := map[string]func(context.Context, string, access.Caller) (string, error){
		"request": w.makeRequest, "entry": w.makeEntry, "person": w.makePerson, "consent": w.makeConsent,
		"purpose": w.makePurpose, "restriction": w.makeRestriction, "target": w.makeTarget, "propagation": w.makePropagation,
		"resolution": w.makeResolution, "alarm": w.makeAlarm, "account": w.makeAccount, "key": w.makeKey, "backup": w.makeBackup,
	}[kind]
	if !ok {
		return "", fmt.Errorf("no thing of the kind %q can be made", kind)
	}
	w.mu.Lock()
	w.made++
	w.mu.Unlock()
	return make(ctx, within, by)
}

// name is one that no other thing has.
func (w *World) name(of string) string { return of + "-" + strconv.Itoa(w.made) }

func (w *World) makeRequest(ctx context.Context, _ string, by access.Caller) (string, error) {
	one := plan.Person{Identities: []subject.Identity{{Kind: "email", Value: w.name("nobody") + "@example.com"}}}
	r, err := w.Requests.Plan(ctx, request.PlanInput{Kind: plan.Erasure, People: []plan.Person{one}, Actor: by.Actor})
	if err != nil {
		return "", err
	}
	return r.Ref, nil
}

func (w *World) makeEntry(ctx context.Context, within string, _ access.Caller) (string, error) {
	r, err := w.Requests.Get(ctx, within)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(r.Entries[0], 10), nil
}

func (w *World) makePerson(ctx context.Context, _ string, by access.Caller) (string, error) {
	who, _, err := w.limited(ctx, by)
	return who, err
}

// limited is somebody new, with a restriction.
func (w *World) limited(ctx context.Context, by access.Caller) (who, fact string, err error) {
	who, f, err := w.Consents.AddFact(ctx, []subject.Identity{{Kind: "email", Value: w.name("somebody") + "@example.com"}},
		subject.FactInput{Kind: subject.Objection, Type: "legitimate_interests", Purposes: []string{"advice"}, Actor: by.Actor})
	return who, f.ID, err
}

func (w *World) makeRestriction(ctx context.Context, _ string, by access.Caller) (string, error) {
	_, fact, err := w.limited(ctx, by)
	return fact, err
}

func (w *World) makeConsent(ctx context.Context, within string, by access.Caller) (string, error) {
	ids, err := w.Consents.Identities(ctx, within)
	if within == "" {
		ids, err = []subject.Identity{{Kind: "email", Value: w.name("somebody") + "@example.com"}}, nil
	}
	if err != nil {
		return "", err
	}
	c, err := w.Consents.Record(ctx, consent.RecordInput{Subject: ids, Purpose: "measuring", Method: "opt_in", Actor: by.Actor,
		Notice: consent.NoticeInput{ID: "measuring", Version: "1", Language: "en"}})
	return c.ID, err
}

func (w *World) makePurpose(_ context.Context, _ string, _ access.Caller) (string, error) {
	return []string{"newsletter", "measuring"}[w.made%2], nil
}

func (w *World) makeTarget(_ context.Context, _ string, _ access.Caller) (string, error) {
	return services()[w.made%2], nil
}

func (w *World) makePropagation(ctx context.Context, _ string, _ access.Caller) (string, error) {
	all, err := w.Relay.List(ctx, event.Filter{Target: services()[w.made%2], Limit: 1})
	if err != nil || len(all) == 0 {
		return "", fmt.Errorf("no propagation: %w", err)
	}
	return all[0].ID, nil
}

// makeResolution asks who somebody's pseudonym is, as a data protection officer would.
func (w *World) makeResolution(ctx context.Context, _ string, by access.Caller) (string, error) {
	who, _, err := w.limited(ctx, by)
	if err != nil {
		return "", err
	}
	ids, err := w.Consents.Identities(ctx, who)
	if err != nil {
		return "", err
	}
	psn, err := w.Pseudonyms.Make(ctx, subject.PseudonymInput{Subject: ids, Context: "analytics", Actor: by.Actor})
	if err != nil {
		return "", err
	}
	r, err := w.Pseudonyms.Ask(ctx, access.Caller{Actor: by.Actor, Role: access.Officer, Session: "of a test"}, psn.ID, "the fraud desk asks")
	return r.ID, err
}

// makeAlarm is one about nobody.
func (w *World) makeAlarm(ctx context.Context, _ string, _ access.Caller) (id string, err error) {
	err = w.DB.Write(ctx, func(tx *db.Tx) error {
		id, err = w.Accounts.AlarmOf(ctx, tx, access.AlarmWitness, w.name("the witness refuses"))
		return err
	})
	return id, err
}

func (w *World) makeAccount(ctx context.Context, _ string, by access.Caller) (string, error) {
	acc, _, err := w.Accounts.Create(ctx, access.NewAccount{Name: w.name("colleague"), Role: access.Developer, By: w.admin(by)})
	return acc.ID, err
}

// admin is who makes accounts, for whoever may not.
func (w *World) admin(by access.Caller) access.Caller {
	if access.Allowed(by, access.AccountManage) == nil {
		return by
	}
	return access.Caller{Actor: Actor, Role: access.Admin, Session: "of a test"}
}

func (w *World) makeKey(ctx context.Context, _ string, by access.Caller) (string, error) {
	k, _, err := w.Keys.Create(ctx, access.KeyInput{Name: w.name("key"), Role: access.Service, Actor: by.Actor})
	return k.ID, err
}

func (w *World) makeBackup(_ context.Context, _ string, _ access.Caller) (string, error) {
	return []string{"ombud-20261118-020000-40" + backup.Extension, "ombud-20261119-020000-60" + backup.Extension}[w.made%2], nil
}
