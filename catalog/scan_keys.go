package catalog

import (
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// KeyColumn is the one column that rows of a table are known by: its primary key, or what is left of that
// beside the language that a row is written in (uid of uid and langcode). "" when there is none.
func KeyColumn(t *connector.Table) string {
	key := ""
	for _, c := range t.Primary {
		switch {
		case len(t.Primary) > 1 && languages[strings.Join(pii.Tokens(c), "_")]:
		case key != "":
			return ""
		default:
			key = c
		}
	}
	return key
}

var languages = set(`lang langcode lang_code language language_code language_id locale`)

// isShortID: uid, nid, fid: a letter of its own for what it counts, so another dataset's key of that name is its own.
func isShortID(column string) bool {
	return len(column) == 3 && strings.EqualFold(column[1:], "id")
}

// fieldScore: in user__field_phone the entity_id is a user's, as in Drupal's tables of fields.
func fieldScore(d *Dataset, c *connector.Column, k parentKey) float64 {
	base, _, found := strings.Cut(d.Name, "__")
	if !found || c.Name != "entity_id" || k.column != KeyColumn(k.d.Table) {
		return 0
	}
	if noun(strings.TrimSuffix(base, "_revision")) != noun(k.d.Name) {
		return 0
	}
	return 0.9
}
