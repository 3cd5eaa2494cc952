package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/clock"
)

// TestDefinitionsNeverFail: whatever text stands in a file, reading it ends.
func TestDefinitionsNeverFail(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"CREATE TABLE", "t", "(", ")", ",", "CHECK", "CONSTRAINT", "REFERENCES", "DEFERRABLE", "INITIALLY",
		"DEFERRED", "COLLATE", "NOCASE", "'", `"`, "[", "]", "`", "--", "\n", "/*", "*/", ".", "INTO", "UPDATE", "OR", "BEGIN", "END", "USING",
		"fts5", "content", "=", "lower", "é", "\x00", "1", "AFTER", "DELETE", "FOREIGN", "KEY", "deferred"})
	rapid.Check(t, func(t *rapid.T) {
		sql := strings.Join(rapid.SliceOf(pieces).Draw(t, "sql"), " ")
		table := &connector.Table{Columns: []connector.Column{{Name: "t"}}, ForeignKeys: make([]connector.ForeignKey, 1)}
		define(sql).apply(table)
		readTrigger("g", sql)
		readFullText("f", sql)
		lowered(sql)
	})
}

func TestSealedKeysComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		for _, v := range []connector.Value{
			connector.TextValue(string(raw)), connector.BytesValue(raw), connector.IntValue(rapid.Int64().Draw(t, "int")),
			{Kind: connector.Float, S: formatFloat(rapid.Float64().Draw(t, "float"))},
		} {
			got, err := openKey(sealKey(v).(string))
			if err != nil || decode(got) != v {
				t.Fatalf("%+v comes back as %+v: %v", v, got, err)
			}
		}
	})
}

// TestIntegersAreListed: keys that are small integers travel as JSON writes them; whatever else comes among
// them, none does so.
func TestIntegersAreListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var keys []connector.Key
		var want []int64
		for _, n := range rapid.SliceOfN(rapid.Int64Range(-9999999999999999, 9999999999999999), few+1, 60).Draw(t, "keys") {
			if n != 0 {
				keys, want = append(keys, connector.Key{connector.IntValue(n)}), append(want, n)
			}
		}
		doc, err := json.Marshal(want)
		if got, ok := integers(keys); err != nil || !ok || got != string(doc) {
			t.Fatalf("%s, want %s: %v", got, doc, err)
		}
		other := rapid.SampledFrom([]connector.Value{{}, connector.TextValue("1"), {Kind: connector.Int, S: "007"}, {Kind: connector.Int, S: ""},
			{Kind: connector.Int, S: "1]"}, {Kind: connector.Int, S: "--1"}, connector.IntValue(math.MaxInt64), connector.BytesValue([]byte("1"))}).Draw(t, "other")
		at := rapid.IntRange(0, len(keys)).Draw(t, "at")
		if list, ok := integers(slices.Insert(keys, at, connector.Key{other})); ok {
			t.Fatalf("%+v is in %s", other, list)
		}
	})
}

// TestPace: statements of a store in use are spread, by a clock that we hold.
func TestPace(t *testing.T) {
	c := clock.NewFake(time.Unix(0, 0))
	p := newPace(c, 2)
	if err := p.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- p.wait(t.Context()) }()
	for waiting := true; waiting; {
		select {
		case err := <-done:
			if waiting = false; err != nil {
				t.Error(err)
			}
		default:
			c.Advance(100 * time.Millisecond)
		}
	}
	if c.Now().Sub(time.Unix(0, 0)) < 500*time.Millisecond {
		t.Error("the second statement did not wait half a second")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = p.wait(ctx)
	if err := p.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting after cancellation is %v", err)
	}
	if newPace(c, 0).wait(ctx) != nil {
		t.Error("no pace waits")
	}
}

