package sqlite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

func TestLocators(t *testing.T) {
	s, db := fresh(t)
	for name, items := range map[string]string{
		"alias":    "id INTEGER PRIMARY KEY, v)",
		"textual":  "id TEXT PRIMARY KEY, v)",
		"named":    "id TEXT NOT NULL PRIMARY KEY, v)",
		"quirk":    "id INTEGER PRIMARY KEY DESC, v)",
		"norowid":  "a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
		"unique_":  "a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, UNIQUE (a, b), UNIQUE (c))",
		"shadowed": "rowid TEXT, v)",
		"hidden":   "rowid TEXT, _rowid_ TEXT, OID TEXT)",
		"strict":   "id ANY PRIMARY KEY, v INT) STRICT",
	} {
		exec(t, db, "CREATE TABLE "+name+" ("+items)
	}
	want := map[string]connector.Locator{
		"alias":    {Kind: connector.ByPrimary, Columns: []string{"id"}},
		"textual":  {Kind: connector.ByPhysical, Columns: []string{"rowid"}},
		"named":    {Kind: connector.ByPrimary, Columns: []string{"id"}},
		"quirk":    {Kind: connector.ByPhysical, Columns: []string{"rowid"}},
		"norowid":  {Kind: connector.ByPrimary, Columns: []string{"b", "a"}},
		"unique_":  {Kind: connector.ByUnique, Columns: []string{"c"}},
		"shadowed": {Kind: connector.ByPhysical, Columns: []string{"_rowid_"}},
		"hidden":   {},
		"strict":   {Kind: connector.ByPrimary, Columns: []string{"id"}},
	}
	got := map[string]connector.Locator{}
	read := schema(t, s)
	for _, table := range read.Tables {
		got[table.Name] = table.Locator
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("locators (-want +got):\n%s", diff)
	}
	if read.Table("hidden").Rights.Delete || !noted(read, "no-address", "hidden") {
		t.Error("a table whose rows cannot be addressed may be changed")
	}
}

func noted(s *connector.Schema, code, table string) bool {
	return slices.ContainsFunc(s.Notes, func(n connector.Note) bool { return n.Code == code && n.Table == table })
}

func TestDefinitions(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT UNIQUE)`,
		`CREATE TABLE d ( -- a comment, with (parentheses) and CHECK (no)
			id INTEGER PRIMARY KEY, [two words] TEXT COLLATE NOCASE DEFAULT 'CHECK (x)' CHECK (length("two words") < 9),
			"check" INT CONSTRAINT positive CHECK ("check" > 0 AND 'id' <> ''), /* REFERENCES nobody */
			a INT REFERENCES parent, b TEXT CONSTRAINT named REFERENCES PARENT (CODE) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
			c INT AS (a + 1), e INT GENERATED ALWAYS AS (a * 2) STORED,
			CONSTRAINT outer_ FOREIGN KEY (a) REFERENCES parent (id) NOT DEFERRABLE
			CHECK (a <> id OR [two words] IS NULL) UNIQUE (a, b))`)
	d := table(t, s, "d")
	wantChecks := []connector.Check{
		{Expr: `length("two words") < 9`, Columns: []string{"two words"}},
		{Name: "positive", Expr: `"check" > 0 AND 'id' <> ''`, Columns: []string{"check"}},
		{Expr: `a <> id OR [two words] IS NULL`, Columns: []string{"id", "two words", "a"}},
	}
	if diff := cmp.Diff(wantChecks, d.Checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	key := connector.ForeignKey{Columns: []string{"a"}, RefSchema: "main", RefTable: "parent", RefColumns: []string{"id"},
		OnDelete: connector.NoAction, OnUpdate: connector.NoAction}
	named, outer := key, key
	named.Name, named.Columns, named.RefColumns = "named", []string{"b"}, []string{"code"}
	named.OnDelete, named.Deferrable, named.Deferred = connector.SetNull, true, true
	outer.Name = "outer_"
	if diff := cmp.Diff([]connector.ForeignKey{key, named, outer}, d.ForeignKeys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, c := range d.Columns {
		if generated := c.Name == "c" || c.Name == "e"; c.Generated != generated {
			t.Errorf("column %s: generated %v", c.Name, c.Generated)
		}
	}
	if c := d.Column("two words"); c == nil || c.Collation != "NOCASE" || !c.FoldEqual {
		t.Errorf("two words is %+v", c)
	}
}

func TestKinds(t *testing.T) {
	for declared, want := range map[string]connector.Kind{
		"INTEGER": connector.Int, "int unsigned": connector.Int, "VARCHAR(40)": connector.Text, "CLOB": connector.Text, "BLOB": connector.Bytes,
		"": connector.Other, "REAL": connector.Float, "DOUBLE PRECISION": connector.Float, "DECIMAL(9,2)": connector.Decimal,
		"NUMERIC": connector.Decimal, "BOOLEAN": connector.Bool, "DATE": connector.Time, "DATETIME": connector.Time, "JSON": connector.JSON,
		"UUID": connector.UUID, "STRING": connector.Other,
	} {
		if got := columnOf(t, declared); got.Kind != want {
			t.Errorf("%q is of kind %d, want %d", declared, got.Kind, want)
		}
	}
	if c := columnOf(t, "VARCHAR(40)"); c.Length != 40 {
		t.Errorf("length is %d", c.Length)
	}
	if c := columnOf(t, "DECIMAL(9, 2)"); c.Precision != 9 || c.Scale != 2 {
		t.Errorf("precision %d, scale %d", c.Precision, c.Scale)
	}
}

func TestTriggers(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE a (id INTEGER PRIMARY KEY, v)`, `CREATE TABLE "Log (x)" (v)`, `CREATE TABLE other (v PRIMARY KEY)`,
		`CREATE VIEW w AS SELECT * FROM a`,
		`CREATE TRIGGER g1 AFTER UPDATE OF v ON a WHEN old.v <> new.v BEGIN
			INSERT OR IGNORE INTO "Log (x)" SELECT old.v FROM a; -- UPDATE nothing
			UPDATE OR REPLACE other SET v = 'INSERT INTO ghosts';
			INSERT INTO other VALUES (1) ON CONFLICT DO UPDATE SET v = 2; DELETE FROM a WHERE id = 0; END`,
		`CREATE TRIGGER IF NOT EXISTS "delete" INSTEAD OF INSERT ON w BEGIN REPLACE INTO OTHER VALUES (new.v); END`,
		`CREATE TRIGGER plain DELETE ON a BEGIN SELECT 1; END`)
	a, w := table(t, s, "a"), table(t, s, "w")
	got := map[string][]string{}
	for _, g := range append(a.Triggers, w.Triggers...) {
		got[g.Name] = append([]string{g.Timing, g.Event}, g.Writes...)
	}
	want := map[string][]string{
		"g1": {"AFTER", "UPDATE", "Log (x)", "other"}, "delete": {"INSTEAD OF", "INSERT", "other"}, "plain": {"BEFORE", "DELETE"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
}

func TestNotes(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `PRAGMA foreign_keys = OFF`, `CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT)`,
		`CREATE TABLE child (id INTEGER PRIMARY KEY, p INT REFERENCES parent)`,
		`INSERT INTO child VALUES (1, 7), (2, 8)`)
	read := schema(t, s)
	if !noted(read, "violations", "child") {
		t.Errorf("violations that were there before are not noted: %+v", read.Notes)
	}
	exec(t, db, `CREATE TABLE lost (p INT REFERENCES nobody)`, `CREATE TABLE wrong (c TEXT REFERENCES parent (code))`,
		`CREATE VIEW broken AS SELECT * FROM gone`)
	read = schema(t, s)
	for code, name := range map[string]string{"dangling-key": "lost", "key-mismatch": "wrong", "unreadable": "broken", "violations-unknown": ""} {
		if !noted(read, code, name) {
			t.Errorf("no note %s for %q among %+v", code, name, read.Notes)
		}
	}
	if read.Table("broken").Rights.Select {
		t.Error("a broken view may be read")
	}
}

