package plan

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/subject"
)

// walk is one closure from identities over the graph: the rows that are, or name, these people.
// It reads and never writes. Rounds are levels of the graph; one round is one pipelined question
// per store, and stores are asked at the same time.
type walk struct {
	e    *Engine
	g    *catalog.Graph
	l    *layout
	q    Question
	full bool // read whole rows (access), else only what judging and addressing need

	mu      sync.Mutex
	sets    map[*catalog.Dataset]*rowset
	edges   []*catalog.Edge
	edgeNo  map[*catalog.Edge]int32
	paths   []string
	pathNo  map[string]int32
	asked   map[string]bool // kind + folded value, searched already
	storage *storage
	matched int
	entered map[*catalog.Edge]map[string]bool // identities asked for where their rows are, see enter
	shared  map[string]int64
	gaps    []Remaining
	review  []string
	reasons []reason
	reasonN map[reason]int32
	vals    values
	ghosts  ghosts
	again   bool     // an earlier run of the request has left ghosts
	before  *journal // of that run
	groups  []*group // the plan's steps, once it is made
	held    map[int][]subject.Hold
	kept    bool                              // some row that others refer to is kept
	others  map[*catalog.Edge]map[string]bool // see othersValues
	blind   map[*catalog.Dataset]bool         // see blindDatasets
	parts   map[*catalog.Dataset]*part        // see limits
	lost    map[*catalog.List]map[string]bool // see goneFrom
	recheck *recheck                          // nil where the catalog was just read
}

// reason for keeping a row.
type reason struct{ because, code, hold string }

func (e *Engine) newWalk(l *layout, q Question, full bool) *walk {
	return &walk{
		e: e, g: l.g, l: l, q: q, full: full, edges: l.g.Edges,
		sets: map[*catalog.Dataset]*rowset{}, edgeNo: l.edgeNo, pathNo: map[string]int32{},
		asked: map[string]bool{}, entered: map[*catalog.Edge]map[string]bool{}, storage: newStorage(e.cfg.Memory, e.cfg.TempDir),
		shared: map[string]int64{}, reasonN: map[reason]int32{},
	}
}

func (w *walk) close() {
	w.storage.close()
}

// run finds everything. It fails only when interrupted or out of disk: a store that does not answer
// becomes a gap.
func (w *walk) run(ctx context.Context) error {
	if err := w.seed(ctx); err != nil {
		return err
	}
	if err := w.haunt(ctx); err != nil {
		return err
	}
	if err := w.closure(ctx); err != nil {
		return err
	}
	if err := w.recall(ctx); err != nil {
		return err
	}
	if err := w.closeFollowed(ctx); err != nil {
		return err
	}
	w.noteConflicts()
	w.reviewSeeds()
	w.noteUnsearched()
	if err := w.textMentions(ctx); err != nil {
		return err
	}
	if err := w.listMentions(ctx); err != nil {
		return err
	}
	return w.storage.failed()
}

// question is one select and what its rows mean.
type question struct {
	d      *catalog.Dataset
	sel    connector.Select
	edge   int32 // the edge it came by, -1 for a search by identity
	path   int32
	up     bool             // the rows are parents, the same person by alias
	state  state            // what an earlier run knew of the rows
	person map[string]int   // by identity: folded value to person
	same   map[string]int32 // by alias: encoded key to who the row is that led here
}

// convertKey turns a key into the types of the columns it will be compared with; false when a part
// is NULL or cannot be of that type.
func convertKey(d *catalog.Dataset, columns []string, k connector.Key) (connector.Key, bool) {
	out := make(connector.Key, len(k))
	for i, v := range k {
		c := d.Table.Column(columns[i])
		if c == nil || v.IsNull() {
			return nil, false
		}
		var ok bool
		if out[i], ok = d.Store.Convert(v, c); !ok {
			return nil, false
		}
	}
	return out, true
}

func (w *walk) selectBy(d *catalog.Dataset, columns []string, keys []connector.Key, e *catalog.Edge) connector.Select {
	sel := connector.Select{Table: d.Table, Columns: w.set(d).columns,
		Where: []connector.Match{{Columns: columns, Keys: keys, Fold: e != nil && e.Value}}}
	if e == nil {
		return sel
	}
	for column, value := range e.When() {
		if k, ok := convertKey(d, []string{column}, connector.Key{connector.TextValue(value)}); ok {
			sel.Where = append(sel.Where, connector.Match{Columns: []string{column}, Keys: []connector.Key{k}})
		}
	}
	return sel
}

