package consoletest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// openConsents opens what people chose, and the way to the services that must hear of it.
func (w *World) openConsents(ctx context.Context) (err error) {
	if w.People, err = subject.OpenPeople(ctx, w.DB, w.vault, w.Clock); err != nil {
		return err
	}
	if w.Pseudonyms, err = subject.OpenPseudonyms(ctx, w.DB, w.vault, w.Ledger, w.People, w.Clock); err != nil {
		return err
	}
	facts, err := subject.OpenFacts(ctx, w.DB, w.vault, w.Ledger, w.Clock, w.People)
	if err != nil {
		return err
	}
	suppressions, err := subject.OpenSuppressions(ctx, w.DB, w.vault, w.Ledger, w.Clock)
	if err != nil {
		return err
	}
	if w.Purposes, err = purpose.Open(ctx, w.DB, w.Ledger); err != nil {
		return err
	}
	w.Consents, err = consent.Open(ctx, consent.Config{DB: w.DB, Vault: w.vault, Ledger: w.Ledger, Clock: w.Clock, People: w.People, Facts: facts,
		Suppressions: suppressions, Purposes: w.Purposes, Organization: "Fjordly AS", Jurisdictions: []string{"eu"}})
	if err != nil {
		return err
	}
	return w.openRelay(ctx)
}

func (w *World) openRelay(ctx context.Context) (err error) {
	w.Relay, err = event.Open(ctx, event.Config{DB: w.DB, Clock: w.Clock, Rand: func() float64 { return 0.5 }, Source: "urn:ombud", From: w.Ledger.Head(),
		Since: w.since, Changed: w.Ledger.Changed, Route: w.route, Compose: w.compose})
	return err
}

func (w *World) since(ctx context.Context, after int64, limit int) ([]event.Entry, error) {
	rows, err := w.Ledger.Since(ctx, after&(1<<40-1), limit)
	out := make([]event.Entry, len(rows))
	for i, r := range rows {
		out[i] = event.Entry{Revision: r.Revision, Time: r.Time, Value: r}
	}
	return out, err
}

// services that are told; mailpath stands for the mail store and takes nothing.
func services() []string { return []string{"deskly", "kestrel", "mailpath", "search"} }

func (w *World) route(_ context.Context, e event.Entry) ([]event.Delivery, error) {
	row, _ := e.Value.(ledger.Row)
	t, err := w.Consents.Told(row)
	if err != nil || t == nil {
		return nil, err
	}
	var out []event.Delivery
	for _, s := range services() {
		out = append(out, event.Delivery{Target: s, Type: t.Event, Subject: t.Subject, Deadline: t.Deadline})
	}
	return out, nil
}

func (w *World) compose(ctx context.Context, _ string, revision int64) (event.Payload, error) {
	t, err := w.Consents.Tell(ctx, revision, "")
	if err != nil {
		return event.Payload{}, err
	}
	data, err := json.Marshal(t)
	return event.Payload{Time: t.At, Data: data}, err
}

// service takes what it is told, or does not, and counts.
type service struct {
	refuses bool
	sent    func()
}

func (s *service) Send(context.Context, event.Message) error {
	s.sent()
	if s.refuses {
		return &event.Failure{Kind: "http 401"}
	}
	return nil
}

// relay tells the services of everything after an entry, and returns when all have taken it and said that they acted. When
// mailpath is down it was tried only, and has not.
func (w *World) relay(ctx context.Context, after int64, down bool) error {
	messages, err := w.messages(ctx, after)
	if err != nil {
		return err
	}
	if err := w.openRelay(ctx); err != nil { // a relay runs once
		return err
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	left := messages * len(services())
	if down {
		left -= messages - 1
	}
	var mu sync.Mutex
	var targets []event.Target
	for _, id := range services() {
		first := true
		s := &service{refuses: down && id == "mailpath"}
		s.sent = func() {
			mu.Lock()
			defer mu.Unlock()
			w.Clock.Advance(2 * time.Millisecond)
			if !s.refuses || first {
				left--
			}
			if first = false; left == 0 {
				cancel()
			}
		}
		targets = append(targets, event.Target{ID: id, Bus: s})
	}
	w.Relay.Use(targets...)
	go w.tick(run)
	w.Relay.Run(run)
	return w.DB.Write(ctx, func(tx *db.Tx) error { // each would post its acknowledgement
		_, err := tx.Exec(ctx, "update propagations set state = 'acted' where state = 'received'")
		return err
	})
}

// tick lets time pass until ctx ends: a relay writes some things down only when their time has come.
func (w *World) tick(ctx context.Context) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			w.Clock.Advance(25 * time.Millisecond)
		case <-ctx.Done():
			return
		}
	}
}