func TestRowCountsOfAnalyze(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE a (id INTEGER PRIMARY KEY, v)`, `CREATE INDEX a_v ON a (v)`, `INSERT INTO a (v) VALUES (1), (2), (3)`)
	if n := table(t, s, "a").Rows; n != -1 {
		t.Errorf("before ANALYZE the table has %d rows", n)
	}
	exec(t, db, "ANALYZE")
	if n := table(t, s, "a").Rows; n != 3 {
		t.Errorf("after ANALYZE the table has %d rows", n)
	}
}

// TestFullText: after maintenance no token of a deleted row is in the index, whoever feeds it.
func TestFullText(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT)`,
		`CREATE VIRTUAL TABLE found USING fts5(body, content='posts', content_rowid='id')`,
		`CREATE TRIGGER posts_add AFTER INSERT ON posts BEGIN INSERT INTO found (rowid, body) VALUES (new.id, new.body); END`,
		`CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)`,
		`CREATE VIRTUAL TABLE seen USING fts5(body)`,
		`CREATE TRIGGER notes_add AFTER INSERT ON notes BEGIN INSERT INTO seen (rowid, body) VALUES (new.id, new.body); END`,
		`CREATE TRIGGER notes_gone AFTER DELETE ON notes BEGIN DELETE FROM seen WHERE rowid = old.id; END`,
		`INSERT INTO posts (id, body) VALUES (1, 'zanzibar'), (2, 'kept')`, `INSERT INTO notes (id, body) VALUES (1, 'zanzibar'), (2, 'kept')`,
		`CREATE VIRTUAL TABLE found_words USING fts5vocab(found, 'row')`, `CREATE VIRTUAL TABLE seen_words USING fts5vocab(seen, 'row')`)
	read := schema(t, s)
	posts, notes := read.Table("posts"), read.Table("notes")
	if !slices.Equal(posts.FullText, []string{"found"}) || !slices.Equal(notes.FullText, []string{"seen"}) {
		t.Fatalf("posts feed %q, notes feed %q", posts.FullText, notes.FullText)
	}
	for name, kind := range map[string]connector.TableKind{"found": connector.Virtual, "found_data": connector.Shadow, "posts": connector.Base} {
		if got := read.Table(name).Kind; got != kind {
			t.Errorf("%s is a %s, want %s", name, got, kind)
		}
	}
	for _, of := range []*connector.Table{posts, notes} {
		do(t, s, connector.Act{Verb: connector.Delete, Table: of, Rows: []connector.Key{{connector.IntValue(1)}}})
	}
	did, err := s.(connector.Maintainer).Maintain(t.Context(), []*connector.Table{posts, notes})
	if err != nil || len(did) < 2 || !strings.Contains(did[0], "rebuilt") || !strings.Contains(did[1], "optimised") {
		t.Fatalf("maintenance did %q: %v", did, err)
	}
	for _, words := range []string{"found_words", "seen_words"} {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + words + " WHERE term = 'zanzibar'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%s still holds the word: %d, %v", words, n, err)
		}
	}
}
