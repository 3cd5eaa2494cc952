package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// What a later run of the request must know of this one, beside the acts: the ghosts it may meet.
const (
	recallKeys  connector.Verb = "keys"  // set: the parents' fate and dataset; fence: the reference, its keys, its conditions
	recallIDs   connector.Verb = "ids"   // set: the identity column; breaks: compared folded
	recallRows  connector.Verb = "rows"  // rows to which no key leads; fence: what they hold, row by row; breaks: shared; together: emptied
	recallMoved connector.Verb = "moved" // set: the parent and what of it became another; rows and values: from what to what; fence: the reference
	recallFacts connector.Verb = "facts" // set: id, sure, name, list or token; rows: the values
)

func recalls(v connector.Verb) bool {
	return v == recallKeys || v == recallIDs || v == recallRows || v == recallMoved || v == recallFacts
}

// recalls writes them, behind everything else. What this run could not see stays as it was.
func (s *scribe) recalls(ctx context.Context) error {
	for _, e := range s.w.g.Edges {
		if err := s.recallEdge(ctx, e); err != nil {
			return err
		}
	}
	for _, d := range s.w.g.Datasets {
		if err := s.recallDataset(ctx, d); err != nil {
			return err
		}
	}
	err := s.w.reread(ctx, s.w.ghosts.unseen, func(system string, a act) error { return s.add(ctx, system, a) })
	return cmp.Or(err, s.recallMoves(ctx), s.recallFacts(ctx))
}

// recallEdge writes the keys of every row that is or was the person's, as others refer to it.
func (s *scribe) recallEdge(ctx context.Context, e *catalog.Edge) error {
	if e.Child.Ignored {
		return nil
	}
	known := map[string]ghost{}
	err := s.w.ghosts.edges[e].parts(s.w.e.cfg.Chunk, func(part []ghost) error {
		for _, g := range part {
			known[g.key.Encode()] = g
		}
		full := known
		known = map[string]ghost{}
		return s.recallKeys(ctx, e, full)
	})
	set := s.w.sets[e.Parent]
	if err != nil || set == nil {
		return err
	}
	err = set.each(func(r *record) error {
		if !r.reached {
			return nil
		}
		for _, k := range s.oldAndNew(e.Parent, e.ParentColumns, set.values(r, e.ParentColumns)) {
			if k, ok := convertKey(e.Child, e.ChildColumns, k); ok {
				known[k.Encode()] = ghost{k, s.fateOf(set, r)}
			}
		}
		if len(known) < s.w.e.cfg.Chunk || !distinct(e) {
			return nil
		}
		full := known
		known = map[string]ghost{}
		return s.recallKeys(ctx, e, full)
	})
	return cmp.Or(err, s.recallKeys(ctx, e, known))
}

// oldAndNew are a key, and what it becomes where that is another: what refers to the row refers to that.
func (s *scribe) oldAndNew(d *catalog.Dataset, columns []string, k connector.Key) []connector.Key {
	if now := s.moves.after(d, columns, k); !slices.Equal(now, k) {
		return []connector.Key{k, now}
	}
	return []connector.Key{k}
}

// recallKeys writes keys; of a key that is written twice the later fate holds.
func (s *scribe) recallKeys(ctx context.Context, e *catalog.Edge, known map[string]ghost) error {
	byFate := map[string][]connector.Key{}
	for _, g := range sorted(known) {
		byFate[g.fate] = append(byFate[g.fate], g.key)
	}
	for _, fate := range []string{gone, stays, shared} {
		if len(byFate[fate]) == 0 {
			continue
		}
		a := act{dataset: e.Child.Name, verb: recallKeys, step: -1, set: []string{fate, e.Parent.ID()}, fence: []fence{{columns: e.ChildColumns, keys: byFate[fate]}}}
		a.fence = append(a.fence, whenFences(e)...)
		if err := s.add(ctx, e.Child.System, a); err != nil {
			return err
		}
	}
	return nil
}

