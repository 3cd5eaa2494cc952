package plan

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/ombudhq/ombud/catalog"
)

// layout is what follows from a graph alone: it is worked out once and serves every walk over the
// graph. Nobody changes what it gives.
type layout struct {
	g          *catalog.Graph
	edgeNo     map[*catalog.Edge]int32
	components func() [][]*catalog.Dataset // of all datasets; see order.go

	calm atomic.Bool // see recheck

	mu      sync.Mutex
	shapes  map[shapeKey]*shape
	digests map[*catalog.Dataset][]byte
	held    map[*catalog.Dataset][]*holders
}

type shapeKey struct {
	d    *catalog.Dataset
	full bool
	// again: after an earlier run rows may be reached in more ways.
	again bool
}

// shape is how a walk reads a dataset: see walk.columns and walk.indexed.
type shape struct {
	columns []string
	at      map[string]int // column to position in cells
	locator []int
	indexed bool
}

func newLayout(g *catalog.Graph) *layout {
	l := &layout{g: g, edgeNo: map[*catalog.Edge]int32{}, shapes: map[shapeKey]*shape{}, digests: map[*catalog.Dataset][]byte{}, held: map[*catalog.Dataset][]*holders{}}
	l.components = sync.OnceValue(func() [][]*catalog.Dataset { return components(g) })
	for i, e := range g.Edges {
		l.edgeNo[e] = int32(i)
	}
	return l
}

func (l *layout) shape(w *walk, d *catalog.Dataset) *shape {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := shapeKey{d, w.full, w.again}
	s := l.shapes[k]
	if s != nil {
		return s
	}
	s = &shape{columns: w.columns(d), at: map[string]int{}, indexed: w.indexed(d)}
	for i, c := range s.columns {
		s.at[c] = i
	}
	for _, c := range d.Table.Locator.Columns {
		s.locator = append(s.locator, s.at[c])
	}
	l.shapes[k] = s
	return s
}

// holders gives who repeats the handles of a dataset.
func (l *layout) holders(d *catalog.Dataset) []*holders {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[d] == nil {
		l.held[d] = allHolders(d)
	}
	return l.held[d]
}

// digest is the make of a dataset's table, without what the engine only estimates.
func (l *layout) digest(d *catalog.Dataset) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.digests[d]; b != nil {
		return b
	}
	t := *d.Table
	t.Rows, t.Bytes = 0, 0
	b, err := json.Marshal(t)
	if err != nil {
		return nil // no field of a Table can fail to marshal
	}
	sum := sha256.Sum256(b)
	l.digests[d] = sum[:]
	return sum[:]
}

// onGraph runs f, which only reads, on the catalog as it was last known, and while the rest of it runs, which f
// gives, asks the stores whether it still is so. Where it is not, f runs again on the catalog as it is.
func (e *Engine) onGraph(ctx context.Context, f func(*layout) (rest func(*recheck) error)) error {
	if last := e.last.Load(); last != nil {
		rest, r := f(last), &recheck{e: e, last: last}
		if !last.calm.Load() {
			r.begin(ctx)
		}
		err := rest(r)
		same, refused := r.end(ctx)
		if refused != nil {
			return refused
		}
		if same {
			return err
		}
	}
	l, err := e.refresh(ctx)
	if err != nil {
		return err
	}
	return f(l)(nil)
}

// deepen gives a goroutine the stack at once that SQLite needs below it: while it is deep, each doubling would copy
// it frame by frame, which for a few rows takes longer than to read them.
//
//go:noinline
func deepen(n int) byte {
	var room [24 << 10]byte
	return room[n]
}

// refresh reads the catalogs that have changed.
func (e *Engine) refresh(ctx context.Context) (*layout, error) {
	g, err := e.cfg.Catalog.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	if last := e.last.Load(); last != nil && last.g == g {
		return last, nil
	}
	l := newLayout(g)
	e.last.Store(l)
	return l, nil
}
