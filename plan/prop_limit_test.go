package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/plan"
)

// sorted are the categories that the columns of random companies are of.
var sorted = []pii.Category{pii.Contact, pii.Identity, pii.Marketing, pii.Communication}

// TestErasureOfPartMatchesModel: whatever the schema, an erasure of categories does to each cell what a model says that knows
// the rules and nothing of the engine: what was asked for goes, all else stays. Where a cell cannot go, the result says so; done
// once, it leaves nothing to do.
func TestErasureOfPartMatchesModel(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seeds(t, counts(40, 3000)) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { erasePartRandom(t, load(t, seed, engine, stores)) })
		}
	})
}

// sort says of every text of a company what it is, and gives the categories to ask for.
func (c *company) sort(r *rand.Rand) (asked []string) {
	for _, table := range c.Tables {
		for i := range table.Columns {
			if column := &table.Columns[i]; column.Type == model.Text && !table.Ignored {
				column.Category = string(sorted[r.IntN(len(sorted))])
			}
		}
	}
	first := r.IntN(len(sorted))
	asked = []string{string(sorted[first])}
	if r.IntN(2) == 0 {
		asked = append(asked, string(sorted[(first+1)%len(sorted)]))
	}
	return asked
}

func erasePartRandom(t *testing.T, c *company) {
	asked := c.sort(rand.New(rand.NewPCG(c.Seed, 11)))
	w, ctx := c.open(world.Options{}), context.Background()
	part, q := model.JudgePart(c.Company.Company, c.Question, asked), c.ask(plan.Erasure)
	q.Limit = &plan.Limit{Categories: asked}
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	o, err := w.Engine.Run(ctx, q, p, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	after := c.snapshot()
	for _, d := range part.Compare(after) {
		t.Error(d)
	}
	if left := part.Left(after); isComplete(o) && len(left) > 0 {
		t.Errorf("complete, and of what was asked for stays %s", strings.Join(left, ", "))
	}
	if again, err := w.Engine.Plan(ctx, q); err != nil || isComplete(o) && acted(again) {
		t.Errorf("done once, it would do something again: %v %+v", err, again.Systems)
	}
	if t.Failed() {
		t.Logf("asked %v, %s: remaining %+v gaps %+v\n%s", asked, o.Status, o.Remaining, o.Gaps, c.story())
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
