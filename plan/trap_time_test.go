package plan_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
)

func TestTrap41WritesWhileWeErase(t *testing.T) {
	tr := trap{
		tables: customers + `
create table clicks (id integer primary key, customer_id integer, page varchar(40));
insert into clicks values (1, 1, 'home'), (2, 2, 'home');`,
		system: catalog.System{Links: []catalog.Link{own("clicks.customer_id")}},
	}
	for name, write := range map[string]string{
		"a row comes":      `insert into clicks values (3, 1, 'late')`,
		"the person again": `insert into customers (id, email, name) values (4, 'IDA@example.com', 'Ida')`,
	} {
		t.Run(name, func(t *testing.T) {
			tr.spring(t, func(t *testing.T, c *trapped) {
				var once sync.Once
				c.options.Hook = func(point string) {
					if point == "store:shop:commit" {
						once.Do(func() { c.store.Exec(t, write) })
					}
				}
				o := c.erase(t, plan.Incomplete)
				if len(o.Remaining) == 0 || o.Remaining[0].Code != "residue" || o.Remaining[0].Rows != 1 {
					t.Errorf("remaining %+v", o.Remaining)
				}
				c.erase(t, plan.Complete) // the second sweep, once writers are quiet
				c.want(t, `select id from clicks`, "2", `select id from customers order by id`, "2 3")
			})
		})
	}
	t.Run("a row given away", func(t *testing.T) { // between the look for it and the act on it
		tr.spring(t, func(t *testing.T, c *trapped) {
			c.options.Hook = func(point string) {
				if point == "own:journal" {
					c.store.Exec(t, `update clicks set customer_id = 2 where id = 1`)
				}
			}
			c.erase(t, plan.Complete)
			c.want(t, `select id, customer_id from clicks order by id`, "1,2 2,2")
		})
	})
}

func TestMissingIndexIsNoPartOfTheHash(t *testing.T) {
	p := &plan.Plan{Warnings: []plan.Warning{{System: "shop", Dataset: "orders", Code: "trigger"}}}
	hash := plan.Hash(p)
	p.Warnings = append(p.Warnings, plan.Warning{System: "shop", Dataset: "orders", Code: "missing-index", CostMS: 21})
	if plan.Hash(p) != hash {
		t.Error("a machine that was busy for a moment asks for a new approval")
	}
	if p.Warnings = p.Warnings[1:]; plan.Hash(p) == hash {
		t.Error("a warning of something else is no part of the hash")
	}
}

func TestTrap42DatesNobodyMeant(t *testing.T) {
	tr := trap{
		tables: customers + `
create table invoices (id integer primary key, customer_id integer not null references customers(id), issued_at varchar(40), epoch bigint);
insert into invoices values (1, 1, null, null), (2, 1, '0000-00-00', 0), (3, 1, '9999-12-31', 0), (4, 1, 'soon', 0), (5, 1, '', 0), (6, 1, '2015-02-29', 0),
  (7, 1, '2015-03-01T23:30:00-05:00', 0), (8, 1, '2021-11-20', 0), (9, 1, '2021-11-21', 0), (10, 1, '2020-02-29', 0);`,
		extra: map[string]string{
			"postgres": `alter table invoices add real_date date;
update invoices set real_date = 'infinity' where id = 1;`,
			"mariadb": `set sql_mode = '';
alter table invoices add real_date date;
update invoices set real_date = '0000-00-00' where id = 1;`,
			"sqlite": `alter table invoices add real_date date;
update invoices set real_date = '0000-00-00' where id = 1;`,
		},
	}
	rule := func(column string) catalog.System {
		return catalog.System{Tables: []catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Because: "law", Until: "5 years after " + column}}}
	}
	tr.system = rule("issued_at")
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if !warned(p, "undated", "invoices") {
			t.Errorf("warnings %+v", p.Warnings)
		}
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("%s: %+v", o.Status, o.Remaining)
		}
		// 7, 8 and 10 are over; 9 ends today and today still counts; the rest has no date anybody meant.
		c.want(t, `select id from invoices order by id`, "1 2 3 4 5 6 9")
	})
	for _, column := range []string{"real_date", "epoch"} { // no date, a zero date, a number without a unit
		tr.system = rule(column)
		tr.spring(t, func(t *testing.T, c *trapped) {
			p := c.plan(t)
			if !warned(p, "undated", "invoices") {
				t.Errorf("%s: warnings %+v", column, p.Warnings)
			}
			c.run(t, p)
			c.want(t, `select count(*) from invoices`, "10")
		})
	}
}

