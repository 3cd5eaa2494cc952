package connectortest

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

var schemaTopics = []topic{
	{name: "schema/store", run: schemaStore},
	{name: "schema/columns", run: schemaColumns},
	{name: "schema/kinds", run: schemaKinds},
	{name: "schema/primary key", run: schemaPrimary},
	{name: "schema/uniques", run: schemaUniques},
	{name: "schema/partial index", run: schemaPartial, need: func(h Harness) bool { return h.Has.PartialIndex }},
	{name: "schema/lower index", run: schemaLower, need: func(h Harness) bool { return h.Has.LowerIndex }},
	{name: "schema/checks", run: schemaChecks, need: func(h Harness) bool { return h.Has.Checks }},
	{name: "schema/generated", run: schemaGenerated, need: func(h Harness) bool { return h.Has.Generated }},
	{name: "schema/view", run: schemaView},
	{name: "schema/enum", run: schemaEnum, need: func(h Harness) bool { return h.Has.Enum }},
	{name: "schema/rights", run: schemaRights},
}

func schemaStore(e *env) {
	e.create("b", e.id())
	e.create("a", e.id())
	s := e.schema()
	if !slices.Contains(strings.Split(e.h.Engine, "|"), s.Engine) || s.Version == "" || s.Default == "" {
		e.Errorf("engine %q, version %q, default schema %q", s.Engine, s.Version, s.Default)
	}
	var names []string
	for _, t := range s.Tables {
		names = append(names, t.Dataset())
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		e.Errorf("tables are %q", names)
	}
	if s.Partial {
		e.Error("the owner's catalog is called partial")
	}
}

func schemaColumns(e *env) {
	e.create("people", e.id(), e.col("name", connector.Text, "DEFAULT 'x' NOT NULL"), e.col("note", connector.Text))
	t := e.table("people")
	if t.Kind != connector.Base || !t.InDefault {
		e.Errorf("people is a %q, in the default schema: %v", t.Kind, t.InDefault)
	}
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
		if c.Type == "" {
			e.Errorf("column %s has no type", c.Name)
		}
	}
	if !slices.Equal(names, []string{"id", "name", "note"}) {
		e.Fatalf("columns are %q", names)
	}
	if c := t.Column("name"); !c.NotNull || !strings.Contains(c.Default, "x") {
		e.Errorf("name: not null %v, default %q", c.NotNull, c.Default)
	}
	if c := t.Column("note"); c.NotNull || c.Generated {
		e.Errorf("note: not null %v, generated %v", c.NotNull, c.Generated)
	}
}

func schemaKinds(e *env) {
	for kind, typ := range e.h.Types {
		e.create("k", e.id(), e.col("c", kind))
		if got := e.table("k").Column("c").Kind; got != kind {
			e.Errorf("a column of type %s is of kind %d, want %d", typ, got, kind)
		}
		e.exec("DROP TABLE " + e.h.Quote("k"))
	}
}

func schemaPrimary(e *env) {
	e.create("one", e.id(), e.col("v", connector.Text))
	e.create("two", e.col("a", connector.Int, "NOT NULL"), e.col("b", connector.Text, "NOT NULL"),
		"PRIMARY KEY "+e.list("b", "a"))
	one, two := e.table("one"), e.table("two")
	if !slices.Equal(one.Primary, []string{"id"}) || !slices.Equal(two.Primary, []string{"b", "a"}) {
		e.Errorf("primary keys are %q and %q", one.Primary, two.Primary)
	}
	want := connector.Locator{Kind: connector.ByPrimary, Columns: []string{"b", "a"}}
	if diff := cmp.Diff(want, two.Locator); diff != "" {
		e.Errorf("locator (-want +got):\n%s", diff)
	}
	if !leads(one, "id") || !leads(two, "b") {
		e.Error("the primary key's index is not among the indexes")
	}
}

// leads reports whether a valid whole index begins with the column.
func leads(t *connector.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(i connector.Index) bool {
		return i.Valid && !i.Partial && len(i.Columns) > 0 && i.Columns[0] == column
	})
}

func schemaUniques(e *env) {
	e.create("u", e.col("a", connector.Int, "NOT NULL"), e.col("b", connector.Int), e.col("c", connector.Text, "NOT NULL"),
		"UNIQUE "+e.list("a", "b"))
	e.exec("CREATE UNIQUE INDEX u_c ON " + e.h.Quote("u") + " " + e.list("c"))
	e.exec("CREATE INDEX u_b ON " + e.h.Quote("u") + " " + e.list("b", "c"))
	t := e.table("u")
	got := map[string]connector.Unique{}
	for _, u := range t.Uniques {
		got[strings.Join(u.Columns, ",")] = u
	}
	if ab, ok := got["a,b"]; !ok || ab.NotNull || ab.Partial {
		e.Errorf("unique (a, b): %+v", ab)
	}
	if c, ok := got["c"]; !ok || !c.NotNull || c.Partial {
		e.Errorf("unique (c): %+v", c)
	}
	if len(got) != 2 || len(t.Primary) != 0 {
		e.Errorf("uniques %+v, primary %q", got, t.Primary)
	}
	want := connector.Locator{Kind: connector.ByUnique, Columns: []string{"c"}}
	if diff := cmp.Diff(want, t.Locator); diff != "" {
		e.Errorf("locator (-want +got):\n%s", diff)
	}
	if !leads(t, "b") || !leads(t, "a") {
		e.Errorf("indexes are %+v", t.Indexes)
	}
}

