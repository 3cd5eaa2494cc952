package plan

import (
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// gone: no planned address answers any more for the reason it was planned, nor without any: a row that
// somebody else has now is theirs, one that only lost its reference was left behind.
func (l *looker) gone(d *catalog.Dataset, a act) *glance {
	still := int64(0)
	sel := connector.Select{Table: d.Table, Columns: d.Table.Locator.Columns, Where: []connector.Match{{Columns: d.Table.Locator.Columns, Keys: l.addresses(d, a.rows)}}}
	cells := wholeRow(d, &sel, len(a.expect) > 0)
	expect := map[string]bool{}
	for _, h := range a.expect {
		expect[h] = true
	}
	why := causeOf(d, a, &sel, l.moved)
	row := func(row []connector.Value) {
		whole := row[:len(row)-why.width]
		refers := row[len(whole):]
		if why.holds(refers) && (len(a.expect) == 0 || expect[connector.RowHash(whole[cells:])] || why.ours(refers)) {
			still++
		}
	}
	return &glance{d: d, sel: sel, row: row, done: func() {
		l.count(d, a, int64(len(a.rows))-still)
		if still > 0 {
			l.residue(d, still, "rows are still there after deleting them")
		}
	}}
}

// cause is why rows were planned: the keys their references had.
type cause struct {
	keys  []map[string]bool // per fence; true of those that this run gave
	parts []int             // columns of each
	width int
}

// causeOf has the columns read that the fences of an act are about. A key that was given another name since is the same.
func causeOf(d *catalog.Dataset, a act, sel *connector.Select, moved moves) cause {
	var out cause
	for _, f := range a.fence {
		keys := map[string]bool{}
		for _, k := range f.keys {
			old, now := k.Encode(), moved.after(d, f.columns, k).Encode()
			keys[old], keys[now] = false, now != old
		}
		out.keys, out.parts = append(out.keys, keys), append(out.parts, len(f.columns))
		out.width += len(f.columns)
		sel.Columns = append(slices.Clone(sel.Columns), f.columns...)
	}
	return out
}

// holds reports whether a row refers to what it was planned for.
func (r cause) holds(cells []connector.Value) bool {
	return r.each(cells, func(known, _ bool, k connector.Key) bool { return known || k.HasNull() })
}

// ours reports whether a row refers by a key that this run gave: it is no other row, whatever else it holds now.
func (r cause) ours(cells []connector.Value) bool {
	return !r.each(cells, func(_, given bool, _ connector.Key) bool { return !given })
}

// each tells of every reference whether its key is one of the planned, and one that this run gave, while f says true.
func (r cause) each(cells []connector.Value, f func(known, given bool, k connector.Key) bool) bool {
	for i, n := range r.parts {
		k := connector.Key(cells[:n])
		given, known := r.keys[i][k.Encode()]
		if !f(known, given, k) {
			return false
		}
		cells = cells[n:]
	}
	return true
}

// wholeRow adds the row's cells to the select where rows are told by content; the position they start at.
func wholeRow(d *catalog.Dataset, sel *connector.Select, whole bool) int {
	sel.Columns = slices.Clone(sel.Columns)
	at := len(sel.Columns)
	if whole {
		for _, c := range d.Table.Columns {
			sel.Columns = append(sel.Columns, c.Name)
		}
	}
	return at
}
