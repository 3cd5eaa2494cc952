package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// fillWarnings: what does not make the result incomplete, and is good to know before deciding.
func (w *walk) fillWarnings(ctx context.Context, p *Plan, groups []*group) {
	for _, s := range w.g.Systems {
		if s.Schema == nil || s.Err != nil {
			continue
		}
		for _, n := range s.Schema.Notes {
			p.Warnings = append(p.Warnings, Warning{System: s.Config.ID, Dataset: n.Table, Code: n.Code, Message: n.Message, Cure: n.Cure})
		}
		for _, t := range s.Schema.Tables {
			if t.Kind == connector.MatView && w.q.Kind == Erasure {
				p.Warnings = append(p.Warnings, Warning{System: s.Config.ID, Dataset: t.Dataset(), Code: "materialised-view", Message: "a stored copy; it is refreshed after the erasure and read again"})
			}
		}
	}
	for _, d := range w.g.Datasets {
		w.identityWarnings(ctx, p, d)
	}
	for _, d := range w.order() {
		w.indexWarnings(ctx, p, d)
	}
	for _, g := range groups {
		p.Warnings = append(p.Warnings, w.touchWarnings(g)...)
	}
	for id, n := range sorted(w.shared) {
		if n > 0 {
			system, name, _ := strings.Cut(id, ".")
			p.Warnings = append(p.Warnings, Warning{System: system, Dataset: name, Code: "shared", Message: fmt.Sprintf("%d rows are shared with others and stay", n)})
		}
	}
	w.mentionWarnings(p)
	if w.found() {
		for _, d := range w.unsearched() {
			p.Warnings = append(p.Warnings, Warning{System: d.System, Dataset: d.Name, Code: notSearched, Message: knownBy(d)})
		}
	}
}

// missingIndex is the code of a warning that Hash leaves out.
const missingIndex = "missing-index"

// notSearched is the code where people are known by a kind of identity that was not at hand.
const notSearched = "not-searched"

// bigTable, and where an engine does not count its rows smallScan, is where reading everything begins to hurt.
const (
	bigTable  = 10000
	smallScan = 10 * time.Millisecond
)

// indexWarnings: a reference without an index is read whole, by us and by the database's own checks.
func (w *walk) indexWarnings(ctx context.Context, p *Plan, d *catalog.Dataset) {
	for _, e := range d.In {
		t, columns := e.Child.Table, e.ChildColumns
		if e.Child.Ignored || hasIndex(t, columns, e.Value) {
			continue
		}
		if e.Value {
			columns = []string{"lower(" + columns[0] + ")"}
		}
		w.warnIndex(ctx, p, e.Child, e.Path(), columns)
	}
}

// identityWarnings: without an index on the folded form, a search for a person reads every row.
func (w *walk) identityWarnings(ctx context.Context, p *Plan, d *catalog.Dataset) {
	if d.People == nil || d.Ignored {
		return
	}
	for _, id := range d.Known {
		c := d.Table.Column(id.Column)
		if c == nil || hasIndex(d.Table, []string{c.Name}, c.Kind == connector.Text) {
			continue
		}
		columns := []string{c.Name}
		if c.Kind == connector.Text {
			columns[0] = "lower(" + c.Name + ")"
		}
		w.warnIndex(ctx, p, d, d.Name+"."+c.Name, columns)
	}
}

func (w *walk) warnIndex(ctx context.Context, p *Plan, d *catalog.Dataset, path string, columns []string) {
	if d.Table.Rows >= 0 && d.Table.Rows < bigTable {
		return
	}
	warn := Warning{System: d.System, Dataset: d.Name, Code: missingIndex,
		Message: path + " has no index; finding a person there reads the whole table"}
	if x, ok := d.Store.(connector.Explainer); ok {
		warn.Cure = x.IndexStatement(d.Table, columns)
		if cost, err := x.ScanCost(ctx, d.Table, columns); err == nil {
			if d.Table.Rows < 0 && cost < smallScan {
				return
			}
			warn.CostMS = cost.Milliseconds()
		}
	}
	if !slices.ContainsFunc(p.Warnings, func(o Warning) bool { return o.Message == warn.Message && o.System == warn.System }) {
		p.Warnings = append(p.Warnings, warn)
	}
}

