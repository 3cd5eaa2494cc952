package plan_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/world"
)

// shopTables has every kind of fate: orders and lines that refer to each other, kept invoices with
// parts, messages of two people, rows to anonymise, columns to empty, mentions, rows that hold each other in a circle or a chain.
const shopTables = `create table customers (id integer primary key, email varchar(100) not null unique, name varchar(100), referred_by integer references customers(id));
create table orders (id integer primary key, customer_id integer not null references customers(id), note varchar(100), first_line integer);
create table order_lines (id integer primary key, order_id integer not null references orders(id), what varchar(100));
create table invoices (id integer primary key, order_id integer not null references orders(id), issued_at varchar(40), email varchar(100));
create table invoice_lines (id integer primary key, invoice_id integer not null references invoices(id), amount integer);
create table messages (id integer primary key, from_customer integer references customers(id), to_customer integer references customers(id), body varchar(200));
create table reviews (id integer primary key, customer_id integer references customers(id), nick varchar(100), stars integer);
create table settings (id integer primary key, customer_id integer not null references customers(id), theme varchar(100));
create table gifts (id integer primary key, customer_id integer not null references customers(id), for_customer integer references customers(id), what varchar(100));
create table pairs (id integer primary key, customer_id integer not null references customers(id), other integer not null references pairs(id), label varchar(100));
create table steps (id integer primary key, customer_id integer not null references customers(id), previous integer not null references steps(id));
create table events (id integer primary key, customer_id integer, page varchar(100))`

// deskTables lie in a store of their own; only ombud.yaml knows that they lead to the shop's customers.
const deskTables = `create table contacts (id integer primary key, email varchar(100) not null unique, label varchar(100));
create table notes (id integer primary key, contact_id integer not null references contacts(id), body varchar(200));
create table logins (place integer not null, email varchar(100) primary key, label varchar(100));
create table visits (id integer primary key, login varchar(100) not null references logins(email), page varchar(100));
create table threads (id integer primary key, customer_id integer, subject varchar(100));
create table posts (id integer primary key, thread_id integer not null references threads(id), body varchar(200))`

// tombstones are the columns that an erasure fills with random values.
var tombstones = []string{"shop.customers.email", "shop.customers.name", "shop.reviews.nick", "shop.orders.note", "shop.pairs.label", "desk.logins.email", "desk.visits.login"}

func killConfig(engine string, dsns map[string]string) *catalog.Config {
	connector := (&world.Store{Engine: engine}).Connector()
	return &catalog.Config{Systems: []catalog.System{
		{ID: "shop", Connector: connector, DSN: dsns["shop"],
			People: []catalog.People{{Table: "customers", By: map[string]string{"email": "email", "customer": "id"}}},
			Links: []catalog.Link{
				own("events.customer_id"),
				{From: "messages.from_customer", To: "customers.id", As: catalog.Co, Author: true},
				{From: "messages.to_customer", To: "customers.id", As: catalog.Co},
				{From: "gifts.for_customer", To: "customers.id", As: catalog.Mention},
			},
			Tables: []catalog.TableRule{
				{Table: "invoices", Erase: catalog.Keep, Because: "bookkeeping law", Until: "5 years after issued_at"},
				{Table: "messages", Erase: catalog.Redact, Columns: []string{"body"}},
				{Table: "reviews", Erase: catalog.Anonymise, Columns: []string{"nick"}},
				{Table: "settings", Erase: catalog.Nullify, Columns: []string{"theme"}},
			}},
		{ID: "desk", Connector: connector, DSN: dsns["desk"],
			People: []catalog.People{{Table: "contacts", By: map[string]string{"email": "email"}}, {Table: "logins", By: map[string]string{"email": "email"}}},
			Tables: []catalog.TableRule{{Table: "visits", Erase: catalog.Keep, Because: "a law"}},
			Links:  []catalog.Link{{From: "threads.customer_id", To: "shop.customers.id"}}},
	}}
}

// schema is the statements that make one store's tables.
func killSchema(engine, system string) []string {
	if system == "desk" {
		return strings.Split(deskTables, ";\n")
	}
	if engine == "sqlite" {
		return strings.Split(strings.Replace(shopTables, "first_line integer", "first_line integer references order_lines(id)", 1), ";\n")
	}
	return append(strings.Split(shopTables, ";\n"), `alter table orders add constraint orders_first foreign key (first_line) references order_lines(id)`)
}

