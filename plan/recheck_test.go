package plan_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/plan"
)

// printStore is a store whose fingerprint the test sets. It tells it with rows, unless others write.
type printStore struct {
	fullStore
	print  atomic.Value
	busy   atomic.Bool
	prints atomic.Int64 // how often it was asked for it alone
}

func (s *printStore) Fingerprint(context.Context) (string, error) {
	s.prints.Add(1)
	return s.print.Load().(string), nil
}

func (s *printStore) SelectFingerprinted(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) (string, error) {
	err := s.Select(ctx, qs, row)
	if s.busy.Load() {
		return "", err
	}
	return s.print.Load().(string), err
}

// TestCatalogIsAskedAboutInPassing: where its only store says in passing that the catalog is the same, an access asks
// nothing apart; once it is another, the next access is one of what is there now.
func TestCatalogIsAskedAboutInPassing(t *testing.T) {
	trap{tables: customers}.spring(t, func(t *testing.T, c *trapped) {
		s := &printStore{}
		s.print.Store("first")
		c.options.Wrap = func(real connector.Store) connector.Store {
			s.fullStore = real.(fullStore)
			return s
		}
		c.open(t)
		export := func(apart int64, want string) {
			t.Helper()
			var out shown
			before := s.prints.Load()
			if _, _, err := c.Engine.Export(context.Background(), c.question(plan.Access), &out, nil); err != nil {
				t.Fatal(err)
			}
			if n := s.prints.Load() - before; n != apart || !strings.Contains(string(out), want) {
				t.Errorf("asked about the catalog apart %d times, want %d; given %s", n, apart, out)
			}
		}
		export(1, "Nordmann") // nothing is known yet
		export(1, "Nordmann") // nobody knows yet that it says so
		export(0, "Nordmann")
		c.store.Exec(t, "alter table customers add column shoe varchar(10) default 'size 41'")
		s.print.Store("second")
		export(2, "size 41") // it says so, and is asked again
		export(1, "size 41")
		export(0, "size 41")
		s.busy.Store(true)
		export(1, "size 41")
		c.store.Exec(t, "alter table customers add column hat varchar(10) default 'size 58'")
		s.print.Store("third")
		export(2, "size 58")
	})
}

// shown takes the cells of an export.
type shown string

func (s *shown) Row(_ plan.Item, row []connector.Value) error {
	for _, v := range row {
		*s += shown(v.S + " ")
	}
	return nil
}
