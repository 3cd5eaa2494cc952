package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// TestErasureMatchesModel runs the engine on random companies and compares every cell of every
// store with what a model says that knows the rules and nothing of the engine.
func TestErasureMatchesModel(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seedsAnd(t, counts(60, 5000), 80, 173, 253, 663, 2250, 4239) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { eraseRandom(t, seed, engine, stores) })
		}
	})
}

func eraseRandom(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) {
	c := load(t, seed, engine, stores)
	sameAsLoaded(t, c)
	c.open(world.Options{})
	eraseAndCompare(t, c)
}

// eraseAndCompare erases the company's person in its world, from plan to proof.
func eraseAndCompare(t *testing.T, c *company) {
	w, ctx, q := c.world, context.Background(), c.ask(plan.Erasure)
	verdict := model.Judge(c.Company.Company, c.Question)
	p, err := w.Engine.Plan(ctx, q)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	if again, err := w.Engine.Plan(ctx, q); err != nil || again.Hash != p.Hash {
		t.Errorf("the same data gave another plan: %v %s", err, cmp.Diff(p, again))
	}
	if p.Matched != verdict.Matched {
		t.Errorf("matched %d people rows, the model %d", p.Matched, verdict.Matched)
	}
	o, err := w.Engine.Run(ctx, q, p, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.story())
	}
	checkErasure(t, c, verdict, p, o)
	if t.Failed() {
		t.Logf("%s%s: remaining %+v gaps %+v", c.story(), o.Status, o.Remaining, o.Gaps)
	}
}

// sameAsLoaded proves that reading gives what was written, so that a difference later is the engine's.
func sameAsLoaded(t *testing.T, c *company) {
	t.Helper()
	nothing := model.Judge(c.Company.Company, model.Question{})
	for _, d := range nothing.Compare(c.Company.Company, c.snapshot()) {
		t.Fatalf("after loading: %s\n%s", d, c.story())
	}
}

func checkErasure(t *testing.T, c *company, v *model.Verdict, p *plan.Plan, o *plan.Outcome) {
	t.Helper()
	after := c.snapshot()
	differences := v.Compare(c.Company.Company, after)
	residue := v.Residue(c.Company.Company, after)
	for _, d := range differences {
		t.Error(d)
	}
	switch {
	case isComplete(o) && len(residue) > 0:
		t.Errorf("complete, and the person is still in %s", strings.Join(residue, ", "))
	case isComplete(o) && v.Conflicts > 0:
		t.Errorf("complete with %d rows nobody can tell whose they are", v.Conflicts)
	case !isComplete(o) && len(residue) == 0 && v.Conflicts == 0:
		t.Errorf("%s without a reason: remaining %+v gaps %+v", o.Status, o.Remaining, o.Gaps)
	}
	for _, r := range append(o.Remaining, o.Gaps...) {
		if r.System == "" || r.Why == "" || r.Who == "" || r.Next == "" {
			t.Errorf("not exactly named: %+v", r)
		}
	}
	compareCounts(t, v, p)
	if isComplete(o) {
		stillComplete(t, c.world, c.ask(plan.Erasure), p)
	}
}

// stillComplete: what was proven by the journal holds for who looks again later, by the identities alone.
func stillComplete(t *testing.T, w *world.World, q plan.Question, p *plan.Plan) {
	t.Helper()
	q.Request = "dsr_later"
	if left, _, err := w.Engine.Look(context.Background(), q, p, p.Shells()); err != nil || len(left) > 0 {
		t.Errorf("complete, and by the identities not: %+v, %v", left, err)
	}
}

// compareCounts holds the plan's numbers against the model's: what it says is what it does.
func compareCounts(t *testing.T, v *model.Verdict, p *plan.Plan) {
	t.Helper()
	dies, kept := map[string]int64{}, map[string]int64{}
	for r, f := range v.Fates {
		switch {
		case f.Dies:
			dies[r.Table.ID()]++
		case f.Kept:
			kept[r.Table.ID()]++
		}
	}
	for _, s := range p.Systems {
		for _, d := range s.Datasets {
			if d.Method == "delete" || d.Method == "shred" {
				dies[s.ID+"."+d.Name] -= d.Rows
			}
		}
	}
	for _, k := range p.Kept {
		kept[k.System+"."+k.Dataset] -= k.Rows
	}
	for id, n := range dies {
		if n != 0 {
			t.Errorf("%s: %d more rows die than the plan says", id, n)
		}
	}
	for id, n := range kept {
		if n != 0 {
			t.Errorf("%s: %d more rows are kept than the plan says", id, n)
		}
	}
}
