package plan

import (
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
)

// A look long after a run has no journal: that was forgotten with the person. What leads to the person by the identities given
// is held against the approved plan, which knows no person but how many rows of which dataset were to stay.

// Look reads everything again for a request that ran: from its journal while that can be opened,
// else from the identities given, beside the shells that its runs left. It changes nothing.
func (e *Engine) Look(ctx context.Context, q Question, approved *Plan, shells map[string]int64) ([]Remaining, []Proof, error) {
	j, err := e.openJournal(ctx, q.Request)
	if err == nil && j != nil && j.acting {
		o, err := e.conclude(ctx, j, approved, nil, true, func(Progress) {})
		if err != nil {
			return nil, nil, err
		}
		return o.Remaining, o.Proof, nil
	}
	return e.lookByIdentity(ctx, q, approved.Kept, shells)
}

// lookByIdentity walks anew: everything that still leads to the person and is not kept is residue. Where nobody is found any
// more, datasets that know people by something else are no gap: what the run knew it searched for, and what not it said.
func (e *Engine) lookByIdentity(ctx context.Context, q Question, kept []Kept, shells map[string]int64) ([]Remaining, []Proof, error) {
	q.Kind = Erasure
	p, w, err := e.find(ctx, q, false)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	l := e.newLooker(w.g, p)
	l.later = true
	l.left = append(l.left, slices.DeleteFunc(p.Gaps, func(g Remaining) bool { return g.Code == notSearched })...)
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			if n := st.Rows - shells[s.ID+"."+st.Name]; n > 0 && st.Method != catalog.Keep && st.Role == catalog.Own {
				l.left = append(l.left, Remaining{System: s.ID, Dataset: st.Name, Rows: n, Code: "residue", Why: "rows still lead to the person", Who: owner(w.g, s.ID), Next: "plan a new erasure"})
			}
		}
	}
	l.ids, l.long = w.sweepable(), true
	s := &scribe{w: w, open: map[string]*chunk{}, whole: map[string]*chunk{}}
	if err := s.watchText(ctx); err != nil {
		return nil, nil, err
	}
	for system, c := range s.open {
		for _, a := range c.acts {
			if a.verb == watchValues && len(a.set) == 1 {
				l.watchValues(system, a)
			}
		}
	}
	l.mayKeep(kept)
	if err := l.sweep(ctx); err != nil {
		return nil, nil, err
	}
	return l.left, l.proofs(), nil
}

// Shells are how many rows of each dataset, by "system.dataset", the plan leaves without what is personal in them: their keys
// go on leading there.
func (p *Plan) Shells() map[string]int64 {
	out := map[string]int64{}
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			if !removes(st.Method) {
				out[s.ID+"."+st.Name] += st.Rows
			}
		}
	}
	return out
}

// mayKeep lets an identity stand in as many cells of a column as rows were kept, when nothing leads to them any more.
func (l *looker) mayKeep(kept []Kept) {
	for _, d := range l.g.Datasets {
		for _, c := range sweepColumns(d.Table) {
			if n := keptOf(d, kept); n > 0 {
				place := d.ID() + "." + c
				l.kept[place] = max(l.kept[place], n)
			}
		}
	}
}
