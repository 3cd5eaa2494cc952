package mysql

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// delete removes rows in the order of their keys; where rows of the table refer to each other,
// those referred to come last.
func (t *tx) delete(ctx context.Context, w *work) (int64, error) {
	levels := [][]target{w.targets}
	if own := selfKeys(w.table); len(own) > 0 {
		var err error
		if levels, err = t.levels(ctx, w, own); err != nil {
			return 0, err
		}
	}
	var total int64
	for _, level := range levels {
		for part := range slices.Chunk(level, atOnce) {
			n, err := t.exec(ctx, "DELETE FROM "+full(w.table)+t.where(w, part))
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}

func selfKeys(t *connector.Table) []connector.ForeignKey {
	return slices.DeleteFunc(slices.Clone(t.ForeignKeys), func(k connector.ForeignKey) bool {
		return k.RefTable != t.Name || k.RefSchema != t.Schema
	})
}

// levels orders the targets: first those that no other refers to, then those that only these refer
// to, and so on. Rows in a circle, or referring to themselves, lose the reference first.
func (t *tx) levels(ctx context.Context, w *work, own []connector.ForeignKey) ([][]target, error) {
	if w.fence != "" { // decided under lock, before a reference is taken from a row
		if err := t.reread(ctx, w); err != nil {
			return nil, err
		}
		w.fence = ""
	}
	refers, err := t.references(ctx, w, own)
	if err != nil {
		return nil, err
	}
	waiting := map[int]int{} // by row: how many remaining rows refer to it
	for _, to := range refers {
		for _, j := range to {
			waiting[j]++
		}
	}
	left := map[int]bool{}
	for i := range w.targets {
		left[i] = true
	}
	var levels [][]target
	free := slices.DeleteFunc(slices.Sorted(maps.Keys(left)), func(i int) bool { return waiting[i] > 0 })
	for len(free) > 0 {
		var level []target
		var next []int
		for _, i := range free {
			level = append(level, w.targets[i])
			delete(left, i)
			for _, j := range refers[i] {
				if waiting[j]--; waiting[j] == 0 {
					next = append(next, j)
				}
			}
		}
		slices.Sort(next)
		levels, free = append(levels, level), next
	}
	if len(left) == 0 {
		return levels, nil
	}
	var circle []target
	for _, i := range slices.Sorted(maps.Keys(left)) {
		circle = append(circle, w.targets[i])
	}
	return append(levels, circle), t.loosen(ctx, w, own, circle)
}

// references reads which target refers to which.
func (t *tx) references(ctx context.Context, w *work, own []connector.ForeignKey) (map[int][]int, error) {
	index := map[string]int{}
	for i, x := range w.targets {
		index[x.key.Encode()] = i
	}
	keys := make([]connector.Key, len(w.targets))
	for i, x := range w.targets {
		keys[i] = x.key
	}
	n := len(w.locator.columns)
	from, at := make([]map[int]string, len(own)), make([]map[string]int, len(own))
	q := connector.Select{Table: w.table, Columns: slices.Clone(w.table.Locator.Columns),
		Where: []connector.Match{{Columns: w.table.Locator.Columns, Keys: keys}}}
	for i, k := range own {
		from[i], at[i] = map[int]string{}, map[string]int{}
		q.Columns = append(append(q.Columns, k.Columns...), k.RefColumns...)
	}
	err := t.s.selectOne(ctx, t.tx, q, " FOR UPDATE", func(row []connector.Value) error {
		i, known := index[connector.Key(row[:n]).Encode()]
		if !known {
			return nil
		}
		rest := row[n:]
		for j, k := range own {
			parts := len(k.Columns)
			if child := connector.Key(rest[:parts]); !child.HasNull() {
				from[j][i] = loose(child)
			}
			at[j][loose(rest[parts:2*parts])] = i
			rest = rest[2*parts:]
		}
		return nil
	})
	refers := map[int][]int{}
	for j := range own {
		for i, key := range from[j] {
			if to, ok := at[j][key]; ok {
				refers[i] = append(refers[i], to)
			}
		}
	}
	return refers, err
}

// loose encodes a key as a ci collation would see it. Joining too much costs only another level.
func loose(k connector.Key) string {
	folded := slices.Clone(k)
	for i, v := range folded {
		if v.Kind == connector.Text {
			folded[i].S = connector.Fold(v.S)
		}
	}
	return folded.Encode()
}

// loosen sets nullable references of rows in a circle to NULL.
func (t *tx) loosen(ctx context.Context, w *work, own []connector.ForeignKey, circle []target) error {
	var sets []string
	for _, k := range own {
		for _, n := range k.Columns {
			if c := w.table.Column(n); !c.NotNull && !c.Generated {
				sets = append(sets, name(n)+" = NULL")
				break // one NULL part references nothing
			}
		}
	}
	if len(sets) == 0 {
		return nil // the engine will refuse, and say so
	}
	for part := range slices.Chunk(circle, atOnce) {
		if _, err := t.exec(ctx, "UPDATE "+full(w.table)+" SET "+strings.Join(sets, ", ")+t.where(w, part)); err != nil {
			return err
		}
	}
	return nil
}
