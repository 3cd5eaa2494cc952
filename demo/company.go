package demo

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the demo's stores are SQLite files, so that nothing has to be installed
)

// Customers is how many live in Fjordly.
const Customers = 12000

// company is Fjordly in the making. The same seed gives the same company, but for its dates, which
// count back from today so that the law's periods look as they would.
type company struct {
	rnd *rand.Rand
	now time.Time

	shop, billing, support, newsletter *writer

	readers []string // addresses of the first who read the newsletter
}

// Make creates the four stores in dir. It fails when one of the files is there already.
func Make(ctx context.Context, dir string, now time.Time) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's stores: %w", err)
	}
	c := &company{rnd: rand.New(rand.NewPCG(1814, 1905)), now: now}
	for _, s := range []struct {
		to           **writer
		file, schema string
	}{
		{&c.shop, "shop.db", shopSchema}, {&c.billing, "billing.db", billingSchema},
		{&c.support, "support.db", supportSchema}, {&c.newsletter, "newsletter.db", newsletterSchema},
	} {
		if *s.to, err = openWriter(ctx, filepath.Join(dir, s.file), s.schema); err != nil {
			return err
		}
	}
	c.fill()
	for _, w := range []*writer{c.shop, c.billing, c.support, c.newsletter} {
		if err := w.close(); err != nil {
			return err
		}
	}
	return c.consents(filepath.Join(dir, consentsFile))
}

// writer fills one store in one transaction; the first error stops it and is given at the end.
type writer struct {
	db    *sql.DB
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
	err   error
}

func openWriter(ctx context.Context, file, schema string) (*writer, error) {
	if _, err := os.Stat(file); err == nil {
		return nil, fmt.Errorf("%s is there already", filepath.Base(file))
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", filepath.Base(file), err)
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, fmt.Errorf("making %s: %w", filepath.Base(file), err)
	}
	tx, err := db.BeginTx(ctx, nil)
	return &writer{db: db, tx: tx, stmts: map[string]*sql.Stmt{}}, err
}

func (w *writer) add(table string, values ...any) {
	if w.err != nil {
		return
	}
	st := w.stmts[table]
	if st == nil {
		st, w.err = w.tx.Prepare("insert into " + table + " values (" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")")
		if w.err != nil {
			return
		}
		w.stmts[table] = st
	}
	_, w.err = st.Exec(values...)
}

