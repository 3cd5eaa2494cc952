package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// A row that must stay, and whose primary key is the identity itself, gets another key, and whatever refers to it by a
// declared key gets it too, in one transaction behind everything else: as long as the row has its old key it is the thread
// back in after a crash.

// Verbs of the journal for that. Stores are told to update.
const (
	rekey   connector.Verb = "rekey"   // set: the key, then what else changes in the row
	repoint connector.Verb = "repoint" // rows: the old keys, wherever the reference of set holds them
)

func rekeys(v connector.Verb) bool { return v == rekey || v == repoint }

// keyed is a row that gets another key.
type keyed struct {
	set    *rowset
	key    connector.Key
	step   int
	fields []string
	values []connector.Value
}

// canRekey: every reference to the primary key is one that can be given another value, where we see it.
func (w *walk) canRekey(d *catalog.Dataset) bool {
	if !personalKey(d) || len(d.Table.Primary) != 1 || d.Table.Versioned || w.blind[d] {
		return false
	}
	if slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return slices.Contains(e.ChildColumns, d.Table.Primary[0]) }) {
		return false // it is a reference itself
	}
	return !slices.ContainsFunc(d.In, func(e *catalog.Edge) bool { return refersByKey(e) && !repointable(e) })
}

// canRekeyRow: where key and references change in one statement, no row can be changed twice by it.
func (w *walk) canRekeyRow(s *rowset, r *record) bool {
	return w.canRekey(s.d) && !w.twice[s.d][s.values(r, s.d.Table.Primary).Encode()]
}

// refersByKey: the database itself holds the edge to the parent's primary key.
func refersByKey(e *catalog.Edge) bool {
	return e.FK != nil && slices.ContainsFunc(e.ParentColumns, func(c string) bool { return slices.Contains(e.Parent.Table.Primary, c) })
}

func repointable(e *catalog.Edge) bool {
	t := e.Child.Table
	if len(e.ChildColumns) != 1 || e.Child.Ignored || t.Versioned || t.NoRollback || t.Locator.Moves || !t.Rights.Update || !t.Rights.Select || t.RowSecurity {
		return false
	}
	column := e.ChildColumns[0]
	c := t.Column(column)
	referred := slices.ContainsFunc(e.Child.In, func(o *catalog.Edge) bool { return slices.Contains(o.ParentColumns, column) })
	return c != nil && !c.Generated && !slices.Contains(t.Primary, column) && !slices.Contains(t.Locator.Columns, column) && !referred
}

// references are the keys by which rows refer to those of a dataset, each once.
func references(d *catalog.Dataset) []*catalog.Edge {
	var out []*catalog.Edge
	for _, e := range d.In {
		if refersByKey(e) && !slices.ContainsFunc(out, func(o *catalog.Edge) bool { return o.Child == e.Child && slices.Equal(o.ChildColumns, e.ChildColumns) }) {
			out = append(out, e)
		}
	}
	return out
}

// findTwice finds the keys that one row has in two places: it refers to the row twice, or to itself.
func (w *walk) findTwice() {
	w.twice = map[*catalog.Dataset]map[string]bool{}
	for _, d := range w.order() {
		if engineOf(w.g, d.System) != "postgres" || !w.canRekey(d) {
			continue
		}
		by := map[*catalog.Dataset][]*catalog.Edge{}
		for _, e := range references(d) {
			by[e.Child] = append(by[e.Child], e)
		}
		w.twice[d] = map[string]bool{}
		for child, edges := range by {
			if set := w.sets[child]; set != nil && (len(edges) > 1 || child == d) {
				set.every(func(r *record) { findTwiceIn(set, r, d, edges, w.twice[d]) })
			}
		}
	}
}

func findTwiceIn(set *rowset, r *record, d *catalog.Dataset, edges []*catalog.Edge, twice map[string]bool) {
	var has []string
	if set.d == d {
		has = append(has, set.values(r, d.Table.Primary).Encode())
	}
	for _, e := range edges {
		k, ok := convertKey(d, e.ParentColumns, set.values(r, e.ChildColumns))
		if !ok {
			continue
		}
		if enc := k.Encode(); slices.Contains(has, enc) {
			twice[enc] = true
		} else {
			has = append(has, enc)
		}
	}
}

// newKey adds the primary key to what changes in a row, where it is the identity and can be another.
func (w *walk) newKey(s *rowset, r *record, fields []string) []string {
	if w.canRekeyRow(s, r) {
		return append(fields, s.d.Table.Primary...)
	}
	return fields
}

