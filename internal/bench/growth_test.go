package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// measureGrowth: people with the same rows in a shop and in one ten times as large.
func measureGrowth(t *testing.T, r *report, s *servers, large *shop, z size) {
	small := newShop(t, s, large.engine, z.people/10)
	ws, wl := small.world(t), large.world(t)
	got := takeTurns(z.rounds, exports(t, "large", wl, large.n), exports(t, "small", ws, small.n))
	r.ratio(fmt.Sprintf("access, tables of %d against %d people", large.n, small.n), large.engine, got["large"], got["small"], 1.3)
}

// measureSweep reads all text of the shop for one person's identities: reported, not judged.
func measureSweep(t *testing.T, r *report, p *shop, z size) {
	w := p.world(t)
	q, approved := planned(t, w, "swept", person(p.n))
	if _, err := w.Engine.Run(context.Background(), q, approved, nil); err != nil {
		t.Fatal(err)
	}
	sweeping := sweeper(t, w)
	var rates []float64
	var bytes int64
	for range 3 {
		start := time.Now()
		_, proofs, err := sweeping.Look(context.Background(), q, approved, approved.Shells())
		if err != nil {
			t.Fatal(err)
		}
		bytes = proofs[0].Swept
		rates = append(rates, float64(bytes)/1e6/time.Since(start).Seconds())
	}
	r.add(fmt.Sprintf("value sweep of %.0f MB of text", float64(bytes)/1e6), p.engine, fmt.Sprintf("%.0f MB/s", rates[1]), "", "", fmt.Sprintf("%.0f to %.0f", min(rates[0], rates[1], rates[2]), max(rates[0], rates[1], rates[2])), "", "")
}

// measureMissing takes indexes away: the plan must say so, with the statement that mends it and what the
// scan costs, before anything runs. The truth is one question that has to read the table.
func measureMissing(t *testing.T, r *report, p *shop, z size) {
	w := p.world(t)
	for _, c := range []struct{ table, index, column string }{{"sessions", "sessions_user", "user_id"}, {"users", "users_folded", "email"}} {
		p.run(t, "DROP INDEX "+c.index)
		q := plan.Question{Request: "missing-" + c.table, Kind: plan.Erasure, People: []plan.Person{person(p.n - 1)}}
		approved, err := w.Engine.Plan(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		warned := warning(approved, c.table)
		truth := scan(t, w.Catalog.Store, c.table, c.column)
		estimate := time.Duration(warned.CostMS) * time.Millisecond
		factor := max(float64(estimate)/float64(truth), float64(truth)/float64(estimate))
		what := fmt.Sprintf("no index on %s.%s: named, with its cure; its cost", c.table, c.column)
		result := verdict(2, factor)
		if !strings.HasPrefix(warned.Cure, "CREATE INDEX") {
			result = "NOT MET"
		}
		r.add(what, p.engine, estimate.String(), truth.String(), fmt.Sprintf("%.2fx", factor), "", "within 2x", result)
		if warned.Cure != "" {
			p.run(t, warned.Cure)
		}
		again, err := w.Engine.Plan(context.Background(), q)
		if err != nil || warning(again, c.table).Code != "" {
			t.Errorf("%s: the cure does not cure: %v", p.engine, err)
		}
	}
}

func warning(p *plan.Plan, table string) plan.Warning {
	for _, w := range p.Warnings {
		if w.Code == "missing-index" && w.Dataset == table {
			return w
		}
	}
	return plan.Warning{}
}

// scan is the median time of a search that no index serves.
func scan(t *testing.T, store func(string) (connector.Store, error), table, column string) time.Duration {
	st, err := store("shop")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := st.Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	d := schema.Table(table)
	m := connector.Match{Columns: []string{column}, Keys: []connector.Key{{connector.IntValue(17)}}}
	if d.Column(column).Kind == connector.Text {
		m = connector.Match{Columns: []string{column}, Keys: []connector.Key{{connector.TextValue(email(17))}}, Fold: true}
	}
	var took samples
	for range 5 {
		start := time.Now()
		err := st.Select(context.Background(), []connector.Select{{Table: d, Columns: d.Locator.Columns, Where: []connector.Match{m}}}, func(int, []connector.Value) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	return took.median()
}

// sweeper is an engine over the same store and journal that sweeps at once, however long it takes.
func sweeper(t testing.TB, w *world.World) *plan.Engine {
	t.Helper()
	e, err := plan.New(context.Background(), plan.Config{Catalog: w.Catalog, DB: w.DB, Vault: w.Vault, Clock: w.Clock, SweepMS: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
