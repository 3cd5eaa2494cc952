package plan

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// glance is one question of a proof: what it asks, what it keeps of each row, and what follows when
// all rows were seen. A nil one asks nothing.
type glance struct {
	d     *catalog.Dataset
	sel   connector.Select
	row   func([]connector.Value)
	done  func()
	again func() *glance // the same, with no row seen yet; nil where it is asked alone anyway
}

// together is how many looks at one store are under way at once.
const together = 2

// ask puts the glances to their stores, many to a look, and draws the conclusions in their order. A
// dataset that does not answer is unproven.
func (l *looker) ask(ctx context.Context, gs []*glance) error {
	seen := make([]bool, len(gs))
	byStore := map[string][]int{}
	for i, g := range gs {
		if answers(g.d, g.sel) {
			byStore[g.d.System] = append(byStore[g.d.System], i)
		}
	}
	var wg sync.WaitGroup
	var parts [][]int
	for _, mine := range byStore {
		parts = slices.AppendSeq(parts, slices.Chunk(mine, (len(mine)+together-1)/together))
	}
	for i, part := range parts {
		if i == len(parts)-1 { // the last needs no goroutine, whose stack would have to grow anew
			lookAt(ctx, gs, part, seen)
			break
		}
		wg.Go(func() {
			deepen(0)
			lookAt(ctx, gs, part, seen)
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

// lookAt takes some glances at one store in one look. If that fails, each is taken alone, so that one
// missing table hides no other.
func lookAt(ctx context.Context, gs []*glance, part []int, seen []bool) {
	qs := make([]connector.Select, len(part))
	for n, i := range part {
		qs[n] = gs[i].sel
	}
	err := gs[part[0]].d.Store.Look(ctx, qs, func(n int, row []connector.Value) error {
		gs[part[n]].row(row)
		return nil
	})
	for _, i := range part {
		seen[i] = err == nil
	}
	if err == nil || len(part) == 1 || ctx.Err() != nil {
		return
	}
	for _, i := range part {
		gs[i] = gs[i].again()
		lookAt(ctx, gs, []int{i}, seen)
	}
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

// look asks once; false where the dataset did not answer, which leaves it unproven.
func (l *looker) look(ctx context.Context, d *catalog.Dataset, sel connector.Select, row func([]connector.Value)) (ok bool, err error) {
	err = l.ask(ctx, []*glance{{d: d, sel: sel, row: row, done: func() { ok = true }}})
	return ok, err
}
