package connectortest

import (
	"github.com/ombudhq/ombud/connector"
)

var partTopics = []topic{
	{name: "parts/partitions", run: partitions, need: func(h Harness) bool { return h.Partitioned != nil }},
	{name: "parts/stored copies", run: copies, need: func(h Harness) bool { return h.MatView != nil }},
	{name: "parts/another schema", run: otherSchema},
	{name: "parts/cost and index", run: costs},
	{name: "parts/maintenance", run: maintenance},
}

func partitions(e *env) {
	for _, statement := range e.h.Partitioned("events") {
		e.exec(statement)
	}
	for _, id := range []int{1, 2, 101, 102} {
		e.insert("events", "id,k", id, id%100)
	}
	t := e.table("events")
	if t.Kind != connector.Partitioned {
		e.Errorf("the root is a %q", t.Kind)
	}
	for _, leaf := range e.schema().Tables {
		if leaf.Name != "events" && (leaf.Kind != connector.Partition || leaf.Parent == "") {
			e.Errorf("%s is a %q of %q", leaf.Name, leaf.Kind, leaf.Parent)
		}
	}
	e.want(t, "id", is("k", num(1)), "1", "101")
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 101, 102), Fence: is("k", num(1))})
	e.want(t, "id", nil, "2", "102")
}

func copies(e *env) {
	t := e.people(3)
	e.exec(e.h.MatView("stored", "people"))
	if v := e.table("stored"); v.Kind != connector.MatView {
		e.Fatalf("a stored copy is a %q", v.Kind)
	}
	e.affects(1, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1)})
	maintainer, ok := e.store.(connector.Maintainer)
	if !ok {
		e.Fatal("the store has stored copies and cannot bring them up to date")
	}
	did, err := maintainer.Maintain(e.Context(), []*connector.Table{t})
	if err != nil || len(did) == 0 {
		e.Errorf("maintenance did %q: %v", did, err)
	}
	e.remain("stored", 2)
}

func otherSchema(e *env) {
	if e.sys.OtherSchema == "" {
		e.Skip("the engine has no such thing")
	}
	far := e.h.Quote(e.sys.OtherSchema) + "." + e.h.Quote("child")
	e.people(2)
	parent := e.table("people")
	e.exec("CREATE TABLE " + far + " (" + e.id() + ", " + e.col("p", connector.Int) + ", FOREIGN KEY " + e.list("p") + " REFERENCES " +
		e.h.Quote(parent.Schema) + "." + e.h.Quote("people") + " " + e.list("id") + " ON DELETE CASCADE)")
	child := e.schema().Table(e.sys.OtherSchema + ".child")
	if child == nil {
		e.Fatal("a table of another schema that refers to ours is not in the schema")
	}
	if child.InDefault || child.Dataset() != e.sys.OtherSchema+".child" || len(child.ForeignKeys) != 1 {
		e.Fatalf("the far child is %+v", child)
	}
	if k := child.ForeignKeys[0]; k.RefTable != "people" || k.RefSchema != parent.Schema || k.OnDelete != connector.Cascade {
		e.Errorf("the far key is %+v", k)
	}
	e.exec("INSERT INTO " + far + " " + e.list("id", "p") + " VALUES (1, 1)")
	e.want(child, "id", is("p", num(1)), "1")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: child, Rows: nums(1)})
}

func costs(e *env) {
	explainer, ok := e.store.(connector.Explainer)
	if !ok {
		e.Skip("the connector estimates nothing")
	}
	t := e.people(3)
	for _, columns := range [][]string{{"n"}, {"mail"}, {"lower(mail)"}, {"n", "mail"}} {
		if d, err := explainer.ScanCost(e.Context(), t, columns); err != nil || d < 0 {
			e.Errorf("a scan for %v costs %s: %v", columns, d, err)
		}
	}
	e.exec(explainer.IndexStatement(t, []string{"n", "mail"}))
	if !leads(e.table("people"), "n") {
		e.Error("the index statement makes no index")
	}
}

func maintenance(e *env) {
	maintainer, ok := e.store.(connector.Maintainer)
	if !ok {
		e.Skip("the connector maintains nothing")
	}
	t := e.people(3)
	e.affects(2, connector.Act{Verb: connector.Delete, Table: t, Rows: nums(1, 2)})
	if _, err := maintainer.Maintain(e.Context(), []*connector.Table{t}); err != nil {
		e.Errorf("maintaining: %v", err)
	}
	e.remain("people", 1)
}