// getsKey: the decision gives the row another key.
func getsKey(d *catalog.Dataset, fields []string) bool {
	return len(d.Table.Primary) == 1 && slices.Contains(fields, d.Table.Primary[0])
}

// rekeyed takes a row out of the ordinary changes.
func (s *scribe) rekeyed(set *rowset, r *record, step int, fields []string, values []connector.Value) {
	at := slices.Index(fields, set.d.Table.Primary[0])
	k := keyed{set: set, key: set.values(r, set.d.Table.Primary), step: step, fields: []string{fields[at]}, values: []connector.Value{values[at]}}
	for i, f := range fields {
		if i != at {
			k.fields, k.values = append(k.fields, f), append(k.values, values[i])
		}
	}
	s.keyed = append(s.keyed, k)
}

// rekeys writes them, and the references, to go together: behind what goes, for that is told by its reference. The row is
// first: who would refer to its old key waits for it.
func (s *scribe) rekeys(ctx context.Context) error {
	for _, k := range s.keyed {
		d := k.set.d
		a := act{dataset: d.Name, verb: rekey, step: k.step, together: true, set: k.fields, rows: []connector.Key{k.key}, values: [][]connector.Value{k.values}}
		if err := s.add(ctx, d.System, a); err != nil {
			return err
		}
		for _, e := range references(d) {
			old, ok := convertKey(e.Child, e.ChildColumns, k.key)
			if !ok {
				continue
			}
			a := act{dataset: e.Child.Name, verb: repoint, step: -1, together: true, set: e.ChildColumns, rows: []connector.Key{old}, values: [][]connector.Value{k.values[:1]}}
			if err := s.add(ctx, d.System, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// rekeyAct tells a store to update rows by their old key, or by their reference to it.
func rekeyAct(a act, x connector.Act) connector.Act {
	t := *x.Table
	t.Locator = connector.Locator{Kind: connector.ByUnique, Columns: a.set[:1]}
	x.Verb, x.Table = connector.Update, &t
	return x
}

// noteMoved keeps what keys became: whoever should be gone and is not, refers to that now.
func (l *looker) noteMoved(c chunk) {
	for _, a := range c.acts {
		d := l.g.Dataset(c.system, a.dataset)
		if a.verb != repoint || d == nil {
			continue
		}
		id := referenceID(d, a.set)
		if l.moved[id] == nil {
			l.moved[id] = map[string]string{}
		}
		l.moved[id][a.rows[0].Encode()] = connector.Key(a.values[0]).Encode()
	}
}

// lookRekey: nothing has the old key, and the row with the new one holds what it was given.
func (l *looker) lookRekey(d *catalog.Dataset, a act) *glance {
	key := a.set[:1]
	if a.verb == repoint {
		n := int64(0)
		sel := connector.Select{Table: d.Table, Columns: key, Where: []connector.Match{{Columns: key, Keys: a.rows}}}
		return &glance{d: d, sel: sel, row: func([]connector.Value) { n++ }, done: func() {
			if n > 0 {
				l.residue(d, n, "rows still refer to a key that identifies the person")
			}
		}}
	}
	right := int64(0)
	sel := connector.Select{Table: d.Table, Columns: a.set, Where: []connector.Match{{Columns: key, Keys: []connector.Key{a.values[0][:1]}}}}
	row := func(row []connector.Value) {
		for i, f := range a.set {
			if !sameCell(d, f, row[i], a.values[0][i]) && !row[i].IsNull() {
				return
			}
		}
		right++
	}
	return &glance{d: d, sel: sel, row: row, done: func() {
		l.count(d, a, right)
		if right == 0 {
			l.residue(d, 1, "the row with the new key is not there, or holds what it should no longer hold")
		}
	}}
}

// rekeyWarnings tell whose references change with a key.
func (w *walk) rekeyWarnings(p *Plan, groups []*group) error {
	for _, g := range groups {
		if !getsKey(g.d, g.decision.fields) {
			continue
		}
		for _, e := range references(g.d) {
			set, n := w.sets[e.Child], int64(0)
			if set == nil {
				continue
			}
			err := set.each(func(r *record) error {
				w.finish(set, r)
				if !w.dies(set, r) && len(w.parents(set, r, e)) > 0 {
					n++
				}
				return nil
			})
			if err != nil {
				return err
			}
			if n > 0 {
				p.Warnings = append(p.Warnings, Warning{System: e.Child.System, Dataset: e.Child.Name, Code: "rekey",
					Message: fmt.Sprintf("the key of %s is the identity: it gets another, and %d rows here refer to that", g.d.Name, n)})
			}
		}
	}
	return nil
}
