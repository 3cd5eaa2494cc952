package model

import "slices"

// Owner says whose a row is.
type Owner int

const (
	Nobody   Owner = iota // not the subject's
	Owned                 // the subject's alone
	CoOwned               // the subject's and somebody else's
	Conflict              // a key says one person and a value another
)

// whose is the state of the question "whose is each row".
type whose struct {
	c       *Company
	q       Question
	seeds   map[*Row]bool
	reached map[*Row]bool
	shared  map[*Row]bool
	clash   map[*Row]bool
	known   []known       // given, and found in rows that are the person
	led     map[*Row]bool // by an identity
	same    map[*Row]bool // led, or an alias of one that is
	// matched counts rows of people tables that identities led to.
	matched int
}

func newWhose(c *Company, q Question) *whose {
	w := &whose{c: c, q: q, seeds: map[*Row]bool{}, led: map[*Row]bool{}, same: map[*Row]bool{}}
	w.seed()
	for {
		w.reach()
		w.share()
		if !w.follow() {
			return w
		}
	}
}

func (w *whose) owner(r *Row) Owner {
	switch {
	case !w.reached[r]:
		return Nobody
	case w.clash[r]:
		return Conflict
	case w.shared[r]:
		return CoOwned
	}
	return Owned
}

// known is an identity of the person, and the table whose row it was found in: in a column where nobody else has it.
type known struct {
	Identity
	in *Table
}

// seed begins with the identities that were given.
func (w *whose) seed() {
	for _, id := range w.q.Identities {
		w.known = append(w.known, known{id, nil})
	}
	w.lead()
}

// lead finds the rows that identities lead to, and goes on with what it finds there that is unique; true when there was one.
func (w *whose) lead() (led bool) {
	for grown := true; grown; {
		grown = false
		for _, t := range w.c.Tables {
			if t.People == nil || t.Ignored {
				continue
			}
			for _, r := range t.Rows {
				if w.led[r] || !w.leads(t, r) {
					continue
				}
				w.led[r], w.seeds[r], grown, led = true, true, true, true
				w.learn(r)
			}
		}
	}
	w.matched = len(w.led)
	return led
}

// learn takes in who a row is.
func (w *whose) learn(r *Row) {
	if w.same[r] {
		return
	}
	w.same[r] = true
	for _, id := range identitiesOf(r.Table, r) {
		w.known = append(w.known, known{id, r.Table})
	}
}

func identitiesOf(t *Table, r *Row) []Identity {
	var out []Identity
	for kind, column := range t.People {
		if v := r.Cell(column); t.unique(column) && !v.Null && folded(v.S) != "" {
			out = append(out, Identity{kind, v.S})
		}
	}
	return out
}

func (w *whose) leads(t *Table, r *Row) bool {
	for _, id := range w.known {
		column, ok := t.People[id.Kind]
		if ok && id.in != t && !r.Cell(column).Null && folded(r.Cell(column).S) == folded(id.Value) {
			return true
		}
	}
	return false
}

// reach spreads from the seeds to everything whose owner is read from a reached row.
func (w *whose) reach() {
	w.reached = map[*Row]bool{}
	for grown := true; grown; {
		grown = w.lead()
		for r := range w.seeds {
			w.reached[r] = true
		}
		for _, t := range w.c.Tables {
			if t.Ignored {
				continue
			}
			for _, r := range t.Rows {
				grown = w.reachRow(r) || grown
			}
		}
	}
}

func (w *whose) reachRow(r *Row) bool {
	grown := false
	for _, e := range r.Table.Edges {
		if e.Role != Alias || !w.reached[r] {
			continue
		}
		for _, p := range r.parents(e) {
			grown = grown || !w.reached[p]
			w.reached[p], w.seeds[p] = true, true
			grown = w.isSame(r, p) || w.isSame(p, r) || grown
		}
	}
	if w.reached[r] {
		return grown
	}
	for _, e := range judged(r) {
		if w.names(r, e) {
			w.reached[r] = true
			return true
		}
		for _, p := range r.parents(e) {
			if w.reached[p] {
				w.reached[r] = true
				return true
			}
		}
	}
	return grown
}

// isSame: an alias of whoever is the person is the person.
func (w *whose) isSame(known, other *Row) bool {
	if !w.same[known] || w.same[other] || other.Table.People == nil {
		return false
	}
	w.learn(other)
	return true
}

// judged are the edges that say whose a row is: direct ones that are set, else those it hangs by.
func judged(r *Row) []*Edge {
	var direct, hang []*Edge
	for _, e := range r.Table.Edges {
		if !r.set(e) {
			continue
		}
		switch e.Role {
		case Own, Co, Alias, Join:
			direct = append(direct, e)
		case Inherit, Context:
			hang = append(hang, e)
		}
	}
	if len(direct) > 0 || r.Table.People != nil {
		return direct
	}
	return hang
}

