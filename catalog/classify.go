package catalog

import (
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proseLength is the number of characters from which a text column can hold prose.
const proseLength = 100

// IsFreeText reports whether people write prose into a column: text without a bound, or a long one,
// that no key or constraint speaks of and whose name is no closed set's.
func IsFreeText(t *connector.Table, c connector.Column) bool {
	switch {
	case c.Kind != connector.Text || c.Generated || len(c.Enum) > 0:
		return false
	case c.Length > 0 && c.Length <= proseLength:
		return false
	case isKeyColumn(t, c.Name) || isChecked(t, c.Name):
		return false
	}
	return !pii.TypeLike(c.Name)
}

// IsPersonal reports whether anonymising a row has to change a column. identity says that ombud.yaml
// names it as an identity. Keys, references and generated columns never are: breaking links is the
// plan's own step. Numbers and times are only when their name says so.
func IsPersonal(t *connector.Table, c connector.Column, identity bool) bool {
	switch {
	case c.Generated || slices.Contains(t.Primary, c.Name) || isReference(t, c.Name):
		return false
	case identity:
		return true
	}
	switch c.Kind {
	case connector.Text, connector.Bytes, connector.JSON, connector.Array, connector.Other, connector.UUID:
		return len(c.Enum) == 0 && !pii.Business(c.Name)
	case connector.Int, connector.Decimal, connector.Float, connector.Time:
		return isPersonalNumber(c.Name)
	}
	return false
}

// isPersonalNumber: the name tells what a number or a time says about a person.
func isPersonalNumber(name string) bool {
	c := pii.ByName(name)
	switch c.Category {
	case pii.Behavioural, pii.Usage, pii.Marketing, pii.Communication, "":
		return false
	}
	return c.Kind != pii.Token
}

func isKeyColumn(t *connector.Table, column string) bool {
	if slices.Contains(t.Primary, column) || isReference(t, column) {
		return true
	}
	return slices.ContainsFunc(t.Uniques, func(u connector.Unique) bool { return slices.Contains(u.Columns, column) })
}

func isChecked(t *connector.Table, column string) bool {
	return slices.ContainsFunc(t.Checks, func(c connector.Check) bool { return slices.Contains(c.Columns, column) })
}