// hasIndex: a valid, whole index whose leading columns are these, in any order; for a folded search one
// on the folded form.
func hasIndex(t *connector.Table, columns []string, fold bool) bool {
	return slices.ContainsFunc(t.Indexes, func(ix connector.Index) bool {
		if !ix.Valid || ix.Partial || len(ix.Columns) < len(columns) || fold && !ix.Fold {
			return false
		}
		for _, c := range ix.Columns[:len(columns)] {
			if !slices.Contains(columns, c) {
				return false
			}
		}
		return true
	})
}

func (w *walk) touchWarnings(g *group) []Warning {
	if w.q.Kind != Erasure {
		return nil
	}
	if g.decision.method == catalog.Keep {
		if g.decision.code == "undated" {
			return []Warning{{System: g.d.System, Dataset: g.d.Name, Code: "undated", Message: fmt.Sprintf("%d kept rows have no usable date, so nothing ends their keeping", g.step.Rows)}}
		}
		return nil
	}
	var out []Warning
	for _, tr := range g.d.Table.Triggers {
		if !tr.Disabled {
			message := fmt.Sprintf("trigger %s runs on %s %s (body %s)", tr.Name, strings.ToLower(tr.Timing), strings.ToLower(tr.Event), bodyHash(tr.Body))
			out = append(out, Warning{System: g.d.System, Dataset: g.d.Name, Code: "trigger", Message: message + w.echoWarning(g.d, tr)})
		}
	}
	if g.d.Table.Versioned && g.d.Table.Rights.DeleteHistory {
		out = append(out, Warning{System: g.d.System, Dataset: g.d.Name, Code: "history", Message: "old versions go too, and the engine can only remove those of all rows"})
	}
	if g.decision.method == catalog.Shred {
		out = append(out, Warning{System: g.d.System, Dataset: g.d.Name, Code: "shred", Message: "this store has no keys of its own to destroy: its rows are deleted, as delete does"})
	}
	if g.d.Table.NoRollback {
		out = append(out, Warning{System: g.d.System, Dataset: g.d.Name, Code: "no-rollback", Message: "this table has no transactions: a failure half-way leaves it half done until the retry"})
	}
	return out
}

// noteUnsearched: people datasets that know people by kinds of identity of which none was given or found. Where nobody
// was found at all that is no proof that nobody is there.
func (w *walk) noteUnsearched() {
	if w.again || w.found() {
		return
	}
	for _, d := range w.unsearched() {
		w.gaps = append(w.gaps, Remaining{System: d.System, Dataset: d.Name, Rows: -1, Code: notSearched, Why: knownBy(d), Who: "whoever handles the request", Next: "give one of these too"})
	}
}

// found reports whether any row was met.
func (w *walk) found() bool {
	for _, s := range w.sets {
		if s.n > 0 {
			return true
		}
	}
	return false
}

func (w *walk) unsearched() (out []*catalog.Dataset) {
	kinds := map[string]bool{}
	for id := range w.asked {
		kind, _, _ := strings.Cut(id, "=")
		kinds[kind] = true
	}
	for _, d := range w.g.Datasets {
		if d.People == nil || d.Ignored {
			continue
		}
		searched := w.foundIn(d) // another dataset led to them, as an account does to a patient
		for kind := range d.People.By {
			searched = searched || kinds[kind]
		}
		if !searched {
			out = append(out, d)
		}
	}
	return out
}

// foundIn: some rows of the dataset are the people's.
func (w *walk) foundIn(d *catalog.Dataset) (found bool) {
	if s := w.sets[d]; s != nil {
		s.every(func(r *record) { found = found || r.reached })
	}
	return found
}

func knownBy(d *catalog.Dataset) string {
	return "it knows people by " + strings.Join(slices.Sorted(maps.Keys(d.People.By)), " or ") + ", and none was given or found"
}

func mentionsOf(n int64) string {
	if n == 1 {
		return "one row of somebody else refers to the person"
	}
	return fmt.Sprintf("%d rows of others refer to the person", n)
}

func (w *walk) mentionWarnings(p *Plan) {
	for _, d := range w.order() {
		if n := w.sets[d].foreign; n > 0 {
			p.Warnings = append(p.Warnings, Warning{System: d.System, Dataset: d.Name, Code: "mentions", Message: mentionsOf(n)})
		}
	}
}
