package catalog

import (
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// CategoryOf is the category of a column's data: what ombud.yaml says of it, else what the kind of identity in it or its
// name tells. "" when nothing does.
func CategoryOf(d *Dataset, c connector.Column) pii.Category {
	if d.Rule != nil && !d.Rule.Rejected && d.Rule.Categories[c.Name] != "" {
		return pii.Category(d.Rule.Categories[c.Name])
	}
	if d.People != nil {
		for _, id := range d.Known {
			if known := pii.ByName(id.Kind); id.Column == c.Name && known.Known() {
				return known.Category
			}
		}
	}
	if isName(c.Name) && (d.People != nil || isPersonNoun(noun(d.Name))) {
		return pii.Identity
	}
	return pii.ByName(c.Name).Category
}
