package model

import "slices"

// Ship is what an access package must do with a cell.
type Ship int

const (
	Theirs   Ship = iota // it must be in the package
	Withheld             // it must not
	Either               // the rules leave it to the engine
)

// Access says, for every row the package must hold, what becomes of each cell. Rows that are not in
// the answer must not be in the package.
func Access(c *Company, q Question) map[*Row][]Ship {
	v := &Verdict{Fates: map[*Row]*Fate{}}
	w := newWhose(c, q)
	for _, t := range c.Tables {
		for _, r := range t.Rows {
			v.Fates[r] = &Fate{Row: r, Owner: w.owner(r)}
		}
	}
	out := map[*Row][]Ship{}
	for r, f := range v.Fates {
		if f.Owner == Owned || f.Owner == CoOwned {
			out[r] = v.ship(w, f)
		}
	}
	return out
}

func (v *Verdict) ship(w *whose, f *Fate) []Ship {
	t := f.Row.Table
	out := make([]Ship, len(t.Columns))
	authored := slices.ContainsFunc(t.Edges, func(e *Edge) bool { return e.Author })
	if (f.Owner == CoOwned || authored || t.Rule.Erase == "redact") && v.writer(f) != Owned {
		t.withholdText(out)
	}
	if f.Owner != CoOwned {
		return out
	}
	for _, e := range t.Edges {
		direct := e.Role == Own || e.Role == Co || e.Role == Join
		if mine, _ := w.sides(f.Row, e); !direct || mine || !f.Row.set(e) {
			continue
		}
		for _, c := range e.Columns {
			out[t.At(c)] = Withheld // it says who else the row belongs to
			if slices.ContainsFunc(t.Edges, func(o *Edge) bool { return o != e && slices.Contains(o.Columns, c) }) {
				out[t.At(c)] = Either
			}
		}
	}
	return out
}

// withholdText: what somebody else may have written. Whether a short column is prose is not the rules'
// to say.
func (t *Table) withholdText(out []Ship) {
	for i, c := range t.Columns {
		switch {
		case len(t.Rule.Columns) > 0 && slices.Contains(t.Rule.Columns, c.Name):
			out[i] = Withheld
		case len(t.Rule.Columns) > 0 || c.Type == Int || t.refers(c.Name) || slices.Contains(t.Key, c.Name):
		case c.Length == 0 && c.Type == Text:
			out[i] = Withheld
		default:
			out[i] = Either
		}
	}
}