func (w *writer) close() error {
	if w.err == nil {
		w.err = w.tx.Commit()
	}
	if err := w.db.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

func (c *company) fill() {
	for i, p := range products {
		c.shop.add("products", i+1, fmt.Sprintf("FJ-%03d", i+1), p.name, p.cents)
	}
	for id := 1; id <= Customers; id++ {
		switch id {
		case IdaID:
			c.ida()
		case idaOldID:
			c.oldIda()
		case lookAlikeID:
			c.customer(person{id, "ida.nordman@example.com", "Ida", "Nordman", "+47 412 00 777", "Bergen", "NO"}, 5)
		default:
			c.customer(c.anybody(id), c.rnd.IntN(4))
		}
	}
	c.around()
}

type person struct {
	id                              int
	email, first, last, phone, city string
	country                         string
}

func (c *company) anybody(id int) person {
	first, last := firstNames[c.rnd.IntN(len(firstNames))], lastNames[c.rnd.IntN(len(lastNames))]
	place := places[c.rnd.IntN(len(places))]
	return person{id: id, email: address(first, last, id), first: first, last: last, phone: fmt.Sprintf("+47 9%02d %02d %03d", id/1000, id/10%100, id%1000), city: place.city, country: place.country}
}

var plain = strings.NewReplacer("ø", "o", "ö", "o", "ü", "u", "ä", "a", "é", "e", "è", "e", "ë", "e", "ß", "ss", "ı", "i", "á", "a", "'", "", " ", "")

func address(first, last string, id int) string {
	return fmt.Sprintf("%s.%s%d@example.com", plain.Replace(strings.ToLower(first)), plain.Replace(strings.ToLower(last)), id)
}

func (c *company) day(back int) string { return c.now.AddDate(0, 0, -back).Format(time.DateOnly) }

func (c *company) moment(back int) string {
	return c.now.AddDate(0, 0, -back).Add(-time.Duration(c.rnd.IntN(86400)) * time.Second).Format(time.DateTime)
}

// customer writes a person and everything around them.
func (c *company) customer(p person, orders int) {
	var referrer any
	if p.id > 100 && c.rnd.IntN(20) == 0 {
		referrer = p.id - 1 - c.rnd.IntN(90)
	}
	if referrer == idaOldID {
		referrer = nil
	}
	c.shop.add("customers", p.id, p.email, p.first, p.last, p.phone, c.day(7000+c.rnd.IntN(15000)), p.country, c.moment(30+c.rnd.IntN(2000)), nil, referrer)
	c.shop.add("addresses", p.id, p.id, streets[c.rnd.IntN(len(streets))]+" "+fmt.Sprint(1+c.rnd.IntN(90)), fmt.Sprintf("%04d", 1000+c.rnd.IntN(8000)), p.city, p.country)
	for n := range orders {
		c.order(p, n, c.rnd.IntN(2300))
	}
	if c.rnd.IntN(3) == 0 {
		c.shop.add("sessions", fmt.Sprintf("%016x", c.rnd.Uint64()), p.id, fmt.Sprintf("10.%d.%d.%d", c.rnd.IntN(256), c.rnd.IntN(256), c.rnd.IntN(256)), "Mozilla/5.0", c.moment(c.rnd.IntN(30)))
	}
	if c.rnd.IntN(4) == 0 {
		c.newsletter.add("addresses", p.email, c.day(c.rnd.IntN(900)))
		if len(c.readers) < readers {
			c.readers = append(c.readers, p.email)
		}
	}
	if c.rnd.IntN(8) == 0 {
		c.ticket(p.id, p.email, questions[c.rnd.IntN(len(questions))], answers[c.rnd.IntN(len(answers))])
	}
	c.small(p)
}

func (c *company) small(p person) {
	if c.rnd.IntN(6) == 0 {
		c.review(p.id, 1+c.rnd.IntN(len(products)), p.id, p.first, reviewTexts[c.rnd.IntN(len(reviewTexts))])
	}
	if c.rnd.IntN(5) == 0 {
		c.shop.add("wishes", p.id, 1+c.rnd.IntN(len(products)))
	}
	for range c.rnd.IntN(3) {
		c.shop.add("page_views", nil, p.id, "/tents", c.moment(c.rnd.IntN(90)))
	}
}

func (c *company) review(id, product, customer int, name, text string) {
	c.shop.add("reviews", id, product, customer, name, 1+c.rnd.IntN(5), text, c.moment(c.rnd.IntN(800)))
}

// order writes an order, its items, and, one day later in another store, its invoice.
func (c *company) order(p person, n, back int) {
	id := p.id*10 + n
	no := fmt.Sprintf("F-%06d", id)
	c.shop.add("orders", id, no, p.id, p.id, "shipped", c.moment(back), nil)
	total := 0
	for line := range 1 + c.rnd.IntN(3) {
		product := (id*7+line*3)%len(products) + 1
		c.shop.add("order_items", id, product, 1, products[product-1].cents)
		total += products[product-1].cents
		c.billing.add("invoice_lines", "I"+no[1:], line+1, products[product-1].name, products[product-1].cents)
	}
	c.billing.add("invoices", "I"+no[1:], p.id, no, p.first+" "+p.last, p.email, c.day(back-1), total)
	c.billing.add("payments", id, "I"+no[1:], fmt.Sprintf("%04d", c.rnd.IntN(10000)), total, c.moment(back))
}

func (c *company) ticket(id int, from, question, answer string) {
	c.support.add("tickets", id, from, question[:min(len(question), 40)], c.moment(c.rnd.IntN(600)))
	c.support.add("messages", id*2, id, from, question, c.moment(5))
	c.support.add("messages", id*2+1, id, "help@fjordly.example", answer, c.moment(4))
}
