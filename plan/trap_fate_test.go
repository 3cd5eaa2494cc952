package plan_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

const books = customers + `
create table invoices (id integer primary key, customer_id integer not null references customers(id), issued_at varchar(20), billed_to varchar(100));
insert into invoices values (1, 1, '2025-03-01', 'Ida Nordmann'), (2, 1, '2015-03-01', 'Ida Nordmann'), (3, 2, '2015-03-01', 'Bo Berg');
create table parts (id integer primary key, invoice_id integer not null references invoices(id), what varchar(40));
insert into parts values (1, 1, 'tent'), (2, 2, 'rope');`

func bookkeeping() catalog.System {
	return catalog.System{Tables: []catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Because: "bookkeeping law", Until: "5 years after issued_at"}}}
}

func TestTrap23DutiesToKeep(t *testing.T) {
	trap{tables: books, system: bookkeeping()}.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Complete)
		if len(o.Kept) != 2 || o.Kept[0].Until != "2030-03-01" || o.Kept[0].Because != "bookkeeping law" {
			t.Errorf("kept %+v", o.Kept)
		}
		c.want(t, `select id, customer_id, billed_to from invoices order by id`, "1,1,Ida Nordmann 3,2,Bo Berg", `select id from parts`, "1",
			`select name from customers where id = 1`, "NULL")
		c.Clock.Advance(6 * 366 * 24 * time.Hour) // the duty ends, and so does the rest
		c.erase(t, plan.Complete)
		c.want(t, `select id from invoices`, "3", `select id from parts`, "", `select id from customers order by id`, "2 3")
	})
	t.Run("hold", func(t *testing.T) {
		trap{tables: books}.spring(t, func(t *testing.T, c *trapped) {
			c.open(t)
			holds, err := c.Holds.Add(t.Context(), subject.HoldInput{Subjects: c.person.Identities, System: "shop", Dataset: "invoices", Because: "claim 7", Actor: "test"})
			if err != nil {
				t.Fatal(err)
			}
			q := c.question(plan.Erasure)
			q.Holds = holds
			p, err := c.Engine.Plan(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if o, err := c.Engine.Run(t.Context(), q, p, nil); err != nil || o.Status != plan.Complete || len(o.Kept) == 0 || o.Kept[0].Hold != holds[0].ID {
				t.Errorf("%v %+v", err, o)
			}
			c.want(t, `select id from invoices order by id`, "1 2 3", `select id from parts order by id`, "1 2")
		})
	})
}

