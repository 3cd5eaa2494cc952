package plan

import (
	"context"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// recheck asks the stores whether the catalog still is as it was last known: beside what is read from them, or not at all
// where there is one store, and it says so with its first answer (connector.Fingerprinter). Where the last one did not, because
// others write there, nobody waits for that.
type recheck struct {
	e     *Engine
	last  *layout
	once  sync.Once
	asked chan error
	now   *catalog.Graph
	heard bool // the store has had its chance
	same  bool
}

// begin asks, if nobody has.
func (r *recheck) begin(ctx context.Context) {
	if r == nil {
		return
	}
	r.once.Do(func() {
		r.asked = make(chan error, 1)
		go func() {
			deepen(0)
			var err error
			r.now, err = r.e.cfg.Catalog.Refresh(ctx)
			r.asked <- err
		}()
	})
}

// ask is Select, by which the only store may say, the first time, that the catalog is the same.
func (r *recheck) ask(ctx context.Context, s connector.Store, qs []connector.Select, row func(int, []connector.Value) error) error {
	if r == nil || len(r.last.g.Systems) > 1 || r.heard {
		return s.Select(ctx, qs, row)
	}
	r.heard = true
	f, can := s.(connector.Fingerprinter)
	if !can {
		r.begin(ctx)
		return s.Select(ctx, qs, row)
	}
	print, err := f.SelectFingerprinted(ctx, qs, row)
	only := r.last.g.Systems[0]
	r.same = err == nil && print != "" && print == only.Print && only.Err == nil
	if r.last.calm.Store(r.same); !r.same {
		r.begin(ctx)
	}
	return err
}

// end reports whether the catalog is the same.
func (r *recheck) end(ctx context.Context) (same bool, err error) {
	if r.asked == nil && r.same {
		return true, nil
	}
	r.begin(ctx)
	err = <-r.asked
	return r.now == r.last.g, err
}
