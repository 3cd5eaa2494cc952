package plan_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/plan"
)

// TestNothingIsCommittedBeforeTheJournal: a run whose journal cannot be written leaves the stores as they were.
func TestNothingIsCommittedBeforeTheJournal(t *testing.T) {
	trap{tables: customers}.spring(t, func(t *testing.T, c *trapped) {
		p, ctx := c.plan(t), context.Background()
		err := c.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `create trigger full before insert on plan_chunks begin select raise(abort, 'the disk is full'); end`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if o, err := c.Engine.Run(ctx, c.question(plan.Erasure), p, nil); err == nil {
			t.Errorf("ran without a journal: %+v", o)
		}
		c.want(t, `select id from customers order by id`, "1 2 3")
	})
}

// TestAJournalSaysWhatWasDone: when a run is closed no chunk of its journal waits, however late it was marked.
func TestAJournalSaysWhatWasDone(t *testing.T) {
	trap{tables: customers}.spring(t, func(t *testing.T, c *trapped) {
		o := c.erase(t, plan.Complete)
		var chunks, waiting int
		err := c.DB.Write(t.Context(), func(tx *db.Tx) error {
			if err := o.Settle(t.Context(), tx); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), `select count(*), sum(case done when 0 then 1 else 0 end) from plan_chunks`).Scan(&chunks, &waiting)
		})
		if err != nil || chunks == 0 || waiting != 0 {
			t.Errorf("%d of %d chunks wait: %v", waiting, chunks, err)
		}
	})
}

// TestWhatWasNeverClosedIsDoneAgain: a run that the process did not live to close changes nothing the second time.
func TestWhatWasNeverClosedIsDoneAgain(t *testing.T) {
	trap{tables: customers}.spring(t, func(t *testing.T, c *trapped) {
		p := c.plan(t)
		c.run(t, p)
		rows := c.rows(t, `select * from customers order by id`)
		if o := c.run(t, p); o.Status != plan.Complete {
			t.Errorf("remaining %+v, gaps %+v", o.Remaining, o.Gaps)
		}
		c.want(t, `select * from customers order by id`, rows)
	})
}

// TestOneTableThatCannotBeSeenHidesNoOther: what is looked for in one question is looked for alone when that fails.
func TestOneTableThatCannotBeSeenHidesNoOther(t *testing.T) {
	tr := trap{tables: customers + `
create table clicks (id integer primary key, customer_id integer references customers(id));
insert into clicks values (1, 1), (2, 2);`}
	tr.spring(t, func(t *testing.T, c *trapped) {
		c.options.Wrap = func(s connector.Store) connector.Store { return shortSighted{s} }
		o := c.erase(t, plan.Incomplete)
		for _, r := range o.Remaining {
			if r.Code != "unproven" || r.Dataset != "clicks" {
				t.Errorf("remaining %+v", r)
			}
		}
		for _, d := range o.Done {
			if seen := d.Verified == d.Planned; seen != (d.Dataset != "clicks") {
				t.Errorf("done %+v", d)
			}
		}
	})
}

// shortSighted is a store that cannot look at clicks.
type shortSighted struct{ connector.Store }

func (s shortSighted) Look(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	for _, q := range qs {
		if q.Table.Name == "clicks" {
			return errors.New("too far away")
		}
	}
	return s.Store.Look(ctx, qs, row)
}
