package plan_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/world"
	"github.com/ombudhq/ombud/plan"
)

// notes are written by one customer about another; those about Ida would go with her row.
func notes(action string) trap {
	return trap{
		tables: customers + `
create table notes (id integer primary key, author integer not null, about integer, foreign key (author) references customers(id),
  foreign key (about) references customers(id) on delete ` + action + `);
insert into notes values (1, 1, null), (2, 1, 2), (3, 2, 3), (4, 2, 1);`,
		system: catalog.System{Links: []catalog.Link{own("notes.author"), {From: "notes.about", To: "customers.id", As: catalog.Mention}}},
	}
}

const strangersNote = `insert into notes values (5, 2, 1)`

func TestRowsThatComeLateDoNotGoWithTheirParent(t *testing.T) {
	for _, action := range []string{"cascade", "set null"} {
		t.Run(action, func(t *testing.T) {
			tr := notes(action)
			t.Run("before anything is touched", func(t *testing.T) {
				tr.spring(t, func(t *testing.T, c *trapped) { asksAgain(t, c) })
			})
			t.Run("before anything is touched, the proof in a chunk of its own", func(t *testing.T) {
				tr.spring(t, func(t *testing.T, c *trapped) {
					c.options.Chunk = 4 // the rows that go or change
					asksAgain(t, c)
				})
			})
			t.Run("half way", func(t *testing.T) {
				tr.spring(t, func(t *testing.T, c *trapped) { stopsHalfWay(t, c) })
			})
			t.Run("at the last moment", func(t *testing.T) {
				tr.spring(t, func(t *testing.T, c *trapped) { keepsOut(t, c) })
			})
		})
	}
}

func asksAgain(t *testing.T, c *trapped) {
	var once sync.Once
	c.options.Hook = func(point string) {
		if point == "own:journal" {
			once.Do(func() { c.store.Exec(t, strangersNote) })
		}
	}
	p := c.plan(t)
	var drift *plan.Drift
	if _, err := c.Engine.Run(context.Background(), c.question(plan.Erasure), p, nil); !errors.As(err, &drift) {
		t.Fatalf("want a drift, got %v", err)
	}
	c.want(t, `select id, author, about from notes where about is not null order by id`, "2,1,2 3,2,3 4,2,1 5,2,1")
	if o := c.run(t, drift.Plan); o.Status != plan.Complete {
		t.Errorf("%s: %+v", o.Status, o.Remaining)
	}
	c.want(t, `select id, author from notes order by id`, "3,2 4,2 5,2", `select id from customers order by id`, "2 3")
}

func stopsHalfWay(t *testing.T, c *trapped) {
	var once sync.Once
	c.options.Chunk = 1
	c.options.Hook = func(point string) {
		if point == "store:shop:commit" {
			once.Do(func() { c.store.Exec(t, strangersNote) })
		}
	}
	o := c.erase(t, plan.Incomplete)
	if len(o.Remaining) == 0 || o.Remaining[0].Code != "moved" || o.Remaining[0].Dataset != "notes" {
		t.Errorf("remaining %+v", o.Remaining)
	}
	c.want(t, `select id, author, about from notes where id = 5`, "5,2,1", `select count(*) from customers`, "3")
	c.erase(t, plan.Complete)
	c.want(t, `select id, author from notes order by id`, "3,2 4,2 5,2", `select id from customers order by id`, "2 3")
}

// keepsOut: between the question and the delete nobody gets in.
func keepsOut(t *testing.T, c *trapped) {
	asked := false
	c.options.Hook = func(point string) {
		if point != "store:shop:guard" {
			return
		}
		asked = true
		if err := insertSoon(c.store, strangersNote); err == nil {
			t.Error("a row came in between")
		}
	}
	c.erase(t, plan.Complete)
	if !asked {
		t.Error("nobody asked who refers to the row")
	}
	c.want(t, `select id, author from notes order by id`, "3,2 4,2", `select id from customers order by id`, "2 3")
}

// insertSoon writes from a session that waits for no lock longer than a moment.
func insertSoon(s *world.Store, statement string) error {
	ctx := context.Background()
	conn, err := s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	patience := map[string]string{"postgres": "set lock_timeout = '50ms'", "mariadb": "set innodb_lock_wait_timeout = 0", "sqlite": "pragma busy_timeout = 0"}[s.Engine]
	if _, err := conn.ExecContext(ctx, patience); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, statement)
	return err
}
