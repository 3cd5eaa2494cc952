package plan

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// ask puts questions to their stores, each store's in one go, all stores at once.
func (w *walk) ask(ctx context.Context, qs []question) error {
	byStore := map[string][]question{}
	var order []string
	for _, q := range qs {
		if !q.d.Table.Rights.Select {
			w.missingRight(q.d)
			continue
		}
		if _, ok := byStore[q.d.System]; !ok {
			order = append(order, q.d.System)
		}
		byStore[q.d.System] = append(byStore[q.d.System], q)
	}
	errs := make([]error, len(order))
	var wg sync.WaitGroup
	for i, system := range order {
		if i == len(order)-1 { // one store needs no goroutine, whose stack would have to grow anew
			errs[i] = w.askStore(ctx, byStore[system])
			break
		}
		wg.Go(func() { errs[i] = w.askStore(ctx, byStore[system]) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// askStore runs one store's questions pipelined. If that fails before any row came, each is asked
// alone, so that one missing table hides no other.
func (w *walk) askStore(ctx context.Context, qs []question) error {
	rows := 0
	err := w.askTogether(ctx, qs, &rows)
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case isOurs(err):
		return err
	case rows > 0 || len(qs) == 1:
		for _, q := range qs {
			w.unreadable(q.d)
		}
		return nil
	}
	for _, q := range qs {
		if err := w.askStore(ctx, []question{q}); err != nil {
			return err
		}
	}
	return nil
}

// ours marks an error of our own disk or memory, which no other question would avoid.
type ours struct{ error }

func isOurs(err error) bool {
	_, ok := err.(ours)
	return ok
}

func (w *walk) askTogether(ctx context.Context, qs []question, rows *int) error {
	sels := make([]connector.Select, len(qs))
	nth := make([]map[string]int, len(qs))
	for i, q := range qs {
		sels[i] = q.sel
		if q.d.Table.Locator.Kind == connector.ByPredicate {
			nth[i] = map[string]int{}
		}
	}
	w.e.cfg.Hook("ask:" + qs[0].d.System)
	return qs[0].d.Store.Select(ctx, sels, func(i int, row []connector.Value) error {
		*rows++
		w.mu.Lock()
		defer w.mu.Unlock()
		n := 0
		if nth[i] != nil {
			k := connector.Key(row).Encode()
			n = nth[i][k]
			nth[i][k]++
		}
		if err := w.met(qs[i], slices.Clone(row), n); err != nil {
			return ours{err}
		}
		return nil
	})
}

// missingRight and unreadable make the gap that keeps a result from being complete.
func (w *walk) missingRight(d *catalog.Dataset) {
	w.gap(d, Remaining{Rows: -1, Code: "right-missing", Why: "the role may not read it",
		Next: "grant SELECT on it, then plan again"})
}

func (w *walk) unreadable(d *catalog.Dataset) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap(d, Remaining{Rows: -1, Code: "unreadable", Why: "reading it failed", Next: "see that the table is there and answers, then plan again"})
}

func (w *walk) gap(d *catalog.Dataset, r Remaining) {
	r.System, r.Dataset, r.Who = d.System, d.Name, owner(w.g, d.System)
	w.broken[d.ID()] = true
	if !slices.ContainsFunc(w.gaps, func(g Remaining) bool { return g.System == r.System && g.Dataset == r.Dataset && g.Code == r.Code }) {
		w.gaps = append(w.gaps, r)
	}
}

// owner is who acts when a system fails.
func owner(g *catalog.Graph, system string) string {
	for _, s := range g.Systems {
		if s.Config.ID == system && s.Config.Owner != "" {
			return s.Config.Owner
		}
	}
	return "whoever runs " + system
}
