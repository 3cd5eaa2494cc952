package connectortest

import (
	"cmp"
	"slices"
	"strings"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/connector"
)

var keyTopics = []topic{
	{name: "keys/actions", run: keyActions},
	{name: "keys/composite", run: keyComposite},
	{name: "keys/self and cycle", run: keyCycle},
	{name: "keys/to a unique", run: keyUnique},
	{name: "keys/deferrable", run: keyDeferrable, need: func(h Harness) bool { return h.Has.Deferrable }},
}

var triggerTopics = []topic{
	{name: "triggers", run: triggers, need: func(h Harness) bool { return h.AuditTrigger != nil }},
}

func keyActions(e *env) {
	e.create("parent", e.id())
	actions := map[string]connector.Action{"CASCADE": connector.Cascade, "SET NULL": connector.SetNull, "RESTRICT": connector.Restrict}
	if e.h.Has.SetDefault {
		actions["SET DEFAULT"] = connector.SetDefault
	}
	for sql, action := range actions {
		name := "child_" + strings.ReplaceAll(sql, " ", "_")
		e.create(name, e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", "ON DELETE "+sql+" ON UPDATE CASCADE"))
		t := e.table(name)
		if len(t.ForeignKeys) != 1 {
			e.Fatalf("%s has keys %+v", name, t.ForeignKeys)
		}
		k := t.ForeignKeys[0]
		if k.OnDelete != action || k.OnUpdate != connector.Cascade || k.RefTable != "parent" {
			e.Errorf("%s has key %+v", name, k)
		}
		if k.NotValidated || k.Deferrable || k.Deferred || k.MatchFull {
			e.Errorf("%s has a plain key with marks: %+v", name, k)
		}
	}
	e.create("plain", e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", ""))
	k := e.table("plain").ForeignKeys[0]
	if (k.OnDelete != connector.NoAction && k.OnDelete != connector.Restrict) || k.OnUpdate == connector.Cascade {
		e.Errorf("a key without actions is %+v", k)
	}
	if s := e.schema(); s.Resolve(k) == nil || s.Resolve(k).Name != "parent" {
		e.Errorf("the key's target is not found: %+v", k)
	}
}

func keyComposite(e *env) {
	e.create("acc", e.col("tenant", connector.Int, "NOT NULL"), e.col("no", connector.Text, "NOT NULL"),
		"PRIMARY KEY "+e.list("tenant", "no"))
	e.create("item", e.id(), e.col("n", connector.Text), e.col("t", connector.Int), e.fk("t,n", "acc", "tenant,no", ""))
	k := e.table("item").ForeignKeys
	if len(k) != 1 || !slices.Equal(k[0].Columns, []string{"t", "n"}) || !slices.Equal(k[0].RefColumns, []string{"tenant", "no"}) {
		e.Errorf("keys are %+v", k)
	}
}

func keyCycle(e *env) {
	e.create("a", e.id(), e.col("up", connector.Int), e.col("b", connector.Int), e.fk("up", "a", "id", ""))
	e.create("b", e.id(), e.col("a", connector.Int), e.fk("a", "a", "id", ""))
	if !strings.HasPrefix(e.h.Engine, "sqlite") {
		e.exec("ALTER TABLE " + e.h.Quote("a") + " ADD " + e.fk("b", "b", "id", ""))
	}
	keys := e.table("a").ForeignKeys
	slices.SortFunc(keys, func(x, y connector.ForeignKey) int { return cmp.Compare(x.Columns[0], y.Columns[0]) })
	if keys[len(keys)-1].RefTable != "a" || !slices.Equal(keys[len(keys)-1].Columns, []string{"up"}) {
		e.Errorf("keys of a are %+v", keys)
	}
	if b := e.table("b").ForeignKeys; len(b) != 1 || b[0].RefTable != "a" {
		e.Errorf("keys of b are %+v", b)
	}
}

func keyUnique(e *env) {
	e.create("parent", e.id(), e.col("mail", connector.Text, "NOT NULL UNIQUE"))
	e.create("child", e.id(), e.col("m", connector.Text), e.fk("m", "parent", "mail", "ON UPDATE CASCADE"))
	want := []string{"mail"}
	if diff := gocmp.Diff(want, e.table("child").ForeignKeys[0].RefColumns); diff != "" {
		e.Errorf("referenced columns (-want +got):\n%s", diff)
	}
}

func keyDeferrable(e *env) {
	e.create("parent", e.id())
	e.create("soon", e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", "DEFERRABLE INITIALLY IMMEDIATE"))
	e.create("late", e.id(), e.col("p", connector.Int), e.fk("p", "parent", "id", "DEFERRABLE INITIALLY DEFERRED"))
	soon, late := e.table("soon").ForeignKeys[0], e.table("late").ForeignKeys[0]
	if !soon.Deferrable && e.h.Engine != "sqlite" || soon.Deferred || !late.Deferrable || !late.Deferred {
		e.Errorf("keys are %+v and %+v", soon, late)
	}
}

func triggers(e *env) {
	e.create("people", e.id(), e.col("mail", connector.Text))
	e.create("trail", e.col("old", connector.Text))
	for _, statement := range e.h.AuditTrigger("audit", "people", "mail", "trail", "old") {
		e.exec(statement)
	}
	found := e.table("people").Triggers
	if len(found) != 1 || found[0].Body == "" || found[0].Disabled {
		e.Fatalf("triggers are %+v", found)
	}
	if g := found[0]; !strings.EqualFold(g.Timing, "after") || !strings.Contains(strings.ToLower(g.Event), "delete") {
		e.Errorf("trigger is %s %s", g.Timing, g.Event)
	}
	if !e.h.NoTriggerBody && !slices.Equal(found[0].Writes, []string{"trail"}) {
		e.Errorf("the trigger writes %q", found[0].Writes)
	}
	e.insert("people", "id,mail", 1, "a@b")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: e.table("people"), Rows: nums(1)})
	e.remain("trail", 1)
}
