package plan

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// Limit narrows an erasure to some of the people's data: what is of the categories, and was there for the purposes. All
// else stays untouched, cell by cell, and so does what a purpose that goes on needs.
type Limit struct {
	Categories []string `json:"categories,omitempty"` // none: of every category
	Purposes   []string `json:"purposes,omitempty"`   // none: whatever for

	Ended []Use `json:"-"` // the purposes, with what they needed
	Going []Use `json:"-"` // the other purposes for which these people's data may go on being processed
}

// String says it in words.
func (l *Limit) String() string {
	var out []string
	if len(l.Categories) > 0 {
		out = append(out, "the categories "+strings.Join(l.Categories, ", "))
	}
	if len(l.Purposes) > 0 {
		out = append(out, "what was there for "+strings.Join(l.Purposes, ", "))
	}
	return strings.Join(out, ", and of that only ")
}

// Use is what a purpose needs, and where.
type Use struct {
	Purpose    string
	Why        string // what it rests on, as a plan says it
	Categories []string
	Systems    []string // none: in every system
}

func (u Use) in(system string) bool {
	return len(u.Systems) == 0 || slices.Contains(u.Systems, system)
}

func (u Use) needs(system, category string) bool {
	return u.in(system) && slices.Contains(u.Categories, category)
}

// part is what a limit means for the rows of a dataset.
type part struct {
	fields []string // the columns that go
	whole  bool     // a row holds nothing else of the person, and goes with them
	stays  []stay
	asks   []string // columns of which nobody has said what they are
}

// stay is columns that stay, and why.
type stay struct {
	because string
	fields  []string
}

const notAsked = "not asked for"

// limits gives the part of a dataset that an erasure is about.
func (w *walk) limits(d *catalog.Dataset) *part {
	if p := w.parts[d]; p != nil {
		return p
	}
	p := w.q.Limit.part(d)
	if w.parts == nil {
		w.parts = map[*catalog.Dataset]*part{}
	}
	w.parts[d] = p
	return p
}

// part sorts the columns. Only a row that is there for an ended purpose, or that says nothing but what was asked for and
// when, goes whole: an order with a telephone number is an order.
func (l *Limit) part(d *catalog.Dataset) *part {
	p, more := &part{}, false
	until := untilColumn(d)
	for _, c := range d.Table.Columns {
		category := string(catalog.CategoryOf(d, c))
		onlyKey := slices.Contains(d.Table.Primary, c.Name) && !isBy(d, c.Name) && !(category != "" && l.asks(d, category))
		if c.Generated || c.Name == until || isEdgeColumn(d, c.Name) || onlyKey {
			continue
		}
		personal := catalog.IsPersonal(d.Table, c, isBy(d, c.Name))
		switch {
		case category == "" && !personal:
			more = more || c.Kind != connector.Time
		case l.asks(d, category):
			p.weigh(l, d, c.Name, category)
		case category == "" && l.mayAsk(d):
			p.asks = append(p.asks, c.Name)
		default:
			p.keep(notAsked, c.Name)
		}
	}
	served := len(l.Categories) == 0 && slices.Contains(l.Purposes, serves(d))
	p.whole = len(p.stays) == 0 && len(p.asks) == 0 && (len(p.fields) > 0 && !more || served)
	return p
}

// weigh lets a column go unless a purpose that goes on needs it.
func (p *part) weigh(l *Limit, d *catalog.Dataset, column, category string) {
	for _, u := range l.Going {
		if own := serves(d); own == u.Purpose || own == "" && u.needs(d.System, category) {
			p.keep("needed for "+u.Purpose+" ("+u.Why+")", column)
			return
		}
	}
	p.fields = append(p.fields, column)
}

func (p *part) keep(because, column string) {
	i := slices.IndexFunc(p.stays, func(s stay) bool { return s.because == because })
	if i < 0 {
		i, p.stays = len(p.stays), append(p.stays, stay{because: because})
	}
	p.stays[i].fields = append(p.stays[i].fields, column)
}

// serves is the purpose that a dataset is there for; "" when its rule names none.
func serves(d *catalog.Dataset) string {
	if d.Rule == nil || d.Rule.Rejected {
		return ""
	}
	return d.Rule.Purpose
}

