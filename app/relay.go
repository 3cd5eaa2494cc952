package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/dial"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/notify"
	"github.com/ombudhq/ombud/ledger"
)

// source is who speaks in the events that we send.
const source = "urn:ombud"

// openRelay opens the way from the ledger to the services that must hear of it. Nothing is sent before serve runs it;
// what happens until then waits in the ledger.
func (a *App) openRelay(ctx context.Context) (err error) {
	a.webhooks = notify.NewClient(a.cfg.Clock, "ombud/"+a.cfg.Version)
	a.targets.Store(&[]catalog.Target{})
	a.Relay, err = event.Open(ctx, event.Config{
		DB: a.DB, Clock: a.cfg.Clock, Log: a.cfg.Log, Source: source, From: a.Ledger.Head(),
		Since: a.since, Changed: a.Ledger.Changed, Route: a.route, Compose: a.compose, Alarm: a.alarm,
	})
	return err
}

// since gives the relay entries of the ledger. Where nobody is told anything, none is read: the newest stands for all.
func (a *App) since(ctx context.Context, after int64, limit int) ([]event.Entry, error) {
	if head := a.Ledger.Head(); len(*a.targets.Load()) == 0 {
		if head <= after {
			return nil, nil
		}
		return []event.Entry{{Revision: head, Value: ledger.Row{}}}, nil
	}
	rows, err := a.Ledger.Since(ctx, after&(1<<40-1), limit)
	if err != nil {
		return nil, err
	}
	out := make([]event.Entry, len(rows))
	for i, r := range rows {
		out[i] = event.Entry{Revision: r.Revision, Time: r.Time, Value: r}
	}
	return out, nil
}

// route says who hears of an entry: the services that stand for a system its purposes name, and no others.
func (a *App) route(_ context.Context, e event.Entry) ([]event.Delivery, error) {
	row, ok := e.Value.(ledger.Row)
	if !ok {
		return nil, fmt.Errorf("the relay was given something that is no entry")
	}
	if row.ID == 0 {
		return nil, nil
	}
	if alarm := alarmOf(row); alarm != nil {
		return a.routeAlarm(alarm), nil
	}
	t, err := a.Consents.Told(row)
	if err != nil || t == nil {
		return nil, err
	}
	var out []event.Delivery
	for _, target := range *a.targets.Load() {
		if target.Told(catalog.Changes) && t.Concerns(target.Systems) {
			out = append(out, event.Delivery{Target: target.ID, Type: t.Event, Subject: t.Subject, Deadline: t.Deadline})
		}
	}
	return out, nil
}

// compose makes what a service is told, at the moment it is sent.
func (a *App) compose(ctx context.Context, to string, revision int64) (event.Payload, error) {
	identity := ""
	for _, target := range *a.targets.Load() {
		if target.ID == to && target.Identity != "none" {
			identity = target.Identity
		}
		if target.ID == to && target.Told(catalog.Alarms) {
			if p, err := a.composeAlarm(ctx, revision); err != nil || p != nil {
				return orNothing(p), err
			}
		}
	}
	fresh := func() (event.Payload, error) {
		t, err := a.Consents.Tell(ctx, revision, identity)
		if err != nil {
			return event.Payload{}, err
		}
		data, err := json.Marshal(t)
		if err != nil {
			return event.Payload{}, fmt.Errorf("composing an event: %w", err)
		}
		return event.Payload{Time: t.At, Data: data}, nil
	}
	if identity != "" {
		return fresh()
	}
	return a.thin.of(revision, a.Ledger.Head(), a.cfg.Clock.Now(), fresh)
}

// thin holds what was composed for services that get no identity: one entry is told to many of them at once. It holds
// nothing beyond the next entry, which may be an erasure, nor beyond a second.
type thin struct {
	mu    sync.Mutex
	head  int64
	since time.Time
	all   map[int64]*composed
}

const thinFor, thinMost = time.Second, 256

// composed is the content for one entry; its first user makes it.
type composed struct {
	mu   sync.Mutex
	done bool
	event.Payload
}

// of gives the content for a revision, as fresh makes it where it is not held.
func (t *thin) of(revision, head int64, now time.Time, fresh func() (event.Payload, error)) (event.Payload, error) {
	c := t.held(revision, head, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return c.Payload, nil
	}
	p, err := fresh()
	c.Payload, c.done = p, err == nil
	return p, err
}

func (t *thin) held(revision, head int64, now time.Time) *composed {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.head != head || now.Sub(t.since) >= thinFor || len(t.all) == thinMost {
		t.head, t.since, t.all = head, now, map[int64]*composed{}
	}
	c := t.all[revision]
	if c == nil {
		c = &composed{}
		t.all[revision] = c
	}
	return c
}

// alarm puts what somebody must look at into the ledger, and into the log.
func (a *App) alarm(tx *db.Tx, m event.Alarm) error {
	n, _ := a.People.Number(m.Subject)
	_, err := a.Ledger.Append(tx, ledger.Entry{Kind: "propagation.alarm", Result: string(m.Kind), Actor: "ombud", Subject: m.Subject, Slot: n.Slot(),
		Content: map[string]any{"target": m.Target, "propagation": m.ID, "revision": m.Revision, "reason": m.Reason}})
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		a.cfg.Log.Warn("a service has not heard, or has not said that it acted", "alarm", m.Kind, "target", m.Target, "propagation", m.ID, "reason", m.Reason)
	})
	return nil
}

// tellTo takes in who is told. A service whose address or secret cannot be used gets nothing until that is mended; what
// it must hear waits.
func (a *App) tellTo(cfg *catalog.Config) {
	targets := cfg.Targets
	var use []event.Target
	for _, t := range targets {
		hook, err := a.webhook(cfg, t)
		if err != nil {
			a.cfg.Log.Error("a target of ombud.yaml cannot be used; what it must hear waits", "target", t.ID, "error", err)
			continue
		}
		use = append(use, event.Target{ID: t.ID, Bus: hook})
	}
	a.targets.Store(&targets)
	a.Relay.Use(use...)
}

func (a *App) webhook(cfg *catalog.Config, t catalog.Target) (*notify.Webhook, error) {
	secret, err := catalog.Expand("the secret of "+t.ID, t.Secret)
	if err != nil {
		return nil, err
	}
	key, err := catalog.Expand("the key of "+t.ID, t.Key)
	if err != nil {
		return nil, err
	}
	address, err := catalog.Expand("the url of "+t.ID, t.URL)
	if err != nil {
		return nil, err
	}
	e := notify.Endpoint{URL: address, Bearer: key, Private: t.Allow == "private",
		Peer: dial.Peer{CA: cfg.File(t.TLS.CA), Cert: cfg.File(t.TLS.Cert), Key: cfg.File(t.TLS.Key), Pins: t.TLS.Pins}}
	if secret != "" {
		e.Secrets = strings.Fields(secret) // two, while the service changes from one to the next
	}
	return a.webhooks.Webhook(e)
}