// messages is how many entries services are told of.
func (w *World) messages(ctx context.Context, after int64) (n int, err error) {
	rows, err := w.Ledger.Since(ctx, after&(1<<40-1), 1<<20)
	for _, r := range rows {
		if t, err := w.Consents.Told(r); err != nil || t != nil {
			n++
		}
	}
	return n, err
}

// Refs that are no requests: a restriction that stands, somebody with a history, a consent of theirs.
const (
	Fact   = "fact"
	Person = "person"
	Given  = "consent"
)

// chose is the state of filling a world with what people chose.
type chose struct {
	*fill
	mu sync.Mutex
}

// consents fills 13 weeks: a few hundred people, one bad week, some who come back, objections and restrictions.
func (f *fill) consents() {
	c := &chose{fill: f}
	f.at("2026-08-24", func() {
		c.declare(false)
		c.ida()
		c.declare(true)
	})
	next := 0
	for week := range 13 {
		f.at(time.Date(2026, 8, 25+7*week, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), func() {
			c.together(18+2*week, func(i int) {
				c.yes(next+i, "newsletter", "3")
				if (next+i)%3 == 0 {
					c.yes(next+i, "measuring", "1")
				}
			})
			next += 18 + 2*week
			gone := 4 + week%3
			if week == 11 {
				gone = 16
			}
			c.together(gone, func(i int) { c.no(week*18 + i) })
		})
	}
	f.at("2026-11-18", func() {
		if f.err == nil {
			f.must(f.relay(f.ctx, 0, false))
		}
		before := f.Ledger.Head()
		f.Clock.Advance(11*time.Hour + 32*time.Minute) // 19:44
		c.idaStops()
		c.together(11, func(i int) { c.no(230 + i) })
		f.limit(301, subject.Objection, "direct_marketing", "newsletter")
		f.limit(302, subject.Objection, "legitimate_interests", "advice")
		f.refs[Fact] = f.limit(303, subject.Restriction, "accuracy_dispute")
		if f.err == nil {
			f.must(f.relay(f.ctx, before, true))
		}
	})
}

func member(n int) []subject.Identity {
	return []subject.Identity{{Kind: "email", Value: fmt.Sprintf("member%d@example.com", n)}, {Kind: "customer", Value: fmt.Sprintf("70%04d", n)}}
}