// asks: the limit speaks of this category in this dataset.
func (l *Limit) asks(d *catalog.Dataset, category string) bool {
	if len(l.Categories) > 0 && !slices.Contains(l.Categories, category) {
		return false
	}
	own := serves(d)
	switch {
	case len(l.Purposes) == 0:
		return category != ""
	case own != "":
		return slices.Contains(l.Purposes, own)
	}
	return slices.ContainsFunc(l.Ended, func(u Use) bool { return u.needs(d.System, category) })
}

// mayAsk: a column of no known category may be of one that is asked for.
func (l *Limit) mayAsk(d *catalog.Dataset) bool {
	own := serves(d)
	switch {
	case len(l.Purposes) == 0:
		return !slices.ContainsFunc(l.Going, func(u Use) bool { return own != "" && u.Purpose == own })
	case own != "":
		return slices.Contains(l.Purposes, own)
	}
	return slices.ContainsFunc(l.Ended, func(u Use) bool { return u.in(d.System) })
}

// goesWhole: erasure removes rows of the dataset.
func (w *walk) goesWhole(d *catalog.Dataset) bool {
	return removes(wanted(d)) && (w.q.Limit == nil || w.limits(d).whole)
}

// decidePart is what a limit leaves of the decision about a row of the person that no hold and no rule keeps.
func (w *walk) decidePart(s *rowset, r *record) decision {
	p, m := w.limits(s.d), wanted(s.d)
	if removes(m) && p.whole && !w.isPinned(s, r) {
		return decision{method: m, role: catalog.Own, because: "all it holds was asked for"}
	}
	d := decision{method: m, role: catalog.Own, because: "of what it holds, this was asked for"}
	asked := p.fields
	if removes(m) {
		d.method = catalog.Anonymise
	} else if s.d.Rule != nil && len(s.d.Rule.Columns) > 0 {
		asked = within(asked, s.d.Rule.Columns)
	}
	parts, moving := w.allHandles(s.d), w.moving(s, r)
	inKey := func(c string) bool {
		return (slices.Contains(parts, c) || slices.Contains(s.d.Table.Primary, c)) && !slices.Contains(moving, c)
	}
	d.fields = slices.DeleteFunc(w.ordered(s, asked), inKey)
	d.keyStays = slices.ContainsFunc(asked, func(c string) bool { return inKey(c) && !isTombstone(r.cells[s.at[c]].S) })
	if len(d.fields) == 0 && !d.keyStays {
		return decision{method: catalog.Keep, role: catalog.Own, because: p.why()}
	}
	return d
}

// partOf leaves of what would change in a row that is also somebody else's what the limit speaks of.
func (w *walk) partOf(d *catalog.Dataset, fields []string) []string {
	if w.q.Limit == nil {
		return fields
	}
	return within(w.limits(d).fields, fields)
}

func within(some, others []string) []string {
	var out []string
	for _, c := range some {
		if slices.Contains(others, c) {
			out = append(out, c)
		}
	}
	return out
}

func (p *part) why() string {
	var out []string
	for _, s := range p.stays {
		out = append(out, s.because)
	}
	if len(out) == 0 {
		return notAsked
	}
	return strings.Join(out, "; ")
}

// fillLimit says of the rows that change in part which of their columns stay, and which nobody can tell.
func (w *walk) fillLimit(p *Plan, groups []*group) {
	p.Limit = w.q.Limit
	for _, d := range w.order() {
		rows, own := int64(0), int64(0)
		for _, g := range groups {
			if g.d == d && g.decision.role == catalog.Own {
				own += g.step.Rows
				if len(g.decision.fields) > 0 {
					rows += g.step.Rows
				}
			}
		}
		part := w.limits(d)
		for _, s := range part.stays {
			if rows > 0 {
				p.Kept = append(p.Kept, Kept{System: d.System, Dataset: d.Name, Rows: rows, Because: s.because, Fields: s.fields})
			}
		}
		if own > 0 && len(part.asks) > 0 {
			w.gaps = append(w.gaps, Remaining{System: d.System, Dataset: d.Name, Rows: own, Code: "uncategorised", Why: "nobody has said of what category this is: " + strings.Join(part.asks, ", "),
				Who: "whoever knows the data", Next: "name it under tables: " + d.Name + ": categories: in ombud.yaml, then plan again"})
		}
	}
}
