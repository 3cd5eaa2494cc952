package mysql_test

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
)

// variants that some collation calls equal to anna@x.
const variants = "INSERT INTO w VALUES (1,'anna@x'),(2,'Anna@x'),(3,'änna@x'),(4,'anna@x '),(5,'anna@x\\t'),(6,'strasse'),(7,'straße'),(8,'a\\\\b')"

func TestCollationsNeverReachAnotherPerson(t *testing.T) {
	own := []string{"utf8mb4_nopad_bin", "utf8mb4_general_nopad_ci", "utf8mb4_uca1400_ai_ci"}
	if mariatest.MySQL(t) {
		own = []string{"utf8mb4_0900_bin", "utf8mb4_0900_ai_ci", "utf8mb4_0900_as_ci", "utf8mb4_0900_as_cs", "utf8mb4_de_pb_0900_ai_ci"}
	}
	for _, collation := range append(own, "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_bin",
		"latin1_swedish_ci", "latin1_german2_ci", "utf8mb3_general_ci") {
		t.Run(collation, func(t *testing.T) {
			e := setup(t, "CREATE TABLE w (id INT PRIMARY KEY, s VARCHAR(40) COLLATE "+collation+", KEY (s)) CHARSET "+collation[:len("utf8mb4")-index(collation)], variants)
			w := e.table("w")
			e.equal("1", e.find(w, "id", is("s", text("anna@x"))))
			e.equal("4", e.find(w, "id", is("s", text("anna@x "))))
			e.equal("6", e.find(w, "id", is("s", text("strasse"))))
			e.equal("8", e.find(w, "id", is("s", text(`a\b`))))
			e.equal("", e.find(w, "id", is("s", text("名"), text("👍"))))
			fold := is("s", text("ANNA@X"))
			fold.Fold = true
			e.equal("1,2,4,5", e.find(w, "id", fold))
			fold = is("s", text("STRAßE"), text("名"), text("👍"))
			fold.Fold = true
			e.equal("7", e.find(w, "id", fold))
			fence := []connector.Match{is("s", text("anna@x"))}
			e.equal([]int64{1}, e.do(connector.Act{Verb: connector.Delete, Table: w, Rows: ints(1, 2, 3, 4, 5), Fence: fence}))
		})
	}
}

// index is how much shorter a collation's character set is than "utf8mb4".
func index(collation string) int {
	if collation[:6] == "latin1" {
		return 1
	}
	return 0
}

func TestTextKeyAddressesExactly(t *testing.T) {
	e := setup(t, "CREATE TABLE p (mail VARCHAR(40) PRIMARY KEY, n INT) COLLATE utf8mb4_general_ci",
		"INSERT INTO p VALUES ('Anna@x', 1), ('bob@x', 2)")
	p := e.table("p")
	e.equal([]int64{0, 0}, e.do(
		connector.Act{Verb: connector.Delete, Table: p, Rows: []connector.Key{{text("anna@x")}, {text("änna@x")}, {text("bob@x ")}}},
		connector.Act{Verb: connector.Update, Table: p, Rows: []connector.Key{{text("BOB@x")}}, Set: []string{"n"}, Values: [][]connector.Value{{connector.IntValue(9)}}}))
	e.equal([]int64{2}, e.do(connector.Act{Verb: connector.Update, Table: p, Rows: []connector.Key{{text("Anna@x")}, {text("bob@x")}},
		Set: []string{"mail", "n"}, Values: [][]connector.Value{{text("t1@x"), connector.IntValue(7)}, {text("t2@x"), connector.IntValue(8)}}}))
	e.equal("7,8", e.find(p, "n", is("mail", text("t1@x"), text("t2@x"))))
}

// What the engine's own foreign key joins, ON DELETE reaches; so the connector must find it.
func TestDeclaredKeyIsComparedAsTheEngineDoes(t *testing.T) {
	e := setup(t, "CREATE TABLE p (mail VARCHAR(40) PRIMARY KEY) COLLATE utf8mb4_general_ci",
		"CREATE TABLE c (id INT PRIMARY KEY, m VARCHAR(40) COLLATE utf8mb4_general_ci, other VARCHAR(40) COLLATE utf8mb4_general_ci, FOREIGN KEY (m) REFERENCES p (mail) ON DELETE CASCADE)",
		"INSERT INTO p VALUES ('anna@x')",
		"INSERT INTO c VALUES (1,'anna@x','anna@x'),(2,'ANNA@x','ANNA@x'),(3,'änna@x ','änna@x')")
	c := e.table("c")
	e.equal("1,2,3", e.find(c, "id", is("m", text("anna@x"))))
	e.equal("1", e.find(c, "id", is("other", text("anna@x"))))
	fence := []connector.Match{is("m", text("anna@x"))}
	e.equal([]int64{3}, e.do(connector.Act{Verb: connector.Delete, Table: c, Rows: ints(1, 2, 3), Fence: fence}))
}

func TestFoldScansWhereNoIndexServes(t *testing.T) {
	e := setup(t, "CREATE TABLE w (id INT PRIMARY KEY, s TEXT) COLLATE utf8mb4_bin", variants,
		"INSERT INTO w VALUES (20,'José'),(21,'JOSÉ '),(22,'Jose'),(23,''),(24,NULL),(25,' \t')")
	w := e.table("w")
	m := is("s", text("josé"))
	m.Fold = true
	e.equal("20,21", e.find(w, "id", m))
	m = is("s", text("  "))
	m.Fold = true
	e.equal("23,25", e.find(w, "id", m))
}
