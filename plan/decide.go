package plan

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// decision is what happens to one row: the method, the columns it changes, and whose row it is.
type decision struct {
	method  catalog.Method
	role    catalog.Role
	fields  []string // columns that change, in catalog order; nil for delete and keep
	because string
	until   string
	code    string
	hold    string // the id of the hold that keeps the row
	// keyStays: the erasure is of the primary key too, and the row cannot be given another.
	keyStays bool
}

// decide names the method of a finished row. false: nothing happens to it.
func (w *walk) decide(s *rowset, r *record) (decision, bool) {
	switch {
	case r.conflict, r.erased:
		return decision{}, false
	case r.keep:
		why := w.reasons[r.why]
		return decision{method: catalog.Keep, role: roleOf(r), because: why.because, until: r.until, code: why.code, hold: why.hold}, true
	case !r.reached:
		return w.decideMention(s, r)
	case r.co:
		return w.decideCo(s, r)
	case w.q.Limit != nil:
		return w.decidePart(s, r), true
	case w.isPinned(s, r):
		because := "rows that stay refer to it"
		if !r.pinned {
			because = "rows that this role cannot see may go with it"
		}
		return decision{method: catalog.Anonymise, role: catalog.Own, fields: w.anonymised(s, r, nil), because: because}, true
	}
	m := wanted(s.d)
	d := decision{method: m, role: catalog.Own}
	if s.d.Rule != nil {
		d.because = s.d.Rule.Because
		if s.d.Rule.Erase == catalog.Keep {
			d.because = "the time to keep it has ended"
		}
	}
	switch m {
	case catalog.Anonymise, catalog.Pseudonymise:
		d.fields = w.anonymised(s, r, s.d.Rule.Columns)
	case catalog.Nullify:
		d.fields = w.ordered(s, append(slices.Clone(s.d.Rule.Columns), w.nullColumns(r)...))
	case catalog.Redact:
		d.fields = w.ordered(s, slices.Concat(s.d.Rule.Columns, w.nullColumns(r), w.unlisted(s, r)))
	}
	return d, true
}

func roleOf(r *record) catalog.Role {
	if r.co {
		return catalog.Co
	}
	return catalog.Own
}

// decideMention: in somebody else's row only the reference goes, and the words that name the person. A copy of an identity goes
// also when the person's row stays as a shell, which has it no more.
func (w *walk) decideMention(s *rowset, r *record) (decision, bool) {
	if w.q.Limit != nil {
		return decision{}, false
	}
	nulls := w.nullColumns(r)
	copies := slices.DeleteFunc(w.mentioned(s, r), func(c string) bool { return slices.Contains(nulls, c) })
	lists := w.unlisted(s, r)
	fields := w.ordered(s, slices.Concat(nulls, copies, lists))
	if r.inText {
		fields = w.ordered(s, append(fields, textColumns(s.d)...))
	}
	if r.inText || len(copies) > 0 && len(fields) > 0 {
		return decision{method: catalog.Redact, role: catalog.Mention, fields: fields, because: "somebody else's text names the person"}, true
	}
	if len(fields) == 0 {
		return decision{}, false
	}
	if len(lists) > 0 {
		return decision{method: catalog.Redact, role: catalog.Mention, fields: fields, because: "somebody else's row lists the person"}, true
	}
	return decision{method: catalog.Nullify, role: catalog.Mention, fields: fields, because: "the row is somebody else's"}, true
}

// decideCo: the subject's side goes, the row stays for the others.
func (w *walk) decideCo(s *rowset, r *record) (decision, bool) {
	fields := w.partOf(s.d, slices.Concat(w.nullColumns(r), textColumns(s.d), w.namesSubject(s, r), w.unlisted(s, r)))
	if len(fields) == 0 {
		return decision{}, false
	}
	return decision{method: catalog.Redact, role: catalog.Co, fields: w.ordered(s, fields), because: "it is also somebody else's"}, true
}

func (w *walk) nullColumns(r *record) []string {
	var out []string
	for _, n := range r.nulls {
		out = append(out, breakable(w.edges[n])...)
	}
	return out
}

// mentioned are the columns by which somebody else's row names the subject by a value, unless the subject's own row is kept.
func (w *walk) mentioned(s *rowset, r *record) []string {
	var out []string
	for _, e := range s.d.Out {
		if e.Value && e.Role == catalog.Mention && set(s, r, e) && w.lead(s, r, e) == toSubject && !slices.ContainsFunc(w.parents(s, r, e), func(p *record) bool { return p.keep }) {
			out = append(out, e.ChildColumns...)
		}
	}
	return out
}

