package connectortest

import (
	"context"
	"errors"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

var txTopics = []topic{
	{name: "tx/rollback leaves everything", run: txRollback},
	{name: "tx/reads its own writes", run: txReads},
	{name: "tx/key violated is an error", run: txViolated},
	{name: "tx/unique violated is an error", run: txUnique},
	{name: "tx/a failed one cannot commit", run: txFailed},
	{name: "tx/deferred cycle", run: txCycle, need: func(h Harness) bool { return h.Has.Defer }},
	{name: "tx/deferred violation fails at commit", run: txDeferred, need: func(h Harness) bool { return h.Has.Defer }},
	{name: "tx/cancelled", run: txCancelled},
	{name: "tx/begin reads nothing of others", run: txOthers},
}

func txRollback(e *env) {
	t := e.people(4)
	tx := e.begin()
	_, err := tx.Do(e.Context(), []connector.Act{
		{Verb: connector.Delete, Table: t, Rows: nums(1, 2)},
		{Verb: connector.Update, Table: t, Rows: nums(3), Set: []string{"mail"}, Values: [][]connector.Value{{text("x")}}},
	})
	if err != nil {
		e.Fatal(err)
	}
	if err := tx.Rollback(e.Context()); err != nil {
		e.Fatalf("rolling back: %v", err)
	}
	e.remain("people", 4)
	e.want(t, "mail", is("id", num(3)), mail(3))
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1)}) // the store is free again
}

func txReads(e *env) {
	t := e.people(4)
	tx := e.begin()
	defer tx.Rollback(e.Context())
	q := connector.Select{Table: t, Columns: []string{"id"}, Where: is("n", num(1))}
	ask := func(want int) {
		e.Helper()
		n := 0
		err := tx.Select(e.Context(), []connector.Select{q}, func(int, []connector.Value) error { n++; return nil })
		if err != nil || n != want {
			e.Errorf("inside the transaction %d rows, want %d: %v", n, want, err)
		}
	}
	ask(2)
	if _, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Delete, Table: t, Rows: nums(1)}}); err != nil {
		e.Fatal(err)
	}
	ask(1)
	if got := e.rows(q); len(got) != 2 {
		e.Errorf("outside the transaction %d rows before it commits, want 2", len(got))
	}
	if err := tx.Commit(e.Context()); err != nil {
		e.Fatal(err)
	}
	if got := e.rows(q); len(got) != 1 {
		e.Errorf("outside the transaction %d rows after it commits, want 1", len(got))
	}
}

func txViolated(e *env) {
	e.create("parent", e.id())
	e.create("child", e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", ""))
	e.insert("parent", "id", 424242)
	e.insert("child", "id,p", 1, 424242)
	tx := e.begin()
	_, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Delete, Table: e.table("parent"), Rows: nums(424242)}})
	if err == nil {
		err = tx.Commit(e.Context())
	}
	if err == nil {
		e.Fatal("a parent with children is deleted")
	}
	if strings.Contains(err.Error(), "424242") {
		e.Errorf("the error tells the key: %v", err)
	}
	_ = tx.Rollback(e.Context())
	e.remain("parent", 1)
}

func txUnique(e *env) {
	e.create("u", e.id(), e.col("mail", connector.Text, "UNIQUE"))
	e.insert("u", "id,mail", 1, "secret@one")
	e.insert("u", "id,mail", 2, "secret@two")
	tx := e.begin()
	_, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Update, Table: e.table("u"), Rows: nums(2),
		Set: []string{"mail"}, Values: [][]connector.Value{{text("secret@one")}}}})
	if err == nil {
		e.Fatal("a duplicate is written")
	}
	if strings.Contains(err.Error(), "secret@") {
		e.Errorf("the error tells the value: %v", err)
	}
	if err := tx.Rollback(e.Context()); err != nil {
		e.Errorf("rolling back after an error: %v", err)
	}
	e.want(e.table("u"), "mail", is("id", num(2)), "secret@two")
}

