package catalog_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/connector/sqlite"
	"github.com/ombudhq/ombud/internal/clock"
)

// stores makes SQLite files from scripts and a configuration that names them.
func stores(t *testing.T, header string, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	text := header + "systems:\n"
	names := make([]string, 0, len(scripts))
	for name := range scripts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		db, err := sql.Open("sqlite", filepath.Join(dir, name+".db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(scripts[name]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("  - id: %s\n    connector: sqlite\n    dsn: %s.db\n", name, name)
	}
	path := filepath.Join(dir, "ombud.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func scan(t *testing.T, path string) *catalog.Findings {
	t.Helper()
	cfg, err := catalog.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.Open(context.Background(), cfg, map[string]connector.Opener{"sqlite": sqlite.Open}, clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	t.Cleanup(func() { cat.Close() })
	f, err := catalog.Scan(t.Context(), cat, catalog.ScanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// summary writes proposals so that a test can name them in a line each.
func summary(f *catalog.Findings) []string {
	var out []string
	for _, p := range f.Proposals {
		switch {
		case p.People != nil:
			by, _ := json.Marshal(p.People.By)
			out = append(out, strings.TrimSpace(p.ID+" "+string(by)+" "+strings.Join(p.People.Also["email"], " ")))
		case p.Link != nil:
			text := fmt.Sprintf("%s %s %s", p.ID, p.Link.To, p.Link.As)
			if p.Link.Author {
				text += " author"
			}
			out = append(out, text)
		case p.Rule.Erase != "":
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", p.ID, strings.Join(p.Rule.Columns, ","), p.Rule.Until)))
		}
	}
	return out
}

func series(n int, row func(i int) string) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = "(" + row(i+1) + ")"
	}
	return strings.Join(rows, ",")
}

func mail(i int) string { return fmt.Sprintf("'person%d@example.com'", i) }

// fjordly: declared keys, none, free text, and a bare list; links across that nobody declares.
func fjordly() map[string]string {
	return map[string]string{
		"shop": `create table customers (id integer primary key, email text not null unique, first_name text, last_name text, phone text, referred_by integer references customers(id));
			create table addresses (id integer primary key, customer_id integer not null references customers(id), street text, city text);
			create table products (id integer primary key, sku text unique, name text, description text);
			create table orders (id integer primary key, order_no text unique, customer_id integer not null references customers(id), status text, note text);
			create table order_items (order_id integer references orders(id), product_id integer references products(id), quantity integer, primary key (order_id, product_id));
			create table swaps (id integer primary key, from_customer integer not null references customers(id), to_customer integer not null references customers(id), message text);
			create table page_views (id integer primary key, customer_ref integer, path text);
			create table tags (id integer primary key, taggable_type text, taggable_id integer, label text);
			create table schema_migrations (version text primary key);
			insert into customers select value, 'person'||value||'@example.com', 'Ida', 'Nordmann', '+47 912 '||(10+value%90)||' '||(100+value), null from generate_series_200;
			insert into products values (1, 'A-1', 'Tent', 'A tent for two'), (2, 'A-2', 'Stove', null);
			insert into addresses select value, value, 'Fjordveien 7', 'Bergen' from generate_series_200;
			insert into orders select value*3, 'F-'||(1000+value), value, 'sent', null from generate_series_200;
			insert into order_items select value*3, 1+value%2, 1 from generate_series_200;
			insert into swaps select value, value, 201-value, 'write to friend'||value||'@example.net about the axe' from generate_series_200;
			insert into page_views select value, 1+value%200, '/tents' from generate_series_200;
			insert into tags select value, case when value%2=0 then 'Customer' else 'Product' end, case when value%2=0 then value else 1 end, 'vip' from generate_series_200;`,
		"billing": `create table invoices (invoice_no text, customer_no integer, order_no text, email text, issued_at text, total_cents integer);
			create table invoice_lines (invoice_no text, line integer, what text, amount_cents integer);
			create table payments (id integer, invoice_no text, amount_cents integer, paid_at text);
			create table login_log (id integer primary key, customer_no integer, at text);
			insert into invoices select 'I-'||value, value, 'F-'||(1000+value), 'person'||value||'@example.com', '2024-01-'||printf('%02d', 1+value%28), 100*value from generate_series_200;
			insert into invoice_lines select 'I-'||value, 1, 'Tent', 100*value from generate_series_200;
			insert into payments select value, 'I-'||value, 100*value, '2024-02-01' from generate_series_200;
			insert into login_log select value, value, '2024-02-01' from generate_series_200;`,
		"support": `create table tickets (id integer primary key, sender_email text not null, subject text);
			create table messages (id integer primary key, ticket_id integer not null references tickets(id), sender text not null, body text);
			insert into tickets select value, 'Person'||value||'@example.com', 'My tent leaks a little bit' from generate_series_200;
			insert into messages select value*2, value, 'person'||value||'@example.com', 'please call me at +47 912 34 '||(100+value)||' thanks' from generate_series_200;
			insert into messages select value*2+1, value, 'help@fjordly.example', 'we shall call you back as soon as we can' from generate_series_200;`,
		"newsletter": `create table addresses (email text, added_on text);
			insert into addresses select 'person'||(value*3)||'@example.com', '2024-01-01' from generate_series_200;
			insert into addresses values ('PERSON3@example.com', '2023-01-01');`,
	}
}

// script replaces the stand-in for a series of numbers.
func script(text string) string {
	return strings.ReplaceAll(text, "from generate_series_200", "from (with recursive n(value) as (select 1 union all select value+1 from n where value<200) select value from n)")
}

func fjordlyPath(t *testing.T) string {
	t.Helper()
	scripts := fjordly()
	for name := range scripts {
		scripts[name] = script(scripts[name])
	}
	return stores(t, "organization: {name: Fjordly AS, jurisdictions: [\"no\"]}\n", scripts)
}

func TestScanOfFjordly(t *testing.T) {
	f := scan(t, fjordlyPath(t))
	want := []string{
		`people:shop.customers {"customer":"id","email":"email"}`,
		`people:newsletter.addresses {"email":"email"}`,
		`link:billing.invoices.customer_no shop.customers.id own`,
		`link:billing.login_log.customer_no shop.customers.id own`,
		`link:billing.invoice_lines.invoice_no invoices.invoice_no own`,
		`link:billing.payments.invoice_no invoices.invoice_no own`,
		`link:shop.page_views.customer_ref customers.id own`,
		`link:shop.tags.taggable_id:customer customers.id own`,
		`link:shop.swaps.from_customer customers.id co author`,
		`link:shop.swaps.to_customer customers.id co`,
		`link:support.tickets.sender_email shop.customers.email own author`,
		`link:support.messages.sender shop.customers.email mention author`,
		`keep:billing.invoices  5 years after issued_at`,
		`keep:billing.payments  5 years after paid_at`,
		`keep:billing.login_log`,
		`redact:shop.swaps.message message`,
		`redact:support.messages.body body,sender`,
	}
	got := summary(f)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, p := range f.Proposals {
		if p.Confidence <= 0 || p.Confidence > 1 || p.Reason == "" {
			t.Errorf("%s: %v, %q", p.ID, p.Confidence, p.Reason)
		}
	}
}

func TestScanShowsNoValue(t *testing.T) {
	text, err := json.Marshal(scan(t, fjordlyPath(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"@example", "person1", "Fjordveien", "912 34", "help@"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("a value (%s) is among the findings", secret)
		}
	}
	for _, want := range []string{`"rows":200`, `"category":"contact"`, `body: of 400 texts, 200 with phone numbers`, `email repeats shop.customers.email`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not among the findings", want)
		}
	}
}

func TestScanAnsweredAsksNothingAgain(t *testing.T) {
	path := fjordlyPath(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drafted, err := catalog.Draft(file, scan(t, path))
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, drafted)
	again, err := catalog.Draft(drafted, scan(t, path))
	if err != nil || string(again) != string(drafted) {
		t.Fatalf("a second scan changed the file: %v\n%s", err, again)
	}
	accepted, _, err := catalog.Answer(drafted, []string{catalog.All}, nil)
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, accepted)
	if left := scan(t, path).Proposals; len(left) != 0 {
		t.Errorf("accepted, and yet proposed again: %v", summary(&catalog.Findings{Proposals: left}))
	}
	rejected, _, err := catalog.Answer(drafted, nil, open(t, path, drafted))
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, rejected)
	for _, p := range scan(t, path).Proposals {
		if slices.Contains(open(t, path, drafted), p.ID) {
			t.Errorf("rejected, and yet proposed again: %s", p.ID)
		}
	}
}

func save(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := catalog.Save(path, data); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string, data []byte) []string {
	t.Helper()
	cfg, err := catalog.Parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Open()
}

func TestScanReopensAnIgnoredDataset(t *testing.T) {
	path := stores(t, "", map[string]string{"app": `create table migrations (version text primary key, at text);
		insert into migrations values ('001', '2024-01-01');
		create table outbox (id integer primary key, payload text);
		insert into outbox values ` + series(20, func(i int) string { return fmt.Sprintf("%d, 'sent a letter to person%d@example.com today'", i, i) })})
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file = append(file, "    ignore: [migrations, outbox]\n"...)
	save(t, path, file)
	f := scan(t, path)
	if len(f.Proposals) != 1 || f.Proposals[0].ID != "reopen:app.outbox" {
		t.Fatalf("%+v", f.Proposals)
	}
	drafted, err := catalog.Draft(file, f)
	if err != nil {
		t.Fatal(err)
	}
	accepted, _, err := catalog.Answer(drafted, []string{"reopen:app.outbox"}, nil)
	if err != nil || !strings.Contains(string(accepted), "ignore: [migrations]") {
		t.Fatalf("%v\n%s", err, accepted)
	}
	rejected, _, err := catalog.Answer(drafted, nil, []string{"reopen:app.outbox"})
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, rejected)
	if left := scan(t, path).Proposals; len(left) != 0 {
		t.Errorf("rejected, and asked again: %+v", left)
	}
}

