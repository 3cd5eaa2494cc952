package plan

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// looker reads the stores again after a run. It goes by the journal, not by the walk: every planned
// address, every key and identity that led to the person, and the text of everything; and it asks
// through Store.Look, which shares no query builder with what searched and acted.
type looker struct {
	e      *Engine
	g      *catalog.Graph
	p      *Plan
	left   []Remaining
	done   map[int]*Done // per step
	proof  map[string]*Proof
	ids    []string
	former formers
	lists  map[string]*wantedOut // by "system.dataset.column"
	owned  map[string]int64      // former value, NUL and "system.dataset.column" to kept cells in which it stands
	long   bool                  // sweep however long it takes
	sought []*sought
	kept   map[string]int64 // "system.dataset.column" to kept rows in which an identity may stand
	echoes map[string]int64 // rows that triggers wrote, by "system.dataset" and what was done
	moved  moves            // what keys became
	texts  map[string]int64 // "system." and the hash of what such a cell says, to how many say it
	later  bool             // the journal is gone: which rows were kept is known by dataset only
}

// conclude looks again and says what was reached.
func (e *Engine) conclude(ctx context.Context, j *journal, p *Plan, left []Remaining, long bool, progress func(Progress)) (*Outcome, error) {
	progress(Progress{Phase: "look"})
	var l *looker
	err := e.onGraph(ctx, func(known *layout) func(*recheck) error {
		l = e.newLooker(known.g, p)
		l.left, l.long = slices.Clone(left), long
		look := l.journal(ctx, j)
		return func(r *recheck) error {
			r.begin(ctx)
			return look()
		}
	})
	if err != nil {
		return nil, err
	}
	if err := l.sweep(ctx); err != nil {
		return nil, err
	}
	return l.outcome(), ctx.Err()
}

func (e *Engine) newLooker(g *catalog.Graph, p *Plan) *looker {
	l := &looker{e: e, g: g, p: p, done: map[int]*Done{}, proof: map[string]*Proof{}, moved: moves{}, echoes: map[string]int64{}, kept: map[string]int64{}, owned: map[string]int64{}, lists: map[string]*wantedOut{}, texts: map[string]int64{}}
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			l.done[st.Order-1] = &Done{System: s.ID, Dataset: st.Name, Method: st.Method, Planned: st.Rows}
		}
		l.proof[s.ID] = &Proof{System: s.ID, Engine: s.Engine}
	}
	return l
}

// journal gives what looks at everything the journal holds. Stored copies are brought up to date from now
// on, where the journal is at hand to tell what was touched, else afterwards.
func (l *looker) journal(ctx context.Context, j *journal) (look func() error) {
	maintained := func() error { return nil }
	if j.recent != nil {
		for _, h := range j.recent.allHeads() {
			l.tally(h, j.recent.chunks[h.ordinal])
		}
		maintained = l.maintain(ctx)
	}
	return func() error { return l.lookAll(ctx, j, maintained) }
}

// lookAll goes through the journal chunk by chunk.
func (l *looker) lookAll(ctx context.Context, j *journal, maintained func() error) error {
	heads, err := j.heads(ctx)
	if err != nil {
		return errors.Join(err, maintained())
	}
	for _, h := range slices.Backward(heads) { // keys that moved come last
		if err := l.lookThrough(ctx, j, h); err != nil {
			return errors.Join(err, maintained())
		}
	}
	if j.recent == nil {
		maintained = l.maintain(ctx)
	}
	l.weigh()
	return maintained()
}

// tally counts what a chunk did.
func (l *looker) tally(h head, c chunk) {
	for i, a := range c.acts {
		if st := l.done[a.step]; i < len(h.acted) && st != nil && !a.breaks {
			st.Acted += h.acted[i]
			st.Found += h.acted[i]
		} else if i < len(h.acted) {
			l.echoed(c.system, a, h.acted[i])
		}
	}
}