// met takes in one row.
func (w *walk) met(q question, cells []connector.Value, nth int) error {
	s := w.set(q.d)
	r := &record{cells: cells, path: q.path, via: q.edge, state: q.state}
	switch {
	case q.person != nil || q.up:
		r.seed, r.reached = true, true
	case w.isJudged(s, r, w.edges[q.edge]):
		r.reached = true
	default:
		r.refs = []int32{q.edge}
	}
	if q.same != nil {
		by := q.sel.Where[0]
		r.same = q.same[encodeKey(s.values(r, by.Columns), by.Fold)]
	}
	old, fresh, err := s.add(r, nth)
	if err != nil {
		return err
	}
	reached := fresh && r.reached
	if !fresh {
		reached = w.meetAgain(s, old, r)
	}
	if q.person != nil {
		w.tag(s, old, q)
	}
	if reached && expands(s.d) {
		s.front = s.front.with(old.n)
	}
	if !fresh || q.person != nil {
		s.put(old)
	}
	return w.storage.failed()
}

// meetAgain merges a second way to a row: the first path stays, but a row that only referred to the
// person may turn out to be theirs: then true.
func (w *walk) meetAgain(s *rowset, old, r *record) bool {
	if r.reached && !old.reached {
		s.foreign--
		old.reached, old.via, old.path, old.seed, old.same, old.state = true, r.via, r.path, r.seed, r.same, r.state
		return true
	}
	old.seed = old.seed || r.seed
	if old.same == 0 {
		old.same = r.same
	}
	for _, e := range r.refs {
		if !slices.Contains(old.refs, e) {
			old.refs = append(old.refs, e)
		}
	}
	return false
}

// expands: rows of the dataset lead on.
func expands(d *catalog.Dataset) bool {
	return len(d.In) > 0 || d.People != nil || hasAlias(d)
}

func hasAlias(d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool { return e.Role == catalog.Alias })
}

// isJudged reports whether the row's owner is read from this edge: direct edges that are set, and
// only without any the edges it hangs by.
func (w *walk) isJudged(s *rowset, r *record, e *catalog.Edge) bool {
	if e.Direct() {
		return set(s, r, e)
	}
	return slices.Contains(w.judged(s, r), e)
}

func (w *walk) judged(s *rowset, r *record) []*catalog.Edge {
	var direct, hang []*catalog.Edge
	for _, e := range s.d.Out {
		if !set(s, r, e) {
			continue
		}
		switch {
		case e.Direct():
			direct = append(direct, e)
		case e.Role == catalog.Inherit || e.Role == catalog.Context:
			hang = append(hang, e)
		}
	}
	if len(direct) > 0 {
		return direct
	}
	if s.d.People != nil {
		return nil // a person is judged by who they are, not by where they hang
	}
	return hang
}

// set reports whether an edge of the row refers to anything: no NULL part, and of the right type.
func set(s *rowset, r *record, e *catalog.Edge) bool {
	for _, c := range e.ChildColumns {
		if r.cells[s.at[c]].IsNull() {
			return false
		}
	}
	for column, value := range e.When() {
		if at, ok := s.at[column]; !ok || r.cells[at].S != value {
			return false
		}
	}
	return true
}

// set is the dataset's rowset, made when first needed.
func (w *walk) set(d *catalog.Dataset) *rowset {
	if s := w.sets[d]; s != nil {
		return s
	}
	s := newRowset(d, w.l.shape(w, d), w.storage)
	w.sets[d] = s
	return s
}

func (w *walk) pathID(p string) int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := w.pathNo[p]; ok {
		return n
	}
	n := int32(len(w.paths))
	w.paths = append(w.paths, p)
	w.pathNo[p] = n
	return n
}

func (w *walk) reasonID(r reason) int32 {
	if n, ok := w.reasonN[r]; ok {
		return n
	}
	w.reasons = append(w.reasons, r)
	w.reasonN[r] = int32(len(w.reasons) - 1)
	return w.reasonN[r]
}