func TestScanLeavesAHandWrittenFileAlone(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": `create table customers (id integer primary key, email text unique, name text);
		create table orders (id integer primary key, customer_id integer not null references customers(id), note text);
		create table visits (id integer primary key, customer_id integer, at text);
		insert into customers values ` + series(50, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida Nordmann'", i, mail(i)) })})
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, append(file, "    people: [{table: customers, by: {email: email}}]\n    links: [{from: visits.customer_id, to: customers.id}]\n"...))
	if f := scan(t, path); len(f.Proposals) != 0 || len(f.Unmapped) != 0 {
		t.Errorf("%v, %v", summary(f), f.Unmapped)
	}
}

// What must not be guessed: organisations, products, look-alike numbers, unrelated ids.
func TestScanIsConservative(t *testing.T) {
	path := stores(t, "", map[string]string{"erp": `create table suppliers (id integer primary key, email text unique, phone text);
		create table stores (id integer primary key, email text unique, city text);
		create table staff (id integer primary key, store_id integer references stores(id), email text unique, first_name text);
		create table products (id integer primary key, name text, supplier_id integer references suppliers(id));
		create table measurements (id integer primary key, sensor_id integer, quality_no integer, value real);
		create table tax_rates (id integer primary key, country text, rate real);
		create table blog_posts (id integer primary key, title text, message text);
		insert into suppliers values ` + series(30, func(i int) string {
		return fmt.Sprintf("%d, 'sales@supplier%d.example', '+47 912 34 %03d'", i, i, 100+i)
	}) + `;
		insert into stores values ` + series(10, func(i int) string { return fmt.Sprintf("%d, 'store%d@erp.example', 'Bergen'", i, i) }) + `;
		insert into staff values ` + series(30, func(i int) string { return fmt.Sprintf("%d, 1, %s, 'Ida'", i, mail(i)) }) + `;
		insert into products values ` + series(30, func(i int) string { return fmt.Sprintf("%d, 'Tent', %d", i, i) }) + `;
		insert into measurements values ` + series(30, func(i int) string { return fmt.Sprintf("%d, %d, %d, 1.5", i, i, i) })})
	got := summary(scan(t, path))
	want := []string{`people:erp.staff {"email":"email","staff":"id"}`}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestScanOfAStoreThatIsDown(t *testing.T) {
	path := stores(t, "", map[string]string{"a": "create table customers (id integer primary key, email text)"})
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, append(file, "  - {id: b, connector: sqlite, dsn: missing.db}\n"...))
	f := scan(t, path)
	if f.Systems[0].Problem != "" || f.Systems[1].Problem == "" || len(f.Proposals) == 0 {
		t.Errorf("%+v", f.Systems)
	}
}
