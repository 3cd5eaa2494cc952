package plan_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

func TestTrap09KeysInACircle(t *testing.T) {
	tr := trap{
		tables: `create table customers (id integer primary key, email varchar(100) not null unique, home integer);
create table addresses (id integer primary key, customer_id integer not null references customers(id), street varchar(40));
insert into customers values (1, 'ida@example.com', null), (2, 'bo@example.com', null);
insert into addresses values (10, 1, 'Ida street'), (20, 2, 'Bo street');
update customers set home = id * 10;`,
		extra: map[string]string{
			// SQLite cannot add a key afterwards: there the circle is of the two tables below alone.
			"sqlite": `create table wallets (id integer primary key, customer_id integer not null references customers(id), card integer not null references cards(id) deferrable initially deferred);
create table cards (id integer primary key, wallet integer not null references wallets(id));
begin;
insert into wallets values (1, 1, 1), (2, 2, 2);
insert into cards values (1, 1), (2, 2);
commit;`,
			"postgres": `alter table customers add foreign key (home) references addresses (id);
create table wallets (id integer primary key, customer_id integer not null references customers(id), card integer not null);
create table cards (id integer primary key, wallet integer not null references wallets(id));
insert into wallets values (1, 1, 1), (2, 2, 2);
insert into cards values (1, 1), (2, 2);
alter table wallets add foreign key (card) references cards (id);`,
			"mariadb": `alter table customers add foreign key (home) references addresses (id);
create table wallets (id integer primary key, customer_id integer not null references customers(id), card integer not null);
create table cards (id integer primary key, wallet integer not null references wallets(id));
insert into wallets values (1, 1, 1), (2, 2, 2);
insert into cards values (1, 1), (2, 2);
alter table wallets add foreign key (card) references cards (id);`,
		},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id, street from addresses`, "20,Bo street", `select count(*) from customers where email like '%ida%'`, "0")
		if c.engine == "mariadb" { // no statement of it deletes a circle that is NOT NULL: shells stay
			c.want(t, `select id from wallets order by id`, "1 2", `select home from customers where id = 2`, "20")
			return
		}
		c.want(t, `select id, home from customers`, "2,20", `select id from wallets`, "2", `select id from cards`, "2")
	})
}

func TestTrap10CascadeAndRestrict(t *testing.T) {
	tr := trap{tables: customers + `
create table albums (id integer primary key, customer_id integer not null references customers(id) on delete cascade, title varchar(40));
insert into albums values (10, 1, 'Ida at sea'), (11, 1, 'nobody looked'), (20, 2, 'Bo at sea');
create table remarks (id integer primary key, album_id integer not null references albums(id) on delete cascade, customer_id integer not null references customers(id), said varchar(40));
insert into remarks values (1, 10, 2, 'nice, says Bo'), (2, 10, 1, 'thanks'), (3, 20, 1, 'nice'), (4, 11, 1, 'why');
create table pages (id integer primary key, album_id integer not null references albums(id) on delete restrict);
insert into pages values (1, 10), (2, 11), (3, 20);`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if got := steps(p, "remarks"); got != "delete 3" {
			t.Errorf("remarks: %s", got)
		}
		c.run(t, p)
		// Bo's remark lives, so the album it hangs on stays as a shell, and so does the row that owns it.
		c.want(t, `select * from remarks`, "1,10,2,nice, says Bo", `select id, title from albums order by id`, "10,NULL 20,Bo at sea",
			`select id from pages order by id`, "3", `select name from customers where id = 1`, "NULL",
			`select count(*) from customers where email like 'ida@%'`, "0")
	})
}

func TestTrap11PolymorphicReference(t *testing.T) {
	tr := trap{
		tables: customers + `
create table orders (id integer primary key, customer_id integer not null references customers(id));
insert into orders values (1, 2), (2, 1);
create table notes (id integer primary key, owner_type varchar(20), owner_id integer, body varchar(40));
insert into notes values (1, 'customer', 1, 'about Ida'), (2, 'order', 1, 'about an order of Bo'), (3, 'order', 2, 'about an order of Ida'), (4, 'customer', 2, 'about Bo'), (5, 'truck', 1, 'about a truck'), (6, null, 1, 'about nothing');`,
		system: catalog.System{Links: []catalog.Link{
			{From: "notes.owner_id", To: "customers.id", When: map[string]string{"owner_type": "customer"}},
			{From: "notes.owner_id", To: "orders.id", When: map[string]string{"owner_type": "order"}},
		}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "notes", "1,customer,1,about Ida", "3,order,2,about an order of Ida")
		c.erase(t, plan.Complete)
		c.want(t, `select id from notes order by id`, "2 4 5 6")
	})
	tr.system.Links = nil
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete) // never followed by the number alone
		wantNamed(t, o.Gaps, "question", "notes")
		c.want(t, `select count(*) from notes`, "6")
	})
	trap{ // what both have a part in: the number is of the deal, and no customer's who has the same
		tables: customers + `
create table deals (id integer primary key, seller_id integer references customers(id), buyer_id integer references customers(id));
create table notes (id integer primary key, owner_type varchar(20), owner_id integer);
insert into deals values (2, 1, 2);
insert into notes values (1, 'deal', 2);`,
		system: catalog.System{Links: []catalog.Link{
			{From: "deals.seller_id", To: "customers.id", As: catalog.Co}, {From: "deals.buyer_id", To: "customers.id", As: catalog.Co},
			{From: "notes.owner_id", To: "customers.id", As: catalog.Own, When: map[string]string{"owner_type": "customer"}},
			{From: "notes.owner_id", To: "deals.id", As: catalog.Own, When: map[string]string{"owner_type": "deal"}},
		}},
	}.spring(t, func(t *testing.T, c *trapped) {
		got, _ := c.export(t)
		got.wantRows(t, "notes", "1,deal,2")
	})
}

func TestTrap12RowsWithoutKey(t *testing.T) {
	tr := trap{
		tables: customers + `
create table attempts (id integer primary key, customer_id integer references customers(id), email varchar(100));
insert into attempts values (1, 1, null), (2, null, 'Ida@example.com'), (3, null, 'frida@example.com'), (4, null, null), (5, 2, null);
create table answers (id integer primary key, attempt_id integer references attempts(id) on delete cascade, said text);
insert into answers values (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, null, 'written by ida@example.com'), (5, null, 'd');`,
		system: catalog.System{Links: []catalog.Link{{From: "attempts.email", To: "customers.email"}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Remaining, "residue", "answers") // an orphan that names her: only reading finds it
		c.want(t, `select id from attempts order by id`, "3 4 5", `select id from answers order by id`, "3 4 5")
		c.store.Exec(t, `delete from answers where id = 4`)
		p := c.plan(t)
		left, _, err := c.Engine.Look(t.Context(), c.question(plan.Erasure), p, p.Shells())
		if err != nil || len(left) != 0 {
			t.Errorf("after mending: %v %+v", err, left)
		}
	})
}

func TestTrap13ManyPeopleInOneCell(t *testing.T) {
	tr := trap{
		tables: customers + `
create table events (id integer primary key, customer_id integer references customers(id), doc text, guests text);`,
		extra: map[string]string{
			"sqlite":  crowd,
			"mariadb": `alter table events modify doc json;` + "\n" + crowd,
			"postgres": `alter table events alter doc type jsonb using doc::jsonb;` + "\n" + crowd + `
alter table events add friends text[], add paper xml;
update events set friends = '{bo@example.com,"Ida@example.com",frida@example.com}', paper = '<a><p>bo@example.com</p><p>ida@example.com</p></a>';`,
		},
		system: catalog.System{Tables: []catalog.TableRule{{Table: "events", Erase: catalog.Redact, Columns: []string{"doc", "guests"}}}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		if c.engine == "postgres" {
			c.options.Config.Systems[0].Tables = []catalog.TableRule{{Table: "events", Erase: catalog.Redact, Columns: []string{"doc", "guests", "friends", "paper"}}}
		}
		c.erase(t, plan.Complete)
		doc := `{"all":[{"mail":"bo@example.com"},{"mail":"[erased]","n":[7,["[erased]","frida@example.com"]]}]}`
		c.want(t, `select guests from events where id = 1`, "bo@example.com;[erased];frida@example.com")
		switch {
		case c.engine == "mariadb" && mariatest.MySQL(t): // its documents have an order of their own
			c.want(t, `select doc = cast('`+doc+`' as json) from events`, "1")
		case c.engine != "postgres":
			c.want(t, `select doc from events`, doc)
		default: // and so has jsonb
			c.want(t, `select doc = '`+doc+`' from events`, "true", `select friends from events`, "{bo@example.com,[erased],frida@example.com}",
				`select paper from events`, "<a><p>bo@example.com</p><p>[erased]</p></a>")
		}
	})
	// Without a rule the document is found by reading it, and named.
	tr.system.Tables = nil
	tr.spring(t, func(t *testing.T, c *trapped) {
		wantNamed(t, c.erase(t, plan.Incomplete).Remaining, "residue", "events")
	})
}

const crowd = `insert into events values (1, 2, '{"all":[{"mail":"bo@example.com"},{"mail":"ida@example.com","n":[7,["IDA@example.com","frida@example.com"]]}]}', 'bo@example.com;ida@example.com;frida@example.com');`

func TestTrap14EncodedCopies(t *testing.T) {
	for name, encode := range map[string]func(string) string{
		"base64":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64url": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"hex":       func(s string) string { return hex.EncodeToString([]byte(s)) },
		"gzip in base64": func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(zipped(s)))
		},
		"gzip": zipped,
	} {
		t.Run(name, func(t *testing.T) {
			tr := trap{
				tables: customers + "\ncreate table imports (id integer primary key, payload text);",
				extra:  map[string]string{"sqlite": addRaw + "blob", "postgres": addRaw + "bytea", "mariadb": addRaw + "blob"},
				system: catalog.System{Tables: []catalog.TableRule{{Table: "imports", Erase: catalog.Delete}}},
			}
			tr.spring(t, func(t *testing.T, c *trapped) {
				c.fill(t, 1, encode(`{"who": "frida@example.com"}`))
				q := c.plan(t)
				c.fill(t, 2, encode(`{"who": "Ida@example.com"}`))
				o := c.run(t, q)
				if o.Status != plan.Incomplete || len(o.Remaining) != 1 || o.Remaining[0].Rows != 1 {
					t.Errorf("%s, remaining %+v", o.Status, o.Remaining)
				}
				wantNamed(t, o.Remaining, "residue", "imports")
				if !strings.Contains(o.Proof[0].Coverage, "encrypted cells cannot be read") {
					t.Errorf("the proof claims more than it read: %q", o.Proof[0].Coverage)
				}
			})
		})
	}
}

const addRaw = "alter table imports add column raw "

// fill writes a coded copy where its bytes can stand.
func (c *trapped) fill(t *testing.T, id int, coded string) {
	t.Helper()
	literal := map[string]string{"sqlite": "x'%x'", "postgres": `'\x%x'`, "mariadb": "x'%x'"}[c.engine]
	value, column := fmt.Sprintf(literal, coded), "raw"
	if coded[0] != 0x1f {
		value, column = "'"+coded+"'", "payload"
	}
	c.store.Exec(t, fmt.Sprintf("insert into imports (id, %s) values (%d, %s)", column, id, value))
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s)) // to memory
	_ = z.Close()
	return b.String()
}

func TestTrap15SpellingsOfAnIdentity(t *testing.T) {
	tr := trap{
		tables: `create table customers (id integer primary key, email varchar(100), name varchar(100));
insert into customers values (1, '  IDA@Example.COM ', 'Ida Nordmann'), (2, 'ida+news@example.com', 'x'), (3, 'i.da@example.com', 'x'), (4, 'ıda@example.com', 'x'), (5, 'ïda@example.com', 'x'), (6, 'ida@exämple.com', 'x'), (7, '"ida"@example.com', 'x'), (8, null, 'x'), (9, '', 'x'), (10, 'ida@example.com.au', 'x'), (11, 'ｉda@example.com', 'x');
create table letters (id integer primary key, email varchar(100));
insert into letters values (1, 'ida@example.com'), (2, 'IDA@EXAMPLE.COM'), (3, 'ída@example.com'), (4, 'ida@example.co'), (5, 'STRASSE@example.com');
create table streets (id integer primary key, email varchar(100));
insert into streets values (1, 'strasse@example.com'), (2, 'straße@example.com'), (3, 'ÆRØ@example.com'), (4, 'ærø@example.com');`,
		system: catalog.System{
			People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email"}}, {Table: "streets", By: map[string]string{"street": "email"}}},
			Links:  []catalog.Link{{From: "letters.email", To: "customers.email"}},
		},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id from customers order by id`, "2 3 4 5 6 7 8 9 10 11", `select id from letters order by id`, "3 4 5")
	})
	tr.person = world.Person("street=Straße@example.com")
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.erase(t, plan.Complete)
		c.want(t, `select id from streets order by id`, "1 3 4")
	})
}

