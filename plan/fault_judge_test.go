package plan_test

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/plan"
)

// judge holds the outcome against the stores; false when the fault changed nothing.
func (b *broken) judge(p *plan.Plan, o *plan.Outcome) bool {
	b.t.Helper()
	after := b.snapshot()
	wrong := b.wrong(p, after)
	struck := len(wrong) > 0
	switch b.defect {
	case answerLost, lookFails, goneMidway, goneAtRun, downMidway, downAtRun, downAtPlan, noSelect, noDelete, noUpdate, rowSecurity:
		struck = true
	}
	if !struck {
		if isComplete(o) {
			return false // a cascade did the work all the same
		}
		b.t.Errorf("%s although everything is done", o.Status)
	}
	if isComplete(o) && b.defect != goneAtRun {
		b.t.Errorf("complete, and wrong in %q", wrong)
	}
	b.judgeNames(o, wrong, after)
	return true
}

// judgeNames: every place that is not as it must be is named, and of a lie no other.
func (b *broken) judgeNames(o *plan.Outcome, wrong []string, after model.Snapshot) {
	b.t.Helper()
	var names []string
	refused := map[string]bool{} // systems whose other checks a lie ran into: nothing of it is done
	for _, r := range slices.Concat(o.Remaining, o.Gaps) {
		if r.System == "" || r.Why == "" || r.Who == "" || r.Next == "" {
			b.t.Errorf("not exactly named: %+v", r)
		}
		names = append(names, r.System+"."+r.Dataset)
		refused[r.System] = refused[r.System] || r.Code == "refused"
	}
	switch b.defect {
	case goneAtRun: // a table that is not there any more has nothing that could remain
		return
	case downAtRun, downAtPlan:
		wrong = []string{b.system + "."}
	case noSelect, noDelete, noUpdate, rowSecurity, answerLost, lookFails, goneMidway:
		wrong = []string{b.system + "." + b.dataset}
	}
	for _, id := range wrong {
		if !slices.Contains(names, id) {
			b.t.Errorf("%q is not named", id)
		}
	}
	for _, id := range names {
		system, _, _ := strings.Cut(id, ".")
		if slices.Contains(lies, b.defect) && !slices.Contains(wrong, id) && !refused[system] && !b.stands(id, after) {
			b.t.Errorf("%q is named and as it must be", id)
		}
	}
}

// wrong lists the tables that are not as they would be after a complete erasure of a plan.
func (b *broken) wrong(p *plan.Plan, after model.Snapshot) []string {
	b.t.Helper()
	var out []string
	for _, t := range b.Tables {
		alone := &model.Company{Tables: []*model.Table{t}, Today: b.Today}
		if len(b.verdict.Compare(alone, after)) > 0 || b.undone(t, p, after) {
			out = append(out, t.ID())
		}
	}
	return out
}

// undone: a text that is also somebody else's stands as it was. The model leaves it to the engine, but the plan was to replace it.
func (b *broken) undone(t *model.Table, p *plan.Plan, after model.Snapshot) bool {
	if slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return e.Author }) {
		return false // what others wrote is replaced only where it names the person
	}
	columns := b.replaced(t, p)
	return b.leftFree(t, after, func(r *model.Row, column string) bool {
		return b.verdict.Fates[r].Owner == model.CoOwned && slices.Contains(columns, column)
	})
}

// replaced are the columns, none of a reference, that every step for rows of a table that are also somebody else's changes.
func (b *broken) replaced(t *model.Table, p *plan.Plan) []string {
	var out []string
	for _, c := range t.Columns {
		steps, lists := 0, 0
		for _, s := range p.Systems {
			for _, st := range s.Datasets {
				if s.ID == t.System && st.Name == t.Name && st.Role == catalog.Co && st.Method != catalog.Keep {
					steps++
					if slices.Contains(st.Fields, c.Name) {
						lists++
					}
				}
			}
		}
		if steps > 0 && lists == steps && !slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return slices.Contains(e.Columns, c.Name) }) {
			out = append(out, c.Name)
		}
	}
	return out
}

// stands: the table does name the person still, where the model leaves to the engine whether it may.
func (b *broken) stands(id string, after model.Snapshot) bool {
	i := slices.IndexFunc(b.Tables, func(t *model.Table) bool { return t.ID() == id })
	return i >= 0 && b.leftFree(b.Tables[i], after, func(r *model.Row, column string) bool {
		return slices.ContainsFunc(b.verdict.Identities, func(who string) bool { return strings.Contains(strings.ToLower(r.Cell(column).S), who) })
	})
}

// leftFree: a cell of which the model leaves to the engine what it becomes is as it was, and is one of those.
func (b *broken) leftFree(t *model.Table, after model.Snapshot, those func(r *model.Row, column string) bool) bool {
	for _, r := range t.Rows {
		i := slices.IndexFunc(after[t.ID()], func(is *model.Row) bool { return is.Mark() == r.Mark() })
		f := b.verdict.Fates[r]
		if i < 0 || f.Dies {
			continue
		}
		for at, c := range t.Columns {
			if f.Cells[at] == model.Free && r.Cells[at] == after[t.ID()][i].Cells[at] && !r.Cells[at].Null && those(r, c.Name) {
				return true
			}
		}
	}
	return false
}
