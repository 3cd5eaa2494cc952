package connector_test

import (
	"testing"

	"github.com/ombudhq/ombud/connector"
)

func TestFoldedNamesAFormUnlessAColumnIsCalledSo(t *testing.T) {
	table := &connector.Table{Columns: []connector.Column{{Name: "mail"}, {Name: "lower(odd)"}}}
	for _, c := range []struct {
		name, column string
		fold         bool
	}{{"mail", "mail", false}, {"lower(mail)", "mail", true}, {"lower(odd)", "lower(odd)", false}, {"lower(mail", "lower(mail", false}} {
		if column, fold := table.Folded(c.name); column != c.column || fold != c.fold {
			t.Errorf("%q is read as %q, %t", c.name, column, fold)
		}
	}
}
