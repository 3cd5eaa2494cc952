package consoletest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the company's stores
)

const shopSchema = `
create table customers (id integer primary key, email text not null unique, name text, phone text);
create table addresses (id integer primary key, customer_id integer not null references customers(id), street text, city text);
create table orders (id integer primary key, customer_id integer not null references customers(id), total text, ordered_at text);
create table order_lines (order_id integer not null references orders(id), no integer not null, article text, primary key (order_id, no));
create table order_events (id integer primary key, user_ref integer, what text, device_id text);
create table reviews (id integer primary key, author_id integer references customers(id), author_name text, body text);
create table referrals (id integer primary key, code text, referred_by integer references customers(id));
create trigger address_gone after delete on addresses begin update orders set total = total where customer_id = old.customer_id; end;
create index addresses_customer on addresses (customer_id);
create index orders_customer on orders (customer_id);`

const billingSchema = `
create table invoices (id integer primary key, order_no integer not null, customer_email text, amount text, issued_at text not null);
create table payment_methods (id integer primary key, customer integer not null, card text);`

const supportSchema = `
create table messages (id integer primary key, from_customer integer, to_customer integer, body text);
create table notes_of_staff (id integer primary key, text text);`

const mailSchema = `create table letters (address text primary key, since text);`

// people of the company. Everybody has rows in all four stores.
func people() []string {
	return []string{"ida", "bo", "anna", "per", "kari", "olav", "siri", "nils", "tor", "eva", "liv", "jon"}
}

// makeStores writes the four stores into a folder.
func makeStores(ctx context.Context, dir string) error {
	for name, schema := range map[string]string{"shop": shopSchema, "billing": billingSchema, "support": supportSchema, "mail": mailSchema} {
		if err := Exec(ctx, dir, name, schema); err != nil {
			return err
		}
	}
	var errs []error
	for i, name := range people() {
		errs = append(errs, addPerson(ctx, dir, i+1, name))
	}
	return errors.Join(errs...)
}

func addPerson(ctx context.Context, dir string, id int, name string) error {
	mail := name + "@example.com"
	shop := fmt.Sprintf(`insert into customers values (%[1]d, '%[2]s', '%[3]s Nordmann', '+47 900 00 %03[1]d');
		insert into addresses (customer_id, street, city) values (%[1]d, 'Fjordgata 1', 'Bergen');
		insert into reviews (author_id, author_name, body) values (%[1]d, '%[3]s', 'Good tent');
		insert into referrals (code, referred_by) values ('friend', %[1]d);`, id, mail, name)
	billing := fmt.Sprintf(`insert into payment_methods (customer, card) values (%d, '4111');`, id)
	for o := range 6 {
		no := id*100 + o
		shop += fmt.Sprintf(`insert into orders values (%[1]d, %[2]d, '12.50', '2024-03-0%[3]d');
			insert into order_lines values (%[1]d, 1, 'tent'), (%[1]d, 2, 'rope');`, no, id, o+1)
		if o < 2 {
			billing += fmt.Sprintf(`insert into invoices (order_no, customer_email, amount, issued_at) values (%d, '%s', '12.50', '202%d-03-01');`, no, mail, 4+o)
		}
		for range 4 {
			shop += fmt.Sprintf(`insert into order_events (user_ref, what, device_id) values (%d, 'viewed', 'd-%d');`, id, no)
		}
	}
	support := fmt.Sprintf(`insert into messages (from_customer, to_customer, body) values (%[1]d, null, 'Where is my tent?'), (null, %[1]d, 'On its way');`, id)
	return errors.Join(Exec(ctx, dir, "shop", shop), Exec(ctx, dir, "billing", billing), Exec(ctx, dir, "support", support),
		Exec(ctx, dir, "mail", fmt.Sprintf(`insert into letters values ('%s', '2024-01-01');`, mail)))
}

// Exec runs SQL in one of the stores, as the company's own application would.
func Exec(ctx context.Context, dir, store, text string) error {
	d, err := sql.Open("sqlite", filepath.Join(dir, store+".db"))
	if err != nil {
		return err
	}
	_, err = d.ExecContext(ctx, text)
	return errors.Join(err, d.Close())
}

const config = `# Where Fjordly's data of people lies.
organization: {name: Fjordly AS, jurisdictions: [eu], contact: privacy@fjordly.example}
systems:
  - id: shop
    connector: sqlite
    dsn: shop.db
    location: EU, Frankfurt
    owner: Jonas Vik
    people:
      - {table: customers, by: {email: email, customer: id}}
    links:
      - {from: order_events.user_ref, to: customers.id}
      - {from: referrals.referred_by, to: customers.id, as: mention}
    tables:
      reviews: {erase: anonymise, columns: [author_name]}
  - id: billing
    connector: sqlite
    dsn: billing.db
    location: EU, Frankfurt
    owner: Kari Lunde
    links:
      - {from: invoices.order_no, to: shop.orders.id}
      - {from: payment_methods.customer, to: shop.customers.id}
    tables:
      invoices: {erase: keep, because: "bookkeeping law, 5 years", until: "5 years after issued_at"}
  - id: support
    connector: sqlite
    dsn: support.db
    location: EU, Dublin
    links:
      - {from: messages.from_customer, to: shop.customers.id, as: co, author: true}
      - {from: messages.to_customer, to: shop.customers.id, as: co}
    tables:
      messages: {erase: redact, columns: [body]}
    ignore: [notes_of_staff]
  - id: mail
    connector: sqlite
    dsn: mail.db
    location: US
    owner: Ola Brekke
    people:
      - {table: letters, by: {email: address}}
targets:
  - {id: mailpath, url: "https://hooks.mailpath.example/consents", systems: [mail]}
`

// guessed is what a scan adds and nobody has answered.
const guessed = `  - id: events
    connector: sqlite
    dsn: events.db
    people:
      - {table: visitors, by: {email: mail}, proposed: true, id: p-visitors, confidence: 0.91, reason: "88 of 100 sampled values are e-mail addresses"}
    tables:
      receipts: {erase: keep, because: "?", proposed: true, id: t-receipts, confidence: 0.7, reason: "looks like money"}
`

const eventsSchema = `
create table visitors (id integer primary key, mail text unique, seen text);
create table receipts (id integer primary key, visitor integer references visitors(id), sum text);
create table odds (id integer primary key, note text);
insert into visitors values (1, 'ida@example.com', '2026-01-01');`

// writeConfig writes ombud.yaml into a folder.
func writeConfig(dir string, guesses bool) (string, error) {
	text := config
	if guesses {
		text = strings.Replace(text, "targets:\n", guessed+"targets:\n", 1)
	}
	path := filepath.Join(dir, "ombud.yaml")
	return path, os.WriteFile(path, []byte(text), 0o600)
}