// TestRangesCoverFold: what SQLite is asked with the index ranges is what connector.Fold answers.
func TestRangesCoverFold(t *testing.T) {
	s := openTemp(t, "CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT)", "CREATE INDEX f_s ON f (lower(s))")
	read, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := read.Table("f")
	bare := *f
	bare.Indexes = nil
	var nobody []connector.Key
	for i := range narrow + lookFolds {
		nobody = append(nobody, connector.Key{connector.TextValue(fmt.Sprint("nobody ", i))})
	}
	alphabet := rapid.SampledFrom([]string{"a", "A", "b", " ", "\t", "\u0085", "\u00a0", "\u3000", "é", "\x00", "!", "\xff", "\x1f", "", "ſ", "S", "s"})
	rapid.Check(t, func(t *rapid.T) {
		if _, err := s.db.Exec("DELETE FROM f"); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for range 8 {
			cells = append(cells, strings.Join(rapid.SliceOfN(alphabet, 0, 5).Draw(t, "cell"), ""))
		}
		for i, cell := range cells {
			if _, err := s.db.Exec("INSERT INTO f VALUES (?, ?)", i, cell); err != nil {
				t.Fatal(err)
			}
		}
		for _, needle := range cells {
			want := int64(0)
			for _, cell := range cells {
				if connector.Fold(cell) == connector.Fold(needle) {
					want++
				}
			}
			where := []connector.Match{{Columns: []string{"s"}, Keys: []connector.Key{{connector.TextValue(needle)}}, Fold: true}}
			many := []connector.Match{{Columns: []string{"s"}, Keys: slices.Concat(where[0].Keys, nobody), Fold: true}}
			counts, err := s.Count(context.Background(), []connector.Select{{Table: f, Where: where}, {Table: &bare, Where: where}, {Table: f, Where: many}})
			if err != nil || counts[0] != want || counts[1] != want || counts[2] != want {
				t.Fatalf("%q among %q: %v, want %d: %v", needle, cells, counts, want, err)
			}
			looked := int64(0)
			err = s.Look(context.Background(), []connector.Select{{Table: f, Columns: []string{"id"}, Where: many}}, func(int, []connector.Value) error { looked++; return nil })
			if err != nil || looked != want {
				t.Fatalf("a look for %q among %q: %d, want %d: %v", needle, cells, looked, want, err)
			}
		}
	})
}

