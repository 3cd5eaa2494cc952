package connectortest

import (
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

var bulkTopics = []topic{
	{name: "bulk/10,000 keys", run: bulkKeys},
	{name: "bulk/10,000 composite keys", run: bulkComposite},
	{name: "bulk/a long fence", run: bulkFence},
	{name: "bulk/in parallel", run: bulkParallel},
}

const bulk = 10_000

// fill makes a table of bulk rows: id, s = "k<id>", n = id % 7.
func (e *env) fill() *connector.Table {
	e.Helper()
	e.create("big", e.id(), e.col("s", connector.Text, "NOT NULL"), e.col("n", connector.Int))
	for from := 0; from < bulk; from += 1000 {
		rows := make([]string, 1000)
		for i := range rows {
			rows[i] = fmt.Sprintf("(%d, 'k%d', %d)", from+i, from+i, (from+i)%7)
		}
		e.exec("INSERT INTO " + e.h.Quote("big") + " " + e.list("id", "s", "n") + " VALUES " + strings.Join(rows, ", "))
	}
	return e.table("big")
}

// tally asks with each way and count and demands n rows.
func (e *env) tally(n int64, q connector.Select) {
	e.Helper()
	for name, way := range e.ways() {
		var got int64
		if err := way([]connector.Select{q}, func(int, []connector.Value) error { got++; return nil }); err != nil || got != n {
			e.Errorf("%s finds %d rows, want %d: %v", name, got, n, err)
		}
	}
	if got, err := e.store.Count(e.Context(), []connector.Select{q}); err != nil || got[0] != n {
		e.Errorf("count finds %v rows, want %d: %v", got, n, err)
	}
}

func bulkKeys(e *env) {
	t := e.fill()
	var ids []connector.Key
	var names []connector.Value
	for i := range int64(bulk) {
		ids = append(ids, connector.Key{num(2 * i)})
		names = append(names, text(fmt.Sprintf("k%d", 2*i)))
	}
	byID := connector.Select{Table: t, Columns: []string{"id"}, Where: []connector.Match{{Columns: []string{"id"}, Keys: ids}}}
	e.tally(bulk/2, byID)
	byID.Limit = 100
	e.tally(100, byID)
	e.tally(bulk/2, connector.Select{Table: t, Columns: []string{"id"}, Where: is("s", names...)})
	values := make([][]connector.Value, len(ids))
	for i := range values {
		values[i] = []connector.Value{text("x" + num(int64(i)).S)}
	}
	e.affects(bulk/2, connector.Act{Verb: connector.Update, Table: t, Rows: ids, Set: []string{"s"}, Values: values})
	e.want(t, "s", is("id", num(4), num(5)), "x2", "k5")
	e.affects(bulk/2, connector.Act{Verb: connector.Delete, Table: t, Rows: ids})
	e.remain("big", bulk/2)
}

func bulkComposite(e *env) {
	t := e.fill()
	var keys []connector.Key
	for i := range int64(bulk) {
		keys = append(keys, connector.Key{num(i % 8), text(fmt.Sprintf("k%d", i))})
	}
	want := int64(0)
	for i := range bulk {
		if i%8 == i%7 {
			want++
		}
	}
	where := []connector.Match{{Columns: []string{"n", "s"}, Keys: keys}}
	e.tally(want, connector.Select{Table: t, Columns: []string{"id"}, Where: where})
}

// bulkFence: of rows that are named, only those whose reason is one of very many are touched.
func bulkFence(e *env) {
	t := e.fill()
	e.exec("UPDATE " + e.h.Quote("big") + " SET " + e.h.Quote("n") + " = NULL WHERE " + e.h.Quote("id") + " = 3")
	var ids, owners []connector.Key
	for i := range int64(700) {
		ids, owners = append(ids, connector.Key{num(i)}), append(owners, connector.Key{num(1000 + i)})
	}
	fence := []connector.Match{{Columns: []string{"n"}, Keys: append(owners, connector.Key{num(3)}, connector.Key{num(5)})}}
	e.affects(199, connector.Act{Verb: connector.Update, Table: t, Rows: ids, Fence: fence, Set: []string{"s"}, Values: [][]connector.Value{{text("hers")}}})
	e.affects(199, connector.Act{Verb: connector.Delete, Table: t, Rows: ids, Fence: fence})
	e.remain("big", bulk-199)
}

func bulkParallel(e *env) {
	t := e.people(60)
	parallel(e.T, 8, func(i int) error {
		n := 0
		q := connector.Select{Table: t, Columns: []string{"id"}, Where: is("n", num(int64(i%3)))}
		way := e.store.Select
		if i%2 == 0 {
			way = e.store.Look
		}
		err := way(e.Context(), []connector.Select{q}, func(int, []connector.Value) error { n++; return nil })
		if err == nil && n != 20 {
			err = fmt.Errorf("asking in parallel finds %d rows, want 20", n)
		}
		return err
	})
}
