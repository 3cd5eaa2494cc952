package connectortest

import "github.com/ombudhq/ombud/connector"

var lookTopics = []topic{
	{name: "look/equals select for all conditions", run: lookEquals},
	{name: "look/sees what is committed only", run: lookCommitted},
}

// lookEquals leans on env.rows, which compares the two for every question of the suite, and adds
// the combinations that no other topic asks.
func lookEquals(e *env) {
	t := e.people(12)
	null := connector.Match{Columns: []string{"mail"}, Null: true}
	e.insert("people", "id,mail,n", 50, nil, 1)
	composite := connector.Match{Columns: []string{"n", "mail"}, Keys: []connector.Key{
		{num(1), text(mail(4))}, {num(2), text(mail(4))}, {num(2), text(mail(5))}}}
	for _, where := range [][]connector.Match{
		nil, {null}, {composite}, {composite, null}, append(is("n", num(1)), null), append(folds("mail", mail(4)), composite),
		append(is("n", num(1), num(2)), folds("mail", mail(4), mail(5), mail(6))...), {{Columns: []string{"id"}}},
	} {
		e.rows(connector.Select{Table: t, Columns: []string{"id", "mail", "id"}, Where: where})
	}
}

func lookCommitted(e *env) {
	t := e.people(4)
	tx := e.begin()
	defer tx.Rollback(e.Context())
	if _, err := tx.Do(e.Context(), []connector.Act{{Verb: connector.Delete, Table: t, Rows: nums(1)}}); err != nil {
		e.Fatal(err)
	}
	q := connector.Select{Table: t, Columns: []string{"id"}, Where: is("id", num(1))}
	if got := e.collect("look", e.ways()["look"], q); len(got) != 1 {
		e.Error("a look sees a delete that is not committed")
	}
	if err := tx.Commit(e.Context()); err != nil {
		e.Fatal(err)
	}
	if got := e.collect("look", e.ways()["look"], q); len(got) != 0 {
		e.Error("a look does not see a delete that is committed")
	}
}