func TestTrap16DuplicateAccounts(t *testing.T) {
	tr := trap{
		tables: `create table customers (id integer primary key, email varchar(100), phone varchar(40));
insert into customers values (1, 'ida@example.com', '+4790000001'), (2, 'Ida@example.com', '+4790000002'), (3, 'bo@example.com', '+4790000003');
create table members (id integer primary key, email varchar(100) not null unique, phone varchar(40));
insert into members values (7, 'ida@example.com', '+4790000009'), (8, 'bo@example.com', '+4790000003');`,
		system: catalog.System{People: []catalog.People{
			{Table: "customers", By: map[string]string{"email": "email", "phone": "phone"}},
			{Table: "members", By: map[string]string{"email": "email", "phone": "phone"}},
		}},
	}
	tr.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		if len(p.Blocking) == 0 || p.Matched != 3 {
			t.Errorf("matched %d, blocking %q", p.Matched, p.Blocking)
		}
		wantNamed(t, p.Gaps, "review", "customers")
		if _, err := c.Erase(t.Context(), c.person); err == nil {
			t.Error("what needs a look was approved")
		}
		c.want(t, `select count(*) from customers`, "3")
		c.person.Same = true // somebody has looked
		if p = c.plan(t); len(p.Blocking) != 0 {
			t.Errorf("blocking %q", p.Blocking)
		}
		c.erase(t, plan.Complete)
		c.want(t, `select id from customers`, "3", `select id from members`, "8")
	})
}
