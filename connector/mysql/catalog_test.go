package mysql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

// twoSchemas makes a parent here and a child in another schema that dies with it.
func twoSchemas(t *testing.T) (e *env, here, there string) {
	far := mariatest.DSN(t)
	e = setup(t, "CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE near (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL)",
		"INSERT INTO p VALUES (1)", "CREATE TRIGGER tr BEFORE DELETE ON p FOR EACH ROW SET @x = 1")
	here, there = mariatest.Database(t, e.dsn), mariatest.Database(t, far)
	mariatest.Exec(t, far, "CREATE TABLE `my-far` (id INT PRIMARY KEY, ref INT, FOREIGN KEY (ref) REFERENCES "+here+".p (id) ON DELETE CASCADE)")
	return e, here, there
}

func schema(t *testing.T, dsn string) *connector.Schema {
	t.Helper()
	s, err := open(t, dsn).Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noted(s *connector.Schema, word string) bool {
	return slices.ContainsFunc(s.Notes, func(n connector.Note) bool { return n.Code == "partial-catalog" && strings.Contains(n.Message, word) })
}

func TestCascadeIntoAnotherSchema(t *testing.T) {
	e, here, there := twoSchemas(t)
	db := quote(here) + ".*"
	cases := []struct {
		name           string
		grants         []string
		partial, child bool
	}{
		{"rights on one schema", []string{"SELECT, DELETE, TRIGGER ON " + db}, true, false},
		{"and PROCESS", []string{"SELECT, DELETE, TRIGGER ON " + db, "PROCESS ON *.*"}, false, true},
		{"rights on all", []string{"SELECT ON *.*"}, false, true},
		{"rights on both schemas", []string{"SELECT, DELETE ON " + db, "SELECT ON " + quote(there) + ".*"}, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := schema(t, mariatest.User(t, e.dsn, c.grants...))
			if s.Partial != c.partial || noted(s, "PROCESS") != c.partial {
				t.Errorf("partial %v, notes %+v", s.Partial, s.Notes)
			}
			child := s.Table(there + ".my-far")
			if (child != nil) != c.child {
				t.Fatalf("the child is seen: %v", child != nil)
			}
			if child == nil {
				return
			}
			k := child.ForeignKeys
			if len(k) != 1 || k[0].OnDelete != connector.Cascade || s.Resolve(k[0]) == nil || !slices.Equal(k[0].Columns, []string{"ref"}) || child.Column("ref").Kind != connector.Int {
				t.Errorf("the child is %+v", child)
			}
		})
	}
}

func TestReaderIsToldTheActions(t *testing.T) {
	e, here, _ := twoSchemas(t)
	s := schema(t, mariatest.User(t, e.dsn, "SELECT ON "+quote(here)+".*"))
	unsaid := connector.Restrict
	if mariatest.MySQL(t) {
		unsaid = connector.NoAction
	}
	if k := s.Table("near").ForeignKeys; len(k) != 1 || k[0].OnDelete != connector.SetNull || k[0].OnUpdate != unsaid {
		t.Errorf("keys are %+v", k)
	}
	if !noted(s, "TRIGGER") {
		t.Error("unseen triggers are not told")
	}
}

// mixedKeys makes a child whose keys have names that the server cuts, so that they are all the same.
func mixedKeys(t *testing.T) (e *env, child string) {
	child = strings.Repeat("x", 60) + "`63"
	alter := "ALTER TABLE " + quote(child) + " ADD FOREIGN KEY "
	return setup(t, "CREATE TABLE p (a INT, b INT, PRIMARY KEY (a, b), UNIQUE (b))", "CREATE TABLE q (id INT PRIMARY KEY)",
		"CREATE TABLE "+quote(child)+" (id INT PRIMARY KEY, u INT, v INT, `w, ``(` INT)",
		alter+"(u, v) REFERENCES p (a, b) ON DELETE CASCADE", alter+"(`w, ``(`, v) REFERENCES p (a, b) ON DELETE SET NULL ON UPDATE CASCADE",
		alter+"(v) REFERENCES p (b)", alter+"(u) REFERENCES q (id) ON DELETE NO ACTION"), child
}

func TestKeysWithCutNamesAreToldApart(t *testing.T) {
	if mariatest.MySQL(t) {
		t.Skip("MySQL refuses names that it would have to cut")
	}
	e, child := mixedKeys(t)
	here := mariatest.Database(t, e.dsn)
	key := func(n, to, onDelete, onUpdate string, columns, refs []string) connector.ForeignKey {
		return connector.ForeignKey{Name: child + "_ibfk_" + n, Columns: columns, RefSchema: here, RefTable: to, RefColumns: refs,
			OnDelete: connector.Action(onDelete), OnUpdate: connector.Action(onUpdate)}
	}
	want := []connector.ForeignKey{
		key("1", "p", "cascade", "restrict", []string{"u", "v"}, []string{"a", "b"}),
		key("2", "p", "set null", "cascade", []string{"w, `(", "v"}, []string{"a", "b"}),
		key("3", "p", "restrict", "restrict", []string{"v"}, []string{"b"}),
		key("4", "q", "no action", "restrict", []string{"u"}, []string{"id"}),
	}
	for _, grant := range []string{"ALL ON *.*", "SELECT ON " + quote(here) + ".*", "PROCESS ON *.*;SELECT ON " + quote(here) + ".*"} {
		s := schema(t, mariatest.User(t, e.dsn, strings.Split(grant, ";")...))
		e.equal(want, s.Table(child).ForeignKeys)
	}
}

