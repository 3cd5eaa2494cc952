package gen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/internal/testkit/model"
)

// fill makes the rows. Keys first, so that references may go round in circles.
func (m *maker) fill() {
	for _, t := range m.c.Tables {
		n := 4 + m.IntN(9)
		if t.People != nil {
			n = 4 + m.IntN(4)
		}
		for i := range n {
			t.Rows = append(t.Rows, m.blank(t, i))
		}
	}
	for _, t := range m.c.Tables {
		for _, e := range t.Edges {
			if e.Declared && e.ToColumns[0] == "email" && !byAddress(e.To) {
				for _, r := range e.To.Rows {
					m.mailOf(r)
				}
			}
		}
	}
	for range 3 { // a key that is a reference is there after its parent's
		for _, t := range m.c.Tables {
			for i, r := range t.Rows {
				m.refs(t, r, i)
			}
		}
	}
	for _, t := range m.c.Tables {
		distinct(t)
	}
	for prune(m.c.Tables) {
	}
	for _, t := range m.c.Tables {
		for _, r := range t.Rows {
			m.texts(t, r)
		}
	}
}

// prune drops rows with a declared reference to nothing; true when there were some.
func prune(tables []*model.Table) bool {
	dropped := false
	for _, t := range tables {
		n := len(t.Rows)
		t.Rows = slices.DeleteFunc(t.Rows, func(r *model.Row) bool {
			return slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return e.Declared && r.Dangles(e) })
		})
		dropped = dropped || len(t.Rows) != n
	}
	return dropped
}

// blank is a row with its key.
func (m *maker) blank(t *model.Table, i int) *model.Row {
	r := &model.Row{Table: t, Cells: make([]model.Cell, len(t.Columns))}
	for at, c := range t.Columns {
		switch {
		case c.Name == "n":
			r.Cells[at] = number(i + 1)
		case slices.Contains(t.Key, c.Name) && c.Type == model.Text:
			r.Cells[at] = model.Cell{S: m.word() + pick(m, []string{"", " x", "@key.example"})}
		case slices.Contains(t.Key, c.Name):
			r.Cells[at] = number(1 + i)
			if len(t.Key) == 2 && c.Name == t.Key[0] {
				r.Cells[at] = number(1 + m.IntN(2))
			}
		default:
			r.Cells[at].Null = true
		}
	}
	return r
}

func number(n int) model.Cell { return model.Cell{S: strconv.Itoa(n)} }

// refs points the row's references at random parents. A tenant that is set already narrows them.
func (m *maker) refs(t *model.Table, r *model.Row, i int) {
	for _, e := range t.Edges {
		switch {
		case e.Value:
			m.valueRef(t, r, e)
		case e.Role == model.Alias:
			r.Cells[t.At(e.Columns[0])] = e.To.Rows[i%len(e.To.Rows)].Cell(e.ToColumns[0])
		case len(e.When) > 0:
			m.polyRef(t, r)
		default:
			m.keyRef(t, r, e)
		}
	}
}

func (m *maker) keyRef(t *model.Table, r *model.Row, e *model.Edge) {
	if len(e.To.Rows) == 0 {
		return
	}
	m.pointAt(t, r, e, pick(m, e.To.Rows))
	if !m.chance(25) {
		return
	}
	for _, c := range e.Columns { // one NULL part, and the rest may say anything
		if !t.Columns[t.At(c)].NotNull {
			r.Cells[t.At(c)] = model.Cell{Null: true}
			return
		}
	}
}

func (m *maker) pointAt(t *model.Table, r *model.Row, e *model.Edge, p *model.Row) {
	if len(e.Columns) == 2 && (slices.Contains(t.Key, e.Columns[0]) || m.sharesFirst(t, e)) {
		first := r.Cell(e.Columns[0])
		same := slices.DeleteFunc(slices.Clone(e.To.Rows), func(o *model.Row) bool { return o.Cell(e.ToColumns[0]) != first })
		if len(same) > 0 && !first.Null {
			p = pick(m, same)
		} else if !t.Columns[t.At(e.Columns[1])].NotNull {
			r.Cells[t.At(e.Columns[1])] = model.Cell{Null: true}
			return
		}
	}
	for j, c := range e.Columns {
		if slices.Contains(t.Key, c) && e.Role != model.Join && e.Role != model.Co && !holdsAll(t.Key, e.Columns) {
			continue
		}
		r.Cells[t.At(c)] = p.Cell(e.ToColumns[j])
	}
}

func holdsAll(key, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(key, c) })
}

// sharesFirst: another reference of the row, listed before this one, uses its tenant.
func (m *maker) sharesFirst(t *model.Table, e *model.Edge) bool {
	for _, o := range t.Edges {
		if o == e {
			return false
		}
		if o.Columns[0] == e.Columns[0] {
			return true
		}
	}
	return false
}