// lookThrough looks at everything one chunk holds.
func (l *looker) lookThrough(ctx context.Context, j *journal, h head) error {
	c, err := j.chunk(ctx, h.ordinal)
	if err != nil {
		return err
	}
	if j.recent == nil {
		l.tally(h, c)
	}
	l.noteMoved(c)
	var gs []*glance
	for _, a := range c.acts {
		again := func() *glance { return l.act(c.system, a) }
		if g := again(); g != nil {
			g.again = again
			gs = append(gs, g)
		}
	}
	return l.ask(ctx, gs)
}

func (l *looker) act(system string, a act) *glance {
	if recalls(a.verb) {
		return nil
	}
	switch a.verb {
	case watchValues:
		l.watchValues(system, a)
		return nil
	case watchFormer:
		l.former.take(system, a)
		return nil
	case watchOwned:
		l.watchOwned(system, a)
		return nil
	case watchList:
		l.watchList(system, a)
		return nil
	}
	d := l.g.Dataset(system, a.dataset)
	if d == nil {
		l.unseen(system, a.dataset, int64(len(a.rows)))
		return nil
	}
	switch {
	case rekeys(a.verb):
		return l.lookRekey(d, a)
	case a.verb == watchKeys:
		return l.watchKeys(d, a)
	case a.verb == watchKept:
		return l.watchKept(d, a)
	case a.verb == connector.Delete:
		return l.gone(d, a)
	case a.breaks:
		return nil
	}
	return l.changed(d, a)
}

// changed: every planned cell holds what was written, or at least no longer what it held.
func (l *looker) changed(d *catalog.Dataset, a act) *glance {
	want := map[string]int{}
	for i, k := range a.rows {
		want[k.Encode()], want[l.moved.after(d, d.Table.Locator.Columns, k).Encode()] = i, i
	}
	n := len(d.Table.Locator.Columns)
	sel := connector.Select{Table: d.Table, Columns: slices.Concat(d.Table.Locator.Columns, a.set), Where: []connector.Match{{Columns: d.Table.Locator.Columns, Keys: l.addresses(d, a.rows)}}}
	bad, found := int64(0), int64(0)
	row := func(row []connector.Value) {
		i, planned := want[connector.Key(row[:n]).Encode()]
		if planned {
			found++
		}
		if planned && !allChanged(row[n:], a, i) {
			bad++
		}
	}
	return &glance{d: d, sel: sel, row: row, done: func() {
		lost := int64(0)
		if mayCascade(d.Table, a.set) {
			lost = int64(len(a.rows)) - found
		}
		l.count(d, a, int64(len(a.rows))-bad-lost)
		if bad > 0 {
			l.residue(d, bad, "cells still hold what they should no longer hold")
		}
		if lost > 0 {
			l.residue(d, lost, "rows that were to stay are gone: the store did not let go of a reference, and its own cascade took them")
		}
	}}
}

// mayCascade: the columns changed are a reference whose parent's end would take the row along, and the
// row has an address that the change leaves.
func mayCascade(t *connector.Table, set []string) bool {
	if t.Locator.Kind != connector.ByPrimary && t.Locator.Kind != connector.ByUnique {
		return false
	}
	return slices.ContainsFunc(t.ForeignKeys, func(fk connector.ForeignKey) bool {
		return fk.OnDelete == connector.Cascade && slices.ContainsFunc(fk.Columns, func(c string) bool { return slices.Contains(set, c) })
	})
}

func allChanged(cells []connector.Value, a act, i int) bool {
	for c, v := range cells {
		written, old := a.values[min(i, len(a.values)-1)][c], connector.Value{}
		if i < len(a.old) {
			old = a.old[i][c]
		}
		if v != written && !old.IsNull() && v == old && written != old {
			return false
		}
	}
	return true
}

// watchKeys: no more rows answer to the key than the plan leaves.
func (l *looker) watchKeys(d *catalog.Dataset, a act) *glance {
	may, err := strconv.ParseInt(a.expect[0], 10, 64)
	if err != nil {
		may = 0 // it was written by us, and authenticated
	}
	if len(a.fence[0].keys) == 0 { // only more of them may stay
		l.soughtBy(d, a).may += may
		return nil
	}
	sel := connector.Select{Table: d.Table, Columns: d.Table.Locator.Columns}
	for i, f := range a.fence {
		sel.Where = append(sel.Where, connector.Match{Columns: f.columns, Keys: f.keys, Fold: a.breaks && i == 0})
	}
	n := int64(0)
	return &glance{d: d, sel: sel, row: func([]connector.Value) { n++ }, done: func() {
		l.proof[d.System].Keys += n
		s := l.soughtBy(d, a)
		s.found, s.may = s.found+n, s.may+may
	}}
}

