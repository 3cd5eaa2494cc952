package plan_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
)

// audited are customers whose rows a trigger copies into an audit table before they change and when they go.
func audited(rule ...catalog.TableRule) trap {
	tr := trap{
		tables: customers + oldRows + `
create table clicks (id integer primary key, customer_id integer);
insert into clicks values (1, 1), (2, 2);
create table invoices (id integer primary key, customer_id integer not null references customers(id));
insert into invoices values (1, 1), (2, 2);`,
		extra: map[string]string{},
		system: catalog.System{
			Links:  []catalog.Link{own("old_customers.customer_id"), own("clicks.customer_id")},
			Tables: append([]catalog.TableRule{{Table: "invoices", Erase: catalog.Keep, Because: "law"}}, rule...),
		},
	}
	for engine, s := range keepsOldRows {
		tr.extra[engine] = strings.Replace(s, "after delete", "after update", 1)
	}
	return tr
}

// What a trigger wrote meanwhile goes, or changes, in the same run by the rule of its table; of what is kept a retry says how much, and asks.
func TestWhatTriggersWriteGoesByItsRule(t *testing.T) {
	for name, tc := range map[string]struct {
		rule   []catalog.TableRule
		status plan.Status
		then   string
		after  string
	}{
		"delete": {nil, plan.Complete, "2,bo.before@example.com", "2,bo.before@example.com"},
		"anonymise": {[]catalog.TableRule{{Table: "old_customers", Erase: catalog.Anonymise, Columns: []string{"email"}}}, plan.Complete,
			"1,NULL 1,NULL 2,bo.before@example.com", "1,NULL 1,NULL 2,bo.before@example.com"},
		"redact": {[]catalog.TableRule{{Table: "old_customers", Erase: catalog.Redact, Columns: []string{"email"}}}, plan.Complete,
			"1,[erased] 1,[erased] 2,bo.before@example.com", "1,[erased] 1,[erased] 2,bo.before@example.com"},
		"keep": {[]catalog.TableRule{{Table: "old_customers", Erase: catalog.Keep, Because: "law"}}, plan.Incomplete,
			"1,Ida@Example.com 1,ida.before@example.com 2,bo.before@example.com", "1,Ida@Example.com 1,ida.before@example.com 2,bo.before@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			audited(tc.rule...).spring(t, func(t *testing.T, c *trapped) {
				rows := func() string {
					got := strings.Split(c.rows(t, `select customer_id, email from old_customers`), " ")
					slices.Sort(got)
					return strings.Join(got, " ")
				}
				c.erase(t, tc.status)
				if got := rows(); got != tc.then {
					t.Errorf("after the run %q, want %q", got, tc.then)
				}
				c.erase(t, plan.Complete)
				if got := rows(); got != tc.after {
					t.Errorf("after a retry %q, want %q", got, tc.after)
				}
				c.want(t, `select id from clicks`, "2")
			})
		})
	}
}

// With anything else that has come meanwhile it waits for a new plan, and nothing of it is done.
func TestWhatTriggersWriteWaitsWithWhatNobodyForesaw(t *testing.T) {
	audited().spring(t, func(t *testing.T, c *trapped) {
		var once sync.Once
		c.options.Hook = func(point string) {
			if point == "store:shop:commit" {
				once.Do(func() { c.store.Exec(t, `insert into clicks values (3, 1)`) })
			}
		}
		o := c.erase(t, plan.Incomplete)
		wantNamed(t, o.Remaining, "residue", "clicks")
		wantNamed(t, o.Remaining, "residue", "old_customers")
		c.want(t, `select id from clicks order by id`, "2 3", `select count(*) from old_customers where customer_id = 1`, "1")
		c.erase(t, plan.Complete)
		c.want(t, `select id from clicks`, "2", `select customer_id from old_customers`, "2")
	})
}

// Cut off at any point, the run ends as it would have.
func TestWhatTriggersWriteGoesAfterAnInterruption(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres", "mariadb"} {
		t.Run(engine, func(t *testing.T) {
			cutEverywhere(t, audited(), engine, `select customer_id, email from old_customers`, "2,bo.before@example.com", `select id from clicks`, "2")
		})
	}
	t.Run("changed", func(t *testing.T) {
		tr := audited(catalog.TableRule{Table: "old_customers", Erase: catalog.Anonymise, Columns: []string{"email"}})
		cutEverywhere(t, tr, "sqlite", `select customer_id, email from old_customers order by 1, 2`, "1,NULL 1,NULL 2,bo.before@example.com", `select id from clicks`, "2")
	})
}

// cutEverywhere erases as often as there are points to stop at, and goes on each time to the same end.
func cutEverywhere(t *testing.T, tr trap, engine string, want ...string) {
	t.Helper()
	points := cutAt(t, tr, engine, -1, want)
	if points < 8 {
		t.Errorf("%d points", points)
	}
	step := 1
	if engine != "sqlite" && !soaking() {
		step = 3
	}
	for at := 0; at < points; at += step {
		cutAt(t, tr, engine, at, want)
	}
}

// cutAt erases and stops at a point, then goes on; how many points there are.
func cutAt(t *testing.T, tr trap, engine string, at int, want []string) int {
	t.Helper()
	c := tr.lay(t, engine)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	n := 0
	c.options.Hook = func(string) {
		mu.Lock()
		defer mu.Unlock()
		if n == at {
			cancel()
		}
		n++
	}
	p := c.plan(t)
	_, err := c.Engine.Run(ctx, c.question(plan.Erasure), p, nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatalf("at %d: %v", at, err)
	}
	points := n
	if o := c.run(t, p); o.Status != plan.Complete {
		t.Errorf("after %d: %s, %+v", at, o.Status, o.Remaining)
	}
	c.want(t, want...)
	return points
}
