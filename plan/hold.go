package plan

import (
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/subject"
)

// heldPeople matches the standing holds with everything that identifies each person, found or given:
// a hold set on an address also stops an erasure asked for by customer number.
func (w *walk) heldPeople() map[int][]subject.Hold {
	held := map[int][]subject.Hold{}
	if len(w.q.Holds) == 0 {
		return held
	}
	for i, tokens := range w.tokens() {
		for _, h := range w.q.Holds {
			if tokens[h.Token] {
				held[i] = append(held[i], h)
			}
		}
	}
	return held
}

// tokens are, for each person, those of everything that identifies them, or did before an earlier run.
func (w *walk) tokens() []map[string]bool {
	tokens := make([]map[string]bool, len(w.q.People))
	for i, p := range w.q.People {
		tokens[i] = map[string]bool{}
		for _, t := range w.ghosts.tokens[i] {
			tokens[i][t] = true
		}
		for _, t := range subject.Tokens(w.e.cfg.Vault, p.Identities) {
			tokens[i][t] = true
		}
	}
	for _, d := range w.g.Datasets {
		s := w.sets[d]
		if s == nil || d.People == nil {
			continue
		}
		s.every(func(r *record) {
			if r.person == 0 {
				return
			}
			for _, id := range d.Known {
				tokens[r.of()][subject.Token(w.e.cfg.Vault, id.Kind, r.cells[s.at[id.Column]].S)] = true
			}
		})
	}
	return tokens
}

// hold is the hold that keeps a row, if one does. In a request about several people a hold on one
// keeps that one's rows and what they share, not the others'.
func (w *walk) hold(s *rowset, r *record) (subject.Hold, bool) {
	if len(w.held) == 0 {
		return subject.Hold{}, false
	}
	for _, person := range w.peopleOf(s, r) {
		for _, h := range w.held[person] {
			if h.Covers(s.d.System, s.d.Name) {
				return h, true
			}
		}
	}
	return subject.Hold{}, false
}

// peopleOf are those of the request whose row it is; all of them where that cannot be told, as when an
// earlier run took the rows that would tell.
func (w *walk) peopleOf(s *rowset, r *record) []int {
	var all, out []int
	for person := range w.q.People {
		all = append(all, person)
		if len(w.q.People) > 1 && w.isOf(s, r, person, map[rowID]bool{}) {
			out = append(out, person)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// isOf goes up the edges that say whose a row is, to the person's seed.
func (w *walk) isOf(s *rowset, r *record, person int, seen map[rowID]bool) bool {
	if r.person > 0 {
		return r.of() == person
	}
	id := rowID{s, r.n}
	if seen[id] {
		return false
	}
	seen[id] = true
	up := w.judged(s, r)
	for _, e := range s.d.In { // a base row is the person of the row that led to it
		if e.Role == catalog.Alias && r.seed {
			for _, c := range w.children(s, r, e) {
				if set(w.sets[e.Child], c, e) && w.isOf(w.sets[e.Child], c, person, seen) {
					return true
				}
			}
		}
	}
	for _, e := range up {
		for _, p := range w.parents(s, r, e) {
			if w.isOf(w.sets[e.Parent], p, person, seen) {
				return true
			}
		}
	}
	return false
}

// children are the met rows that refer to a row by an edge.
func (w *walk) children(s *rowset, r *record, e *catalog.Edge) []*record {
	cs := w.sets[e.Child]
	if cs == nil || !cs.indexed {
		return nil
	}
	k, ok := convertKey(e.Child, e.ChildColumns, s.values(r, e.ParentColumns))
	if !ok {
		return nil
	}
	return cs.find(e.ChildColumns, false, encodeKey(k, false))
}