// namesSubject are the columns that name the subject by a value; where they name somebody else they
// are that one's reference, and stay.
func (w *walk) namesSubject(s *rowset, r *record) []string {
	var out []string
	for _, e := range s.d.Out {
		if e.Value && set(s, r, e) && w.lead(s, r, e) == toSubject {
			out = append(out, e.ChildColumns...)
		}
	}
	return out
}

// textColumns are the columns redaction speaks of: those the rule lists, else the free text. What
// refers to a row, declared or not, and the date that ends a keep are no prose.
func textColumns(d *catalog.Dataset) []string {
	if d.Rule != nil && len(d.Rule.Columns) > 0 {
		return slices.Clone(d.Rule.Columns)
	}
	until := untilColumn(d)
	var out []string
	for _, c := range d.Table.Columns {
		if catalog.IsFreeText(d.Table, c) && c.Name != until && !refers(d, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// refers: the column is part of an edge, by key or by value, says which of several edges it is, or lists rows.
func refers(d *catalog.Dataset, column string) bool {
	return d.IsList(column) || slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool {
		return slices.Contains(e.ChildColumns, column) || e.When()[column] != ""
	})
}

// anonymised are the columns that anonymising changes: the listed ones, else the personal ones, and
// the references that break.
func (w *walk) anonymised(s *rowset, r *record, listed []string) []string {
	fields := slices.Clone(listed)
	if len(fields) == 0 {
		fields = personalColumns(s.d)
	}
	return w.ordered(s, append(w.newKey(s, r, fields), w.nullColumns(r)...))
}

// personalColumns are what a row says of somebody, where no rule lists it.
func personalColumns(d *catalog.Dataset) []string {
	var out []string
	until := untilColumn(d)
	for _, c := range d.Table.Columns {
		if c.Name != until && catalog.IsPersonal(d.Table, c, isBy(d, c.Name)) && !isEdgeColumn(d, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

func isBy(d *catalog.Dataset, column string) bool {
	return slices.ContainsFunc(d.Known, func(id catalog.Identity) bool { return id.Column == column })
}

// isEdgeColumn: a key reference is broken or left, never replaced; a value that names a person is replaced.
func isEdgeColumn(d *catalog.Dataset, column string) bool {
	return slices.ContainsFunc(d.Out, func(e *catalog.Edge) bool {
		return !e.Value && (slices.Contains(e.ChildColumns, column) || e.When()[column] != "")
	})
}

// ordered puts columns in catalog order, each once, without those nobody may set.
func (w *walk) ordered(s *rowset, names []string) []string {
	var out []string
	for _, c := range s.d.Table.Columns {
		if slices.Contains(names, c.Name) && !c.Generated {
			out = append(out, c.Name)
		}
	}
	return out
}

// writer says who wrote a row's text.
type writer int

const (
	undecided writer = iota
	bySubject
	byOther
)

// writerOf reads the author link, else the writer column; a row of one owner without either was
// written by, or for, its owner.
func (w *walk) writerOf(s *rowset, r *record) writer {
	if !r.reached {
		return byOther
	}
	for _, e := range s.d.Out {
		if e.Author {
			return w.writerBy(s, r, e)
		}
	}
	column := writerColumn(s.d)
	if column == "" {
		if r.reached && !r.co {
			return bySubject
		}
		return undecided
	}
	for _, e := range s.d.Out {
		if len(e.ChildColumns) == 1 && e.ChildColumns[0] == column {
			return w.writerBy(s, r, e)
		}
	}
	at, ok := s.at[column]
	if !ok || r.cells[at].IsNull() {
		return undecided
	}
	switch v := connector.Fold(r.cells[at].S); {
	case w.known(v), r.reached && !r.co && w.named(v):
		return bySubject
	case strings.Contains(v, "@"):
		return byOther
	}
	return undecided
}

func (w *walk) writerBy(s *rowset, r *record, e *catalog.Edge) writer {
	if s.values(r, e.ChildColumns).HasNull() {
		return undecided
	}
	if len(reachedOnly(w.parents(s, r, e))) > 0 || w.ghosts.has(e, s.values(r, e.ChildColumns)) {
		return bySubject
	}
	if e.Value && w.known(connector.Fold(s.values(r, e.ChildColumns)[0].S)) {
		return bySubject // whom the link does not lead to: a customer, where staff answers
	}
	return byOther
}
