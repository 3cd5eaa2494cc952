package catalog

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// furtherAddresses are the columns that hold other addresses of the same person, by what their names say: at
// work and in private, a second one, one to get back in by. An address that nobody confirmed yet, or that is a
// parent's or a manager's, names nobody here; a column that repeats the first tells nothing new.
func (p *profile) furtherAddresses(first string) (out []string) {
	if first == "" {
		return nil
	}
	for _, c := range p.columns {
		if c == first || p.class[c].Kind != pii.Email || p.class[c].Confidence < 0.8 || !saysFurther(c) && !saysFurther(first) || !isAddress(c) {
			continue
		}
		if len(p.values[c]) >= fewestFurther && p.distinct(c) >= 0.9 && !p.repeats(c, first) {
			out = append(out, c)
		}
	}
	return out
}

const fewestFurther = 5

var (
	furtherWords = set(`private personal home work business office company second secondary alternate alternative alt other additional backup recovery primary main privat arbeid jobb`)
	addressWords = set(`email mail e epost address`)
)

func saysFurther(column string) bool {
	return slices.ContainsFunc(pii.Tokens(column), func(t string) bool { return furtherWords[t] || isDigits(t) || isDigits(strings.TrimPrefix(t, "email")) })
}

// isAddress: nothing but words for an address and for which of several it is.
func isAddress(column string) bool {
	return !slices.ContainsFunc(pii.Tokens(column), func(t string) bool {
		return !furtherWords[t] && !addressWords[strings.TrimRight(t, "0123456789")] && !isDigits(t)
	})
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// repeats: where both are filled, they are mostly the same.
func (p *profile) repeats(column, first string) bool {
	a, b := slices.Index(p.columns, column), slices.Index(p.columns, first)
	both, same := 0, 0
	for _, row := range p.sample {
		if row[a].IsNull() || row[b].IsNull() {
			continue
		}
		both++
		if connector.Fold(row[a].S) == connector.Fold(row[b].S) {
			same++
		}
	}
	return 2*same > both
}