// killRows is what one store holds: Ida is 1, Bo is 2, and 3 looks like Ida and must come out untouched.
func killRows(system string) []string {
	if system == "desk" {
		return []string{
			`insert into contacts values (1, 'ida@example.com', 'Ida'), (2, 'bo@example.com', 'Bo'), (3, 'frida@example.com', 'Ida N')`,
			`insert into logins values (1, 'IDA@example.com', 'Ida'), (2, 'bo@example.com', 'Bo')`,
			`insert into visits values ` + series(1, 5, func(i int) string {
				return fmt.Sprintf("(%d, %s, 'page %d')", i, []string{"'IDA@example.com'", "'bo@example.com'"}[i/4], i)
			}),
			`insert into notes values ` + series(1, 9, func(i int) string { return fmt.Sprintf("(%d, %d, 'note %d')", i, 1+i/8, i) }),
			`insert into threads values ` + series(1, 11, func(i int) string { return fmt.Sprintf("(%d, %d, 'thread %d')", i, 1+i/10, i) }),
			`insert into posts values ` + series(1, 33, func(i int) string { return fmt.Sprintf("(%d, %d, 'post %d')", i, 1+(i-1)/3, i) }),
		}
	}
	return []string{
		`insert into customers values (1, 'Ida@Example.com', 'Ida Nordmann', null), (2, 'bo@example.com', 'Bo Berg', 1), (3, 'frida@example.com', 'Ida Nordman', 2)`,
		`insert into orders values ` + series(10, 27, func(i int) string {
			return fmt.Sprintf("(%d, %d, %s, %s)", i, 1+i/25, either(i%2 == 0, "'ring twice'"), either(i%3 > 0, fmt.Sprint(i*10)))
		}),
		`insert into order_lines values ` + series(20, 55, func(i int) string { return fmt.Sprintf("(%d, %d, 'tent')", (i/2)*10+i%2, i/2) }),
		`insert into invoices values (50, 10, '2025-03-01', 'ida@example.com'), (51, 11, '2024-03-01', null), (52, 25, '2025-03-01', 'bo@example.com')`,
		`insert into invoice_lines values (500, 50, 1), (501, 50, 2), (510, 51, 3), (520, 52, 4)`,
		`insert into messages values ` + series(1, 8, func(i int) string { return fmt.Sprintf("(%d, %d, %d, 'hello %d')", i, 1+i%2, 2-i%2, i) }),
		`insert into messages values (20, 2, 1, 'hello Ida, your ida@example.com works'), (21, 3, 2, 'ask IDA@example.com, not frida@example.com'), (22, 1, null, 'to nobody')`,
		`insert into reviews values ` + series(1, 7, func(i int) string { return fmt.Sprintf("(%d, %d, 'nick %d', %d)", i, 1+i/7, i, i%5) }),
		`insert into settings values ` + series(1, 7, func(i int) string { return fmt.Sprintf("(%d, %d, %s)", i, 1+i/7, either(i%2 > 0, "'dark'")) }),
		`insert into gifts values ` + series(1, 10, func(i int) string { return fmt.Sprintf("(%d, %d, %d, 'axe')", i, 1+i%2, 2-i%2) }),
		`insert into pairs values (1, 1, 2, 'a'), (2, 1, 1, 'b'), (3, 1, 4, 'c'), (4, 1, 3, 'd'), (5, 2, 6, 'e'), (6, 2, 5, 'f')`,
		`insert into steps values (1, 2, 1), (2, 1, 1), (3, 1, 2), (4, 1, 3), (5, 1, 4), (6, 1, 5)`,
		`insert into events values ` + series(1, 33, func(i int) string { return fmt.Sprintf("(%d, %d, 'page %d')", i, 1+i/31, i) }),
	}
}

func series(from, to int, row func(i int) string) string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, row(i))
	}
	return strings.Join(out, ", ")
}

func either(yes bool, s string) string {
	if yes {
		return s
	}
	return "null"
}

// tablesOf are the names of a store's tables, in the order they were made.
func tablesOf(system string) []string {
	var out []string
	for _, s := range killSchema("", system) {
		if rest, ok := strings.CutPrefix(s, "create table "); ok {
			out = append(out, strings.Fields(rest)[0])
		}
	}
	return out
}

// reload empties a server's store and fills it again, with its checks of keys off for the moment.
func reload(t *testing.T, s *world.Store) {
	t.Helper()
	off, on := `set session_replication_role = replica`, `set session_replication_role = origin`
	empty := []string{`truncate ` + strings.Join(tablesOf(s.System), ", ")}
	if s.Engine == "mariadb" {
		off, on, empty = `set foreign_key_checks = 0`, `set foreign_key_checks = 1`, nil
		for _, name := range tablesOf(s.System) {
			empty = append(empty, `delete from `+name)
		}
	}
	s.Exec(t, slices.Concat([]string{off}, empty, killRows(s.System), []string{on})...)
}

// cells is a whole state: "system.table.column of id" to what stands there.
type cells map[string]string

// dump reads every cell of a store.
func (c cells) dump(t *testing.T, s *world.Store) {
	t.Helper()
	for _, name := range tablesOf(s.System) {
		rs, err := s.DB.QueryContext(context.Background(), `select * from `+name)
		if err != nil {
			t.Fatal(err)
		}
		c.take(t, s.System+"."+name, rs)
	}
}

func (c cells) take(t *testing.T, table string, rs *sql.Rows) {
	t.Helper()
	defer rs.Close()
	columns, err := rs.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rs.Next() {
		if err := rs.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if !v.Valid {
				v.String = "NULL"
			}
			c[table+"."+columns[i]+" of "+values[0].String] = v.String
		}
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
}

// differs names cells in which two ends of the same beginning are not the same. A tombstone is
// random: there both must be something, and not what it was.
func differs(before, want, got cells) (out []string) {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		w, inWant := want[at]
		g, inGot := got[at]
		column, _, _ := strings.Cut(at, " of ")
		switch {
		case inWant && inGot && w == g:
		case inWant && inGot && slices.Contains(tombstones, column) && w != "NULL" && g != "NULL" && w != before[at] && g != before[at]:
		default:
			out = append(out, fmt.Sprintf("%s is %q (there: %v), want %q (there: %v)", at, g, inGot, w, inWant))
		}
	}
	return out
}

// files is a folder kept in memory, so that it can be as it was as often as needed.
type files map[string][]byte

func keep(t *testing.T, dirs ...string) files {
	t.Helper()
	out := files{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			out[path], err = os.ReadFile(path)
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return out
}

// restore makes the folders hold these files and no others.
func (f files) restore(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	for path, b := range f {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
