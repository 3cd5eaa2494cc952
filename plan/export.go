package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Item describes the rows a Sink gets: where they are from and what their cells are.
type Item struct {
	System, Dataset string
	Path            string
	Columns         []connector.Column
	Role            catalog.Role // own, or co: also somebody else's
	// Withheld are columns of this row that hold somebody else's words, or who else it belongs to;
	// their cells are NULL here and count as held.
	Withheld []string
}

// Sink takes an access request's rows, one at a time. Rows of one dataset come together.
type Sink interface {
	Row(d Item, row []connector.Value) error
}

// Export finds the people's data and gives it to sink, row by row: all of what is theirs, their side
// of what they share. Text that somebody else wrote is withheld and named. It changes nothing.
func (e *Engine) Export(ctx context.Context, q Question, sink Sink, progress func(Progress)) (*Plan, *Outcome, error) {
	if progress != nil {
		progress(Progress{Phase: "find"})
	}
	q.Kind = Access
	p, w, err := e.find(ctx, q, true)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	o := newOutcome(p)
	held := map[Held]int64{}
	o.Gaps = slices.Clone(o.Gaps)
	for _, d := range w.order() {
		if progress != nil {
			progress(Progress{Phase: "package", System: d.System, Dataset: d.Name})
		}
		found := &unread{columns: map[string]bool{}}
		if err := w.exportDataset(d, sink, held, found); err != nil {
			return nil, nil, err
		}
		if found.rows > 0 {
			g := found.gap(d)
			g.Who = owner(w.g, d.System)
			o.Gaps = append(o.Gaps, g)
		}
	}
	w.fillExport(o, p, held)
	return p, o, ctx.Err()
}

func (w *walk) exportDataset(d *catalog.Dataset, sink Sink, held map[Held]int64, found *unread) error {
	s := w.sets[d]
	if s.n == 0 {
		return nil
	}
	all := make([]int, len(d.Table.Columns))
	for i, c := range d.Table.Columns {
		all[i] = s.at[c.Name]
	}
	opaque, words := opaqueColumns(d), redacts(d) || writerColumn(d) != ""
	row := make([]connector.Value, len(all))
	return s.each(func(r *record) error {
		w.settle(s, r)
		if !r.reached || r.conflict {
			return nil
		}
		for i, at := range all {
			row[i] = r.cells[at]
		}
		item := Item{System: d.System, Dataset: d.Name, Path: w.paths[r.path], Columns: d.Table.Columns, Role: roleOf(r)}
		item.Withheld = w.withhold(s, r, row, words, held)
		if err := w.storage.failed(); err != nil {
			return err
		}
		found.add(opaque, func(i int) connector.Value { return r.cells[s.at[opaque[i]]] }, item.Withheld, file)
		return sink.Row(item, row)
	})
}

// withhold blanks what is not the subject's to have: words of others, which a row of the subject's may hold where words
// is true, and who else owns the row.
func (w *walk) withhold(s *rowset, r *record, row []connector.Value, words bool, held map[Held]int64) []string {
	if !r.co && !words {
		return nil
	}
	var out []string
	blank := func(column, why string) {
		i := columnAt(s.d, column)
		if i < 0 || row[i].IsNull() {
			return
		}
		row[i] = connector.Value{}
		out = append(out, column)
		held[Held{System: s.d.System, Dataset: s.d.Name, Field: column, Why: why}]++
	}
	if r.co {
		for _, e := range s.d.Out {
			if e.Direct() && set(s, r, e) && w.lead(s, r, e) == toOther {
				for _, c := range e.ChildColumns {
					if !sharedColumn(e, c) {
						blank(c, "it says who else the row belongs to")
					}
				}
			}
		}
	}
	if w.q.Reviewed {
		return out
	}
	if w.writerOf(s, r) != bySubject {
		for _, c := range textColumns(s.d) {
			blank(c, "somebody else wrote it, or it is not known who did")
		}
	}
	return out
}

func redacts(d *catalog.Dataset) bool { return d.Rule != nil && d.Rule.Erase == catalog.Redact }

func (w *walk) fillExport(o *Outcome, p *Plan, held map[Held]int64) {
	for h, n := range held {
		h.Rows = n
		o.Held = append(o.Held, h)
	}
	slices.SortFunc(o.Held, func(a, b Held) int {
		return slices.Compare([]string{a.System, a.Dataset, a.Field, a.Why}, []string{b.System, b.Dataset, b.Field, b.Why})
	})
	p.Held = o.Held
	for _, s := range p.Systems {
		o.Done = slices.Grow(o.Done, len(s.Datasets))
		for _, st := range s.Datasets {
			d := Done{System: s.ID, Dataset: st.Name, Method: st.Method, Planned: st.Rows, Found: st.Rows}
			if st.Method == export {
				d.Acted, d.Verified = st.Rows, st.Rows
			}
			o.Done = append(o.Done, d)
		}
	}
	o.Status = Complete
	if len(o.Gaps) > 0 {
		o.Status = Incomplete
	}
}