func TestRightsAreThoseOfTheRole(t *testing.T) {
	if mariatest.MySQL(t) {
		t.Skip("MySQL has no versioned tables")
	}
	e := setup(t, "CREATE TABLE a (id INT)", "CREATE TABLE b (id INT, x INT) WITH SYSTEM VERSIONING")
	db := quote(mariatest.Database(t, e.dsn))
	s := schema(t, mariatest.User(t, e.dsn, "SELECT, UPDATE ON "+db+".*", "DELETE ON "+db+".a", "DELETE HISTORY ON "+db+".b", "INSERT (x) ON "+db+".b"))
	e.equal(connector.Rights{Select: true, Update: true, Delete: true}, s.Table("a").Rights)
	e.equal(connector.Rights{Select: true, Update: true, DeleteHistory: true}, s.Table("b").Rights)
}

func TestFingerprintFollowsRights(t *testing.T) {
	e := setup(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	db := quote(mariatest.Database(t, e.dsn))
	dsn := mariatest.User(t, e.dsn, "SELECT ON "+db+".*")
	before, err := open(t, dsn).Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := strings.SplitN(dsn, ":", 2)[0]
	mariatest.Exec(t, e.dsn, "GRANT DELETE ON "+db+".* TO '"+c+"'@'%'")
	after, err := open(t, dsn).Fingerprint(t.Context())
	if err != nil || before == after {
		t.Errorf("a right does not change the fingerprint: %v", err)
	}
}

// How many rows there are decides what a scan costs and whether it may wait: MySQL would answer as of a day ago.
func TestRowsAreEstimatedAnew(t *testing.T) {
	e := setup(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	e.table("a")
	mariatest.Exec(t, e.dsn, "INSERT INTO a WITH RECURSIVE s AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM s WHERE i < 900) SELECT i FROM s")
	if n := e.table("a").Rows; n < 500 || n > 1500 {
		t.Errorf("900 rows are %d", n)
	}
}

func TestTriggersTellWhatTheyWrite(t *testing.T) {
	other := mariatest.DSN(t)
	there := mariatest.Database(t, other)
	mariatest.Exec(t, other, "CREATE TABLE far (x INT)")
	e := setup(t, "CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(99))", "CREATE TABLE `odd name` (id INT PRIMARY KEY, n INT)", "CREATE TABLE u (n INT)",
		"CREATE TRIGGER tr AFTER UPDATE ON a FOR EACH ROW BEGIN"+
			" -- don't insert into comment_only values (1)\n"+
			" INSERT IGNORE INTO `odd name` VALUES (OLD.id, 1) ON DUPLICATE KEY UPDATE n = n + 1;"+
			" IF OLD.s <> 'update nothing set x' THEN UPDATE u SET n = (SELECT MAX(id) FROM `odd name`); END IF;"+
			" REPLACE "+there+".far VALUES (REPLACE('a','b','c') = 'a');"+
			" SET @y = INSERT('a', 1, 1, 'b'); END")
	e.equal([]string{"odd name", "u", there + ".far"}, e.table("a").Triggers[0].Writes)
}

func TestChecksAreEvaluatedWithoutWriting(t *testing.T) {
	e := setup(t, `CREATE TABLE c (id INT PRIMARY KEY, mail VARCHAR(50) COLLATE utf8mb4_bin, n INT, born DATE, doc JSON, k VARCHAR(9),
		CONSTRAINT shape CHECK (mail REGEXP '^[^@\\s]+@[a-z.]+$' AND k <> 'it''s \\'),
		CONSTRAINT range_ CHECK (n BETWEEN 1 AND 9 OR born > '2000-01-01'))`)
	c := e.table("c")
	if c.Column("doc").Kind != connector.JSON {
		t.Error("a document is not seen")
	}
	checks := map[string]connector.Check{}
	for _, k := range c.Checks {
		checks[k.Name] = k
	}
	e.equal([]string{"mail", "k"}, checks["shape"].Columns)
	allowed := func(want bool, check string, row map[string]connector.Value) {
		t.Helper()
		got, err := e.store.(connector.Evaluator).Allowed(t.Context(), c, checks[check], row)
		if err != nil || got != want {
			t.Errorf("%s of %v: %v, %v", check, row, got, err)
		}
	}
	allowed(true, "shape", map[string]connector.Value{"mail": text("x@name.invalid"), "k": text("a")})
	allowed(false, "shape", map[string]connector.Value{"mail": text("x@NAME.invalid"), "k": text("a")})
	allowed(false, "shape", map[string]connector.Value{"mail": text("a b@name.invalid"), "k": text("a")})
	allowed(false, "shape", map[string]connector.Value{"mail": text("x@name.invalid"), "k": text(`it's \`)})
	allowed(true, "shape", nil)
	allowed(false, "range_", map[string]connector.Value{"n": connector.IntValue(0), "born": {Kind: connector.Time, S: "1999-12-31"}})
	allowed(true, "range_", map[string]connector.Value{"n": connector.IntValue(0), "born": {Kind: connector.Time, S: "2001-12-31"}})
	if !mariatest.MySQL(t) { // where a document has a type of its own, and no check
		allowed(false, "doc", map[string]connector.Value{"doc": text("{")})
	}
}

func TestMaintenanceTellsOfTheFullTextIndex(t *testing.T) {
	e := setup(t, "CREATE TABLE f (id INT PRIMARY KEY, s TEXT, FULLTEXT (s))")
	f := e.table("f")
	said, err := e.store.(connector.Maintainer).Maintain(t.Context(), []*connector.Table{f})
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "full-text") {
		t.Errorf("%q, %v", said, err)
	}
	if i := f.Indexes[slices.IndexFunc(f.Indexes, func(i connector.Index) bool { return i.Name == "s" })]; i.Valid {
		t.Error("a full-text index passes for one that finds keys")
	}
}
