package plan

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// scribe turns a decided walk into the journal: for each system a list of chunks in the order in
// which they run. References that would tie dying rows together break first, then rows that stay
// change, then rows go, children before parents.
type scribe struct {
	w       *walk
	j       *journal
	groups  []*group
	open    map[string]*chunk // per system, not yet full
	whole   map[string]*chunk // per system, what must go in one transaction
	keyed   []keyed           // rows that get another key
	moves   moves             // what their keys become
	moved   []ghostMove       // those that a retry must know of
	former  formers           // what rows that are nobody's entry lose
	n       int
	echo    bool // of what triggers wrote: acts of no step
	ready   []chunk
	waiting int                      // their size
	place   map[*catalog.Dataset]int // in the order of deletion
	circle  map[*catalog.Dataset]int // number of the component
}

// journalBatch is full chunks per own commit while the journal is written.
const journalBatch = 4

// inscribe writes everything a run does, and everything its proof needs, before any store commits.
func (w *walk) inscribe(ctx context.Context, j *journal, groups []*group) error {
	s := w.scribe(j, groups)
	return s.inscribe(ctx, s.breaks, s.changes, s.deletes, s.rekeys, s.watches, s.recalls)
}

func (w *walk) scribe(j *journal, groups []*group) *scribe {
	s := &scribe{w: w, j: j, groups: groups, open: map[string]*chunk{}, whole: map[string]*chunk{}, place: map[*catalog.Dataset]int{}, circle: map[*catalog.Dataset]int{}}
	for n, c := range w.components() {
		for _, d := range c {
			s.place[d], s.circle[d] = len(s.place), n
		}
	}
	return s
}

func (s *scribe) inscribe(ctx context.Context, passes ...func(context.Context) error) error {
	for _, pass := range passes {
		if err := pass(ctx); err != nil {
			return err
		}
	}
	for _, system := range slices.Concat(keysOf(s.open), keysOf(s.whole)) {
		if err := s.close(ctx, system); err != nil {
			return err
		}
	}
	if err := s.w.storage.failed(); err != nil {
		return err
	}
	return s.write(ctx, s.ready, true)
}

func (s *scribe) write(ctx context.Context, chunks []chunk, last bool) error {
	if s.echo {
		return s.j.extend(ctx, chunks)
	}
	return s.j.write(ctx, chunks, last)
}

func keysOf[V any](m map[string]V) []string {
	var out []string
	for k := range sorted(m) {
		out = append(out, k)
	}
	return out
}

// add puts an act into the system's chunk and closes the chunk when it is full.
func (s *scribe) add(ctx context.Context, system string, a act) error {
	if a.together {
		if s.whole[system] == nil {
			if err := s.close(ctx, system); err != nil {
				return err
			}
			s.whole[system] = &chunk{system: system}
		}
		s.whole[system].acts = append(s.whole[system].acts, a)
		return nil
	}
	if t := s.whole[system]; t != nil && !a.looks() {
		t.acts = append(t.acts, a) // after a cycle everything is in its transaction, to keep the order
		return nil
	}
	c := s.open[system]
	if c == nil {
		c = &chunk{system: system}
		s.open[system] = c
	}
	if c.size()+a.size() > s.w.e.cfg.Chunk && c.size() > 0 {
		if err := s.close(ctx, system); err != nil {
			return err
		}
		c = &chunk{system: system}
		s.open[system] = c
	}
	c.acts = append(c.acts, a)
	return nil
}

// size is how many rows, and keys to look for, a chunk holds.
func (c *chunk) size() int {
	n := 0
	for _, a := range c.acts {
		n += a.size()
	}
	return n
}

func (a act) size() int {
	if a.verb == watchKeys || a.verb == recallKeys {
		return len(a.fence[0].keys)
	}
	return len(a.rows)
}

func (s *scribe) close(ctx context.Context, system string) error {
	for _, m := range []map[string]*chunk{s.open, s.whole} {
		c := m[system]
		if c == nil {
			continue
		}
		delete(m, system)
		c.ordinal = s.n
		s.n++
		s.ready = append(s.ready, *c)
		s.waiting += c.size()
	}
	if s.waiting < journalBatch*s.w.e.cfg.Chunk {
		return nil
	}
	ready := s.ready
	s.ready, s.waiting = nil, 0
	return s.write(ctx, ready, false)
}

// stepOf is the plan step of a row, -1 when nothing happens to it.
func (s *scribe) stepOf(set *rowset, r *record) (int, decision) {
	dec, ok := s.w.decideFor(set, r)
	if !ok {
		return -1, dec
	}
	if s.echo {
		return -1, dec
	}
	return slices.Index(s.groups, findGroup(s.groups, set.d, dec)), dec
}

