package plan

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// sorted gives a map in the order of its keys, so that the same input makes the same plan.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// seed searches every people dataset for the given identities, all people in one question per column.
func (w *walk) seed(ctx context.Context) error {
	byKind := map[string]map[string]int{} // kind → value as given → person
	for i, p := range w.q.People {
		for _, id := range p.Identities {
			if byKind[id.Kind] == nil {
				byKind[id.Kind] = map[string]int{}
			}
			byKind[id.Kind][id.Value] = i
			w.asked[id.Kind+"="+connector.Fold(id.Value)] = true
		}
	}
	var qs []question
	for _, d := range w.g.Datasets {
		if d.People == nil || d.Ignored {
			continue
		}
		for _, id := range d.Known {
			if vs := byKind[id.Kind]; len(vs) > 0 {
				if q, ok := w.search(d, id.Kind, id.Column, vs); ok {
					qs = append(qs, q)
				}
			}
		}
	}
	return w.ask(ctx, qs)
}

// search asks one people dataset for identities of one kind.
func (w *walk) search(d *catalog.Dataset, kind, column string, values map[string]int) (question, bool) {
	c := d.Table.Column(column)
	if c == nil {
		w.gap(d, Remaining{Rows: -1, Code: "column-missing", Why: "people/by names a column that is not there", Next: "correct ombud.yaml, then plan again"})
		return question{}, false
	}
	q := question{d: d, edge: -1, path: w.pathID(kind + " › " + d.Name), person: map[string]int{}}
	var keys []connector.Key
	for v, person := range sorted(values) {
		key, ok := connector.TextValue(v), true
		if c.Kind != connector.Text {
			key, ok = d.Store.Convert(connector.TextValue(strings.TrimSpace(v)), c)
		}
		if ok {
			keys = append(keys, connector.Key{key})
			q.person[connector.Fold(key.S)] = person
		}
	}
	q.sel = w.selectBy(d, []string{column}, keys, nil)
	q.sel.Where[0].Fold = c.Kind == connector.Text
	return q, len(keys) > 0
}

// tag remembers whose seed a row is, and counts it once.
func (w *walk) tag(s *rowset, r *record, q question) {
	if r.person > 0 {
		return
	}
	cell := r.cells[s.at[q.sel.Where[0].Columns[0]]]
	r.person = int32(q.person[connector.Fold(cell.S)]) + 1
	r.same = r.person
	w.matched++
}

// identities leads on from seeds and their aliases: a value that is unique in the dataset where it was found names the
// same person in every other people dataset that knows this kind of identity.
func (w *walk) identities(d *catalog.Dataset, recs []*record) []question {
	if d.People == nil {
		return nil
	}
	var qs []question
	s := w.sets[d]
	for _, known := range d.Known {
		kind, column := known.Kind, known.Column
		if !identifying(d.Table, column) {
			continue
		}
		found := map[string]int{}
		for _, r := range recs {
			v := s.values(r, []string{column})[0]
			id := kind + "=" + connector.Fold(v.S)
			if r.same > 0 && !v.IsNull() && strings.TrimSpace(v.S) != "" && !w.asked[id] {
				w.asked[id] = true
				found[v.S] = int(r.same) - 1
			}
		}
		qs = append(qs, w.searchOthers(d, kind, found)...)
	}
	return qs
}

func (w *walk) searchOthers(from *catalog.Dataset, kind string, found map[string]int) []question {
	var qs []question
	for _, d := range w.g.Datasets {
		if d == from || d.Ignored || len(found) == 0 {
			continue
		}
		for _, id := range d.Known {
			if id.Kind != kind {
				continue
			}
			if q, ok := w.search(d, kind, id.Column, found); ok {
				qs = append(qs, q)
			}
		}
	}
	return qs
}

func identifying(t *connector.Table, column string) bool {
	if len(t.Primary) == 1 && t.Primary[0] == column {
		return true
	}
	return slices.ContainsFunc(t.Uniques, func(u connector.Unique) bool {
		return !u.Partial && len(u.Columns) == 1 && u.Columns[0] == column
	})
}

// of is whose seed the row is.
func (r *record) of() int { return int(r.person) - 1 }

