package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Rows of others may list the person among many: the members of a team. Where ombud.yaml says so, and the person's row goes, the
// entry goes from the list, and every other stays as it was. No index helps to find them, so the table is read, as text is.

// watchList seals the keys that no list may hold when all is done. set: the column; rows: the keys; expect: how many cells may.
const watchList connector.Verb = "list"

// listsOne reports whether a list names one of the keys.
func listsOne(v connector.Value, keys map[string]bool) bool {
	_, said, _ := connector.Elements(v)
	return slices.ContainsFunc(said, func(s string) bool { return keys[s] })
}

// listID names a list in the journal.
func listID(l *catalog.List) string {
	return strings.Join([]string{l.Child.ID(), l.Column, l.Parent.ID(), l.ParentColumn}, "\x00")
}

// listed are the keys by which a list names rows of the people; gone: only those that
// are so no more, of rows that go, or went in an earlier run, and addresses of rows that stay without them.
func (w *walk) listed(l *catalog.List, gone bool) map[string]bool {
	out := map[string]bool{}
	for key := range w.ghosts.lists[listID(l)] {
		out[key] = true
	}
	loses := isBy(l.Parent, l.ParentColumn) && !slices.Contains(l.Parent.Table.Primary, l.ParentColumn) // an address, which no shell keeps
	if s := w.sets[l.Parent]; s != nil {
		s.every(func(r *record) {
			if v := r.cells[s.at[l.ParentColumn]]; r.reached && !v.IsNull() && (!gone || w.dies(s, r) || loses && !r.keep) {
				out[connector.ListKey(v.S)] = true
			}
		})
	}
	return out
}

// goneFrom is listed of rows that go, worked out once their fates are decided.
func (w *walk) goneFrom(l *catalog.List) map[string]bool {
	if w.lost == nil {
		w.lost = map[*catalog.List]map[string]bool{}
	}
	if w.lost[l] == nil {
		w.lost[l] = w.listed(l, true)
	}
	return w.lost[l]
}

// listMentions finds the rows that list the people. What is too large to read inside a request is left to the sweep.
func (w *walk) listMentions(ctx context.Context) error {
	if w.q.Limit != nil {
		return nil
	}
	for _, d := range w.g.Datasets {
		if len(d.Lists) == 0 || d.Ignored || !d.Table.Rights.Select || d.Table.Bytes/sweepRate > w.e.cfg.SweepMS {
			continue
		}
		if err := w.layLists(ctx, d); err != nil {
			return err
		}
		keys, any := make([]map[string]bool, len(d.Lists)), false
		for i, l := range d.Lists {
			keys[i] = w.listed(l, false)
			any = any || len(keys[i]) > 0
		}
		if !any {
			continue
		}
		if err := w.listsIn(ctx, d, keys); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) listsIn(ctx context.Context, d *catalog.Dataset, keys []map[string]bool) error {
	s, strange := w.set(d), int64(0)
	path := w.pathID("list › " + d.Name)
	err := d.Store.Select(ctx, []connector.Select{{Table: d.Table, Columns: s.columns}}, func(_ int, row []connector.Value) error {
		hit := false
		for i, l := range d.Lists {
			v := row[s.at[l.Column]]
			if _, _, ok := connector.Elements(v); !ok && !v.IsNull() {
				strange++
			}
			hit = hit || listsOne(v, keys[i])
		}
		if !hit {
			return nil
		}
		if _, _, err := s.add(&record{cells: slices.Clone(row), path: path, via: -1}, 0); err != nil {
			return ours{err}
		}
		return nil
	})
	if strange > 0 {
		w.gap(d, Remaining{Rows: strange, Code: "list", Why: "ombud.yaml calls a column a list, and these cells are none", Next: "correct the link in ombud.yaml, then plan again"})
	}
	return w.readWhole(ctx, d, err)
}

// layLists forgets the keys of rows that went where there is such a row again: it is somebody new.
func (w *walk) layLists(ctx context.Context, d *catalog.Dataset) error {
	for _, l := range d.Lists {
		var keys []connector.Key
		for key := range sorted(w.ghosts.lists[listID(l)]) {
			if k, ok := convertKey(l.Parent, []string{l.ParentColumn}, connector.Key{connector.TextValue(key)}); ok {
				keys = append(keys, k)
			}
		}
		if len(keys) == 0 || l.Parent.Ignored {
			continue
		}
		s := w.set(l.Parent)
		err := l.Parent.Store.Select(ctx, []connector.Select{w.selectBy(l.Parent, []string{l.ParentColumn}, keys, nil)}, func(_ int, row []connector.Value) error {
			delete(w.ghosts.lists[listID(l)], connector.ListKey(row[s.at[l.ParentColumn]].S))
			return nil
		})
		if err != nil {
			w.unreadable(l.Parent)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// unlisted are the columns of a row that list somebody who goes.
func (w *walk) unlisted(s *rowset, r *record) []string {
	var out []string
	for _, l := range s.d.Lists {
		if listsOne(r.cells[s.at[l.Column]], w.goneFrom(l)) {
			out = append(out, l.Column)
		}
	}
	return out
}

// unlist takes out of a cell whoever goes.
func (w *walk) unlist(d *catalog.Dataset, column string, v connector.Value) connector.Value {
	for _, l := range d.Lists {
		if l.Column == column {
			v = connector.Without(v, w.goneFrom(l))
		}
	}
	return v
}

// watchLists seals who must be in no list any more, and how many cells stay that name them by plan.
func (s *scribe) watchLists(ctx context.Context) error {
	for _, d := range s.w.g.Datasets {
		for _, l := range d.Lists {
			a := act{dataset: d.Name, verb: watchList, step: -1, set: []string{l.Column}}
			for key := range sorted(s.w.goneFrom(l)) {
				a.rows = append(a.rows, connector.Key{connector.TextValue(key)})
			}
			if len(a.rows) == 0 || d.Ignored {
				continue
			}
			n := int64(0)
			if set := s.w.sets[d]; set != nil {
				set.every(func(r *record) {
					s.w.finish(set, r)
					dec, _ := s.w.decideFor(set, r)
					if !s.w.dies(set, r) && !slices.Contains(dec.fields, l.Column) && listsOne(r.cells[set.at[l.Column]], s.w.goneFrom(l)) {
						n++
					}
				})
			}
			a.expect = []string{itoa(n)}
			if err := s.add(ctx, d.System, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// wantedOut is what a sweep looks for in the lists of one column.
type wantedOut struct {
	keys       map[string]bool
	may, found int64
}

func (l *looker) watchList(system string, a act) {
	place := system + "." + a.dataset + "." + a.set[0]
	out := l.lists[place]
	if out == nil {
		out = &wantedOut{keys: map[string]bool{}}
		l.lists[place] = out
	}
	for _, k := range a.rows {
		out.keys[k[0].S] = true
	}
	out.may += atoi(a.expect[0])
}

// nameLists names the lists of a dataset in which the person still stands.
func (l *looker) nameLists(d *catalog.Dataset) {
	for _, c := range d.Table.Columns {
		if out := l.lists[d.ID()+"."+c.Name]; out != nil && out.found > out.may {
			l.residue(d, out.found-out.may, fmt.Sprintf("the person is still listed in %s", c.Name))
		}
	}
}
