package catalog_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// apart keeps addresses and documents in datasets of their own, which the person's rows refer to; a
// country, a warehouse's address and the picture of a product are many people's.
const apart = `create table addresses (id integer primary key, street text, city text, zip text);
	create table countries (id integer primary key, name text, phone_prefix text);
	create table depots (id integer primary key, street text, city text, zip text);
	create table scans (id integer primary key, filename text);
	create table pictures (id integer primary key, filename text);
	create table users (id integer primary key, email text unique, name text, address_id integer references addresses(id), country_id integer references countries(id), depot_id integer references depots(id));
	create table orders (id integer primary key, user_id integer not null references users(id), ship_to integer references addresses(id), picture_id integer references pictures(id));
	create table papers (id integer primary key, user_id integer not null references users(id), scan_id integer not null references scans(id));`

func apartFor(n int) string {
	return apart + `
		insert into countries values (1, 'Norway', '47'), (2, 'Sweden', '46');
		insert into depots values (1, 'Dock 1', 'Oslo', '0150'), (2, 'Dock 2', 'Bergen', '5003');
		insert into pictures values (1, 'tent.png'), (2, 'ski.png');
		insert into addresses values ` + series(2*n, func(i int) string { return fmt.Sprintf("%d, 'Gata %d', 'Oslo', '0150'", i, i) }) + `;
		insert into scans values ` + series(n, func(i int) string { return fmt.Sprintf("%d, 'passport-%d.pdf'", i, i) }) + `;
		insert into users values ` + series(n, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida', %d, %d, %d", i, mail(i), i, 1+i%2, 1+i%2) }) + `;
		insert into orders values ` + series(n, func(i int) string { return fmt.Sprintf("%d, %d, %d, %d", i, i, n+i, 1+i%2) }) + `;
		insert into papers values ` + series(n, func(i int) string { return fmt.Sprintf("%d, %d, %d", i, i, i) }) + `;`
}

// TestScanOfWhatIsKeptApart: what is a person's own behind a reference is theirs too, which is asked; what
// is shared is not. A no is an answer.
func TestScanOfWhatIsKeptApart(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": apartFor(40)})
	same(t, linksOf(t, path), []string{
		`people:shop.users {"email":"email","user":"id"}`,
		`link:shop.users.address_id addresses.id follow`,
		`link:shop.orders.ship_to addresses.id follow`,
		`link:shop.papers.scan_id scans.id follow`,
	})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	no := "    people: [{table: users, by: {email: email}}]\n    links: [{from: users.address_id, to: addresses.id, as: follow, rejected: true, id: 'link:shop.users.address_id'}]\n"
	if err := os.WriteFile(path, append(data, no...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range linksOf(t, path) {
		if strings.HasPrefix(p, "link:shop.users.address_id") {
			t.Errorf("a no is asked again: %s", p)
		}
	}
}

// TestFewRowsAreAskedAbout: of a handful of rows nobody can tell what is shared, but where a person's row refers to what looks
// like a part of it, that is asked; not of what two share already, nor of a country.
func TestFewRowsAreAskedAbout(t *testing.T) {
	same(t, linksOf(t, stores(t, "", map[string]string{"shop": apartFor(4)})), []string{
		`people:shop.users {"email":"email","user":"id"}`,
		`link:shop.users.address_id addresses.id follow`,
	})
	same(t, linksOf(t, stores(t, "", map[string]string{"shop": apartFor(2)})), []string{ // each lives in a country of their own
		`people:shop.users {"email":"email","user":"id"}`,
		`link:shop.users.address_id addresses.id follow`,
		`link:shop.users.depot_id depots.id follow`,
	})
}

// TestScanOfAnAddressBesideAMembership: that users refer to a team says nothing of whose the team's address is.
func TestScanOfAnAddressBesideAMembership(t *testing.T) {
	same(t, linksOf(t, stores(t, "", map[string]string{"a": `create table teams (id integer primary key, contact_email text);
		create table users (id integer primary key, email text unique, name text, team_id integer references teams(id));
		create table signups (email text unique);
		insert into teams values ` + series(20, func(i int) string { return fmt.Sprintf("%d, 'lead%d@example.org'", i, i) }) + `;
		insert into users values ` + series(60, func(i int) string { return fmt.Sprintf("%d, %s, 'Ida', %d", i, mail(i), 1+i%20) }) + `;
		insert into signups values ` + series(30, func(i int) string { return fmt.Sprintf("'lead%d@example.org'", i) }) + `;`})), []string{
		`people:a.users {"email":"email","user":"id"}`,
		`people:a.signups {"email":"email"}`,
		`link:a.teams.contact_email signups.email mention`,
	})
}
