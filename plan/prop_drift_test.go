package plan_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// meddler changes a company's stores behind the program's back, and tells the model.
type meddler struct {
	*company
	*rand.Rand
	at   []*model.Row // where to look first
	last *model.Row   // what was changed
}

// meddle makes one random change that the store accepts: a new row, a row less, a reference that
// leads elsewhere, another text. It says what it did, "" when the store refused everything.
func (m *meddler) meddle() string {
	for range 20 {
		table := m.Tables[m.IntN(len(m.Tables))]
		if len(table.Rows) == 0 {
			continue
		}
		row := table.Rows[m.IntN(len(table.Rows))]
		if len(m.at) > 0 && m.IntN(3) > 0 {
			row = m.at[m.IntN(len(m.at))]
			table = row.Table
		}
		change := []func(*model.Table, *model.Row) string{m.copyRow, m.dropRow, m.repoint, m.repoint, m.rewrite}[m.IntN(5)]
		if did := change(table, row); did != "" {
			m.last = row
			return fmt.Sprintf("%s in %s, row %q", did, table.ID(), row.Mark())
		}
	}
	return ""
}

func (m *meddler) exec(t *model.Table, statement string, args ...any) bool {
	if m.Engine == gen.Postgres {
		for i := range args {
			statement = strings.Replace(statement, "\x00", fmt.Sprintf("$%d", i+1), 1)
		}
	}
	if m.Engine == gen.SQLite { // which lets a reference lead nowhere where nobody asked for more
		statement = "PRAGMA foreign_keys = ON; " + statement + "; PRAGMA foreign_keys = OFF"
	}
	statement = strings.ReplaceAll(statement, "\x00", "?")
	_, err := m.stores[t.System].DB.ExecContext(context.Background(), statement, args...)
	return err == nil
}

func (m *meddler) name(n string) string { return gen.Quote(m.Engine, n) }

func (m *meddler) where(r *model.Row) string {
	return m.name(r.Table.Mark[0]) + " = " + r.Cell(r.Table.Mark[0]).S
}

// copyRow adds a row like another one: with the same owners, and a key of its own.
func (m *meddler) copyRow(t *model.Table, r *model.Row) string {
	if len(t.Mark) > 1 || t.People != nil {
		return ""
	}
	n := &model.Row{Table: t, Cells: slices.Clone(r.Cells)}
	next := strconv.Itoa(1000 + m.IntN(100000))
	n.Cells[t.At("n")].S = next
	if len(t.Key) > 0 {
		last := t.At(t.Key[len(t.Key)-1])
		n.Cells[last].S = next
	}
	var names, values []string
	var args []any
	for i, c := range t.Columns {
		names = append(names, m.name(c.Name))
		switch cell := n.Cells[i]; {
		case cell.Null:
			values = append(values, "NULL")
		case c.Type == model.Int:
			values = append(values, cell.S)
		default:
			values, args = append(values, "\x00"), append(args, cell.S)
		}
	}
	if !m.exec(t, "INSERT INTO "+m.name(t.Name)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")", args...) {
		return ""
	}
	t.Rows = append(t.Rows, n)
	return "a row more, like another"
}

// dropRow takes one that nobody refers to: what the database would do by itself is another test's.
func (m *meddler) dropRow(t *model.Table, r *model.Row) string {
	if len(t.Mark) > 1 || m.referred(r) || !m.exec(t, "DELETE FROM "+m.name(t.Name)+" WHERE "+m.where(r)) {
		return ""
	}
	t.Rows = slices.DeleteFunc(t.Rows, func(o *model.Row) bool { return o == r })
	return "a row less"
}

func (m *meddler) referred(r *model.Row) bool {
	for _, t := range m.Tables {
		for _, e := range t.Edges {
			if e.To == r.Table && slices.ContainsFunc(t.Rows, func(c *model.Row) bool { return c.Refers(e, r) }) {
				return true
			}
		}
	}
	return false
}

// repoint lets a reference of one column lead to another row.
func (m *meddler) repoint(t *model.Table, r *model.Row) string {
	if len(t.Mark) > 1 || len(t.Edges) == 0 {
		return ""
	}
	e := t.Edges[m.IntN(len(t.Edges))]
	if len(e.Columns) != 1 || slices.Contains(t.Key, e.Columns[0]) || len(e.To.Rows) == 0 || !r.Leads(e) {
		return ""
	}
	to := e.To.Rows[m.IntN(len(e.To.Rows))].Cell(e.ToColumns[0])
	at := t.At(e.Columns[0])
	if to.Null || to == r.Cells[at] || !m.exec(t, "UPDATE "+m.name(t.Name)+" SET "+m.name(e.Columns[0])+" = \x00 WHERE "+m.where(r), m.arg(t.Columns[at], to)) {
		return ""
	}
	r.Cells[at] = to
	return "a reference leads elsewhere"
}

func (m *meddler) arg(c model.Column, cell model.Cell) any {
	if n, err := strconv.ParseInt(cell.S, 10, 64); c.Type == model.Int && err == nil {
		return n
	}
	return cell.S
}

