package catalog_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
)

// TestScanOfLists: cells that list people are asked about; lists of anything else, and other JSON, are not.
func TestScanOfLists(t *testing.T) {
	path := stores(t, "", map[string]string{"shop": `create table users (id integer primary key, email text unique, name text, guid text unique);
		create table teams (id integer primary key, member_ids text, watchers text, sizes text, settings text, parts text);
		insert into users values ` + series(40, func(i int) string {
		return fmt.Sprintf("%d, %s, 'Ida', '6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c%02d'", i, mail(i), i)
	}) + `;
		insert into teams values ` + series(20, func(i int) string {
		return fmt.Sprintf("%d, '[%d, %d, null]', '[\"6f1c2a7e-4b1d-4f0e-9a53-0a7a2f3b9c%02d\"]', '[%d, 2, null]', '{\"a\": %d}', '[[%d]]'", i, i, i+20, i, i, i, i)
	}) + `;`})
	same(t, linksOf(t, path), []string{
		`people:shop.users {"email":"email","user":"id"}`,
		`link:shop.teams.member_ids[] users.id mention`,
		`link:shop.teams.watchers[] users.guid mention`,
	})
}

// TestListsInTheFile: a list is written with brackets behind its column, and only mentions.
func TestListsInTheFile(t *testing.T) {
	load := func(link string) error {
		path := stores(t, "", map[string]string{"shop": `create table users (id integer primary key, email text); create table teams (id integer primary key, member_ids text);`})
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(data, "    links: ["+link+"]\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = catalog.Load(path)
		return err
	}
	for _, link := range []string{`{from: "teams.member_ids[]", to: users.id}`, `{from: 'teams.member_ids[]', to: users.id, as: mention}`} {
		if err := load(link); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
	for _, link := range []string{`{from: "teams.member_ids[]", to: users.id, as: own}`, `{from: "teams.member_ids[]", to: users.id, author: true}`} {
		if err := load(link); err == nil || !strings.Contains(err.Error(), "only mentions") {
			t.Errorf("%s: %v", link, err)
		}
	}
}