func (m *maker) polyRef(t *model.Table, r *model.Row) {
	e := pick(m, t.Edges)
	if len(e.When) == 0 || m.chance(10) {
		r.Cells[t.At("target_type")] = model.Cell{S: "nothing we know"}
		r.Cells[t.At("target_id")] = number(1 + m.IntN(6))
		return
	}
	r.Cells[t.At("target_type")] = model.Cell{S: e.When["target_type"]}
	r.Cells[t.At("target_id")] = pick(m, e.To.Rows).Cell(e.ToColumns[0])
	if m.chance(10) {
		r.Cells[t.At("target_id")] = model.Cell{Null: true}
	}
}

func (m *maker) valueRef(t *model.Table, r *model.Row, e *model.Edge) {
	at := t.At(e.Columns[0])
	switch {
	case m.chance(15) && !t.Columns[at].NotNull:
		r.Cells[at] = model.Cell{Null: true}
	case m.chance(15):
		r.Cells[at] = model.Cell{S: m.word() + "@nobody.example"}
	default:
		for range 3 {
			if v := m.mailOf(pick(m, e.To.Rows)); v != "" {
				r.Cells[at] = model.Cell{S: m.spelling(v)}
				return
			}
		}
		r.Cells[at] = model.Cell{S: "none@nobody.example"}
	}
}

// mailOf is a person's address, made when first asked for.
func (m *maker) mailOf(p *model.Row) string {
	at := p.Table.At("email")
	if at < 0 {
		return ""
	}
	if !p.Cells[at].Null && p.Cells[at].S != "" {
		return p.Cells[at].S
	}
	if !p.Table.Columns[at].NotNull && m.chance(10) {
		return ""
	}
	mail := m.word() + "@mail.example"
	if p.Table == m.people[len(m.people)-1] && len(m.people) > 1 && len(m.mails) > 0 && m.chance(50) {
		at := m.IntN(len(m.mails)) // somebody the other table knows too
		mail = m.mails[at]
		m.mails = slices.Delete(m.mails, at, at+1)
	} else if p.Table == m.people[0] {
		m.mails = append(m.mails, mail)
	}
	p.Cells[at] = model.Cell{S: m.spelling(mail)}
	return mail
}

// texts fills what is left.
func (m *maker) texts(t *model.Table, r *model.Row) {
	for at, c := range t.Columns {
		if !r.Cells[at].Null || t.At("email") == at && m.mailOf(r) != "" || m.isReference(t, c.Name) {
			continue
		}
		switch {
		case !c.NotNull && m.chance(20):
		case c.Type == model.Date:
			r.Cells[at] = model.Cell{S: fmt.Sprintf("%04d-%02d-%02d", 2015+m.IntN(12), 1+m.IntN(12), 1+m.IntN(28))}
		case c.Type == model.Int:
			r.Cells[at] = number(m.IntN(1000))
		case c.Name == "email" && t.People != nil:
			if c.NotNull {
				r.Cells[at] = model.Cell{S: m.word() + "@mail.example"}
			}
		case c.Name == model.NameColumn:
			m.names = append(m.names, m.word()+" "+m.word())
			r.Cells[at] = model.Cell{S: m.names[len(m.names)-1]}
		default:
			r.Cells[at] = model.Cell{S: m.prose(t, c)}
		}
	}
}

func (m *maker) isReference(t *model.Table, column string) bool {
	return slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return slices.Contains(e.Columns, column) })
}

// prose is text that sometimes names a person; where a rule redacts, often.
func (m *maker) prose(t *model.Table, c model.Column) string {
	s := m.word() + pick(m, []string{"", " it's", ` "so"`, " \\ back", " %s ", "; drop", " ünï €", "\ttab", " 'x''y'"})
	often := 2
	if t.Rule.Erase == "redact" && slices.Contains(t.Rule.Columns, c.Name) {
		often = 40
	}
	if m.chance(often) && !t.Ignored {
		p := pick(m, m.people[0].Rows)
		if mail := m.mailOf(p); mail != "" {
			s += " " + strings.TrimSpace(m.spelling(mail))
		}
	}
	if c.Length > 0 && len([]rune(s)) > c.Length {
		s = string([]rune(s)[:c.Length])
	}
	return s
}

// distinct drops rows whose key another has already.
func distinct(t *model.Table) {
	seen := map[string]bool{}
	t.Rows = slices.DeleteFunc(t.Rows, func(r *model.Row) bool {
		if len(t.Key) == 0 {
			return false
		}
		var k strings.Builder
		for _, c := range t.Key {
			k.WriteString(r.Cell(c).S + "\x00")
		}
		twice := seen[k.String()]
		seen[k.String()] = true
		return twice
	})
}
