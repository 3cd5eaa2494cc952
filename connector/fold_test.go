package connector_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/connector"
)

func TestFoldJoins(t *testing.T) {
	for _, pair := range [][2]string{
		{"Anna@Example.COM", "anna@example.com"},
		{" anna\t", "ANNA"},
		{"\u00a0anna\u3000", "anna"},
		{"ÄNNA", "änna"},
		{"ΣΟΦΟΣ", "σοφος"},
		{"σοφος", "σοφοσ"},
		{"STRAẞE", "straße"},
		{"ЖУК", "жук"},
		{"", "  "},
		{"a\xffB", "A\xffb"},
	} {
		if connector.Fold(pair[0]) != connector.Fold(pair[1]) {
			t.Errorf("%q and %q must be the same", pair[0], pair[1])
		}
	}
}

func TestFoldKeepsApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"straße", "strasse"},
		{"anna", "änna"},
		{"an.na", "anna"},
		{"anna+x@e", "anna@e"},
		{"\u00e9", "e\u0301"},
		{"İ", "i"},
		{"ı", "I"},
		{"\u212a", "k"},
		{"ſ", "s"},
		{"an na", "anna"},
		{"anna\x00", "anna"},
	} {
		if connector.Fold(pair[0]) == connector.Fold(pair[1]) {
			t.Errorf("%q and %q must be kept apart", pair[0], pair[1])
		}
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := connector.Fold(s)
		if twice := connector.Fold(once); twice != once {
			t.Fatalf("%q folds to %q and then to %q", s, once, twice)
		}
	})
}

func TestRowHash(t *testing.T) {
	text, null := connector.TextValue("12"), connector.Value{}
	rows := [][]connector.Value{
		{text, null}, {null, text}, {connector.IntValue(12), null},
		{connector.TextValue("1"), connector.TextValue("2")}, {text, connector.TextValue("")}, {text},
	}
	seen := map[string]int{}
	for i, row := range rows {
		hash := connector.RowHash(row)
		if other, dup := seen[hash]; dup {
			t.Errorf("rows %d and %d have one hash", i, other)
		}
		if hash != connector.RowHash(row) {
			t.Errorf("row %d has two hashes", i)
		}
		seen[hash] = i
	}
}