func whenFences(e *catalog.Edge) []fence {
	var out []fence
	for column, value := range sorted(e.When()) {
		out = append(out, fence{columns: []string{column}, keys: []connector.Key{{connector.TextValue(value)}}})
	}
	return out
}

func (s *scribe) fateOf(set *rowset, r *record) string {
	switch {
	case s.w.dies(set, r):
		return gone
	case r.co:
		return shared
	}
	return stays
}

func (s *scribe) recallDataset(ctx context.Context, d *catalog.Dataset) error {
	if d.People != nil && !d.Ignored {
		if err := s.recallIdentities(ctx, d); err != nil {
			return err
		}
	}
	if s.w.sets[d] == nil {
		return nil
	}
	return s.recallAddresses(ctx, d)
}

// recallIdentities writes what to look for in identity columns. A number that is a row's own key
// means that row alone: when it goes, the store may give the number to somebody new.
func (s *scribe) recallIdentities(ctx context.Context, d *catalog.Dataset) error {
	ids := s.w.collect()
	for _, known := range d.Known {
		kind, column := known.Kind, known.Column
		c := d.Table.Column(column)
		if c == nil {
			continue
		}
		a := act{dataset: d.Name, verb: recallIDs, step: -1, set: []string{column}, breaks: c.Kind == connector.Text, rows: s.w.ghosts.identities(d, column)}
		own, has := ownNumber(d, c), map[connector.Value]bool{}
		for _, k := range a.rows {
			has[k[0]] = true
		}
		for id := range sorted(ids.sure[kind]) {
			k, ok := d.Store.Convert(connector.TextValue(id), c)
			if ok && !has[k] && (!own || s.has(d, column, k, false)) {
				has[k] = true
				a.rows = append(a.rows, connector.Key{k})
			}
		}
		if len(a.rows) > 0 {
			if err := s.add(ctx, d.System, a); err != nil {
				return err
			}
		}
	}
	return nil
}

func ownNumber(d *catalog.Dataset, c *connector.Column) bool {
	return c.Kind != connector.Text && slices.Contains(d.Table.Primary, c.Name)
}

// has: a row of the person holds the value, and stays or, where they count too, dies.
func (s *scribe) has(d *catalog.Dataset, column string, v connector.Value, dying bool) bool {
	set := s.w.sets[d]
	found := false
	if set != nil {
		set.every(func(r *record) {
			found = found || r.reached && (dying || !s.w.dies(set, r)) && r.cells[set.at[column]] == v
		})
	}
	return found
}

// recallAddresses writes the rows to which no key leads once this run is over: those that were found
// upwards and stay, or that a store may only claim to have deleted, those whose reference breaks before they go or get another key, and emptied or shared
// ones that refer to a kept row, which they must let go when it goes.
func (s *scribe) recallAddresses(ctx context.Context, d *catalog.Dataset) error {
	set := s.w.sets[d]
	if !set.indexed && len(s.w.held) == 0 && !slices.ContainsFunc(d.Out, s.ties) {
		return nil // its rows came down a key, and keep it or go
	}
	acts := map[string]*act{}
	err := set.each(func(r *record) error {
		s.w.finish(set, r)
		for _, m := range s.memories(set, r) {
			k := fmt.Sprint(r.co, m.emptied, m.columns)
			if acts[k] == nil {
				acts[k] = &act{dataset: d.Name, verb: recallRows, step: -1, breaks: r.co, together: m.emptied, fence: []fence{{columns: m.columns}}}
			}
			acts[k].rows = append(acts[k].rows, m.moves.after(d, d.Table.Locator.Columns, set.key(r)))
			acts[k].fence[0].keys = append(acts[k].fence[0].keys, m.moves.after(d, m.columns, set.values(r, m.columns)))
			if len(acts[k].rows) < s.w.e.cfg.Chunk {
				continue
			}
			full := *acts[k]
			delete(acts, k)
			if err := s.add(ctx, d.System, full); err != nil {
				return err
			}
		}
		return nil
	})
	for _, a := range sorted(acts) {
		if err == nil {
			err = s.add(ctx, d.System, *a)
		}
	}
	return err
}

