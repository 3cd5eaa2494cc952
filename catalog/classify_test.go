package catalog

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

func TestFreeTextAndPersonal(t *testing.T) {
	table := &connector.Table{
		Name: "t", Primary: []string{"id"}, Uniques: []connector.Unique{{Columns: []string{"handle"}}},
		ForeignKeys: []connector.ForeignKey{{Columns: []string{"owner"}}}, Checks: []connector.Check{{Columns: []string{"checked"}}},
	}
	for _, c := range []struct {
		name           string
		kind           connector.Kind
		length         int
		free, personal bool
	}{
		{"body", connector.Text, 0, true, true},
		{"note", connector.Text, 2000, true, true},
		{"note", connector.Text, 40, false, true},
		{"id", connector.Text, 0, false, false},
		{"owner", connector.Text, 0, false, false},
		{"handle", connector.Text, 0, false, true},
		{"checked", connector.Text, 0, false, true},
		{"status", connector.Text, 0, false, false},
		{"currency", connector.Text, 3, false, false},
		{"postal_code", connector.Text, 0, false, true},
		{"payload", connector.JSON, 0, false, true},
		{"photo", connector.Bytes, 0, false, true},
		{"total_cents", connector.Int, 0, false, false},
		{"created_at", connector.Time, 0, false, false},
		{"born_on", connector.Time, 0, false, true},
		{"salary", connector.Decimal, 0, false, true},
		{"lat", connector.Float, 0, false, true},
		{"message", connector.Int, 0, false, false},
		{"page_count", connector.Int, 0, false, false},
		{"active", connector.Bool, 0, false, false},
	} {
		column := connector.Column{Name: c.name, Kind: c.kind, Length: c.length}
		if got := IsFreeText(table, column); got != c.free {
			t.Errorf("%s: free text %v", c.name, got)
		}
		if got := IsPersonal(table, column, false); got != c.personal {
			t.Errorf("%s: personal %v", c.name, got)
		}
	}
	generated := connector.Column{Name: "body", Kind: connector.Text, Generated: true}
	if IsFreeText(table, generated) || IsPersonal(table, generated, true) {
		t.Error("a generated column cannot be written")
	}
	if !IsPersonal(table, connector.Column{Name: "code", Kind: connector.Text}, true) {
		t.Error("an identity is personal whatever it is called")
	}
}
