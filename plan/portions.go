package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// portions collects rows into acts of at most a chunk, apart by the reason the rows were chosen.
type portions struct {
	s    *scribe
	make func(r *record) act // an act without rows
	key  func(r *record) string
	acts map[string]*act
	keys []string
}

func (s *scribe) portions(key func(*record) string, make func(*record) act) *portions {
	return &portions{s: s, make: make, key: key, acts: map[string]*act{}}
}

func (p *portions) add(ctx context.Context, set *rowset, r *record, row func(a *act)) error {
	k := p.key(r)
	a := p.acts[k]
	if a == nil {
		made := p.make(r)
		a = &made
		p.acts[k] = a
		p.keys = append(p.keys, k)
	}
	a.rows = append(a.rows, set.key(r))
	a.fenceRow(set, r)
	row(a)
	if len(a.rows) < p.s.w.e.cfg.Chunk {
		return nil
	}
	delete(p.acts, k)
	p.keys = slices.DeleteFunc(p.keys, func(o string) bool { return o == k })
	return p.s.add(ctx, set.d.System, *a)
}

func (p *portions) flush(ctx context.Context, system string) error {
	for _, k := range p.keys {
		if err := p.s.add(ctx, system, *p.acts[k]); err != nil {
			return err
		}
	}
	return nil
}

// fenceColumns are why the row was chosen: the reference it came by, or the identity a seed has.
// nil where the reason is only the address.
func (w *walk) fenceColumns(set *rowset, r *record) []string {
	if r.via >= 0 {
		return w.edges[r.via].ChildColumns
	}
	if set.d.People == nil {
		return nil
	}
	for _, id := range set.d.Known {
		if !r.cells[set.at[id.Column]].IsNull() && !slices.Contains(set.d.Table.Locator.Columns, id.Column) {
			return []string{id.Column}
		}
	}
	return nil
}

func (a *act) fenceRow(set *rowset, r *record) {
	for i := range a.fence {
		f := &a.fence[i]
		k := set.values(r, f.columns)
		if !slices.ContainsFunc(lastKeys(f.keys), func(o connector.Key) bool { return slices.Equal(o, k) }) {
			f.keys = append(f.keys, k)
		}
	}
}

// lastKeys bounds the search for a repeated key: rows of one parent come together.
func lastKeys(ks []connector.Key) []connector.Key {
	return ks[max(0, len(ks)-8):]
}

func (s *scribe) newAct(set *rowset, r *record, step int, verb connector.Verb, fields []string) act {
	a := act{dataset: set.d.Name, step: step, verb: verb, set: fields}
	if cols := s.w.fenceColumns(set, r); cols != nil && !slices.ContainsFunc(cols, func(c string) bool { return slices.Contains(fields, c) && verb != connector.Update }) {
		a.fence = []fence{{columns: cols}}
		for column := range sorted(s.w.when(r)) {
			a.fence = append(a.fence, fence{columns: []string{column}})
		}
	}
	return a
}

// when is the condition under which the reference that the row came by is one.
func (w *walk) when(r *record) map[string]string {
	if r.via < 0 {
		return nil
	}
	return w.edges[r.via].When()
}

func (s *scribe) fenceKey(set *rowset) func(*record) string {
	return func(r *record) string {
		k := ""
		for _, c := range s.w.fenceColumns(set, r) {
			k += c + "\x00"
		}
		for column, value := range sorted(s.w.when(r)) {
			k += column + "\x00" + value + "\x00"
		}
		return k
	}
}
