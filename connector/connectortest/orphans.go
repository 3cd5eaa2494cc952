package connectortest

import (
	"github.com/ombudhq/ombud/connector"
)

var orphanTopics = []topic{
	{name: "orphans/simple", run: orphans},
	{name: "orphans/composite", run: orphansComposite},
}

// undeclared is a key that the database does not check, so that rows can point at nothing.
func undeclared(child *connector.Table, parent string, columns, refs []string) connector.ForeignKey {
	return connector.ForeignKey{Name: "declared", Columns: columns, RefSchema: child.Schema, RefTable: parent, RefColumns: refs}
}

func (e *env) orphans(want int64, child *connector.Table, fk connector.ForeignKey, keys []connector.Key) {
	e.Helper()
	tx := e.begin()
	defer tx.Rollback(e.Context())
	if got, err := tx.Orphans(e.Context(), child, fk, keys); err != nil || got != want {
		e.Errorf("%d orphans, want %d: %v", got, want, err)
	}
}

func orphans(e *env) {
	e.create("parent", e.id())
	e.create("child", e.id(), e.col("p", connector.Int))
	e.insert("parent", "id", 1)
	for i, p := range []any{1, 2, 2, 3, nil} {
		e.insert("child", "id,p", i, p)
	}
	child := e.table("child")
	fk := undeclared(child, "parent", []string{"p"}, []string{"id"})
	e.orphans(3, child, fk, nil)
	e.orphans(2, child, fk, nums(1, 2))
	e.orphans(0, child, fk, nums(1, 7))
}

func orphansComposite(e *env) {
	e.create("parent", e.col("t", connector.Int, "NOT NULL"), e.col("n", connector.Text, "NOT NULL"), "PRIMARY KEY "+e.list("t", "n"))
	e.create("child", e.id(), e.col("t", connector.Int), e.col("n", connector.Text))
	e.insert("parent", "t,n", 1, "a")
	e.insert("child", "id,t,n", 1, 1, "a")
	e.insert("child", "id,t,n", 2, 1, "b")
	e.insert("child", "id,t,n", 3, 2, "a")
	e.insert("child", "id,t,n", 4, nil, "b")
	e.insert("child", "id,t,n", 5, 9, nil)
	child := e.table("child")
	fk := undeclared(child, "parent", []string{"t", "n"}, []string{"t", "n"})
	e.orphans(2, child, fk, nil)
	e.orphans(1, child, fk, []connector.Key{{num(1), text("b")}, {num(1), text("a")}})
}
