package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// spite is what names and values are put together from.
var spite = []string{`"`, `'`, "`", `""`, `''`, "``", `\`, `\\`, `\'`, `\"`, "\x00", ";", "--", "/*", "*/", "#", `"; DROP TABLE sentinel; --`, `'; DELETE FROM sentinel; --`,
	"`; DROP TABLE sentinel; #", "$1", "$$", "${x}", "%s", "%%", "%n", "?", ":name", "@v", "{}", "[x]", "]", "\u202e", "שלום", "\u200b", "\u200d", "\ufeff", "e\u0301", "ß", "İ", "ı", "😀", "👩‍👩‍👧",
	"select", "FROM", "table", "rowid", "oid", "ctid", "_rowid_", "tableoid", "user", "group", "order", "null", "true", "default", "sqlite_x", "pg_x", "information_schema",
	"a", "MiXed", " ", "  x", "x  ", ".", "a.b", "main.sentinel", "public.sentinel", "\n", "\r\n", "\t", "0", "1e9", "-1", "'||'", "(", ")", ",", "=", "<script>", "\x01", "\x7f",
	strings.Repeat("n", 63), strings.Repeat("n", 64), strings.Repeat("é", 32)}

// spiteful makes a string of one to three of them.
func spiteful(r *rand.Rand) string {
	s := spite[r.IntN(len(spite))]
	for range r.IntN(3) {
		s += spite[r.IntN(len(spite))]
	}
	return s
}

// nasty is one table whose name, columns and values are a hostile string.
type nasty struct {
	name, column, value string
	make                int // see create
}

const makes = 5

// TestHostileStrings: whatever tables, columns and values are called, the right rows go, others stay,
// and nothing runs that was only a name.
func TestHostileStrings(t *testing.T) {
	const batch = 25
	eachEngine(t, func(t *testing.T, engine string) {
		for n := range counts(500, 10000) / batch {
			t.Run(fmt.Sprint(n), func(t *testing.T) { hostileBatch(t, engine, uint64(n), batch) })
		}
	})
}

func hostileBatch(t *testing.T, engine string, seed uint64, n int) {
	r := rand.New(rand.NewPCG(seed, 1))
	store := world.NewStore(t, engine, "shop")
	victim, other := "v"+legal(engine, spiteful(r))+"@example.com", "w"+legal(engine, spiteful(r))+"@example.com"
	store.Exec(t, "create table people (id integer primary key, email varchar(200))", "create table sentinel (id integer primary key, note varchar(20))",
		"insert into sentinel values (1, 'a'), (2, 'b'), (3, 'c')")
	insertRow(t, store, "people", "1", victim)
	insertRow(t, store, "people", "2", other)
	var tables []*nasty
	system := catalog.System{ID: "shop", Connector: store.Connector(), DSN: store.DSN, Ignore: []string{"sentinel"},
		People: []catalog.People{{Table: "people", By: map[string]string{"email": "email"}}}}
	for i := range n {
		s := spiteful(r)
		x := &nasty{name: clipped(engine, s), column: clipped(engine, s), value: legal(engine, s), make: i % makes}
		if !x.create(store, s) {
			continue
		}
		x.fill(t, store)
		tables = append(tables, x)
		if x.make == 2 {
			system.Tables = append(system.Tables, catalog.TableRule{Table: x.name, Erase: catalog.Anonymise, Columns: []string{x.column}})
		}
	}
	if len(tables) < n/3 {
		t.Errorf("%s refuses %d of %d strings", engine, n-len(tables), n)
	}
	c := &trapped{store: store, engine: engine, person: world.Person("email=" + victim), options: world.Options{Config: &catalog.Config{Systems: []catalog.System{system}}}}
	got, _ := c.export(t)
	for _, x := range tables {
		if len(got[x.name]) != 1 {
			t.Errorf("the package has %d rows of %q", len(got[x.name]), x.name)
		}
	}
	c.erase(t, plan.Complete)
	for _, x := range tables {
		x.check(t, store)
	}
	c.want(t, "select id, note from sentinel order by id", "1,a 2,b 3,c", "select id, email from people", "2,"+other)
}

