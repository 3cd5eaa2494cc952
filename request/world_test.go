package request_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// world is a small shop with two stores and the real program over it.
type world struct {
	t       *testing.T
	dir     string
	clock   *clock.Fake
	db      *db.DB
	vault   *vault.Vault
	ledger  *ledger.Ledger
	catalog *catalog.Catalog
	engine  *plan.Engine
	holds   *subject.Holds
	s       *request.Service
	hook    func(point string)
	between func() // of a commit that others see and its answer
	staffed bool   // people have accounts
}

const shopSchema = `
create table customers (id integer primary key, email text not null unique, name text);
create table orders (id integer primary key, customer_id integer not null references customers(id), total text);
create table messages (id integer primary key, from_id integer references customers(id), to_id integer references customers(id), body text);
insert into customers values (1, 'Ida@example.com', 'Ida Nordmann'), (2, 'bo@example.com', 'Bo Berg');
insert into orders values (10, 1, '12.50'), (11, 1, '7.00'), (12, 2, '99.00');
insert into messages values (20, 1, 2, 'from ida to bo'), (21, 2, 1, 'from bo to ida');`

const mailSchema = `
create table letters (address text primary key, since text);
insert into letters values ('ida@example.com', '2024-01-01'), ('bo@example.com', '2024-01-02');`

func newWorld(t *testing.T, change ...func(*catalog.Config)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: clock.NewFake(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC))}
	w.exec("shop", shopSchema)
	w.exec("mail", mailSchema)
	cfg := &catalog.Config{
		Organization: catalog.Organization{Name: "Fjordly AS"}, Folder: w.dir, Digest: "d",
		Systems: []catalog.System{
			{ID: "shop", Connector: "sqlite", DSN: "shop.db", Location: "EU",
				People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}},
				Links: []catalog.Link{
					{From: "messages.from_id", To: "customers.id", As: catalog.Co, Author: true},
					{From: "messages.to_id", To: "customers.id", As: catalog.Co},
				},
				Tables: []catalog.TableRule{{Table: "messages", Erase: catalog.Redact, Columns: []string{"body"}}}},
			{ID: "mail", Connector: "sqlite", DSN: "mail.db", People: []catalog.People{{Table: "letters", By: map[string]string{"email": "address"}}}},
		},
	}
	for _, c := range change {
		c(cfg)
	}
	w.must(func() (err error) {
		w.vault, err = vault.Open(vault.Config{Dir: filepath.Join(w.dir, "keys")})
		return err
	}())
	w.open(cfg)
	return w
}

// open wires the program over the data directory, as a start does.
func (w *world) open(cfg *catalog.Config) {
	w.t.Helper()
	ctx := context.Background()
	var err error
	w.db, err = db.Open(ctx, db.Config{Path: filepath.Join(w.dir, "data", "ombud.db"), Clock: w.clock, Hook: func(p string) {
		if p == "commit" && w.between != nil {
			w.between()
		}
	}})
	w.must(err)
	w.ledger, err = ledger.Open(ctx, ledger.Config{DB: w.db, Vault: w.vault, Clock: w.clock, Heads: []string{filepath.Join(w.dir, "heads")}})
	w.must(err)
	w.catalog = catalog.Open(ctx, cfg, map[string]connector.Opener{"sqlite": sqlite.Open}, w.clock)
	w.engine, err = plan.New(ctx, plan.Config{Catalog: w.catalog, DB: w.db, Vault: w.vault, Clock: w.clock, TempDir: w.dir, Hook: func(p string) {
		if w.hook != nil {
			w.hook(p)
		}
	}})
	w.must(err)
	w.holds, err = subject.OpenHolds(ctx, w.db, w.vault, w.ledger, w.clock)
	w.must(err)
	w.s, err = request.New(ctx, request.Config{Staffed: func() bool { return w.staffed }, DB: w.db, Vault: w.vault, Ledger: w.ledger, Engine: w.engine, Holds: w.holds, Catalog: w.catalog, Clock: w.clock, Dir: filepath.Join(w.dir, "data")})
	w.must(err)
	w.t.Cleanup(func() { _ = errors.Join(w.catalog.Close(), w.db.Close()) }) // closing again is harmless; nothing is read afterwards
}

// restart ends the program and starts it anew, without recovery.
func (w *world) restart() {
	w.t.Helper()
	cfg := w.catalog.Config()
	w.must(errors.Join(w.catalog.Close(), w.db.Close()))
	w.hook = nil
	w.open(cfg)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// exec runs SQL in one of the shop's stores, as its application would.
func (w *world) exec(store, text string) {
	w.t.Helper()
	d, err := sql.Open("sqlite", filepath.Join(w.dir, store+".db"))
	w.must(err)
	_, err = d.Exec(text)
	w.must(errors.Join(err, d.Close()))
}

func (w *world) count(store, text string) (n int) {
	w.t.Helper()
	d, err := sql.Open("sqlite", filepath.Join(w.dir, store+".db"))
	w.must(err)
	w.must(errors.Join(d.QueryRow(text).Scan(&n), d.Close()))
	return n
}

func people(ids ...string) []plan.Person {
	var p plan.Person
	for _, id := range ids {
		kind, value, _ := strings.Cut(id, "=")
		p.Identities = append(p.Identities, subject.Identity{Kind: kind, Value: value})
	}
	return []plan.Person{p}
}

func (w *world) plan(kind plan.Kind, ids ...string) *request.Request {
	w.t.Helper()
	r, err := w.s.Plan(w.t.Context(), request.PlanInput{Kind: kind, People: people(ids...), Actor: "local:kari"})
	w.must(err)
	return r
}

func (w *world) run(r *request.Request, actor string) (*request.Request, error) {
	return w.s.Run(w.t.Context(), request.RunInput{Ref: r.Ref, Approve: r.Hash, Actor: actor})
}

// erase plans and runs, and demands that it is complete.
func (w *world) erase(ids ...string) *request.Request {
	w.t.Helper()
	r, err := w.run(w.plan(plan.Erasure, ids...), "local:kari")
	w.must(err)
	if r.State != request.Complete {
		w.t.Fatalf("the erasure is %s: %+v %+v", r.State, r.Outcome.Remaining, r.Outcome.Gaps)
	}
	return r
}

func (w *world) get(ref string) *request.Request {
	w.t.Helper()
	r, err := w.s.Get(w.t.Context(), ref)
	w.must(err)
	return r
}

// inData reports whether the word lies in any file of the data directory but access packages.
func (w *world) inData(word string) (where []string) {
	w.t.Helper()
	w.must(filepath.WalkDir(filepath.Join(w.dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".zip") {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(bytes.ToLower(b), []byte(word)) {
			where = append(where, filepath.Base(path))
		}
		return err
	}))
	return where
}

func contextWith(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
