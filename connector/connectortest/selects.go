package connectortest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

var selectTopics = []topic{
	{name: "select/by integer", run: selectInt},
	{name: "select/by text", run: selectText},
	{name: "select/by composite", run: selectComposite},
	{name: "select/null", run: selectNull},
	{name: "select/conditions add up", run: selectSeveral},
	{name: "select/limit and order", run: selectLimit},
	{name: "select/many queries", run: selectQueries},
	{name: "select/callback error", run: selectStop},
	{name: "select/unknown names", run: selectUnknown},
	{name: "select/nested", run: selectNested},
	{name: "select/sample", run: sample},
}

// people is the usual table: id, mail, n, with rows 1 to n; mails are unique, n repeats every 3.
func (e *env) people(n int) *connector.Table {
	e.Helper()
	e.create("people", e.id(), e.col("mail", connector.Text), e.col("n", connector.Int))
	for i := 1; i <= n; i++ {
		e.insert("people", "id,mail,n", i, mail(i), i%3)
	}
	return e.table("people")
}

func mail(i int) string { return string(rune('a'+i%26)) + num(int64(i)).S + "@example.com" }

func selectInt(e *env) {
	t := e.people(5)
	e.want(t, "mail", is("id", num(2), num(4)), mail(2), mail(4))
	e.want(t, "id", is("n", num(1)), "1", "4")
	e.want(t, "id", is("n", num(1), num(1), num(1)), "1", "4")
	e.want(t, "id", is("id", num(99)))
	e.want(t, "id", is("id"))
	e.want(t, "id", nil, "1", "2", "3", "4", "5")
	e.want(t, "id", is("id", connector.Value{}))
	e.want(t, "id", is("id", connector.Value{}, num(3)), "3")
}

func selectText(e *env) {
	e.create("w", e.id(), e.col("s", connector.Text))
	words := []string{"anna", "Anna", "änna", "anna ", " anna", "", "strasse", "straße", "a'b", `a\b`, `a"b`, "%", "_", "12", "👍"}
	for i, s := range words {
		e.insert("w", "id,s", i, s)
	}
	t := e.table("w")
	for i, s := range words {
		e.want(t, "id", is("s", text(s)), num(int64(i)).S)
	}
	e.want(t, "s", is("s", text("anna"), text("%"), text("nobody")), "anna", "%")
	e.want(t, "s", is("s", num(12)), "12")
}

func selectComposite(e *env) {
	e.create("c", e.col("a", connector.Int, "NOT NULL"), e.col("b", connector.Text, "NOT NULL"), e.col("v", connector.Int),
		"PRIMARY KEY "+e.list("a", "b"))
	for i, k := range []struct {
		a int
		b string
	}{{1, "x"}, {1, "X"}, {1, "y"}, {2, "x"}, {2, "y "}, {2, "y"}} {
		if k.b == "X" || k.b == "y " { // one key under some collations
			k.a += 10
		}
		e.insert("c", "a,b,v", k.a, k.b, i)
	}
	t := e.table("c")
	where := []connector.Match{{Columns: []string{"a", "b"}, Keys: []connector.Key{
		{num(1), text("x")}, {num(2), text("y")}, {num(2), text("z")}, {num(11), text("x")}, {num(12), text("y")},
		{num(1), {}}, {text("1"), text("y")},
	}}}
	e.want(t, "v", where, "0", "5", "2")
	where[0].Keys = where[0].Keys[2:6]
	e.want(t, "v", where)
	e.want(t, "v", []connector.Match{{Columns: []string{"b", "a"}, Keys: []connector.Key{{text("x"), num(2)}}}}, "3")
}

func selectNull(e *env) {
	e.create("z", e.id(), e.col("a", connector.Int), e.col("b", connector.Text))
	e.insert("z", "id,a,b", 1, nil, nil)
	e.insert("z", "id,a,b", 2, nil, "x")
	e.insert("z", "id,a,b", 3, 0, "")
	t := e.table("z")
	null := func(columns ...string) []connector.Match { return []connector.Match{{Columns: columns, Null: true}} }
	e.want(t, "id", null("a"), "1", "2")
	e.want(t, "id", null("a", "b"), "1")
	e.want(t, "id", is("b", text("")), "3")
	e.want(t, "id", is("a", num(0)), "3")
	e.want(t, "a", is("id", num(1), num(3)), "NULL", "0")
	e.want(t, "id", []connector.Match{{Columns: []string{"a", "b"}, Keys: []connector.Key{{{}, text("x")}}}})
}

func selectSeveral(e *env) {
	t := e.people(9)
	both := append(is("n", num(1)), is("id", num(1), num(2), num(4))...)
	e.want(t, "id", both, "1", "4")
	e.want(t, "id", append(both, is("mail", text(mail(4)), text("x"))...), "4")
	e.want(t, "id", append(both, is("mail")...))
	e.want(t, "id", append(both, folds("mail", "A1@EXAMPLE.COM", " E4@example.com")...), "4")
}

