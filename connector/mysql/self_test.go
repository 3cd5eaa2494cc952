package mysql_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/ombudhq/ombud/connector"
)

func raw(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

const tree = "CREATE TABLE n (id INT PRIMARY KEY, up INT %s, owner INT, FOREIGN KEY (up) REFERENCES n (id) %s)"

func TestDeletesRowsThatReferToEachOther(t *testing.T) {
	for _, action := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL"} {
		e := setup(t, fmt.Sprintf(tree, "", action),
			"INSERT INTO n VALUES (1,1,7),(2,1,7),(3,2,7)",                                     // 1 refers to itself
			"INSERT INTO n VALUES (10,NULL,7),(11,10,7)", "UPDATE n SET up = 11 WHERE id = 10", // a circle
			"INSERT INTO n WITH RECURSIVE s AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM s WHERE i < 40) SELECT 100 + i, IF(i = 0, NULL, 99 + i), 7 FROM s", // a chain longer than a cascade can be
			"INSERT INTO n VALUES (500, NULL, 8)")
		n := e.table("n")
		var all []int64
		for i := range int64(600) {
			all = append(all, i)
		}
		fence := []connector.Match{is("owner", connector.IntValue(7))}
		e.equal([]int64{46}, e.do(connector.Act{Verb: connector.Delete, Table: n, Rows: ints(all...), Fence: fence}))
		e.equal("500", e.find(n, "id"))
	}
}

// The reference that is taken from a circle may be the fence itself.
func TestFenceOnTheReferenceItself(t *testing.T) {
	e := setup(t, fmt.Sprintf(tree, "", ""), "INSERT INTO n VALUES (1,1,0),(2,1,0),(3,NULL,0)")
	n := e.table("n")
	fence := []connector.Match{is("up", connector.IntValue(1))}
	e.equal([]int64{2}, e.do(connector.Act{Verb: connector.Delete, Table: n, Rows: ints(1, 2, 3), Fence: fence}))
	e.equal("3", e.find(n, "id"))
}

func TestPersonalKeyIsReplaced(t *testing.T) {
	e := setup(t, "CREATE TABLE p (mail VARCHAR(40) PRIMARY KEY)", "CREATE TABLE c (id INT PRIMARY KEY, m VARCHAR(40) NOT NULL, FOREIGN KEY (m) REFERENCES p (mail))",
		"INSERT INTO p VALUES ('anna@x'), ('gone@invalid')", "INSERT INTO c VALUES (1,'anna@x'),(2,'Anna@x')")
	n := e.do(
		connector.Act{Verb: connector.Update, Table: e.table("c"), Rows: ints(1, 2), Set: []string{"m"}, Values: [][]connector.Value{{text("gone@invalid")}}},
		connector.Act{Verb: connector.Delete, Table: e.table("p"), Rows: []connector.Key{{text("anna@x")}}})
	e.equal([]int64{2, 1}, n)
}
