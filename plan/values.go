package plan

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// values are what identifies the people in text: the identities given, those found in their people
// rows, and their names. They exist in memory while a request is worked on, and sealed in its journal.
type values struct {
	ids   map[string]bool            // folded identities, those that others may share too (a family's telephone)
	sure  map[string]map[string]bool // kind to folded identities that are theirs alone: given, or unique where found
	names map[string]bool            // folded names and parts of names
}

// minSweep is the shortest identity that proves anything when it is found in text: shorter ones
// ("17", "ida") stand in everybody's.
const minSweep = 6

var nameTokens = []string{"name", "firstname", "lastname", "surname", "fullname", "displayname", "first", "last", "given", "family", "nickname"}

// nameColumns are the columns of a people dataset that hold a person's name.
func nameColumns(d *catalog.Dataset) []string {
	if d.People == nil {
		return nil
	}
	var out []string
	for _, c := range d.Table.Columns {
		if c.Kind != connector.Text {
			continue
		}
		toks := strings.FieldsFunc(strings.ToLower(c.Name), func(r rune) bool { return r == '_' || r == '-' || r == ' ' })
		if slices.ContainsFunc(toks, func(t string) bool { return slices.Contains(nameTokens, t) }) && !slices.Contains(toks, "user") && !slices.Contains(toks, "company") {
			out = append(out, c.Name)
		}
	}
	return out
}

// collect gives the values once the walk is done. Nobody changes what it gives.
func (w *walk) collect() values {
	if w.vals.ids == nil {
		w.vals = w.gather()
	}
	return w.vals
}

func (w *walk) gather() values {
	v := newValues()
	v.addAll(w.ghosts.vals)
	for _, p := range w.q.People {
		for _, id := range p.Identities {
			v.addID(id.Kind, id.Value, true)
		}
	}
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil || d.People == nil {
			continue
		}
		names := nameColumns(d)
		s.every(func(r *record) {
			if !r.reached || r.emptied {
				return
			}
			for _, id := range d.Known {
				v.addID(id.Kind, r.cells[s.at[id.Column]].S, identifying(d.Table, id.Column))
			}
			for _, column := range names {
				v.addName(r.cells[s.at[column]].S)
			}
		})
	}
	return v
}

func newValues() values {
	return values{map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}}
}

func (v values) addAll(o values) {
	maps.Copy(v.ids, o.ids)
	maps.Copy(v.names, o.names)
	for kind, ids := range o.sure {
		if v.sure[kind] == nil {
			v.sure[kind] = map[string]bool{}
		}
		maps.Copy(v.sure[kind], ids)
	}
}

func (v values) addID(kind, s string, sure bool) {
	f := connector.Fold(s)
	if f == "" || isTombstone(f) {
		return
	}
	v.ids[f] = true
	if !sure {
		return
	}
	if v.sure[kind] == nil {
		v.sure[kind] = map[string]bool{}
	}
	v.sure[kind][f] = true
}

// addName takes the whole name and its parts: "Ida" in a letter to Ida is hers. Parts of fewer than
// three letters identify nobody.
func (v values) addName(s string) {
	f := connector.Fold(s)
	if utf8.RuneCountInString(f) < 3 {
		return
	}
	v.names[f] = true
	for _, part := range strings.Fields(f) {
		if utf8.RuneCountInString(part) >= 3 {
			v.names[part] = true
		}
	}
}

// known reports whether a folded value is one of the people's identities.
func (w *walk) known(folded string) bool {
	return w.collect().ids[folded]
}

// named reports whether a folded text is a name of the people, whole or cut short ("Ida N."). It
// says nothing by itself: only where the row is theirs anyway.
func (w *walk) named(folded string) bool {
	names := w.collect().names
	first, _, _ := strings.Cut(folded, " ")
	return names[folded] || names[first]
}

// sweepable are the identities long enough to prove something, without such keys of rows that stay: what refers to a
// shell says nothing of whom it was.
func (w *walk) sweepable() []string {
	stays := w.stayingKeys()
	return slices.DeleteFunc(w.collect().sweepable(), func(id string) bool { return stays[id] })
}

// stayingKeys are the folded keys of rows of the people that do not go, where they were made at random or counted.
func (w *walk) stayingKeys() map[string]bool {
	out := map[string]bool{}
	for _, d := range w.g.Datasets {
		s, keys := w.sets[d], slices.DeleteFunc(slices.Clone(d.Table.Primary), func(c string) bool { return !isBy(d, c) })
		if s == nil || len(keys) == 0 {
			continue
		}
		s.every(func(r *record) {
			if w.finish(s, r); !r.reached || !r.emptied && w.dies(s, r) {
				return
			}
			for i, v := range s.values(r, keys) {
				if pii.IsRandom(v.S) || isCounted(d, keys[i]) {
					out[connector.Fold(v.S)] = true
				}
			}
		})
	}
	return out
}

// isCounted: the column's numbers were given out by the store, and its name says of nothing that it is somebody's number.
func isCounted(d *catalog.Dataset, column string) bool {
	c := d.Table.Column(column)
	return c != nil && c.Kind == connector.Int && !pii.ByName(column).Known()
}

// sweepable are the identities long enough to prove something, sorted.
func (v values) sweepable() []string {
	var out []string
	for _, ids := range v.sure {
		for id := range ids {
			if len(id) >= minSweep {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
