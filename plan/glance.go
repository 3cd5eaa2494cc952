package plan

import (
	"context"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// glance is one question of a proof: what it asks, what it keeps of each row, and what follows when
// all rows were seen. A nil one asks nothing.
type glance struct {
	d    *catalog.Dataset
	sel  connector.Select
	row  func([]connector.Value)
	done func()
}

// together is how many glances are under way at once.
const together = 4

// ask takes the glances side by side, and draws the conclusions in their order. A dataset that does
// not answer is unproven.
func (l *looker) ask(ctx context.Context, gs []*glance) error {
	seen := make([]bool, len(gs))
	free := make(chan struct{}, together)
	var wg sync.WaitGroup
	for i, g := range gs {
		if !answers(g.d, g.sel) {
			continue
		}
		free <- struct{}{}
		wg.Go(func() {
			seen[i] = look(ctx, g.d, g.sel, g.row) == nil
			<-free
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, g := range gs {
		if seen[i] {
			g.done()
		} else {
			l.unseen(g.d.System, g.d.Name, -1)
		}
	}
	return nil
}

// answers: the dataset still has every column that the question reads.
func answers(d *catalog.Dataset, sel connector.Select) bool {
	for _, c := range sel.Columns {
		if d.Table.Column(c) == nil && d.Table.Locator.Kind != connector.ByPhysical {
			return false
		}
	}
	return true
}

func look(ctx context.Context, d *catalog.Dataset, sel connector.Select, row func([]connector.Value)) error {
	return d.Store.Look(ctx, []connector.Select{sel}, func(_ int, r []connector.Value) error {
		row(r)
		return nil
	})
}

// look asks once; false where the dataset did not answer, which leaves it unproven.
func (l *looker) look(ctx context.Context, d *catalog.Dataset, sel connector.Select, row func([]connector.Value)) (ok bool, err error) {
	err = l.ask(ctx, []*glance{{d, sel, row, func() { ok = true }}})
	return ok, err
}
