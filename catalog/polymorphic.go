package catalog

import (
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// typedKey is a key that means nothing without the word beside it, which says what it is a key of.
type typedKey struct {
	kind, id string // columns: commentable_type and commentable_id, res_model and res_id, content_type_id and object_id
}

var (
	kindWords  = set(`type model class table entity module collection`)
	thingWords = set(`object res resource record row entity item target foreign related ref reference subject source content document doc parent owner`)
	idWords    = set(`id uuid guid pk key`)
)

// typedKeys finds the polymorphic keys of a table: a type or model named like its id, or any of the usual
// words for "the thing meant" beside another. A key that the database declares needs no word beside it.
func typedKeys(t *connector.Table) []typedKey {
	var out []typedKey
	for _, c := range t.Columns {
		stem, word := kindOf(t, c.Name)
		if word == "" {
			continue
		}
		if id := idBeside(t, c.Name, stem, word); id != "" && !slices.ContainsFunc(out, func(p typedKey) bool { return p.id == id }) {
			out = append(out, typedKey{c.Name, id})
		}
	}
	return out
}

// kindOf splits the name of a column that says what something is: its stem, and the word for it. The key
// of a register of types (Django's content_type_id) says so too.
func kindOf(t *connector.Table, column string) (stem []string, word string) {
	toks := pii.Tokens(column)
	if n := len(toks); n > 1 && (toks[n-1] == "id" && isReference(t, column) || toks[n-1] == "name") {
		toks = toks[:n-1] // content_type_id, table_name
	}
	n := len(toks)
	if n == 0 || !kindWords[toks[n-1]] {
		return nil, ""
	}
	return toks[:n-1], toks[n-1]
}

// idBeside finds the key that the column of kinds speaks of. What has a class or a model need not be
// meant by it (vehicle_model beside vehicle_id), so these words count for things without a name only; and
// message_type of a message says what it is itself.
func idBeside(t *connector.Table, kind string, stem []string, word string) string {
	nameless := len(stem) == 0 && word != "type" || len(stem) == 1 && thingWords[stem[0]]
	var any string
	for _, c := range t.Columns {
		toks := pii.Tokens(c.Name)
		n := len(toks) - 1
		if word == "collection" && len(stem) == 0 && slices.Equal(toks, []string{"item"}) && !isReference(t, c.Name) {
			return c.Name
		}
		if n < 1 || c.Name == kind || !idWords[toks[n]] || isReference(t, c.Name) || slices.Equal(t.Primary, []string{c.Name}) {
			continue
		}
		switch {
		case nameless && n == 1 && toks[0] == word: // table_name and table_id
			return c.Name
		case len(stem) > 0 && slices.Equal(toks[:n], stem) && (word == "module" || word == "type" && stem[len(stem)-1] != noun(t.Name) || nameless):
			return c.Name
		case nameless && n == 1 && thingWords[toks[0]] && any == "":
			any = c.Name
		}
	}
	return any
}
