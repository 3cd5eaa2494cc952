package plan

import (
	"cmp"
	"context"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// ask puts questions to their stores, each store's in one go, all stores at once. It orders qs anew.
func (w *walk) ask(ctx context.Context, qs []question) error {
	qs = slices.DeleteFunc(qs, func(q question) bool {
		if !q.d.Table.Rights.Select {
			w.missingRight(q.d)
		}
		return !q.d.Table.Rights.Select
	})
	slices.SortStableFunc(qs, func(a, b question) int { return cmp.Compare(a.d.System, b.d.System) })
	return w.askEach(ctx, qs)
}

// askEach asks the first store here and the others meanwhile: one needs no goroutine, whose stack would have to grow anew.
func (w *walk) askEach(ctx context.Context, qs []question) error {
	if len(qs) == 0 {
		return ctx.Err()
	}
	n := slices.IndexFunc(qs, func(q question) bool { return q.d.System != qs[0].d.System })
	if n < 0 {
		return w.askStore(ctx, qs)
	}
	others := make(chan error, 1)
	go func() { others <- w.askEach(ctx, qs[n:]) }()
	err := w.askStore(ctx, qs[:n])
	return cmp.Or(<-others, err)
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

// readWhole ends the reading of a whole dataset: what its store does not give is a gap, and no error.
func (w *walk) readWhole(ctx context.Context, d *catalog.Dataset, err error) error {
	switch {
	case err == nil, ctx.Err() != nil:
		return ctx.Err()
	case isOurs(err):
		return err
	}
	w.unreadable(d)
	return nil
}

func (w *walk) askTogether(ctx context.Context, qs []question, rows *int) error {
	sels := make([]connector.Select, len(qs))
	nth := make([]map[string]int, len(qs))
	for i := range qs {
		sels[i] = qs[i].sel
		if qs[i].d.Table.Locator.Kind == connector.ByPredicate {
			nth[i] = map[string]int{}
		}
	}
	w.e.cfg.Hook("ask:" + qs[0].d.System)
	return w.recheck.ask(ctx, qs[0].d.Store, sels, func(i int, row []connector.Value) error {
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