// together does something n times at once, so that few commits hold it all.
func (c *chose) together(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// must is that of fill, for many at once.
func (c *chose) must(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fill.must(err)
}

func (c *chose) yes(n int, purposeID, version string) consent.Consent {
	return c.record(consent.RecordInput{Subject: member(n), Purpose: purposeID, Method: "web_form", Actor: "shop", Interface: "checkout",
		Notice: consent.NoticeInput{ID: purposeID, Version: version, Language: "en"}})
}

func (c *chose) record(in consent.RecordInput) consent.Consent {
	out, err := c.Consents.Record(c.ctx, in)
	c.must(err)
	return out
}

func (c *chose) no(n int) {
	_, err := c.Consents.Withdraw(c.ctx, consent.WithdrawInput{Subject: member(n), Purpose: "newsletter", Actor: "shop"})
	c.must(err)
}

// declare takes the purposes in, before or after the second version of the newsletter's notice was replaced.
func (c *chose) declare(replaced bool) {
	all := purposes()
	all[0].Notices[0].Superseded = replaced
	c.must(c.Purposes.Sync(c.ctx, "ombud.yaml", all))
	c.Consents.PurposesChanged()
}

// Ida is who a person of this World is known by.
func Ida() []subject.Identity { return ida() }

func ida() []subject.Identity { return []subject.Identity{{Kind: "email", Value: "ida@example.com"}} }

// ida says yes to words that are old now.
func (c *chose) ida() {
	given := c.record(consent.RecordInput{Subject: ida(), Purpose: "newsletter", Method: "web_form", Actor: "shop", Interface: "checkout",
		Notice: consent.NoticeInput{ID: "newsletter", Version: "2", Language: "en"}})
	c.refs[Person], c.refs[Given] = given.Subject, given.ID
}

// idaStops is the rest of her history: a yes that stands, one that waits, a no, an objection.
func (c *chose) idaStops() {
	c.record(consent.RecordInput{Subject: ida(), Purpose: "measuring", Method: "opt_in", Actor: "shop", Notice: consent.NoticeInput{ID: "measuring", Version: "1", Language: "en"}})
	c.record(consent.RecordInput{Subject: ida(), Purpose: "partners", Method: "web_form", Status: consent.Pending, Actor: "shop",
		Notice: consent.NoticeInput{ID: "partners", Version: "1", Language: "en"}})
	_, err := c.Consents.Withdraw(c.ctx, consent.WithdrawInput{Subject: ida(), Purpose: "newsletter", Reason: "Stop all letters", Actor: Actor})
	c.must(err)
	_, _, err = c.Consents.AddFact(c.ctx, ida(), subject.FactInput{Kind: subject.Objection, Type: "legitimate_interests", Purposes: []string{"advice"}, Because: "I want no advice", Actor: Actor})
	c.must(err)
}

func (f *fill) limit(n int, kind subject.FactKind, of string, purposes ...string) string {
	_, fact, err := f.Consents.AddFact(f.ctx, member(n), subject.FactInput{Kind: kind, Type: of, Purposes: purposes, Actor: Actor})
	f.must(err)
	return fact.ID
}

// purposes of Fjordly: two that people choose, one that waits for its second yes, one that is weighed, two that need no yes.
func purposes() []purpose.Purpose {
	letter := func(version, language, text string, old bool) purpose.Notice {
		return purpose.Notice{ID: "newsletter", Version: version, Language: language, Text: text, Superseded: old}
	}
	return []purpose.Purpose{
		{ID: "newsletter", Name: "Newsletter", Description: "Letters about trips and offers, twice a month.", Basis: purpose.Consent, Categories: []string{"contact"},
			Uses: []string{purpose.DirectMarketing}, Systems: []string{"mail"}, Retention: "until the yes is taken back", Recipients: []string{"Mailpath (letters)"}, Expires: "3 months",
			Fields: []purpose.Field{{Name: "email", Because: "letters go there", Required: true}, {Name: "first_name", Because: "letters begin with it"}},
			Notices: []purpose.Notice{letter("2", "en", "Send me trips and offers, twice a month", true), letter("3", "en", "Send me trips and offers, twice a month at most. I can stop at any time.", false),
				letter("3", "no", "Send meg turer og tilbud, høyst to ganger i måneden. Jeg kan stoppe når som helst.", false)}},
		{ID: "measuring", Name: "Measuring the site", Basis: purpose.Consent, Categories: []string{"usage", "device"}, Systems: []string{"shop"},
			Notices: []purpose.Notice{{ID: "measuring", Version: "1", Language: "en", Text: "Count my visits, so that the shop becomes better"}}},
		{ID: "partners", Name: "Sharing with partners", Basis: purpose.Consent, Categories: []string{"contact"}, DoubleOptIn: true,
			Notices: []purpose.Notice{{ID: "partners", Version: "1", Language: "en", Text: "Give my address to the clubs that Fjordly works with"}}},
		{ID: "advice", Name: "Advice from past orders", Basis: purpose.LegitimateInterests, Because: "customers expect it, and it can be switched off", Categories: []string{"contact", "usage"},
			LIA:     &purpose.LIA{Assessed: "2026-02-01", Outcome: "proceed_with_safeguards", Review: "2027-02-01", By: "Kari Lunde", File: "lia/advice.pdf"},
			Notices: []purpose.Notice{{ID: "advice", Version: "2", Language: "en", Text: "We suggest what goes with what you bought."}}},
		{ID: "orders", Name: "Orders and delivery", Basis: purpose.Contract, Because: "nothing can be sent without it", Categories: []string{"contact", "financial"}, Systems: []string{"shop", "billing"}},
		{ID: "accounts", Name: "Accounts", Basis: purpose.LegalObligation, Because: "bookkeeping law, 5 years", Categories: []string{"financial"}, Systems: []string{"billing"}},
	}
}