// memory is how a row is told by its address: by what it holds, with what becomes of that.
type memory struct {
	columns []string
	moves   moves
	emptied bool
}

// memories are those of a row to which no key leads, or will lead.
func (s *scribe) memories(set *rowset, r *record) (out []memory) {
	if !r.reached || r.conflict {
		return nil
	}
	dies, columns := s.w.dies(set, r), threads(set.d)
	if dies && r.via < 0 && r.person == 0 && upwards(set.d) {
		return []memory{{columns: allColumns(set.d.Table), moves: s.moves}}
	}
	if r.keep && r.via < 0 || dies && s.losesThread(set, r) {
		return []memory{{columns: columns, moves: s.moves}}
	}
	lets, holds := len(s.letsGoFirst(r)) > 0, s.refersToKept(set, r)
	if dies || r.keep || !lets && !holds {
		return nil
	}
	dec, _ := s.w.decideFor(set, r)
	if lets && s.w.movesKey(set, r, dec.fields) { // until it has another key
		out = append(out, memory{columns: append(slices.Clone(columns), s.w.moving(set, r)...)})
	}
	if holds {
		out = append(out, memory{columns: slices.DeleteFunc(columns, func(c string) bool { return slices.Contains(dec.fields, c) }), moves: s.moves, emptied: true})
	}
	return out
}

// threads are the columns that lead from a row to whose it is.
func threads(d *catalog.Dataset) []string {
	var out []string
	for _, e := range d.Out {
		out = append(out, e.ChildColumns...)
	}
	if d.People != nil {
		for _, id := range d.Known {
			out = append(out, id.Column)
		}
	}
	return out
}

func (s *scribe) refersToKept(set *rowset, r *record) bool {
	return slices.ContainsFunc(set.d.Out, func(e *catalog.Edge) bool {
		return !e.Value && slices.ContainsFunc(s.w.parents(set, r, e), func(p *record) bool { return p.keep })
	})
}

// losesThread: a reference of the row is set to NULL before the row itself goes.
func (s *scribe) losesThread(set *rowset, r *record) bool {
	return slices.ContainsFunc(set.d.Out, func(e *catalog.Edge) bool {
		return s.ties(e) && letsGo(e) != nil && s.w.refersToDying(set, r, e)
	})
}

// recallFacts writes what identifies the people: text that a hold keeps now is masked later, when
// their own rows are gone, and holds that stand on one identity are found by another.
func (s *scribe) recallFacts(ctx context.Context) error {
	if len(s.w.g.Systems) == 0 {
		return nil
	}
	facts := map[string][]connector.Key{}
	v, stays := s.w.collect(), s.w.stayingKeys()
	for id := range sorted(v.ids) {
		facts["id"] = append(facts["id"], connector.Key{connector.TextValue(id)})
	}
	for kind, ids := range sorted(v.sure) {
		for id := range sorted(ids) {
			if stays[id] {
				continue
			}
			facts["sure"] = append(facts["sure"], connector.Key{connector.TextValue(kind), connector.TextValue(id)})
		}
	}
	for name := range sorted(v.names) {
		facts["name"] = append(facts["name"], connector.Key{connector.TextValue(name)})
	}
	for person, tokens := range s.w.tokens() {
		for token := range sorted(tokens) {
			facts["token"] = append(facts["token"], connector.Key{connector.TextValue(strconv.Itoa(person)), connector.TextValue(token)})
		}
	}
	for _, d := range s.w.g.Datasets {
		for _, l := range d.Lists {
			for key := range sorted(s.w.goneFrom(l)) {
				facts["list"] = append(facts["list"], connector.Key{connector.TextValue(listID(l)), connector.TextValue(key)})
			}
		}
	}
	for fact, rows := range sorted(facts) {
		if err := s.add(ctx, s.w.g.Systems[0].Config.ID, act{verb: recallFacts, step: -1, set: []string{fact}, rows: rows}); err != nil {
			return err
		}
	}
	return nil
}
