package connectortest

import (
	"fmt"

	"github.com/ombudhq/ombud/connector"
)

var foldTopics = []topic{
	{name: "fold/without an index", run: func(e *env) { foldAll(e, "") }},
	{name: "fold/with an index", run: func(e *env) { foldAll(e, "CREATE INDEX f_s ON %s (%s)") }},
	{name: "fold/with a lower index", run: func(e *env) { foldAll(e, "CREATE INDEX f_s ON %s (lower(%s))") },
		need: func(h Harness) bool { return h.Has.LowerIndex }},
	{name: "fold/many", run: foldMany},
	{name: "fold/as a fence", run: foldFence},
}

var foldCells = []string{
	"anna@example.com", "Anna@Example.com", " ANNA@EXAMPLE.COM", "anna@example.com\t", "\u00a0anna@example.com", "anna@example.com  \n",
	"änna@example.com", "ÄNNA@EXAMPLE.COM", "a\u0308nna@example.com", "an.na@example.com", "anna+x@example.com",
	"straße", "STRASSE", "strasse", "STRAẞE", "anna@example.comx", "xanna@example.com", "anna@example_com", "",
	"İpek", "ipek", "\u212aate", "kate", "σοφος", "ΣΟΦΟΣ", "12", "012",
}

// foldAll demands exactly what connector.Fold calls equal, whatever index there is.
func foldAll(e *env, index string) {
	e.create("f", e.id(), e.col("s", connector.Text))
	if index != "" {
		e.exec(fmt.Sprintf(index, e.h.Quote("f"), e.h.Quote("s")))
	}
	for i, s := range foldCells {
		e.insert("f", "id,s", i, s)
	}
	e.insert("f", "id,s", 900, nil)
	t := e.table("f")
	for _, needle := range append(foldCells, "nobody", "%", "ANNA@example.COM ") {
		var want []string
		for i, s := range foldCells {
			if connector.Fold(s) == connector.Fold(needle) {
				want = append(want, num(int64(i)).S)
			}
		}
		e.want(t, "id", folds("s", needle), want...)
	}
	e.want(t, "id", folds("s"))
	e.want(t, "id", folds("s", "KATE", " straSSE", "nobody"), "22", "12", "13")
}

func foldMany(e *env) {
	t := e.people(40)
	var needles, want []string
	for i := 1; i <= 300; i++ {
		needles = append(needles, " "+mail(i)+" ")
		if i <= 40 {
			want = append(want, num(int64(i)).S)
		}
	}
	e.want(t, "id", folds("mail", needles...), want...)
}

func foldFence(e *env) {
	t := e.people(3)
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 2, 3), Fence: folds("mail", "C2@EXAMPLE.com")})
	e.remain("people", 2)
}
