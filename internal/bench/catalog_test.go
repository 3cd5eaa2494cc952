package bench

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// manyTables is how many the catalog has: 21 columns and two keys each, people in the first.
const manyTables = 1000

func tablesShop(t testing.TB, s *servers, engine string, n int) *shop {
	t.Helper()
	p := &shop{engine: engine, dsn: s.database(t, engine)}
	number, text := "bigint", "varchar(40)"
	if engine == "sqlite" {
		number, text = "INTEGER", "TEXT"
	}
	list := []string{"BEGIN"}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "CREATE TABLE t%d (id %s PRIMARY KEY, a %[2]s, b %[2]s, email %[3]s", i, number, text)
		for c := range 17 {
			fmt.Fprintf(&b, ", c%d %s", c, text)
		}
		if i > 0 {
			fmt.Fprintf(&b, ", FOREIGN KEY (a) REFERENCES t%d, FOREIGN KEY (b) REFERENCES t%d", i/2, i-1)
		}
		list = append(list, b.String()+")", fmt.Sprintf("CREATE INDEX i%d ON t%[1]d (a)", i), fmt.Sprintf("CREATE INDEX j%d ON t%[1]d (b)", i))
	}
	folded := strings.TrimSpace(sqlOf(t, engine, "folded", 0))
	list = append(list, "CREATE INDEX folded ON t0 (("+folded+"))", "INSERT INTO t0 (id, email) VALUES (1, 'User.1@Example.org')", "COMMIT")
	p.run(t, list...)
	p.settle(t)
	return p
}

// tablesConfig answers what the inference would ask, so that nothing but the first link leads to a person.
func (p *shop) tablesConfig() *catalog.Config {
	return &catalog.Config{Systems: []catalog.System{{ID: "shop", Connector: p.engine, DSN: p.dsn,
		People: []catalog.People{{Table: "t0", By: map[string]string{"email": "email"}}}}}}
}

// measureCatalog: a plan over a thousand tables, from nothing known, and again when nothing has changed.
func measureCatalog(t *testing.T, r *report, s *servers, engine string, z size) {
	p := tablesShop(t, s, engine, min(manyTables, z.people/10))
	queries := statements(sqlOf(t, engine, "catalog", 0))
	got := takeTurns(z.rounds, func(round int) map[string]time.Duration {
		w := world.New(t, world.Options{Config: p.tablesConfig(), Dir: t.TempDir(), SweepMS: -1})
		defer w.Close()
		cold := planOnce(t, w, round)
		before := cpu()
		warm := planOnce(t, w, round)
		return map[string]time.Duration{"cold": cold, "warm": warm, "cpu": cpu() - before}
	}, func(int) map[string]time.Duration {
		start := time.Now()
		x := newExpert(t, p)
		defer x.close()
		if n, err := x.read(context.Background(), queries); err != nil || n < 21*min(manyTables, z.people/10) {
			t.Fatal(n, err)
		}
		return map[string]time.Duration{"expert": time.Since(start)}
	})
	r.ratio(fmt.Sprintf("plan over %d tables, cold", min(manyTables, z.people/10)), engine, got["cold"], got["expert"], 1.5)
	c := got["cpu"].median()
	r.add("  catalog unchanged, our CPU", engine, c.String(), "", "", "", "under 50ms", verdict(50, c.Seconds()*1000))
	r.add("  catalog unchanged, time", engine, got["warm"].median().String(), "", "", "", "", "")
}

func planOnce(t *testing.T, w *world.World, round int) time.Duration {
	start := time.Now()
	p, err := w.Engine.Plan(context.Background(), plan.Question{Request: fmt.Sprint("wide-", round), Kind: plan.Erasure, People: []plan.Person{person(1)}})
	if err != nil || p.Matched != 1 {
		t.Fatal(p, err)
	}
	return time.Since(start)
}

// cpu is what this process has used; SQLite runs in it.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