// txFailed: an act that failed spoils those before it, whatever the engine would let pass.
func txFailed(e *env) {
	e.create("u", e.id(), e.col("mail", connector.Text, "NOT NULL"))
	e.insert("u", "id,mail", 1, "a")
	e.insert("u", "id,mail", 2, "b")
	u := e.table("u")
	tx := e.begin()
	_, err := tx.Do(e.Context(), []connector.Act{
		{Verb: connector.Delete, Table: u, Rows: nums(1)},
		{Verb: connector.Update, Table: u, Rows: nums(2), Set: []string{"mail"}, Values: [][]connector.Value{{{}}}},
	})
	if err == nil {
		e.Fatal("NULL is written into a NOT NULL column")
	}
	if _, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Delete, Table: u, Rows: nums(2)}}); err == nil {
		e.Error("a failed transaction acts on")
	}
	if err := tx.Commit(e.Context()); err == nil {
		e.Error("a failed transaction commits")
	}
	_ = tx.Rollback(e.Context())
	e.remain("u", 2)
}

// cycle makes two tables that need each other.
func (e *env) cycle() (a, b *connector.Table) {
	e.Helper()
	later := "DEFERRABLE INITIALLY DEFERRED"
	if strings.HasPrefix(e.h.Engine, "sqlite") {
		e.create("a", e.id(), e.col("b", connector.Int, "NOT NULL"), e.fk("b", "b", "id", later))
		e.create("b", e.id(), e.col("a", connector.Int, "NOT NULL"), e.fk("a", "a", "id", ""))
	} else {
		e.create("a", e.id(), e.col("b", connector.Int, "NOT NULL"))
		e.create("b", e.id(), e.col("a", connector.Int, "NOT NULL"), e.fk("a", "a", "id", "DEFERRABLE"))
		e.exec("ALTER TABLE " + e.h.Quote("a") + " ADD " + e.fk("b", "b", "id", later))
	}
	tx, err := e.sys.DB.BeginTx(e.Context(), nil)
	if err != nil {
		e.Fatal(err)
	}
	for _, table := range []string{"a", "b"} {
		other := map[string]string{"a": "b", "b": "a"}[table]
		if _, err := tx.ExecContext(e.Context(), "INSERT INTO "+e.h.Quote(table)+" "+e.list("id", other)+" VALUES (1, 1)"); err != nil {
			e.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		e.Fatal(err)
	}
	return e.table("a"), e.table("b")
}

func txCycle(e *env) {
	a, b := e.cycle()
	tx := e.begin()
	if ok, err := tx.Defer(e.Context()); err != nil || !ok {
		e.Fatalf("deferring: %v, %v", ok, err)
	}
	_, err := tx.Do(e.Context(), []connector.Act{
		{Verb: connector.Delete, Table: a, Rows: nums(1)}, {Verb: connector.Delete, Table: b, Rows: nums(1)}})
	if err == nil {
		err = tx.Commit(e.Context())
	}
	if err != nil {
		_ = tx.Rollback(e.Context())
		e.Fatalf("deleting a cycle with checks deferred: %v", err)
	}
	e.remain("a", 0)
	e.remain("b", 0)
}

func txDeferred(e *env) {
	a, _ := e.cycle()
	tx := e.begin()
	if _, err := tx.Defer(e.Context()); err != nil {
		e.Fatal(err)
	}
	if _, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Delete, Table: a, Rows: nums(1)}}); err != nil {
		e.Fatal(err)
	}
	if err := tx.Commit(e.Context()); err == nil {
		e.Error("a violation left over commits")
	}
	_ = tx.Rollback(e.Context())
	e.remain("a", 1)
	e.remain("b", 1)
}

func txCancelled(e *env) {
	t := e.people(3)
	ctx, cancel := context.WithCancel(e.Context())
	tx, err := e.store.Begin(ctx)
	if err != nil {
		e.Fatal(err)
	}
	if _, err := tx.Do(ctx, []connector.Act{{Verb: connector.Delete, Table: t, Rows: nums(1)}}); err != nil {
		e.Fatal(err)
	}
	cancel()
	if _, err := tx.Do(ctx, []connector.Act{{Verb: connector.Delete, Table: t, Rows: nums(2)}}); !errors.Is(err, context.Canceled) {
		e.Errorf("acting after cancellation: %v", err)
	}
	if err := tx.Commit(ctx); err == nil {
		e.Error("a cancelled transaction commits")
	}
	_ = tx.Rollback(e.Context())
	e.remain("people", 3)
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1)})
}

// txOthers: what somebody commits after our transaction acted stays.
func txOthers(e *env) {
	t := e.people(3)
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 500)})
	e.insert("people", "id,mail,n", 500, "new@example.com", 1)
	e.want(t, "id", nil, "2", "3", "500")
}