func selectLimit(e *env) {
	t := e.people(30)
	q := connector.Select{Table: t, Columns: []string{"id"}, Sorted: true, Limit: 4,
		Where: is("id", num(20), num(3), num(9), num(100), num(11), num(2))}
	for name, way := range e.ways() {
		got := []string{}
		err := way([]connector.Select{q}, func(_ int, row []connector.Value) error {
			got = append(got, row[0].S)
			return nil
		})
		if err != nil || len(got) != 4 {
			e.Errorf("%s delivers %d rows, the limit is 4: %v", name, len(got), err)
		}
		if diff := cmp.Diff([]string{"2", "3", "9", "11"}, got); name == "select" && diff != "" {
			e.Errorf("sorted and limited:\n%s", diff)
		}
	}
}

func selectQueries(e *env) {
	t := e.people(9)
	qs := []connector.Select{
		{Table: t, Columns: []string{"id"}, Where: is("n", num(0)), Sorted: true},
		{Table: t, Columns: []string{"mail", "id"}, Where: is("id")},
		{Table: t, Columns: []string{"id", "id"}, Where: is("id", num(7), num(8)), Sorted: true},
		{Table: t, Columns: []string{"mail"}, Where: is("id", num(1))},
	}
	want := []string{"0:3", "0:6", "0:9", "2:7|7", "2:8|8", "3:" + mail(1)}
	for name, way := range e.ways() {
		var got []string
		err := way(qs, func(query int, row []connector.Value) error {
			got = append(got, num(int64(query)).S+":"+show(row))
			return nil
		})
		if name == "look" {
			slices.Sort(got)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			e.Errorf("%s of four queries: %v\n%s", name, err, diff)
		}
	}
	counts, err := e.store.Count(e.Context(), qs)
	if diff := cmp.Diff([]int64{3, 0, 2, 1}, counts); err != nil || diff != "" {
		e.Errorf("counts: %v\n%s", err, diff)
	}
	if err := e.store.Select(e.Context(), nil, nil); err != nil {
		e.Errorf("no queries: %v", err)
	}
}

func selectStop(e *env) {
	t := e.people(9)
	stop := errors.New("enough")
	for name, way := range e.ways() {
		seen := 0
		err := way([]connector.Select{{Table: t, Columns: []string{"id"}}, {Table: t, Columns: []string{"id"}}},
			func(int, []connector.Value) error {
				if seen++; seen == 2 {
					return stop
				}
				return nil
			})
		if !errors.Is(err, stop) || seen != 2 {
			e.Errorf("%s: the callback ran %d times, then %v", name, seen, err)
		}
	}
	e.want(t, "id", is("id", num(1)), "1")
}

func selectUnknown(e *env) {
	t := e.people(1)
	ghost := *t
	ghost.Name = "ghost"
	for what, q := range map[string]connector.Select{
		"column":         {Table: t, Columns: []string{"nothing"}},
		"match":          {Table: t, Columns: []string{"id"}, Where: is("nothing", num(1))},
		"table":          {Table: &ghost, Columns: []string{"id"}},
		"null match":     {Table: t, Columns: []string{"id"}, Where: []connector.Match{{Columns: []string{"nothing"}, Null: true}}},
		"length of keys": {Table: t, Columns: []string{"id"}, Where: []connector.Match{{Columns: []string{"id", "n"}, Keys: nums(1)}}},
	} {
		for name, way := range e.ways() {
			err := way([]connector.Select{q}, func(int, []connector.Value) error { return nil })
			if err == nil {
				e.Errorf("%s with an unknown %s is no error", name, what)
			}
		}
	}
}

func selectNested(e *env) {
	t := e.people(9)
	inner := 0
	err := e.store.Select(e.Context(), []connector.Select{{Table: t, Columns: []string{"id"}}},
		func(_ int, row []connector.Value) error {
			q := connector.Select{Table: t, Columns: []string{"mail"}, Where: is("id", row[0])}
			return e.store.Select(e.Context(), []connector.Select{q}, func(int, []connector.Value) error { inner++; return nil })
		})
	if err != nil || inner != 9 {
		e.Errorf("asking while rows arrive finds %d of 9: %v", inner, err)
	}
}

func sample(e *env) {
	t := e.people(60)
	for limit, want := range map[int]int{1: 1, 10: 10, 60: 60, 200: 60} {
		rows, err := e.store.Sample(e.Context(), t, []string{"id", "mail"}, limit)
		if err != nil {
			e.Fatalf("sampling: %v", err)
		}
		seen := map[connector.Value]bool{}
		for _, row := range rows {
			seen[row[0]] = true
		}
		if len(seen) != len(rows) || len(rows) > limit || (limit >= 60 && len(rows) != want) || len(rows) == 0 {
			e.Errorf("a sample of %d has %d rows, %d of them distinct", limit, len(rows), len(seen))
		}
	}
	e.create("empty", e.id())
	if rows, err := e.store.Sample(e.Context(), e.table("empty"), []string{"id"}, 5); err != nil || len(rows) != 0 {
		e.Errorf("a sample of nothing has %d rows: %v", len(rows), err)
	}
}

// parallel runs n functions at once and waits.
func parallel(t *testing.T, n int, run func(i int) error) {
	t.Helper()
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- run(i) }()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