// TestLogIsEmptied: a reader of the log keeps it for as long as it reads, and what waits for it leaves the
// connection as patient as it was.
func TestLogIsEmptied(t *testing.T) {
	s := openTemp(t, "PRAGMA journal_mode = WAL", "CREATE TABLE f (id INTEGER PRIMARY KEY)", "INSERT INTO f VALUES (1)")
	empty := func(want string) {
		t.Helper()
		if did, err := s.emptyLog(t.Context(), false); err != nil || len(did) != 1 || did[0] != want {
			t.Errorf("%v: %v, want %q", did, err, want)
		}
		if n, err := s.number(t.Context(), s.db, "PRAGMA busy_timeout"); err != nil || n != s.timeout.Milliseconds() {
			t.Errorf("the connection waits for %d ms: %v", n, err)
		}
	}
	empty("write-ahead log emptied")
	reader, err := s.reading(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec("INSERT INTO f VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.number(t.Context(), reader.conn, "SELECT count(*) FROM main.f"); err != nil || n != 2 {
		t.Fatalf("%d: %v", n, err)
	}
	patient := s.hurry()
	empty("write-ahead log not emptied: another program is reading")
	patient()
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	empty("write-ahead log emptied")
}

// TestRangesUseTheIndex: a search by an index on lower(column) is no scan.
func TestRangesUseTheIndex(t *testing.T) {
	for _, ddl := range [][]string{
		{"CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT)", "CREATE INDEX f_s ON f (lower(s))"},
		{"CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT COLLATE NOCASE)", "CREATE INDEX f_s ON f (s)"},
	} {
		s := openTemp(t, ddl...)
		read, err := s.Schema(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := connector.Select{Table: read.Table("f"), Columns: []string{"id"},
			Where: []connector.Match{{Columns: []string{"s"}, Keys: []connector.Key{{connector.TextValue("Anna")}}, Fold: true}}}
		if plan := s.explain(t, q); scans(plan) || !strings.Contains(plan, "f_s") {
			t.Errorf("%s: %s", ddl[0], plan)
		}
		many := q
		many.Where = []connector.Match{{Columns: []string{"s"}, Fold: true}}
		for i := range narrow + lookFolds {
			many.Where[0].Keys = append(many.Where[0].Keys, connector.Key{connector.TextValue(fmt.Sprint("anna", i))})
		}
		l, err := s.newLook(many)
		if err != nil {
			t.Fatal(err)
		}
		text, args := l.text(-1, nil)
		for _, plan := range []string{s.explain(t, many), s.explained(t, text, args)} {
			if scans(plan) || !strings.Contains(plan, "f_s") {
				t.Errorf("%s: %s", ddl[0], plan)
			}
		}
		q.Where[0].Fold = false
		if plan := s.explain(t, q); strings.Contains(ddl[0], "NOCASE") && scans(plan) {
			t.Errorf("%s: %s", ddl[0], plan)
		}
	}
}

// TestCostIsOfWhatIsRead: a search that reads an index in place of the table is timed on that index.
func TestCostIsOfWhatIsRead(t *testing.T) {
	for ddl, want := range map[string]string{"CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT UNIQUE)": "USING COVERING INDEX", "CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT)": "USING INTEGER PRIMARY KEY"} {
		s := openTemp(t, ddl, "INSERT INTO f VALUES (1, 'x')")
		read, err := s.Schema(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := read.Table("f")
		none := nowhere(f, []string{"lower(s)"})
		runs, err := s.runs(t.Context(), f, none, 1)
		if err != nil || len(runs) != 1 {
			t.Fatal(runs, err)
		}
		search, args, err := runs[0].search(f, none)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		err = s.query(t.Context(), s.db, "EXPLAIN QUERY PLAN "+search, args, func(row []connector.Value) error {
			plan = append(plan, row[3].S)
			return nil
		})
		if err != nil || len(plan) == 0 || !strings.Contains(plan[0], want) {
			t.Errorf("%s: %q: %v", ddl, plan, err)
		}
	}
}

// TestStatementsComeAgain: what is asked about another number of keys is seldom another statement.
func TestStatementsComeAgain(t *testing.T) {
	s := openTemp(t, "CREATE TABLE f (id INTEGER PRIMARY KEY, s TEXT)")
	read, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for n := range int64(16) {
		var keys []connector.Key
		for i := range n + 1 {
			keys = append(keys, connector.Key{connector.IntValue(i)})
		}
		q := connector.Select{Table: read.Table("f"), Columns: []string{"s"}, Where: []connector.Match{{Columns: []string{"id"}, Keys: keys}}}
		text, _, err := selection(q, false)
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.newLook(q)
		if err != nil {
			t.Fatal(err)
		}
		look, args := l.text(0, l.conds[0].tuples)
		if texts[text], texts[look] = true, true; int64(len(args)) < n+1 {
			t.Errorf("%d parameters for %d keys", len(args), n+1)
		}
	}
	if len(texts) != 10 { // of 1, 2, 4, 8 and 16 keys
		t.Errorf("%d statements", len(texts))
	}
}

// TestKeysUseTheIndex: neither odd keys nor composite ones scan.
func TestKeysUseTheIndex(t *testing.T) {
	s := openTemp(t, "CREATE TABLE k (id INTEGER PRIMARY KEY, a INT, b TEXT)", "CREATE INDEX k_ab ON k (a, b)")
	read, err := s.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	num, text := connector.IntValue(1), connector.TextValue("x")
	for _, m := range []connector.Match{
		{Columns: []string{"id"}, Keys: []connector.Key{{num}}},
		{Columns: []string{"a"}, Keys: []connector.Key{{num}, {connector.Value{Kind: connector.Float, S: "1.5"}}}},
		{Columns: []string{"a", "b"}, Keys: []connector.Key{{num, text}, {num, connector.TextValue("\x00")}}},
		{Columns: []string{"b", "a"}, Keys: []connector.Key{{text, num}}},
	} {
		q := connector.Select{Table: read.Table("k"), Columns: []string{"id"}, Where: []connector.Match{m}}
		if plan := s.explain(t, q); scans(plan) {
			t.Errorf("%v: %s", m.Columns, plan)
		}
	}
}

// scans reports whether a plan reads the whole table.
func scans(plan string) bool {
	return slices.ContainsFunc(strings.Split(plan, "; "), func(step string) bool {
		return slices.ContainsFunc([]string{"t", "x", "y"}, func(name string) bool { return step == "SCAN "+name || strings.HasPrefix(step, "SCAN "+name+" ") })
	})
}

// explain is SQLite's plan of a query.
func (s *Store) explain(t *testing.T, q connector.Select) string {
	t.Helper()
	text, args, err := selection(q, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.explained(t, text, args)
}

func (s *Store) explained(t *testing.T, text string, args []any) string {
	t.Helper()
	var plan []string
	err := s.query(t.Context(), s.db, "EXPLAIN QUERY PLAN "+text, args, func(row []connector.Value) error {
		plan = append(plan, row[3].S)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "; ")
}

// openTemp is a store of its own file, set up with our own connection.
func openTemp(t *testing.T, statements ...string) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(t.Context(), connector.Config{System: "shop", DSN: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s := opened.(*Store)
	for _, statement := range statements {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