func TestTrap24MasksThatMustFit(t *testing.T) {
	tr := trap{
		tables: customers + `
create table reviews (id integer primary key, customer_id integer references customers(id),
  nick varchar(8) not null unique, mail varchar(60) not null unique check (mail like '%_@_%._%'), pin varchar(6) not null check (length(pin) = 6 and pin not like '%a%' and pin not like '%b%' and pin not like '%c%' and pin not like '%d%' and pin not like '%e%' and pin not like '%f%'),
  mood varchar(5) not null check (mood in ('good', 'bad')), stars integer not null check (stars between 1 and 5), said text);
insert into reviews values (1, 1, 'ida1', 'ida@example.com', '123456', 'good', 5, 'x'), (2, 1, 'ida2', 'ida2@example.com', '234567', 'bad', 4, 'y'), (3, 2, 'bo', 'bo@example.com', '345678', 'bad', 1, 'z');`,
		system: catalog.System{Tables: []catalog.TableRule{{Table: "reviews", Erase: catalog.Anonymise, Columns: []string{"nick", "mail", "pin", "said"}}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select count(distinct nick) from reviews`, "3", `select count(distinct mail) from reviews`, "3",
			`select count(*) from reviews where nick like 'ida%' or mail like 'ida%' or pin in ('123456', '234567')`, "0",
			`select id, customer_id, mood, stars, said from reviews order by id`, "1,NULL,good,5,NULL 2,NULL,bad,4,NULL 3,2,bad,1,z",
			`select nick, mail, pin from reviews where id = 3`, "bo,bo@example.com,345678")
	})
	// Nothing else fits: then nothing is written, and the check is named.
	tr.tables = customers + `
create table badges (id integer primary key, customer_id integer not null references customers(id), label varchar(20) not null, check (label = 'Ida Nordmann' or id > 1));
insert into badges values (1, 1, 'Ida Nordmann'), (2, 2, 'Bo Berg');`
	tr.system.Tables = []catalog.TableRule{{Table: "badges", Erase: catalog.Anonymise, Columns: []string{"label"}}}
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		if len(o.Remaining) == 0 || o.Remaining[0].Dataset != "badges" {
			t.Errorf("remaining %+v", o.Remaining)
		}
		c.want(t, `select label from badges order by id`, "Ida Nordmann Bo Berg")
	})
}

func TestTrap25MasksTellNothing(t *testing.T) {
	tr := trap{tables: books, system: bookkeeping()}
	masks := map[string]bool{}
	for range 2 { // the same data twice: a mask is of the request's key, not of what it hides
		tr.spring(t, func(t *testing.T, c *trapped) {
			c.erase(t, plan.Complete)
			mask := c.rows(t, `select email from customers where id = 1`)
			if masks[mask] {
				t.Errorf("%s came twice", mask)
			}
			masks[mask] = true
			for _, known := range []string{"Ida@Example.com", "ida@example.com", "1"} {
				h := sha256.Sum256([]byte(known))
				if strings.Contains(mask, hex.EncodeToString(h[:])[:8]) {
					t.Errorf("%s is made of the hash of %s", mask, known)
				}
			}
		})
	}
}

// Triggers that write the old row elsewhere.
const oldRows = `
create table old_customers (customer_id integer, email varchar(100));
insert into old_customers values (1, 'ida.before@example.com'), (2, 'bo.before@example.com');`

var keepsOldRows = map[string]string{
	"sqlite": `create trigger remember after delete on customers begin insert into old_customers values (old.id, old.email); end;`,
	"postgres": `create function remember() returns trigger language plpgsql as $$ begin insert into old_customers values (old.id, old.email); return old; end $$;
create trigger remember after delete on customers for each row execute function remember();`,
	"mariadb": `create trigger remember after delete on customers for each row insert into old_customers values (old.id, old.email);`,
}

func TestTrap26TriggersAndHistory(t *testing.T) {
	trap{tables: customers + oldRows, extra: keepsOldRows}.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Gaps, "history", "old_customers")
		wantNamed(t, o.Remaining, "residue", "old_customers")
	})
	linked := trap{tables: customers + oldRows, extra: keepsOldRows, system: catalog.System{Links: []catalog.Link{own("old_customers.customer_id")}}}
	t.Run("followed", func(t *testing.T) {
		linked.spring(t, func(t *testing.T, c *trapped) {
			p := c.plan(t)
			if !warned(p, "trigger", "customers") || !strings.Contains(fmt.Sprint(p.Warnings), "what comes to old_customers meanwhile is deleted too") || steps(p, "old_customers") != "delete 1" {
				t.Errorf("warnings %+v, old rows %s", p.Warnings, steps(p, "old_customers"))
			}
			o := c.run(t, p) // the trigger writes it again
			if o.Status != plan.Complete || !strings.Contains(strings.Join(o.Proof[0].Means, " "), "1 rows that came to old_customers meanwhile") {
				t.Errorf("%s: remaining %+v, proof %+v", o.Status, o.Remaining, o.Proof)
			}
			if left, _, err := c.Engine.Look(t.Context(), c.question(plan.Erasure), p, p.Shells()); err != nil || len(left) > 0 {
				t.Errorf("looked again: %v %+v", err, left)
			}
			c.want(t, `select * from old_customers`, "2,bo.before@example.com")
		})
	})
	t.Run("puts back", func(t *testing.T) { // a name, which no sweep of text would find
		back := trap{tables: books, system: bookkeeping(), extra: map[string]string{
			"sqlite": `create trigger back after update on customers begin update customers set name = old.name where id = old.id; end;`,
			"postgres": `create function back() returns trigger language plpgsql as $$ begin new.name := old.name; return new; end $$;
create trigger back before update on customers for each row execute function back();`,
			"mariadb": `create trigger back before update on customers for each row set new.name = old.name;`,
		}}
		back.spring(t, func(t *testing.T, c *trapped) {
			wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "residue", "customers")
		})
	})
	// System-versioned tables are MariaDB's alone.
	t.Run("versions", func(t *testing.T) {
		versioned := trap{on: []string{"mariadb"}, maria: true, tables: customers + `
create table diary (id integer primary key, customer_id integer not null, said varchar(100)) with system versioning;
insert into diary values (1, 1, 'first'), (2, 2, 'first');
update diary set said = 'second';`, system: catalog.System{Links: []catalog.Link{own("diary.customer_id")}}}
		versioned.spring(t, func(t *testing.T, c *trapped) {
			p := c.plan(t)
			if !warned(p, "history", "diary") {
				t.Errorf("warnings %+v", p.Warnings)
			}
			c.run(t, p)
			c.want(t, `select count(*) from diary for system_time all where customer_id = 1`, "0", `select said from diary where customer_id = 2`, "second")
		})
		versioned.system.Tables = []catalog.TableRule{{Table: "diary", Erase: catalog.Anonymise, Columns: []string{"said"}}}
		versioned.spring(t, func(t *testing.T, c *trapped) { // a row that changes has an old version too
			c.erase(t, plan.Complete)
			c.want(t, `select count(*) from diary for system_time all where customer_id = 1 and said is not null`, "0", `select said from diary where customer_id = 2`, "second")
		})
	})
}

func TestTrap27DerivedColumnsAndIndexes(t *testing.T) {
	generated := " varchar(100) generated always as (lower(name)) stored"
	tr := trap{
		tables: strings.Replace(customers, "name varchar(100)", "name varchar(100), folded"+generated, 1) + `
create index by_folded_email on customers (email);
create table posts (id integer primary key, customer_id integer references customers(id), body text);
create table invoices (id integer primary key, customer_id integer not null references customers(id));
insert into invoices values (1, 1);`,
		extra: map[string]string{
			"sqlite": `create index by_lower on customers (lower(email));
create virtual table found using fts5(body, content='posts', content_rowid='id');
create trigger posts_in after insert on posts begin insert into found (rowid, body) values (new.id, new.body); end;
create trigger posts_out after delete on posts begin insert into found (found, rowid, body) values ('delete', old.id, old.body); end;
create virtual table words using fts5vocab(found, 'row');` + "\n" + paddling,
			"postgres": `create index by_lower on customers (lower(email));
alter table posts add words tsvector generated always as (to_tsvector('simple', body)) stored;
create index posts_words on posts using gin (words);` + "\n" + `insert into posts (id, customer_id, body) values (1, 1, 'Kajakkpadling'), (2, 2, 'Fjelltur');`,
			"mariadb": `create fulltext index posts_words on posts (body);` + "\n" + paddling,
		},
		system: catalog.System{Tables: []catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Because: "law"}}},
	}
	tr.tables = strings.Replace(tr.tables, "insert into customers values", "insert into customers (id, email, name) values", 1)
	search := map[string]string{
		"sqlite":   `select count(*) from words where term = '%s'`,
		"postgres": `select count(*) from posts where words @@ to_tsquery('simple', '%s')`,
		"mariadb":  `select count(*) from posts where match (body) against ('%s')`,
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		find := func(word string) string { return strings.Replace(search[c.engine], "%s", word, 1) }
		c.want(t, find("kajakkpadling"), "1")
		o := c.erase(t, plan.Complete)
		c.want(t, find("kajakkpadling"), "0", find("fjelltur"), "1", `select name, folded from customers order by id`, "NULL,NULL Bo Berg,bo berg Ida Nordman,ida nordman")
		if c.engine == "sqlite" {
			if !strings.Contains(strings.Join(o.Proof[0].Means, " "), "found") {
				t.Errorf("the proof does not speak of the index: %q", o.Proof[0].Means)
			}
			if strings.Contains(strings.ToLower(string(c.store.Bytes(t))), "kajakkpadling") {
				t.Error("the file still holds the word")
			}
		}
	})
	// A full-text table that stands alone is no copy of another: its text is read as any other.
	t.Run("alone", func(t *testing.T) {
		alone := trap{on: []string{"sqlite"}, tables: customers + `
create virtual table docs using fts5(body);
insert into docs values ('ida@example.com wrote this');`}
		alone.spring(t, func(t *testing.T, c *trapped) {
			wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "residue", "docs")
		})
	})
}

const paddling = `insert into posts values (1, 1, 'Kajakkpadling'), (2, 2, 'Fjelltur');`