// rewrite changes a text that is no reference and no key.
func (m *meddler) rewrite(t *model.Table, r *model.Row) string {
	i := m.IntN(len(t.Columns))
	c := t.Columns[i]
	if len(t.Mark) > 1 || c.Type != model.Text || c.Business || slices.Contains(t.Key, c.Name) || t.People != nil ||
		slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return slices.Contains(e.Columns, c.Name) }) {
		return ""
	}
	s := fmt.Sprintf("new text %d", m.IntN(1000))
	if !m.exec(t, "UPDATE "+m.name(t.Name)+" SET "+m.name(c.Name)+" = \x00 WHERE "+m.where(r), s) {
		return ""
	}
	r.Cells[i] = model.Cell{S: s}
	return "another text"
}

// TestChangedBetweenPlanAndRun changes something after the approval. Either it makes no difference to
// anything the plan does, or the run touches nothing and asks again; the new plan is then the right one.
func TestChangedBetweenPlanAndRun(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seeds(t, counts(40, 3000)) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { changeAfterApproval(t, seed, engine, stores) })
		}
	})
}

func changeAfterApproval(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) {
	c := load(t, seed, engine, stores)
	w := c.open(world.Options{})
	ctx := context.Background()
	q := c.ask(plan.Erasure)
	before := fates(model.Judge(c.Company.Company, c.Question))
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	m := &meddler{c, rand.New(rand.NewPCG(seed, 1)), nil, nil}
	did := m.meddle()
	verdict := model.Judge(c.Company.Company, c.Question)
	o, err := w.Engine.Run(ctx, q, p, nil)
	var drift *plan.Drift
	switch {
	case errors.As(err, &drift):
		untouched(t, c)
		if o, err = w.Engine.Run(ctx, q, drift.Plan, nil); err != nil {
			t.Fatalf("after %s, and asking again: %v", did, err)
		}
		p = drift.Plan
	case err != nil:
		t.Fatal(err)
	case !slices.Equal(before, fates(verdict)):
		t.Errorf("%s: the plan is another one, and nobody was asked", did)
	}
	checkErasure(t, c, verdict, p, o)
	if t.Failed() {
		t.Logf("%s\n%s%s: remaining %+v gaps %+v", did, c.story(), o.Status, o.Remaining, o.Gaps)
	}
}

// fates is what a verdict does to whom, in order, for comparison.
func fates(v *model.Verdict) []string {
	var out []string
	for _, f := range v.Fates {
		if touched := f.Dies || f.Kept || slices.ContainsFunc(f.Cells, func(c model.Change) bool { return c != model.Same && c != model.Free }); touched {
			out = append(out, fmt.Sprintf("%s dies %v cells %v", f, f.Dies, f.Cells))
		}
	}
	slices.Sort(out)
	return out
}

// untouched: every cell is as the company has it now.
func untouched(t *testing.T, c *company) {
	t.Helper()
	nothing := model.Judge(c.Company.Company, model.Question{})
	for _, d := range nothing.Compare(c.Company.Company, c.snapshot()) {
		t.Errorf("it asked again and touched: %s", d)
	}
}

// TestChangedBetweenLookAndTouch changes something in the moment between the last look at the data and
// the first statement. A row that was given to somebody else stays as it is, whatever the plan said, and
// so does a row that has come. (What hangs on the given row is fenced by its own reference alone, which
// did not change; the next look would see.)
func TestChangedBetweenLookAndTouch(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seedsAnd(t, counts(40, 3000), 180, 207, 316, 474, 562, 2076) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { changeBeforeTouch(t, seed, engine, stores) })
		}
	})
}

func changeBeforeTouch(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) {
	c := load(t, seed, engine, stores)
	planned := model.Judge(c.Company.Company, c.Question)
	m := &meddler{c, rand.New(rand.NewPCG(seed, 2)), planned.Touched(c.Company.Company), nil}
	did := ""
	w := c.open(world.Options{Hook: func(point string) {
		if point == "own:journal" && did == "" {
			did = m.meddle()
		}
	}})
	ctx := context.Background()
	q := c.ask(plan.Erasure)
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.Engine.Run(ctx, q, p, nil)
	var drift *plan.Drift
	if err != nil && !errors.As(err, &drift) {
		t.Fatal(err)
	}
	verdict, after := model.Judge(c.Company.Company, c.Question), c.snapshot()
	if drift != nil {
		untouched(t, c)
		if o, err = w.Engine.Run(ctx, q, drift.Plan, nil); err != nil {
			t.Fatalf("after %s, and asking again: %v", did, err)
		}
		checkErasure(t, c, verdict, drift.Plan, o)
		after = c.snapshot()
	}
	for _, d := range verdict.Others(c.Company.Company, after, planned, m.last) {
		t.Errorf("%s: %s", did, d)
	}
	if residue := verdict.Residue(c.Company.Company, after); isComplete(o) && len(residue) > 0 {
		t.Errorf("%s: complete, and the person is still in %s", did, strings.Join(residue, ", "))
	}
	if t.Failed() {
		t.Logf("%s\n%s", did, c.story())
	}
}