func schemaPartial(e *env) {
	e.create("p", e.col("a", connector.Int, "NOT NULL"), e.col("b", connector.Int, "NOT NULL"))
	e.exec("CREATE UNIQUE INDEX p_a ON " + e.h.Quote("p") + " " + e.list("a") + " WHERE " + e.h.Quote("b") + " > 0")
	t := e.table("p")
	if len(t.Uniques) != 1 || !t.Uniques[0].Partial || t.Locator.Kind == connector.ByUnique {
		e.Errorf("uniques %+v, locator %+v", t.Uniques, t.Locator)
	}
	if leads(t, "a") {
		e.Error("a partial index passes for a whole one")
	}
}

func schemaLower(e *env) {
	e.create("p", e.id(), e.col("mail", connector.Text))
	e.exec("CREATE INDEX p_mail ON " + e.h.Quote("p") + " (lower(" + e.h.Quote("mail") + "))")
	if !slices.ContainsFunc(e.table("p").Indexes, func(i connector.Index) bool { return i.Fold }) {
		e.Errorf("indexes are %+v", e.table("p").Indexes)
	}
}

func schemaChecks(e *env) {
	e.create("c", e.id(), e.col("age", connector.Int), e.col("top", connector.Int),
		"CONSTRAINT "+e.h.Quote("sane")+" CHECK ("+e.h.Quote("age")+" < "+e.h.Quote("top")+")")
	t := e.table("c")
	if len(t.Checks) != 1 {
		e.Fatalf("checks are %+v", t.Checks)
	}
	c := t.Checks[0]
	slices.Sort(c.Columns)
	if c.Name != "sane" || !slices.Equal(c.Columns, []string{"age", "top"}) || !strings.Contains(c.Expr, "<") {
		e.Errorf("check is %+v", c)
	}
	e.allowed(t, c, map[string]connector.Value{"age": num(1), "top": num(2)}, true)
	e.allowed(t, c, map[string]connector.Value{"age": num(2), "top": num(1)}, false)
	e.allowed(t, c, map[string]connector.Value{"age": num(2), "top": {}}, true)
}

// allowed asks the Evaluator, where the connector is one.
func (e *env) allowed(t *connector.Table, c connector.Check, row map[string]connector.Value, want bool) {
	e.Helper()
	evaluator, ok := e.store.(connector.Evaluator)
	if !ok {
		return
	}
	got, err := evaluator.Allowed(e.Context(), t, c, row)
	if err != nil || got != want {
		e.Errorf("check of %v allows %v, want %v: %v", row, got, want, err)
	}
	e.remain(t.Name, 0)
}

func schemaGenerated(e *env) {
	e.create("g", e.id(), e.col("a", connector.Int),
		e.col("b", connector.Int, "GENERATED ALWAYS AS ("+e.h.Quote("a")+" * 2) STORED"))
	t := e.table("g")
	if b := t.Column("b"); b == nil || !b.Generated || t.Column("a").Generated {
		e.Fatalf("columns are %+v", t.Columns)
	}
	e.insert("g", "id,a", 1, 21)
	e.want(t, "b", is("id", num(1)), "42")
	e.want(t, "id", is("b", num(42)), "1")
}

func schemaView(e *env) {
	e.create("base", e.id())
	e.exec("CREATE VIEW " + e.h.Quote("seen") + " AS SELECT * FROM " + e.h.Quote("base"))
	if t := e.table("seen"); t.Kind != connector.View {
		e.Errorf("a view is a %q", t.Kind)
	}
}

func schemaEnum(e *env) {
	typ := "ENUM ('new', 'it''s')"
	if strings.HasPrefix(e.h.Engine, "postgres") {
		e.exec("CREATE TYPE mood AS " + typ)
		typ = "mood"
	}
	e.create("m", e.id(), e.h.Quote("e")+" "+typ)
	if c := e.table("m").Column("e"); c.Kind != connector.Text || !slices.Equal(c.Enum, []string{"new", "it's"}) {
		e.Errorf("enum column is %+v", c)
	}
	e.insert("m", "id,e", 1, "it's")
	e.want(e.table("m"), "id", is("e", text("it's")), "1")
	e.want(e.table("m"), "id", is("e", text("not a member")))
}

func schemaRights(e *env) {
	e.create("r", e.id())
	if r := e.table("r").Rights; !r.Select || !r.Insert || !r.Update || !r.Delete {
		e.Errorf("the owner's rights are %+v", r)
	}
	if e.sys.Unprivileged == nil {
		return
	}
	store, err := e.h.Open(e.Context(), e.sys.Unprivileged(e.T, "r"))
	if err != nil {
		e.Fatalf("opening as a role that may only read: %v", err)
	}
	defer store.Close()
	s, err := store.Schema(e.Context())
	if err != nil || s.Table("r") == nil {
		e.Fatalf("the role sees no table it may read: %v", err)
	}
	if r := s.Table("r").Rights; !r.Select || r.Update || r.Delete || r.Insert {
		e.Errorf("the reader's rights are %+v", r)
	}
}