// clipped is a name as the engine keeps it.
func clipped(engine, name string) string {
	switch engine {
	case gen.MariaDB: // refuses what MySQL puts a question mark for
		return strings.Map(func(r rune) rune {
			if r > 0xffff {
				return '?'
			}
			return r
		}, name)
	case gen.SQLite:
		return name
	}
	for len(name) > 63 {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}

// legal is a value that the engine can store.
func legal(engine, value string) string {
	if engine == gen.Postgres {
		return strings.ReplaceAll(value, "\x00", "")
	}
	return value
}

// create makes the table; false when the engine refuses it, by its own rules.
func (x *nasty) create(s *world.Store, name string) bool {
	q := func(n string) string { return gen.Quote(s.Engine, n) }
	body := map[int]string{
		0: "id integer primary key, owner integer references people (id), " + q(name) + " varchar(300)",           // the column is text
		1: "id integer primary key, " + q(name) + " integer references people (id), txt varchar(300)",             // the column refers
		2: "id integer primary key, owner integer references people (id), " + q(name) + " varchar(300)",           // the column is changed
		3: q(name) + " varchar(300) not null primary key, owner integer references people (id), txt varchar(300)", // the column is the key
		4: "owner integer references people (id), " + q(name) + " varchar(300), txt varchar(300)",                 // there is no key
	}[x.make]
	_, err := s.DB.ExecContext(context.Background(), "create table "+q(name)+" ("+body+")")
	if err != nil {
		return false
	}
	_, err = s.DB.ExecContext(context.Background(), "select count("+q(x.column)+") from "+q(x.name))
	return err == nil
}

// fill gives each person a row.
func (x *nasty) fill(t *testing.T, s *world.Store) {
	t.Helper()
	for _, who := range []string{"1", "2"} {
		switch x.make {
		case 3:
			insertRow(t, s, x.name, who+x.value, who, x.value)
		case 4:
			insertRow(t, s, x.name, who, x.value, who)
		default:
			insertRow(t, s, x.name, who, who, x.value)
		}
	}
}

func insertRow(t *testing.T, s *world.Store, table string, values ...string) {
	t.Helper()
	var marks []string
	var args []any
	for i, v := range values {
		args = append(args, v)
		if s.Engine == gen.Postgres {
			marks = append(marks, fmt.Sprintf("$%d", i+1))
		} else {
			marks = append(marks, "?")
		}
	}
	if _, err := s.DB.ExecContext(context.Background(), "insert into "+gen.Quote(s.Engine, table)+" values ("+strings.Join(marks, ", ")+")", args...); err != nil {
		t.Fatalf("inserting into %q: %v", table, err)
	}
}

// check: the person's row is gone, or without its text; the other's is as it was.
func (x *nasty) check(t *testing.T, s *world.Store) {
	t.Helper()
	q := func(n string) string { return gen.Quote(s.Engine, n) }
	owner, text, rest := "owner", "txt", 1
	switch x.make {
	case 1:
		owner = x.column
	case 2:
		text, rest = x.column, 2
	case 0:
		text = x.column
	case 4:
		text = x.column
	}
	if got := s.Text(t, "select count(*) from "+q(x.name)); got != fmt.Sprint(rest) {
		t.Errorf("%q (%d) has %s rows, want %d", x.name, x.make, got, rest)
	}
	if got := s.Text(t, "select "+q(text)+" from "+q(x.name)+" where "+q(owner)+" = 2"); got != x.value {
		t.Errorf("%q: the other's %q became %q", x.name, x.value, got)
	}
	if rest == 2 {
		if got := s.Text(t, "select "+q(text)+" from "+q(x.name)+" where id = 1"); got != "NULL" {
			t.Errorf("%q: the person's text is still %q", x.name, got)
		}
	}
}
