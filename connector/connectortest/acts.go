package connectortest

import (
	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

var actTopics = []topic{
	{name: "acts/delete", run: actDelete},
	{name: "acts/update alike", run: actUniform},
	{name: "acts/update per row", run: actPerRow},
	{name: "acts/fence", run: actFence},
	{name: "acts/expect", run: actExpect},
	{name: "acts/composite", run: actComposite},
	{name: "acts/several", run: actSeveral},
	{name: "acts/set reads no other column", run: actSet},
	{name: "acts/self-referencing set", run: actSelf},
	{name: "acts/null a reference, then delete", run: actNullThenDelete},
}

func actDelete(e *env) {
	t := e.people(6)
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t})
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(70, 71)})
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(2, 3, 72)})
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: []connector.Key{{num(4)}, {{}}}})
	e.want(t, "id", nil, "1", "5", "6")
}

func actUniform(e *env) {
	t := e.people(4)
	act := connector.Act{Verb: connector.Update, Table: t, Rows: nums(1, 2, 9),
		Set: []string{"mail", "n"}, Values: [][]connector.Value{{{}, num(-5)}}}
	e.affects(2, act)
	e.want(t, "id", is("n", num(-5)), "1", "2")
	e.want(t, "mail", is("id", num(1), num(3)), "NULL", mail(3))
	e.affects(2, act) // changed to what they are: still the rows planned
	act.Rows = nil
	e.affects(0, act)
}

func actPerRow(e *env) {
	t := e.people(4)
	act := connector.Act{Verb: connector.Update, Table: t, Rows: nums(1, 3, 8, 4), Set: []string{"mail", "n"},
		Values: [][]connector.Value{{text("one' --"), num(1)}, {text(`\`), {}}, {text("none"), num(8)}, {{}, num(4)}}}
	e.affects(3, act)
	e.want(t, "mail", nil, "one' --", mail(2), `\`, "NULL")
	e.want(t, "n", is("id", num(3)), "NULL")
	act.Fence = is("n", num(1))
	act.Values[0][1] = num(77)
	e.affects(1, act)
	e.want(t, "id", is("n", num(77)), "1")
}

// actFence gives a row to somebody else between plan and act.
func actFence(e *env) {
	t := e.people(6)
	e.exec("UPDATE " + e.h.Quote("people") + " SET " + e.h.Quote("n") + " = 99 WHERE " + e.h.Quote("id") + " = 4")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 4), Fence: is("n", num(1))})
	e.want(t, "id", is("id", num(4)), "4")
	null := []connector.Match{{Columns: []string{"n"}, Null: true}}
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(4), Fence: null})
	e.affects(0, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(4), Fence: is("n")})
	e.affects(0, connector.Act{Verb: connector.Update, Table: t, Rows: nums(2, 4), Fence: is("n", num(1)),
		Set: []string{"mail"}, Values: [][]connector.Value{{text("x")}}})
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(2, 4), Fence: is("n", num(99)),
		Set: []string{"mail"}, Values: [][]connector.Value{{text("x")}}})
	e.want(t, "id", is("mail", text("x")), "4")
	both := append(is("n", num(2)), is("mail", text(mail(5)))...)
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(2, 3, 4, 5, 6), Fence: both})
	e.want(t, "id", nil, "2", "3", "4", "6")
}

// actExpect: a content hash fences rows with a key as well.
func actExpect(e *env) {
	t := e.people(3)
	keys, expect := e.address(t, nil)
	e.exec("UPDATE " + e.h.Quote("people") + " SET " + e.h.Quote("mail") + " = 'new' WHERE " + e.h.Quote("id") + " = 2")
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: keys, Expect: expect})
	e.want(t, "mail", nil, "new")
}

func actComposite(e *env) {
	e.create("c", e.col("a", connector.Int, "NOT NULL"), e.col("b", connector.Text, "NOT NULL"), e.col("v", connector.Int),
		"PRIMARY KEY "+e.list("a", "b"))
	for a := range 3 {
		for _, b := range []string{"x", "y", "z'"} {
			e.insert("c", "a,b,v", a, b, a)
		}
	}
	t := e.table("c")
	rows := []connector.Key{{num(0), text("x")}, {num(1), text("z'")}, {num(2), text("nothing")}, {num(1), text("Z'")}}
	e.affects(2, connector.Act{Verb: connector.Update, Table: t, Rows: rows[:3], Set: []string{"v"},
		Values: [][]connector.Value{{num(10)}, {num(11)}, {num(12)}}})
	e.want(t, "b", is("v", num(10), num(11)), "x", "z'")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: rows, Fence: is("v", num(11))})
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: rows})
	e.remain("c", 7)
}

func actSeveral(e *env) {
	t := e.people(6)
	e.create("logs", e.id(), e.col("p", connector.Int))
	e.insert("logs", "id,p", 1, 1)
	e.insert("logs", "id,p", 2, 2)
	got := e.do(
		connector.Act{Verb: connector.Delete, Table: e.table("logs"), Rows: nums(1, 2), Fence: is("p", num(1))},
		connector.Act{Verb: connector.Update, Table: t, Rows: nums(1, 2, 3), Set: []string{"n"}, Values: [][]connector.Value{{num(50)}}},
		connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 2, 3, 4), Fence: is("n", num(50))},
		connector.Act{Verb: connector.Delete, Table: t},
	)
	if diff := cmp.Diff([]int64{1, 3, 3, 0}, got); diff != "" {
		e.Errorf("rows affected by four acts (-want +got):\n%s", diff)
	}
	e.remain("people", 3)
	e.remain("logs", 1)
	if got := e.do(); len(got) != 0 {
		e.Errorf("no acts answer %v", got)
	}
}

// actSet swaps the meaning of two columns: what one is set to must not leak into the other.
func actSet(e *env) {
	e.create("s", e.id(), e.col("a", connector.Text), e.col("b", connector.Text))
	e.insert("s", "id,a,b", 1, "a", "b")
	t := e.table("s")
	e.affects(1, connector.Act{Verb: connector.Update, Table: t, Rows: nums(1), Set: []string{"a", "b"},
		Values: [][]connector.Value{{text("b"), text("a")}}, Fence: is("a", text("a"))})
	e.want(t, "a", is("b", text("a")), "b")
}

func actSelf(e *env) {
	e.create("tree", e.id(), e.col("up", connector.Int), e.fk("up", "tree", "id", ""))
	for i := 1; i <= 7; i++ {
		up := any(i / 2)
		if i == 1 {
			up = nil
		}
		e.insert("tree", "id,up", i, up)
	}
	t := e.table("tree")
	e.affects(4, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(2, 5, 4, 7)})
	e.want(t, "id", nil, "1", "3", "6")
	e.affects(3, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 3, 6)})
}

func actNullThenDelete(e *env) {
	e.create("parent", e.id())
	e.create("child", e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", ""))
	e.insert("parent", "id", 1)
	e.insert("child", "id,p", 5, 1)
	got := e.do(
		connector.Act{Verb: connector.Update, Table: e.table("child"), Rows: nums(5), Fence: is("p", num(1)),
			Set: []string{"p"}, Values: [][]connector.Value{{{}}}},
		connector.Act{Verb: connector.Delete, Table: e.table("parent"), Rows: nums(1)})
	if diff := cmp.Diff([]int64{1, 1}, got); diff != "" {
		e.Error(diff)
	}
}