func TestTrap43HugeSubject(t *testing.T) {
	n := 50_000
	if soaking() {
		n = 400_000
	}
	tr := trap{tables: customers + `
create table events (id integer primary key, customer_id integer not null references customers(id), page varchar(40));
create index events_customer on events (customer_id);
insert into events values (0, 2, 'bo');`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		for from := 1; from <= n; from += 1000 {
			var b strings.Builder
			for i := from; i < from+1000; i++ {
				fmt.Fprintf(&b, ",(%d,1,'page %d')", i, i)
			}
			c.store.Exec(t, `insert into events values `+b.String()[1:])
		}
		got := tally{}
		if _, _, err := c.open(t).Engine.Export(t.Context(), c.question(plan.Access), got, nil); err != nil || got["events"] != n {
			t.Errorf("%v: %d rows in the package, want %d", err, got["events"], n)
		}
		o := c.erase(t, plan.Complete)
		if o.Done[0].Verified != int64(n) {
			t.Errorf("%+v", o.Done)
		}
		c.want(t, `select count(*) from events`, "1")
	})
}

// tally counts rows without keeping them.
type tally map[string]int

func (y tally) Row(d plan.Item, _ []connector.Value) error {
	y[d.Dataset]++
	return nil
}

func TestTrap44BothDirections(t *testing.T) {
	tr := trap{
		tables: letters + `
create table blocks (blocker integer references customers(id), blocked integer references customers(id), why varchar(200), primary key (blocker, blocked));
insert into blocks values (1, 2, 'rude'), (2, 1, 'he said so'), (2, 3, 'not hers');
create table ratings (id integer primary key, author_id integer references customers(id), about_id integer references customers(id), body text);
insert into ratings values (1, 2, 1, 'Ida is late'), (2, 1, 2, 'Bo is kind'), (3, 2, 3, 'not hers');`,
		system: letterSystem(),
	}
	tr.tables = strings.Replace(tr.tables, "blocker integer references", "blocker integer not null references", 1)
	tr.tables = strings.Replace(tr.tables, "blocked integer references", "blocked integer not null references", 1)
	tr.system.Links = append(tr.system.Links,
		catalog.Link{From: "blocks.blocker", To: "customers.id", As: catalog.Co, Author: true}, catalog.Link{From: "blocks.blocked", To: "customers.id", As: catalog.Co},
		catalog.Link{From: "ratings.author_id", To: "customers.id", As: catalog.Co, Author: true}, catalog.Link{From: "ratings.about_id", To: "customers.id", As: catalog.Co})
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, o := c.export(t)
		got.wantRows(t, "letters", "1,1,WITHHELD,hello Bo", "2,WITHHELD,1,WITHHELD", "4,1,1,note to self")
		got.wantRows(t, "blocks", "1,WITHHELD,rude", "WITHHELD,1,WITHHELD")
		got.wantRows(t, "ratings", "1,WITHHELD,1,WITHHELD", "2,1,WITHHELD,Bo is kind")
		got.without(t, "not hers", "is late", "bo@example.com")
		if len(o.Held) == 0 {
			t.Error("what is withheld is not named")
		}
	})
}

func TestTrap45DerivedData(t *testing.T) {
	tr := trap{
		tables: customers + `
create table scores (customer_ref integer not null primary key, churn integer, worth varchar(20));
insert into scores values (1, 87, 'gold'), (2, 3, 'tin');
create table segments (name varchar(40) not null, member varchar(100) not null, primary key (name, member));
insert into segments values ('campers', 'IDA@EXAMPLE.COM'), ('campers', 'frida@example.com'), ('late payers', 'ida@example.com');`,
		system: catalog.System{Links: []catalog.Link{own("scores.customer_ref"), {From: "segments.member", To: "customers.email"}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "scores", "1,87,gold")
		got.wantRows(t, "segments", "campers,IDA@EXAMPLE.COM", "late payers,ida@example.com")
		c.erase(t, plan.Complete)
		c.want(t, `select customer_ref from scores`, "2", `select member from segments`, "frida@example.com")
	})
}

// drift runs an approved plan after something changed, and expects to be asked again.
func (c *trapped) drift(t *testing.T, p *plan.Plan) *plan.Plan {
	t.Helper()
	_, err := c.Engine.Run(context.Background(), c.question(plan.Erasure), p, nil)
	var d *plan.Drift
	if !errors.As(err, &d) {
		t.Fatalf("it was not asked again: %v", err)
	}
	return d.Plan
}

func TestTrap49ErasureRecord(t *testing.T) {
	tr := trap{tables: letters, system: letterSystem()}
	tr.person = world.Person("email=ida@example.com", "customer=1")
	tr.spring(t, func(t *testing.T, c *trapped) {
		r, err := c.open(t).Erase(t.Context(), c.person)
		if err != nil || r.State != request.Complete {
			t.Fatalf("%v %+v", err, r)
		}
		c.Canary("ida@example.com", "nordmann", "hello Bo")
		c.Verify(t, c.store) // every byte of our own folder
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		read := 0
		err = filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			read += len(b)
			if s := strings.ToLower(path + string(b)); strings.Contains(s, "ida@example") || strings.Contains(s, "nordmann") {
				t.Errorf("%s still holds who was erased", filepath.Base(path))
			}
			return err
		})
		if err != nil || read < 10_000 {
			t.Errorf("%v, %d bytes read", err, read)
		}
	})
}