func (l *looker) watchValues(system string, a act) {
	for _, k := range a.rows {
		l.ids = append(l.ids, k[0].S)
	}
	if len(a.set) == 1 {
		for _, text := range a.expect {
			hash, count, _ := strings.Cut(text, " ")
			n, err := strconv.ParseInt(count, 10, 64)
			if err != nil {
				continue // then it is not let pass
			}
			l.kept[system+"."+a.dataset+"."+a.set[0]] += n
			if !l.later {
				l.texts[system+"."+hash] += n
			}
		}
	}
}

func (l *looker) count(d *catalog.Dataset, a act, verified int64) {
	if st := l.done[a.step]; st != nil {
		st.Verified += verified
	}
	l.proof[d.System].Keys += int64(len(a.rows))
}

func (l *looker) residue(d *catalog.Dataset, rows int64, why string) {
	l.left = append(l.left, Remaining{System: d.System, Dataset: d.Name, Rows: rows, Code: "residue", Why: why, Who: owner(l.g, d.System), Next: retryPlans})
}

const retryPlans = "retry: it plans what is left, for approval"

// uncovered is text that no step speaks of: a retry plans it once a rule does.
func (l *looker) uncovered(d *catalog.Dataset, rows int64, column string) {
	l.residue(d, rows, "an identity of the person still stands in "+column)
	l.left[len(l.left)-1].Next = retryPlans + "; if it stays, a rule must name the column (" + d.Name + ": {erase: redact, columns: [" + column + "]})"
}

func (l *looker) unseen(system, dataset string, rows int64) {
	l.left = append(l.left, Remaining{System: system, Dataset: dataset, Rows: rows, Code: "unproven", Why: "it could not be read again", Who: owner(l.g, system), Next: "retry when it answers"})
}

// outcome weighs it: complete needs no gap, nothing remaining, and every step verified in full.
func (l *looker) outcome() *Outcome {
	o := newOutcome(l.p)
	l.echoMeans()
	for _, s := range l.p.Systems {
		for _, st := range s.Datasets {
			d := *l.done[st.Order-1]
			if st.Method == catalog.Keep || !removes(st.Method) && len(st.Fields) == 0 { // a shell with nothing personal in it
				d.Found, d.Verified = st.Rows, st.Rows
			} else if d.Verified != d.Planned && !l.named(s.ID, st.Name) {
				l.left = append(l.left, Remaining{System: s.ID, Dataset: st.Name, Rows: d.Planned - d.Verified, Code: "unproven", Why: "not every planned row was proven", Who: owner(l.g, s.ID), Next: "retry"})
			}
			o.Done = append(o.Done, d)
		}
	}
	o.Proof = l.proofs()
	o.Remaining = append(o.Remaining, l.left...)
	o.Status = Complete
	if len(o.Remaining) > 0 || len(o.Gaps) > 0 {
		o.Status = Incomplete
	}
	return o
}

func (l *looker) proofs() []Proof {
	out := []Proof{}
	for _, s := range l.p.Systems {
		pr := l.proof[s.ID]
		pr.At = l.e.cfg.Clock.Now().Format(time.RFC3339)
		out = append(out, *pr)
	}
	return out
}

func (l *looker) named(system, dataset string) bool {
	return slices.ContainsFunc(l.left, func(r Remaining) bool {
		return r.System == system && (r.Dataset == dataset || r.Dataset == "")
	})
}

func newOutcome(p *Plan) *Outcome {
	return &Outcome{Kind: p.Kind, Hash: p.Hash, Matched: p.Matched, Done: []Done{}, Kept: p.Kept, Held: []Held{}, Remaining: []Remaining{},
		Ignored: p.Ignored, Gaps: p.Gaps, Warnings: p.Warnings, Proof: []Proof{}}
}
