package app

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

const lettersShop = `organization: {name: Fjordly AS, jurisdictions: [eu]}
systems:
  - id: shop
    connector: sqlite
    dsn: shop.db
    people: [{table: customers, by: {email: email}}]
    tables: {customers: {categories: {likes: marketing}}}
purposes:
  - id: letters
    basis: consent
    categories: [marketing]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers"}]
`

// lettersHere is a shop that writes letters by consent, with one customer.
func lettersHere(t *testing.T) (*App, *clock.Fake, *sql.DB) {
	t.Helper()
	a, c, write := openHere(t)
	store, err := sql.Open("sqlite", "file:"+filepath.Join(filepath.Dir(a.cfg.ConfigPath), "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.Exec("create table customers (id integer primary key, email text unique, likes text); insert into customers values (1, 'ida@example.com', 'tents')"); err != nil {
		t.Fatal(err)
	}
	write(lettersShop)
	c.Advance(refreshed)
	_, release, err := a.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	release()
	return a, c, store
}

// ends lets time pass for consents, and gives the erasures that there are then.
func (a *App) ends(t *testing.T) []*request.Request {
	t.Helper()
	err := errors.Join(a.Consents.Expire(t.Context()), a.eraseOwed(t.Context()))
	all, e := a.newest.Load().Requests.List(t.Context(), request.Filter{Kind: plan.Erasure})
	if err = errors.Join(err, e); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestExpiryOpensAnErasure: of what nothing else carries, once, however often the end of the consent is told.
func TestExpiryOpensAnErasure(t *testing.T) {
	a, c, store := lettersHere(t)
	said, err := a.Consents.Record(t.Context(), consent.RecordInput{Subject: []subject.Identity{{Kind: "email", Value: "ida@example.com"}}, Purpose: "letters",
		Method: "web_form", Actor: "test", Notice: consent.NoticeInput{ID: "letters", Version: "3", Language: "en"}})
	if err != nil {
		t.Fatal(err)
	}
	if all := a.ends(t); len(all) != 0 {
		t.Fatalf("while the consent stands there are %d", len(all))
	}
	c.Set(said.ValidUntil.Add(time.Hour))
	for range 2 { // the second time as after a sweep that was cut off
		all := a.ends(t)
		if len(all) != 1 || all[0].State != request.Awaiting || all[0].Cause != "expiry "+said.ID || all[0].Limit.Purposes[0] != "letters" {
			t.Fatalf("%+v", all)
		}
		err := a.DB.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from consent_sweep")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	one := a.ends(t)[0]
	if _, err := a.newest.Load().Requests.Run(t.Context(), request.RunInput{Ref: one.ID, Approve: one.Hash, Actor: "local:kari"}); err != nil {
		t.Fatal(err)
	}
	var row string
	if err := store.QueryRow("select id || email || coalesce(likes, '-') from customers").Scan(&row); err != nil || row != "1ida@example.com-" {
		t.Errorf("%q, %v", row, err)
	}
}
