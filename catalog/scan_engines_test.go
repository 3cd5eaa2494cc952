package catalog_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/mysql"
	"github.com/ombudhq/ombud/connector/postgres"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestScanAcrossEngines: a shop on PostgreSQL, its bookkeeping on MariaDB, which knows customers by
// numbers and addresses of other types.
func TestScanAcrossEngines(t *testing.T) {
	pg, maria := pgtest.DSN(t), mariatest.DSN(t)
	pgtest.Exec(t, pg, `create table customers (id bigint generated always as identity primary key, email varchar(200) not null unique, name text)`,
		`create table devices (id uuid primary key, customer_id bigint not null references customers(id), ip inet)`,
		`create table visits (id serial primary key, customer_id integer, device_id uuid, at timestamptz)`,
		`insert into customers (email, name) select 'Person'||n||'@example.com', 'Ida Nordmann' from generate_series(1, 100) n`,
		`create schema billing`, // of which not all is kept that is in it
		`create table billing.addresses (id serial primary key, customer_id bigint not null references customers(id), street text)`,
		// What is made once needs no name to be known again, and no check of its digits.
		`create table tokens_seen (id serial primary key, seen uuid, other uuid, n int)`,
		`insert into devices select gen_random_uuid(), n, '10.0.0.1' from generate_series(1, 100) n`,
		`insert into tokens_seen (seen, other, n) select id, gen_random_uuid(), customer_id from devices`,
		`insert into visits (customer_id, device_id, at) select customer_id, id, now() from devices`)
	mariatest.Exec(t, maria, "create table invoices (invoice_no varchar(20) primary key, customer_id varchar(20), issued_at datetime, total decimal(10,2))",
		"create table letters (id int auto_increment primary key, recipient_email varchar(100), body text)",
		"insert into invoices values "+series(100, func(i int) string { return fmt.Sprintf("'I-%d', '%d', '2024-01-01', 10.5", i, i) }),
		"insert into letters (recipient_email, body) values "+series(100, func(i int) string { return mail(i) + ", 'thank you for your order of last week'" }))
	cfg := &catalog.Config{Systems: []catalog.System{{ID: "shop", Connector: "postgres", DSN: pg}, {ID: "books", Connector: "mariadb", DSN: maria}}}
	cat := catalog.Open(context.Background(), cfg, map[string]connector.Opener{"postgres": postgres.Open, "mariadb": mysql.Open}, clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	t.Cleanup(func() { cat.Close() })
	f, err := catalog.Scan(t.Context(), cat, catalog.ScanOptions{Samples: 200})
	if err != nil {
		t.Fatal(err)
	}
	got := summary(f)
	want := []string{
		`people:shop.customers {"customer":"id","email":"email"}`,
		`link:books.invoices.customer_id shop.customers.id own`,
		`link:books.letters.recipient_email shop.customers.email own`,
		`link:shop.visits.customer_id customers.id own`,
		`link:shop.tokens_seen.seen devices.id own`,
		`link:shop.visits.device_id devices.id context`,
		`keep:books.invoices  10 years after issued_at`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
