package connectortest

import "github.com/ombudhq/ombud/connector"

var fingerprintTopics = []topic{{name: "fingerprint", run: fingerprint}}

func fingerprint(e *env) {
	e.create("people", e.id(), e.col("mail", connector.Text))
	before := e.print()
	e.insert("people", "id,mail", 1, "a@b")
	e.affects(1, connector.Act{Verb: connector.Delete, Table: e.table("people"), Rows: nums(1)})
	if e.print() != before {
		e.Error("rows change the fingerprint")
	}
	table := e.h.Quote("people")
	changes := map[string]string{
		"a column": "ALTER TABLE " + table + " ADD " + e.col("more", connector.Int),
		"an index": "CREATE INDEX people_mail ON " + table + " " + e.list("mail"),
		"a view":   "CREATE VIEW v AS SELECT 1 AS one",
	}
	for what, change := range changes {
		e.exec(change)
		after := e.print()
		if after == before {
			e.Errorf("%s does not change the fingerprint", what)
		}
		before = after
	}
	e.create("child", e.id(), e.col("p", connector.Int), e.fk("p", "people", "id", "ON DELETE CASCADE"))
	if e.print() == before {
		e.Error("a foreign key does not change the fingerprint")
	}
	if e.h.AuditTrigger == nil {
		return
	}
	e.create("trail", e.col("old", connector.Text))
	before = e.print()
	for _, statement := range e.h.AuditTrigger("audit", "people", "mail", "trail", "old") {
		e.exec(statement)
	}
	if e.print() == before {
		e.Error("a trigger does not change the fingerprint")
	}
}

func (e *env) print() string {
	e.Helper()
	token, err := e.store.Fingerprint(e.Context())
	if err != nil || token == "" {
		e.Fatalf("fingerprint is %q: %v", token, err)
	}
	return token
}
