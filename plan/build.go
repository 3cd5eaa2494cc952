package plan

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Plan finds the people's data and says what would happen to it. It touches nothing. It fails only
// when interrupted or when our own disk fails: whatever cannot be asked becomes a gap of the plan.
func (e *Engine) Plan(ctx context.Context, q Question) (*Plan, error) {
	p, w, err := e.find(ctx, q, false)
	if err != nil {
		return nil, err
	}
	w.close()
	return p, nil
}

// find walks, decides and builds the plan; the walk is given too, for who goes on with it.
func (e *Engine) find(ctx context.Context, q Question, full bool) (*Plan, *walk, error) {
	var before *journal
	if q.Kind == Erasure {
		before, _ = e.openJournal(ctx, q.Request) // what cannot be opened is closed for good
	}
	return e.findAfter(ctx, before, q, full)
}

// findAfter is find, with the journal of an earlier run or none.
func (e *Engine) findAfter(ctx context.Context, before *journal, q Question, full bool) (p *Plan, w *walk, err error) {
	err = e.onGraph(ctx, func(l *layout) func(*recheck) error {
		if w != nil {
			w.close()
		}
		w = e.newWalk(l, q, full)
		return func(r *recheck) (err error) {
			w.recheck = r
			p, err = w.plan(ctx, before)
			return err
		}
	})
	if err != nil && w != nil {
		w.close()
	}
	return p, w, err
}

