package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/plan"
)

// TestErasureOfPartOnRandomCompanies: whatever the schema, an erasure of categories touches no cell of another category, no row
// that is wholly somebody else's and none that a hold or a rule keeps; it deletes no row that the erasure of all would leave;
// and done once, it leaves nothing to do.
func TestErasureOfPartOnRandomCompanies(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seeds(t, counts(25, 2000)) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { erasePartRandom(t, load(t, seed, engine, stores)) })
		}
	})
}

func erasePartRandom(t *testing.T, c *company) {
	w, ctx := c.open(world.Options{}), context.Background()
	verdict, q := model.Judge(c.Company.Company, c.Question), c.ask(plan.Erasure)
	r := rand.New(rand.NewPCG(c.Seed, 11))
	asked := []string{string(pii.Contact)}
	if all := pii.Categories(); r.IntN(2) == 0 {
		asked = []string{all[r.IntN(len(all))], string(pii.Identity)}
	}
	q.Limit = &plan.Limit{Categories: asked}
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	o, err := w.Engine.Run(ctx, q, p, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	g, err := w.Catalog.Refresh(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after := c.snapshot()
	for _, table := range c.Tables {
		partOfTable(t, g.Dataset(table.System, table.Name), table, verdict, asked, after)
	}
	if again, err := w.Engine.Plan(ctx, q); err != nil || isComplete(o) && acted(again) {
		t.Errorf("done once, it would do something again: %v %+v", err, again.Systems)
	}
	if t.Failed() {
		t.Logf("asked %v, %s\n%s", asked, o.Status, c.story())
	}
}

func acted(p *plan.Plan) bool {
	for _, s := range p.Systems {
		for _, st := range s.Datasets {
			if st.Method != catalog.Keep {
				return true
			}
		}
	}
	return false
}

// partOfTable holds the rows of a table against what may change.
func partOfTable(t *testing.T, d *catalog.Dataset, table *model.Table, v *model.Verdict, asked []string, after model.Snapshot) {
	t.Helper()
	now := map[string]*model.Row{}
	for _, r := range after[table.ID()] {
		now[r.Mark()] = r
	}
	if len(now) > len(table.Rows) {
		t.Errorf("%s has more rows than before", table.ID())
	}
	for _, r := range table.Rows {
		f, is := v.Fates[r], now[r.Mark()]
		if is == nil {
			if !f.Dies {
				t.Errorf("%s: is gone, and the erasure of all leaves it", f)
			}
			continue
		}
		for i, c := range table.Columns {
			if r.Cells[i] == is.Cells[i] || follows(table, c.Name) {
				continue
			}
			column := slices.IndexFunc(d.Table.Columns, func(x connector.Column) bool { return x.Name == c.Name })
			category := string(catalog.CategoryOf(d, d.Table.Columns[column]))
			if !slices.Contains(asked, category) || f.Kept || f.Owner == model.Nobody {
				t.Errorf("%s: %q of category %q was %s, is %s", f, c.Name, category, r.Cells[i], is.Cells[i])
			}
		}
	}
}

// follows: the column refers to an identity that is a key, and follows it.
func follows(t *model.Table, column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *model.Edge) bool {
		return slices.Contains(e.Columns, column) && slices.ContainsFunc(e.ToColumns, func(to string) bool {
			for _, by := range e.To.People {
				if by == to {
					return true
				}
			}
			return false
		})
	})
}