// reviewSeeds asks a person when one set of identities led to two rows of the same people dataset,
// or to rows that contradict each other in another identity. Until somebody says they are the same
// (Person.Same), nothing can be approved.
func (w *walk) reviewSeeds() {
	type at struct {
		person  int
		dataset *catalog.Dataset
	}
	rows := map[at]map[string]bool{}
	values, aliases := map[int]map[string][]map[string]bool{}, map[int]map[string][]map[string]bool{} // person → kind → folded values of each row
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil || d.People == nil {
			continue
		}
		s.every(func(r *record) {
			if r.same == 0 {
				return
			}
			person := int(r.same) - 1
			said := values // by rows that an identity led to, and may be somebody else's
			if r.person == 0 {
				said = aliases
			} else if rows[at{person, d}] == nil {
				rows[at{person, d}] = map[string]bool{}
			}
			if r.person > 0 {
				rows[at{person, d}][s.oneRow(r)] = true
			}
			if said[person] == nil {
				said[person] = map[string][]map[string]bool{}
			}
			for kind, vs := range s.identitiesOf(r) {
				said[person][kind] = append(said[person][kind], vs)
			}
		})
	}
	for _, d := range w.g.Datasets {
		for person := range w.q.People {
			if n := len(rows[at{person, d}]); n > 1 && !w.q.People[person].Same {
				w.doubt(d, "several rows match, and only a person can say that they are one", int64(n))
			}
		}
	}
	for person, kinds := range values {
		for kind, rows := range sorted(kinds) {
			if !w.q.People[person].Same && w.contradict(person, kind, rows, aliases[person][kind]) {
				w.doubtKind(kind)
			}
		}
	}
}

// oneRow is the same for rows that differ in nothing of their key but the language they are written in.
func (s *rowset) oneRow(r *record) string {
	if key := catalog.KeyColumn(s.d.Table); key != "" && len(s.d.Table.Primary) > 1 {
		return s.values(r, []string{key}).Encode()
	}
	return strconv.Itoa(int(r.n))
}

// identitiesOf are the folded identities of a row, by kind; what an earlier run wrote is none.
func (s *rowset) identitiesOf(r *record) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, id := range s.d.Known {
		v := r.cells[s.at[id.Column]]
		if v.IsNull() || strings.TrimSpace(v.S) == "" || isTombstone(v.S) {
			continue
		}
		if out[id.Kind] == nil {
			out[id.Kind] = map[string]bool{}
		}
		out[id.Kind][connector.Fold(v.S)] = true
	}
	return out
}

// contradict reports whether rows of one person have identities of a kind that neither was given nor stands in a row
// with one that was, nor in an alias: who names two addresses has two, and who has two in one row has both.
func (w *walk) contradict(person int, kind string, rows, aliases []map[string]bool) bool {
	known := map[string]bool{}
	for _, id := range w.q.People[person].Identities {
		if id.Kind == kind {
			known[connector.Fold(id.Value)] = true
		}
	}
	for _, vs := range aliases {
		maps.Copy(known, vs)
	}
	left := strangers(known, rows)
	if len(left) == len(rows) { // none of what was given stands in any of them
		left = strangers(rows[0], rows)
	}
	return len(left) > 0
}

// strangers are the rows that share no value with those known, nor with a row that does.
func strangers(known map[string]bool, rows []map[string]bool) []map[string]bool {
	known = maps.Clone(known)
	left := slices.Clone(rows)
	for n := -1; n != len(left); {
		n = len(left)
		left = slices.DeleteFunc(left, func(row map[string]bool) bool {
			for v := range row {
				if known[v] {
					maps.Copy(known, row)
					return true
				}
			}
			return false
		})
	}
	return left
}

const samePerson = "look at them; if they are the same person, plan again with --same-person"

func (w *walk) doubt(d *catalog.Dataset, why string, rows int64) {
	g := Remaining{System: d.System, Dataset: d.Name, Rows: rows, Code: "review", Why: why, Who: "whoever handles the request", Next: samePerson}
	if slices.Contains(w.gaps, g) {
		return
	}
	w.gaps = append(w.gaps, g)
	w.review = append(w.review, d.ID()+": "+why+"; "+samePerson)
}

func (w *walk) doubtKind(kind string) {
	for _, d := range w.g.Datasets {
		if d.People == nil || w.sets[d] == nil {
			continue
		}
		if _, ok := d.People.By[kind]; ok {
			w.doubt(d, "the rows found disagree about the "+kind, 1)
			return
		}
	}
}