// share takes reached rows that are also somebody else's. Rows only ever lose their sole owner.
func (w *whose) share() {
	w.shared, w.clash = map[*Row]bool{}, map[*Row]bool{}
	for changed := true; changed; {
		changed = false
		for r := range w.reached {
			if !w.seeds[r] && !w.shared[r] && w.isShared(r) {
				w.shared[r], changed = true, true
			}
		}
	}
	for r := range w.reached {
		w.clash[r] = !w.seeds[r] && w.clashes(r)
	}
}

func (w *whose) isShared(r *Row) bool {
	shared := false
	for _, e := range judged(r) {
		mine, theirs := w.sides(r, e)
		if e.Role == Join {
			if mine && !theirs {
				return false
			}
			continue
		}
		shared = shared || theirs
	}
	return shared
}

// sides says whether an edge leads to the subject and whether it leads to others.
func (w *whose) sides(r *Row, e *Edge) (mine, theirs bool) {
	ps := r.parents(e)
	for _, p := range ps {
		if w.reached[p] {
			mine = true
			theirs = theirs || w.shared[p]
		}
	}
	if mine {
		return mine, theirs
	}
	if w.names(r, e) {
		return true, false
	}
	// A key that leads to a row not the subject's is somebody else's; so is one that leads out of
	// sight. A value nobody has leads nowhere; so does a key that nothing checks, where rows have a value too.
	// Nor is a row of the people who has nothing personal anybody else's, where rows have a value too.
	entry := e.Role == Own && slices.ContainsFunc(r.Table.Edges, isEntry)
	if !e.Value && entry && len(ps) > 0 && !slices.ContainsFunc(ps, func(p *Row) bool { return !isNobody(p) }) {
		return false, false
	}
	return false, len(ps) > 0 || !e.Value && (e.Declared || !entry)
}

// isNobody: of the row of a people table nothing is left that tells of somebody, but a number that is its key.
func isNobody(r *Row) bool {
	says := func(column string) bool { return folded(r.Cell(column).S) != "" }
	known := false
	for _, column := range r.Table.People {
		if r.Table.Columns[r.Table.At(column)].Type == Int && slices.Contains(r.Table.Key, column) {
			continue
		}
		if says(column) {
			return false
		}
		known = true
	}
	return known && !slices.ContainsFunc(r.Table.personal(), says)
}

// isEntry reports whether rows can be found by a value that no row of the other table has.
func isEntry(e *Edge) bool { return e.Value && (e.Role == Own || e.Role == Co) && !e.To.Ignored }

// names reports whether the row carries an identity of the subject that nobody in the other table has.
func (w *whose) names(r *Row, e *Edge) bool {
	if !isEntry(e) || !r.set(e) || len(r.parents(e)) > 0 {
		return false
	}
	for kind, column := range e.To.People {
		for _, id := range w.known {
			if column == e.ToColumns[0] && id.Kind == kind && folded(id.Value) == folded(r.Cell(e.Columns[0]).S) {
				return true
			}
		}
	}
	return false
}

// clashes: among own edges, a key and a value that lead to different people.
func (w *whose) clashes(r *Row) bool {
	var keyMine, keyTheirs, valueMine, valueTheirs bool
	for _, e := range judged(r) {
		if e.Role != Own {
			continue
		}
		mine, theirs := w.sides(r, e)
		if e.Value {
			valueMine, valueTheirs = valueMine || mine, valueTheirs || !mine && theirs
		} else {
			keyMine, keyTheirs = keyMine || mine, keyTheirs || !mine && theirs
		}
	}
	return keyMine && valueTheirs || valueMine && keyTheirs
}

// follow adds the parents to which only the subject's own rows refer; true when there was one.
func (w *whose) follow() bool {
	grown := false
	for _, t := range w.c.Tables {
		for _, e := range t.Edges {
			if e.Role != Follow {
				continue
			}
			for _, p := range e.To.Rows {
				if !w.seeds[p] && !w.reached[p] && w.onlyMine(p) {
					w.seeds[p], grown = true, true
				}
			}
		}
	}
	return grown
}

func (w *whose) onlyMine(p *Row) bool {
	any, followed := false, false
	for _, t := range w.c.Tables {
		for _, e := range t.Edges {
			if e.To != p.Table || t.Ignored {
				continue
			}
			for _, r := range t.Rows {
				if !slices.Contains(r.parents(e), p) {
					continue
				}
				if w.owner(r) != Owned {
					return false
				}
				any, followed = true, followed || e.Role == Follow
			}
		}
	}
	return any && followed
}
