package plan_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/gen"
	"github.com/ombudhq/ombud/internal/testkit/mariatest"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/internal/testkit/pgtest"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	_ = mariatest.Env // its server ends with the process
	os.Exit(pgtest.Main(m))
}

// soaking runs the full counts: OMBUD_SOAK=1, or make soak.
func soaking() bool { return os.Getenv("OMBUD_SOAK") != "" }

func counts(short, soak int) int {
	if soaking() {
		return soak
	}
	return short
}

// seeds are the companies of a run: those that OMBUD_SEED names ("17", "17,23", "100-200"), else n from a fixed start,
// so that a failure is the same for everybody.
func seeds(t *testing.T, n int) []uint64 {
	t.Helper()
	var out []uint64
	for _, part := range strings.Split(os.Getenv("OMBUD_SEED"), ",") {
		from, to, _ := strings.Cut(part, "-")
		a, err := strconv.ParseUint(from, 10, 64)
		if err != nil {
			continue
		}
		b, err := strconv.ParseUint(to, 10, 64)
		if err != nil {
			b = a
		}
		for s := a; s <= b; s++ {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		for i := range n {
			out = append(out, uint64(i+1))
		}
	}
	return out
}

// seedsAnd adds companies that once went wrong.
func seedsAnd(t *testing.T, n int, mended ...uint64) []uint64 {
	t.Helper()
	if os.Getenv("OMBUD_SEED") != "" {
		return seeds(t, 0)
	}
	return append(seeds(t, n), slices.DeleteFunc(mended, func(s uint64) bool { return s <= uint64(n) })...)
}

// company is a generated one in real stores, with the program around it.
type company struct {
	*gen.Company
	t      *testing.T
	stores map[string]*world.Store
	world  *world.World
}

// databases are the stores that one engine's companies are loaded into, one after the other.
func databases(t *testing.T, engine string) map[string]*world.Store {
	if engine == gen.SQLite {
		return nil
	}
	return map[string]*world.Store{"a": world.NewStore(t, engine, "a"), "b": world.NewStore(t, engine, "b")}
}

func load(t *testing.T, seed uint64, engine string, stores map[string]*world.Store) *company {
	t.Helper()
	c := &company{Company: gen.New(seed, engine), t: t, stores: stores}
	if stores == nil {
		c.stores = map[string]*world.Store{"a": world.NewStore(t, engine, "a"), "b": world.NewStore(t, engine, "b")}
	}
	t.Cleanup(func() {
		for _, id := range c.Systems {
			if err := c.Drop(context.Background(), c.stores[id].DB, id); err != nil {
				t.Error(err)
			}
		}
	})
	for _, id := range c.Systems {
		if err := c.Load(context.Background(), c.stores[id].DB, id); err != nil {
			t.Fatalf("loading: %v", err)
		}
	}
	return c
}

func (c *company) dsns() map[string]string {
	out := map[string]string{}
	for id, s := range c.stores {
		out[id] = s.DSN
	}
	return out
}

func (c *company) open(o world.Options) *world.World {
	c.t.Helper()
	o.Config = c.Config(c.dsns())
	c.world = world.New(c.t, o)
	return c.world
}

// ask is the company's question to its program.
func (c *company) ask(kind plan.Kind) plan.Question {
	return c.Ask("dsr_1", kind, func(kind, value string) string { return subject.Token(c.world.Vault, kind, value) })
}

func (c *company) snapshot() model.Snapshot {
	c.t.Helper()
	after := model.Snapshot{}
	for _, id := range c.Systems {
		if err := c.Read(context.Background(), c.stores[id].DB, id, after); err != nil {
			c.t.Fatal(err)
		}
	}
	return after
}

// story tells a failing company so that a person can see what it is about.
func (c *company) story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "OMBUD_SEED=%d on %s asks %+v holds %+v\n", c.Seed, c.Engine, c.Question.Identities, c.Question.Holds)
	for _, t := range c.Tables {
		fmt.Fprintf(&b, "  %s key %q unique %q people %v rule %+v\n", t.ID(), t.Key, t.Uniques, t.People, t.Rule)
		for _, e := range t.Edges {
			fmt.Fprintf(&b, "    %q → %s%q %s declared %v value %v when %v %s\n", e.Columns, e.To.ID(), e.ToColumns, e.Role, e.Declared, e.Value, e.When, e.OnDelete)
		}
	}
	return b.String()
}

// eachEngine runs a test on every engine, next to each other.
func eachEngine(t *testing.T, run func(t *testing.T, engine string)) {
	for _, engine := range world.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			run(t, engine)
		})
	}
}

// cellOf is a connector's value as the model writes it.
func cellOf(v connector.Value) model.Cell { return model.Cell{Null: v.IsNull(), S: v.S} }

func isComplete(o *plan.Outcome) bool { return o != nil && o.Status == plan.Complete }
