package plan_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// TestRowsOutsideMemory: where no more than one row stays in memory, and two pages of the others, plans are
// the same to the last digit of their hash, and erasure and access still do what the model says.
func TestRowsOutsideMemory(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		stores := databases(t, engine)
		for _, seed := range seeds(t, counts(20, 1000)) {
			t.Run(fmt.Sprint("erasure/", seed), func(t *testing.T) { eraseOutsideMemory(t, seed, engine, stores) })
			t.Run(fmt.Sprint("access/", seed), func(t *testing.T) { shipEverybody(t, seed, engine, stores, outside()) })
		}
	})
}

func outside() world.Options { return world.Options{Memory: 1, Chunk: 3} }

func eraseOutsideMemory(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) {
	c := load(t, seed, engine, stores)
	o := outside()
	o.Dir = t.TempDir()
	inside, err := world.Open(context.Background(), world.Options{Dir: o.Dir, Config: c.Config(c.dsns())})
	if err != nil {
		t.Fatal(err)
	}
	c.world = inside
	plans := map[plan.Kind]string{}
	for _, kind := range []plan.Kind{plan.Access, plan.Erasure} {
		p, err := inside.Engine.Plan(context.Background(), c.ask(kind))
		if err != nil {
			t.Fatal(err)
		}
		plans[kind] = p.Hash
	}
	if err := inside.Close(); err != nil {
		t.Fatal(err)
	}
	c.open(o)
	for kind, hash := range plans {
		if p, err := c.world.Engine.Plan(context.Background(), c.ask(kind)); err != nil || p.Hash != hash {
			t.Errorf("%s: %v: another plan outside memory", kind, err)
		}
	}
	eraseAndCompare(t, c)
}