// plan does a walk from the identities to the plan; before is the journal of an earlier run, if any.
func (w *walk) plan(ctx context.Context, before *journal) (*Plan, error) {
	if err := w.summon(ctx, before); err != nil {
		return nil, err
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	if err := w.fates(); err != nil {
		return nil, err
	}
	return w.build(ctx)
}

// group is a step in the making: rows of one dataset with one decision.
type group struct {
	d        *catalog.Dataset
	decision decision
	step     Step
	sum      sum
	content  sum
	paths    []int32
	stuck    int64 // rows that keep a key that identifies
}

// groupKey is what the rows of a step have in common; names hold no NUL.
type groupKey struct {
	d                     *catalog.Dataset
	method                catalog.Method
	role                  catalog.Role
	fields, because, hold string
}

// build groups the rows into steps and adds everything a person must know before deciding.
func (w *walk) build(ctx context.Context) (*Plan, error) {
	p := &Plan{Request: w.q.Request, Kind: w.q.Kind, Matched: w.matched, Systems: []SystemPlan{}, Kept: []Kept{}, Ignored: []string{}, Gaps: []Remaining{}, Warnings: []Warning{}}
	p.Identities = w.e.identityCommitment(w.q)
	p.Config = w.e.cfg.Catalog.Config().Digest
	groups, err := w.group()
	if err == nil && (w.again || w.q.Limit != nil) {
		groups, err = w.skipErased(ctx, groups)
	}
	if err != nil {
		return nil, err
	}
	if w.q.Kind == Erasure {
		if err := w.addContents(ctx, groups); err != nil {
			return nil, err
		}
		if err := w.opaqueGaps(ctx); err != nil {
			return nil, err
		}
	}
	w.fillSystems(p, groups)
	if err := w.storage.failed(); err != nil {
		return nil, err
	}
	if err := w.staleRows(ctx); err != nil {
		return nil, err
	}
	w.groups = groups
	if w.q.Limit != nil {
		w.fillLimit(p, groups)
	}
	p.Catalog = w.fingerprint(groups)
	w.fillGaps(p, groups)
	w.fillWarnings(ctx, p, groups)
	if err := w.rekeyWarnings(p, groups); err != nil {
		return nil, err
	}
	w.staleWarnings(p)
	p.Estimate = estimate(p)
	p.Hash = Hash(p)
	return p, nil
}

// group goes over every row once. For access every reached row counts, whatever would happen to it.
func (w *walk) group() ([]*group, error) {
	var out []*group
	byKey := map[groupKey]*group{}
	sums := w.e.summer(w.q.Request)
	for _, d := range w.order() {
		s := w.sets[d]
		err := s.each(func(r *record) error {
			w.finish(s, r)
			dec, ok := w.decideFor(s, r)
			if !ok {
				return nil
			}
			k := groupKey{d, dec.method, dec.role, strings.Join(dec.fields, "\x00"), dec.because, dec.hold}
			g := byKey[k]
			if g == nil {
				g = &group{d: d, decision: dec}
				byKey[k] = g
				out = append(out, g)
			}
			g.add(r, dec, sums.row(d, s.key(r)))
			if w.keepsKey(s, r, dec) {
				g.stuck++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sortGroups(out)
	return out, nil
}

// sortGroups puts the steps of a dataset in an order of their own: a store may give its rows in any.
func sortGroups(gs []*group) {
	place := map[*catalog.Dataset]int{}
	for i, g := range gs {
		if _, ok := place[g.d]; !ok {
			place[g.d] = i
		}
	}
	slices.SortStableFunc(gs, func(a, b *group) int {
		x, y := a.decision, b.decision
		return cmp.Or(cmp.Compare(place[a.d], place[b.d]), cmp.Compare(x.method, y.method), cmp.Compare(x.role, y.role), slices.Compare(x.fields, y.fields), cmp.Compare(x.because, y.because))
	})
}

func (g *group) add(r *record, dec decision, row sum) {
	g.step.Rows++
	g.sum.add(row)
	if !slices.Contains(g.paths, r.path) {
		g.paths = append(g.paths, r.path)
	}
	if dec.until == "" {
		return
	}
	g.step.Until = max(g.step.Until, dec.until)
	if g.step.UntilFirst == "" || dec.until < g.step.UntilFirst {
		g.step.UntilFirst = dec.until
	}
}

// decideFor an access request everything that is the subject's is exported, nothing changes.
func (w *walk) decideFor(s *rowset, r *record) (decision, bool) {
	if w.q.Kind == Erasure {
		return w.decide(s, r)
	}
	if !r.reached {
		return decision{method: NameOnly, role: catalog.Mention}, true
	}
	return decision{method: export, role: roleOf(r)}, true
}

// What access does to rows, in the words of a plan.
const (
	export   catalog.Method = "export"
	NameOnly catalog.Method = "name" // counted and named, not copied: the row is somebody else's
)

func (w *walk) fillSystems(p *Plan, groups []*group) {
	for _, s := range w.g.Systems {
		sp := SystemPlan{ID: s.Config.ID, Location: s.Config.Location, Datasets: make([]Step, 0, len(groups))}
		if s.Schema != nil {
			sp.Engine = s.Schema.Engine
		}
		for i, g := range groups {
			if g.d.System != s.Config.ID {
				continue
			}
			g.finishStep(w, i+1)
			sp.Datasets = append(sp.Datasets, g.step)
			if g.decision.method == catalog.Keep {
				p.Kept = append(p.Kept, Kept{System: g.d.System, Dataset: g.d.Name, Rows: g.step.Rows, Because: g.decision.because, Until: g.step.Until, Hold: g.decision.hold})
			}
		}
		p.Systems = append(p.Systems, sp)
		for _, name := range s.Config.Ignore {
			p.Ignored = append(p.Ignored, s.Config.ID+"."+name)
		}
	}
}

func (g *group) finishStep(w *walk, order int) {
	dec := g.decision
	g.step.Name, g.step.Method, g.step.Role, g.step.Because, g.step.Order = g.d.Name, dec.method, dec.role, dec.because, order
	g.step.Fields = dec.fields
	if g.step.Fields == nil {
		g.step.Fields = []string{}
	}
	var paths []string
	for _, n := range g.paths {
		paths = append(paths, w.paths[n])
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	paths = paths[:min(3, len(paths))]
	g.step.Path = strings.Join(paths, "; ")
	g.step.Keys = g.sum.hex()
	if len(dec.fields) > 0 {
		g.step.Content = g.content.hex()
	}
}

// addContents reads the rows whose method depends on what they hold, so that a plan is for exactly
// this content: an address that was corrected meanwhile asks again.
func (w *walk) addContents(ctx context.Context, groups []*group) error {
	sums := w.e.summer(w.q.Request)
	return w.readContents(ctx, groups, func(g *group, _ *record, row []connector.Value) error {
		g.content.add(sums.row(g.d, row))
		return nil
	})
}

// readContents delivers the whole rows of every group that changes columns, with the record each
// answers to, in bounded portions, pipelined per store.
func (w *walk) readContents(ctx context.Context, groups []*group, row func(*group, *record, []connector.Value) error) error {
	b := &contentBatch{w: w, row: row}
	for _, d := range w.order() {
		s := w.sets[d]
		if !slices.ContainsFunc(groups, func(g *group) bool { return g.d == d && len(g.decision.fields) > 0 }) {
			continue
		}
		err := s.each(func(r *record) error {
			w.finish(s, r)
			dec, ok := w.decideFor(s, r)
			if !ok || len(dec.fields) == 0 {
				return nil
			}
			return b.add(ctx, findGroup(groups, d, dec), r)
		})
		if err != nil {
			return err
		}
	}
	return b.flush(ctx)
}

func findGroup(groups []*group, d *catalog.Dataset, dec decision) *group {
	i := slices.IndexFunc(groups, func(g *group) bool {
		return g.d == d && g.decision.method == dec.method && g.decision.role == dec.role && g.decision.because == dec.because && slices.Equal(g.decision.fields, dec.fields)
	})
	return groups[i]
}

// contentBatch collects addresses and reads them in one pipelined question per store.
type contentBatch struct {
	w       *walk
	row     func(*group, *record, []connector.Value) error
	pending []contentRow
}

type contentRow struct {
	g *group
	r *record
}

func (b *contentBatch) add(ctx context.Context, g *group, r *record) error {
	b.pending = append(b.pending, contentRow{g, r.lasting()})
	if len(b.pending) < b.w.e.cfg.Chunk {
		return nil
	}
	return b.flush(ctx)
}

func (b *contentBatch) flush(ctx context.Context) error {
	byStore := map[string][]contentRow{}
	for _, c := range b.pending {
		byStore[c.g.d.System] = append(byStore[c.g.d.System], c)
	}
	b.pending = nil
	for _, rows := range sorted(byStore) {
		if err := b.readStore(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

func (b *contentBatch) readStore(ctx context.Context, rows []contentRow) error {
	type portion struct {
		g    *group
		recs map[string][]*record // rows without a key may be equal in every cell
	}
	var sels []connector.Select
	var portions []portion
	at := map[*group]int{}
	for _, c := range rows {
		i, ok := at[c.g]
		if !ok {
			i = len(sels)
			at[c.g] = i
			sels = append(sels, contentSelect(c.g.d))
			portions = append(portions, portion{c.g, map[string][]*record{}})
		}
		k := b.w.sets[c.g.d].key(c.r)
		if enc := k.Encode(); portions[i].recs[enc] == nil {
			sels[i].Where[0].Keys = append(sels[i].Where[0].Keys, k)
			portions[i].recs[enc] = []*record{c.r}
		} else {
			portions[i].recs[enc] = append(portions[i].recs[enc], c.r)
		}
	}
	n := len(rows[0].g.d.Table.Locator.Columns)
	err := rows[0].g.d.Store.Select(ctx, sels, func(i int, row []connector.Value) error {
		n = len(portions[i].g.d.Table.Locator.Columns)
		enc := connector.Key(row[:n]).Encode()
		recs := portions[i].recs[enc]
		if len(recs) == 0 {
			return nil
		}
		portions[i].recs[enc] = recs[1:]
		return b.row(portions[i].g, recs[0], slices.Clone(row[n:]))
	})
	if err != nil && ctx.Err() == nil && !isOurs(err) {
		for _, p := range portions {
			b.w.unreadable(p.g.d)
		}
		return nil
	}
	return err
}

// contentSelect reads address and whole row by address.
func contentSelect(d *catalog.Dataset) connector.Select {
	cols := slices.Concat(d.Table.Locator.Columns, allColumns(d.Table))
	return connector.Select{Table: d.Table, Columns: cols, Where: []connector.Match{{Columns: d.Table.Locator.Columns}}}
}

// estimate is a rough time from rates measured on small machines: a person only wants to know
// whether to wait for it.
func estimate(p *Plan) int64 {
	ms := int64(5)
	for _, s := range p.Systems {
		ms += 5
		for _, st := range s.Datasets {
			ms += 1 + st.Rows/50
		}
	}
	for _, w := range p.Warnings {
		ms += w.CostMS
	}
	return ms
}
