package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Verbs of the journal for rows that get another key, and for those that refer to them. Stores are told to update.
const (
	rekey   connector.Verb = "rekey"   // set: the key, and what else changes in the row
	repoint connector.Verb = "repoint" // rows: the old keys, wherever the columns of set hold them
)

func rekeys(v connector.Verb) bool { return v == rekey || v == repoint }

// moves are what keys become, by the dataset and the columns that hold them.
type moves map[*catalog.Dataset][]move

type move struct {
	columns []string
	keys    map[string]connector.Key // the old one, encoded, to the new
}

func (m moves) note(d *catalog.Dataset, columns []string, old, now connector.Key) {
	i := slices.IndexFunc(m[d], func(o move) bool { return slices.Equal(o.columns, columns) })
	if i < 0 {
		i = len(m[d])
		m[d] = append(m[d], move{columns, map[string]connector.Key{}})
	}
	m[d][i].keys[old.Encode()] = now
}

// after is what the cells of some columns are when all keys have moved.
func (m moves) after(d *catalog.Dataset, columns []string, cells connector.Key) connector.Key {
	for _, o := range m[d] {
		if len(within(o.columns, columns)) < len(o.columns) {
			continue
		}
		part := make(connector.Key, len(o.columns))
		for i, c := range o.columns {
			part[i] = cells[slices.Index(columns, c)]
		}
		now, ok := o.keys[part.Encode()]
		if !ok {
			continue
		}
		cells = slices.Clone(cells)
		for i, c := range o.columns {
			cells[slices.Index(columns, c)] = now[i]
		}
	}
	return cells
}

