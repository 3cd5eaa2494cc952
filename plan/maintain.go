package plan

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/connector"
)

// maintain begins to bring stored copies up to date, so that they do not show what is gone. What it
// gives waits for the end, and then says what was done.
func (l *looker) maintain(ctx context.Context) func() error {
	touched := map[string][]*connector.Table{}
	for _, st := range l.done {
		if d := l.g.Dataset(st.System, st.Dataset); d != nil && st.Acted > 0 && !slices.Contains(touched[st.System], d.Table) {
			touched[st.System] = append(touched[st.System], d.Table)
		}
	}
	type result struct {
		means []string
		err   error
	}
	var wg sync.WaitGroup
	results := map[string]*result{}
	for system, tables := range sorted(touched) {
		store, err := l.e.cfg.Catalog.Store(system)
		m, ok := store.(connector.Maintainer)
		if err != nil || !ok {
			continue
		}
		r := &result{}
		results[system] = r
		wg.Go(func() {
			deepen(0)
			r.means, r.err = m.Maintain(ctx, tables)
		})
	}
	return func() error {
		wg.Wait()
		for system, r := range sorted(results) {
			l.proof[system].Means = append(l.proof[system].Means, r.means...)
			if r.err != nil {
				l.left = append(l.left, Remaining{System: system, Rows: -1, Code: "copies", Why: "a stored copy could not be brought up to date: " + publicReason(r.err), Who: owner(l.g, system), Next: "refresh it, then retry"})
			}
		}
		return ctx.Err()
	}
}