// breaks sets to NULL the references among dying rows whose parent goes before, or with, its child.
func (s *scribe) breaks(ctx context.Context) error {
	for _, d := range s.w.order() {
		for i, e := range s.breaking(d) {
			if err := s.breakEdge(ctx, s.w.sets[d], e, s.breaking(d)[:i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// breakEdge lets the rows go from one parent; before are the edges that broke already.
func (s *scribe) breakEdge(ctx context.Context, set *rowset, e *catalog.Edge, before []*catalog.Edge) error {
	p := s.portions(s.reasonKey(set, before), func(r *record) act {
		a := s.newAct(set, r, -1, connector.Update, letsGo(e))
		a.breaks, a.values = true, [][]connector.Value{make([]connector.Value, len(a.set))}
		s.looseFence(&a, set, r, before)
		if len(a.fence) == 0 || !slices.Equal(a.fence[0].columns, e.ChildColumns) {
			a.fence = append(a.fence, fence{columns: e.ChildColumns})
		}
		return a
	})
	err := set.each(func(r *record) error {
		s.w.finish(set, r)
		if !s.w.dies(set, r) || !s.w.refersToDying(set, r, e) {
			return nil
		}
		return p.add(ctx, set, r, func(*act) {})
	})
	if err != nil {
		return err
	}
	return p.flush(ctx, set.d.System)
}

// breaking are the references of a dataset that let go before its rows do.
func (s *scribe) breaking(d *catalog.Dataset) []*catalog.Edge {
	var out []*catalog.Edge
	for _, e := range d.Out {
		if s.ties(e) && letsGo(e) != nil {
			out = append(out, e)
		}
	}
	return out
}

// lost are the columns of a dying row that these edges, breaking, set to NULL.
func (s *scribe) lost(set *rowset, r *record, broken []*catalog.Edge) []string {
	var out []string
	for _, e := range broken {
		if s.w.refersToDying(set, r, e) {
			out = append(out, letsGo(e)...)
		}
	}
	return out
}

// looseFence: where the reason for a row was itself set to NULL, under its own fence, it must be NULL.
func (s *scribe) looseFence(a *act, set *rowset, r *record, broken []*catalog.Edge) {
	for _, c := range s.lost(set, r, broken) {
		if len(a.fence) > 0 && slices.Contains(a.fence[0].columns, c) && !slices.Contains(a.fence[0].lost, c) {
			a.fence[0].lost = append(a.fence[0].lost, c)
		}
	}
}

// reasonKey tells rows apart whose fences differ, also by what they lost.
func (s *scribe) reasonKey(set *rowset, broken []*catalog.Edge) func(*record) string {
	key := s.fenceKey(set)
	if len(broken) == 0 {
		return key
	}
	return func(r *record) string { return key(r) + "\x01" + strings.Join(s.lost(set, r, broken), "\x00") }
}

// ties reports whether a declared key refers to a dataset whose rows go before, or with, these. On
// engines that check every row, whatever can let go within a circle does.
func (s *scribe) ties(e *catalog.Edge) bool {
	child, ok := s.place[e.Child]
	parent, ok2 := s.place[e.Parent]
	if e.FK == nil || !ok || !ok2 || e.Child.System != e.Parent.System {
		return false
	}
	return child >= parent || s.circle[e.Child] == s.circle[e.Parent] && checksEachRow(s.w.g, e.Child.System)
}

// tied: an unbreakable tie makes both ends go together, also within one dataset: its rows may fill
// more than one act.
func (s *scribe) tied(d *catalog.Dataset) bool {
	return slices.ContainsFunc(slices.Concat(d.Out, d.In), func(e *catalog.Edge) bool {
		return s.ties(e) && letsGo(e) == nil
	})
}

// changes writes the rows that stay and change, with the values that they get and had.
func (s *scribe) changes(ctx context.Context) error {
	if !slices.ContainsFunc(s.groups, func(g *group) bool { return len(g.decision.fields) > 0 }) {
		return nil
	}
	rep := s.w.replacer(s.j.mac)
	pending := map[*group]*portions{}
	err := s.w.readContents(ctx, s.groups, func(g *group, r *record, full []connector.Value) error {
		set := s.w.sets[g.d]
		step, dec := s.stepOf(set, r)
		vals, ok := rep.row(ctx, set, r, dec, full)
		if !ok {
			return nil
		}
		s.noteLost(g.d, r, dec.fields, oldValues(g.d, dec.fields, full), vals)
		if s.w.movesKey(set, r, dec.fields) {
			s.rekeyed(set, r, step, dec.fields, vals)
			return s.letGo(ctx, set, r)
		}
		p := pending[g]
		if p == nil {
			p = s.portions(s.ownerKey(set), func(r *record) act { return s.newAct(set, r, step, connector.Update, dec.fields) })
			pending[g] = p
		}
		return p.add(ctx, set, r, func(a *act) {
			a.values = append(a.values, vals)
			a.old = append(a.old, oldValues(g.d, dec.fields, full))
			if othersToo(r) {
				a.expect = append(a.expect, connector.RowHash(full))
			} else {
				a.expectRow(g.d, full)
			}
		})
	})
	if err != nil {
		return err
	}
	for _, g := range s.groups {
		if p := pending[g]; p != nil {
			if err := p.flush(ctx, g.d.System); err != nil {
				return err
			}
		}
	}
	return nil
}

// othersToo: the row is not the person's alone. What it gets is made of what it held, so it is changed
// only while it holds that.
func othersToo(r *record) bool { return r.co || !r.reached }

// ownerKey tells apart rows whose fences differ, and those that are the person's alone.
func (s *scribe) ownerKey(set *rowset) func(*record) string {
	key := s.fenceKey(set)
	return func(r *record) string { return key(r) + string(rune('0'+boolByte(othersToo(r)))) }
}

func oldValues(d *catalog.Dataset, fields []string, full []connector.Value) []connector.Value {
	out := make([]connector.Value, len(fields))
	for i, f := range fields {
		out[i] = full[columnAt(d, f)]
	}
	return out
}

func columnAt(d *catalog.Dataset, name string) int {
	return slices.IndexFunc(d.Table.Columns, func(c connector.Column) bool { return c.Name == name })
}

// expectRow fences rows that have no key by their content.
func (a *act) expectRow(d *catalog.Dataset, full []connector.Value) {
	if k := d.Table.Locator.Kind; k == connector.ByPhysical || k == connector.ByPredicate {
		a.expect = append(a.expect, connector.RowHash(full))
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// atoi reads what itoa wrote; what is sealed is nothing else.
func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