// columns adds to some columns of a dataset those that move together.
func (m moves) columns(d *catalog.Dataset, columns []string) []string {
	out := slices.Clone(columns)
	for _, o := range m[d] {
		for _, c := range o.columns {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// keyed is a row that gets another key, as it is and as it will be.
type keyed struct {
	set      *rowset
	old, now *record
	step     int
	fields   []string
	values   []connector.Value
}

// rekeyed takes a row out of the ordinary changes.
func (s *scribe) rekeyed(set *rowset, r *record, step int, fields []string, values []connector.Value) {
	now := &record{cells: slices.Clone(r.cells)}
	for i, f := range fields {
		if at, ok := set.at[f]; ok {
			now.cells[at] = values[i]
		}
	}
	s.keyed = append(s.keyed, keyed{set: set, old: &record{cells: slices.Clone(r.cells)}, now: now, step: step, fields: fields, values: values})
}

// letsGoFirst are the columns by which a row that gets another key refers, as a database knows, to rows that go.
func (s *scribe) letsGoFirst(r *record) []string {
	var out []string
	for _, n := range r.nulls {
		if e := s.w.edges[n]; e.FK != nil {
			out = append(out, breakable(e)...)
		}
	}
	return out
}

// letGo breaks those references at once: the row's other changes wait for its key, and that for what goes.
func (s *scribe) letGo(ctx context.Context, set *rowset, r *record) error {
	columns := s.letsGoFirst(r)
	if len(columns) == 0 {
		return nil
	}
	a := s.newAct(set, r, -1, connector.Update, columns)
	a.breaks, a.values, a.rows = true, [][]connector.Value{make([]connector.Value, len(columns))}, []connector.Key{set.key(r)}
	a.fenceRow(set, r)
	return s.add(ctx, set.d.System, a)
}

// rekeys writes them, and the references, to go together: behind what goes, for that is told by its reference. The row is
// first: who would refer to its old key waits for it.
func (s *scribe) rekeys(ctx context.Context) error {
	s.moves = moves{}
	if err := s.followLate(ctx); err != nil {
		return err
	}
	for _, k := range s.keyed {
		d := k.set.d
		old := k.set.values(k.old, keyOf(d))
		s.moves.note(d, keyOf(d), old, k.set.values(k.now, keyOf(d)))
		a := act{dataset: d.Name, verb: rekey, step: k.step, together: true, set: k.fields, rows: []connector.Key{old}, values: [][]connector.Value{k.values}}
		if err := s.add(ctx, d.System, a); err != nil {
			return err
		}
		for _, e := range s.w.repeaters(d, k.fields) {
			if err := s.repoint(ctx, k, e); err != nil {
				return err
			}
		}
		s.noteLinks(k)
	}
	return nil
}

// repoint lets the rows of a reference follow a key.
func (s *scribe) repoint(ctx context.Context, k keyed, e *catalog.Edge) error {
	was, now := k.set.values(k.old, e.ParentColumns), k.set.values(k.now, e.ParentColumns)
	old, ok := convertKey(e.Child, e.ChildColumns, was)
	if !ok {
		return nil
	}
	s.moves.note(k.set.d, e.ParentColumns, was, now)
	if fits, ok := convertKey(e.Child, e.ChildColumns, now); ok {
		now = fits // else the store refuses
	}
	if e.FK == nil {
		s.moved = append(s.moved, ghostMove{e: e, old: old, now: now})
	}
	return s.follow(ctx, e, old, now)
}

// follow gives the rows of a reference the key that the old one became.
func (s *scribe) follow(ctx context.Context, e *catalog.Edge, old, now connector.Key) error {
	s.moves.note(e.Child, e.ChildColumns, old, now)
	return s.add(ctx, e.Child.System, act{dataset: e.Child.Name, verb: repoint, step: -1, together: true, set: e.ChildColumns, rows: []connector.Key{old}, values: [][]connector.Value{now}})
}

// rekeyAct tells a store to update rows by their old key, or by their reference to it.
func rekeyAct(a act, x connector.Act, key []string) connector.Act {
	t := *x.Table
	t.Locator = connector.Locator{Kind: connector.ByUnique, Columns: a.set}
	if a.verb == rekey {
		t.Locator.Columns = key
	}
	x.Verb, x.Table = connector.Update, &t
	return x
}

// noteMoved keeps what keys became: whoever should be gone and is not, refers to that now.
func (l *looker) noteMoved(c chunk) {
	for _, a := range c.acts {
		if d := l.g.Dataset(c.system, a.dataset); a.verb == repoint && d != nil {
			l.moved.note(d, a.set, a.rows[0], a.values[0])
		}
	}
}

// addresses are where rows of an act may be: at their address, or at what it became with a key that is part of it.
func (l *looker) addresses(d *catalog.Dataset, rows []connector.Key) []connector.Key {
	out := rows
	for _, k := range rows {
		if now := l.moved.after(d, d.Table.Locator.Columns, k); !slices.Equal(now, k) {
			out = append(out[:len(out):len(out)], now)
		}
	}
	return out
}

// lookRekey: nothing has the old key, and the row with the new one holds what it was given.
func (l *looker) lookRekey(d *catalog.Dataset, a act) *glance {
	if a.verb == repoint {
		n := int64(0)
		sel := connector.Select{Table: d.Table, Columns: a.set, Where: []connector.Match{{Columns: a.set, Keys: a.rows}}}
		return &glance{d: d, sel: sel, row: func([]connector.Value) { n++ }, done: func() {
			if n > 0 {
				l.residue(d, n, "rows still refer to a key that identifies the person")
			}
		}}
	}
	key := connector.Match{Keys: []connector.Key{{}}}
	for i, c := range a.set {
		if v := a.values[0][i]; slices.Contains(handles(d), c) && !v.IsNull() {
			key.Columns, key.Keys[0] = append(key.Columns, c), append(key.Keys[0], v)
		}
	}
	right := int64(0)
	row := func(row []connector.Value) {
		for i, f := range a.set {
			if !sameCell(d, f, row[i], a.values[0][i]) && !row[i].IsNull() {
				return
			}
		}
		right++
	}
	return &glance{d: d, sel: connector.Select{Table: d.Table, Columns: a.set, Where: []connector.Match{key}}, row: row, done: func() {
		l.count(d, a, right)
		if right == 0 {
			l.residue(d, 1, "the row with the new key is not there, or holds what it should no longer hold")
		}
	}}
}
