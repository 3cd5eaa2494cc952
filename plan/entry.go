package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Whoever wrote without ever being a customer, or whose customer row is gone, is known by the address that their rows
// carry. So an owning edge to an identity column leads in by the identity itself, where nobody in the parent dataset has
// it; where somebody has, the rows are reached from there.

// enter asks for rows that carry an identity of the person whom their parent dataset does not know. False when there was
// nothing to ask that had not been asked before.
func (w *walk) enter(ctx context.Context) (asked bool, err error) {
	var qs []question
	for _, e := range w.g.Edges {
		kind := entryKind(e)
		if kind == "" {
			continue
		}
		if keys := w.homeless(e, kind); len(keys) > 0 {
			qs = append(qs, question{d: e.Child, edge: w.edgeNo[e], path: w.pathID(kind + " › " + e.Path()), sel: w.selectBy(e.Child, e.ChildColumns, keys, e)})
		}
	}
	return len(qs) > 0, w.ask(ctx, qs)
}

// entryKind is the kind of identity by which an edge leads in, "" for one that does not.
func entryKind(e *catalog.Edge) string {
	if !e.Value || e.Role != catalog.Own && e.Role != catalog.Co || e.Child.Ignored || e.Parent.Ignored {
		return ""
	}
	for _, id := range e.Parent.Known {
		if id.Column == e.ParentColumns[0] {
			return id.Kind
		}
	}
	return ""
}

// homeless are the person's identities of a kind that no row of the parent dataset has, in the child's type.
func (w *walk) homeless(e *catalog.Edge, kind string) []connector.Key {
	var out []connector.Key
	for id := range sorted(w.asked) {
		value, is := strings.CutPrefix(id, kind+"=")
		if !is || value == "" {
			continue
		}
		given := connector.Key{connector.TextValue(value)}
		k, ok := convertKey(e.Parent, e.ParentColumns, given)
		child, fits := convertKey(e.Child, e.ChildColumns, given)
		if !ok || !fits {
			continue
		}
		enc := encodeKey(k, true)
		if parents := w.sets[e.Parent]; w.entered[e][enc] || parents != nil && len(reachedOnly(parents.find(e.ParentColumns, true, enc))) > 0 {
			continue
		}
		if w.entered[e] == nil {
			w.entered[e] = map[string]bool{}
		}
		w.entered[e][enc] = true
		out = append(out, child)
	}
	return out
}

// identityColumns are the columns of a dataset in which people stand by a kind of identity: those it knows its people by, then
// those by which rows are found of whom no people dataset knows.
func identityColumns(d *catalog.Dataset) (kinds, columns []string) {
	for _, id := range d.Known {
		kinds, columns = append(kinds, id.Kind), append(columns, id.Column)
	}
	for _, e := range d.Out {
		if kind := entryKind(e); kind != "" && !slices.Contains(columns, e.ChildColumns[0]) {
			kinds, columns = append(kinds, kind), append(columns, e.ChildColumns[0])
		}
	}
	return kinds, columns
}

// mayDangle: a key in a row that can be found without it may say nothing: 0 for a guest, or who was there before an erasure.
func mayDangle(e *catalog.Edge) bool {
	return !e.Value && e.Role == catalog.Own && (e.FK == nil || e.Parent.People != nil && !e.Parent.Ignored) && !e.Parent.Table.RowSecurity && enterable(e.Child)
}

// nobody: number 0 with no identity at all is the row to which what guests do is booked; one of which nothing personal is left
// but a number that is its key, as erasures leave it, was somebody.
func (s *rowset) nobody(r *record, key []string, personal []connector.Value) bool {
	if s.d.People == nil {
		return false
	}
	guest, known := len(key) == 1 && s.values(r, key)[0].S == "0", false
	for _, id := range s.d.Known {
		if c := s.d.Table.Column(id.Column); c != nil && ownNumber(s.d, c) || guest && id.Column == key[0] {
			continue
		}
		if says(s.values(r, []string{id.Column})[0]) {
			return false
		}
		known = true
	}
	return guest || known && !slices.ContainsFunc(personal, says)
}

// says: the cell says something of somebody, and not only that it did.
func says(v connector.Value) bool {
	f := connector.Fold(v.S)
	return f != "" && !isTombstone(f)
}

// enterable: rows of the dataset can be found without the people dataset they belong to.
func enterable(d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return entryKind(e) != "" })
}
