package gen

import (
	"slices"

	"github.com/ombudhq/ombud/internal/testkit/model"
)

// refer adds columns to t that can hold a key of parent.
func (m *maker) refer(t, parent *model.Table, notNull bool) []string {
	var out []string
	for i, k := range parent.Key {
		c := parent.Columns[parent.At(k)]
		if i == 0 && len(parent.Key) == 2 {
			if tenant := m.tenant(t); tenant != "" && m.chance(60) {
				out = append(out, tenant)
				continue
			}
		}
		out = append(out, m.newColumn(t, "ref", keyNames, c.Type, notNull && !(i == 0 && m.chance(30)), c.Length))
	}
	return out
}

// tenant is a column of t that is the first of a composite key already.
func (m *maker) tenant(t *model.Table) string {
	if len(t.Key) == 2 {
		return t.Key[0]
	}
	for _, e := range t.Edges {
		if len(e.Columns) == 2 {
			return e.Columns[0]
		}
	}
	return ""
}

// edge adds a reference by key. Between systems, and sometimes within one, no database declares it;
// a link of ombud.yaml does, and that speaks of one column.
func (m *maker) edge(t, parent *model.Table, role model.Role, nullable bool) *model.Edge {
	declared := t.System == parent.System && (len(parent.Key) > 1 || m.chance(75))
	e := &model.Edge{To: parent, ToColumns: parent.Key, Role: role, Declared: declared}
	e.Columns = m.refer(t, parent, !nullable)
	can := nullable && !slices.ContainsFunc(e.Columns, func(c string) bool { return t.Columns[t.At(c)].NotNull })
	if declared {
		e.OnDelete = m.onDelete(can)
		e.Deferred = m.chance(15)
	}
	if can && e.OnDelete != "SET NULL" && len(e.Columns) == 1 && m.chance(8) {
		t.Checks = append(t.Checks, model.Check{Columns: e.Columns, Null: true, SQL: "? IS NOT NULL OR 1 = 1"})
	}
	if role == model.None || role == model.Inherit || role == model.Join {
		e.Implicit, e.Declared, e.Deferred = true, true, false
	}
	t.Edges = append(t.Edges, e)
	return e
}

// value adds a reference by e-mail address, which no database declares.
func (m *maker) value(t, people *model.Table, role model.Role) {
	c := m.newColumn(t, "contact", []string{"Mail", "e-mail", "contact address"}, model.Text, m.chance(20), 120)
	byValue := !slices.Contains(people.Key, "email")
	t.Edges = append(t.Edges, &model.Edge{Columns: []string{c}, To: people, ToColumns: []string{"email"}, Role: role, Value: byValue})
}

// dependent adds one table of a random make below what is there already.
func (m *maker) dependent() {
	makes := []func(*model.Table, *model.Table){m.owned, m.owned, m.shared, m.child, m.child, m.poly, m.mailed, m.mailed, m.thread, m.named, m.pooled}
	if m.chance(12) {
		m.pure()
		return
	}
	people := pick(m, m.people)
	system := people.System
	if m.chance(20) {
		system = m.system()
	}
	if len(people.Key) > 1 {
		system = people.System // no link speaks of two columns
	}
	t := m.table(system)
	if m.chance(85) {
		m.key(t)
	}
	pick(m, makes)(t, people)
	for range 1 + m.IntN(2) {
		m.text(t)
	}
	m.rule(t)
	if m.chance(25) && len(m.others) > 0 {
		m.context(t)
	}
	m.others = append(m.others, t)
}

func (m *maker) owned(t, people *model.Table) { m.edge(t, people, model.Own, m.chance(40)) }

// shared is a row of two people: a message, a transfer.
func (m *maker) shared(t, people *model.Table) {
	second := people
	if p := m.reachable(t); p != nil && m.chance(30) {
		second = p
	}
	first := m.edge(t, people, model.Co, m.chance(50))
	m.edge(t, second, model.Co, m.chance(50))
	first.Author = m.chance(60)
	if m.chance(75) {
		body := m.newColumn(t, "body", textNames, model.Text, m.chance(40), 0)
		t.Rule = model.Rule{Erase: "redact", Columns: []string{body}}
	}
}

// reachable is a people table that a row of t can refer to.
func (m *maker) reachable(t *model.Table) *model.Table {
	for range 5 {
		if p := pick(m, m.people); len(p.Key) == 1 || p.System == t.System {
			return p
		}
	}
	return m.nearest(t)
}

// nearest is a people table whose key fits into one link, or lies in the same system.
func (m *maker) nearest(t *model.Table) *model.Table {
	for _, p := range m.people {
		if len(p.Key) == 1 || p.System == t.System {
			return p
		}
	}
	return nil
}

// child hangs on rows that are somebody's, one or two of them.
func (m *maker) child(t, people *model.Table) {
	parents := m.near(t)
	if len(parents) == 0 {
		m.owned(t, people)
		return
	}
	role := model.Inherit
	if m.chance(35) {
		role = model.Own
	}
	m.edge(t, pick(m, parents), role, m.chance(35))
	if m.chance(25) {
		m.edge(t, pick(m, parents), role, true)
	}
}

// near are the rows of others in the same system that can be referred to and can be somebody's.
func (m *maker) near(t *model.Table) []*model.Table {
	var out []*model.Table
	for _, o := range m.others {
		if o.System == t.System && len(o.Key) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// context is where a row hangs, beside whose it is.
func (m *maker) context(t *model.Table) {
	if parents := m.near(t); len(parents) > 0 {
		m.edge(t, pick(m, parents), model.Context, m.chance(60))
	}
}

// poly refers to one of two tables; a column says which.
func (m *maker) poly(t, people *model.Table) {
	targets := []*model.Table{people}
	targets = append(targets, m.near(t)...)
	targets = slices.DeleteFunc(targets, func(p *model.Table) bool { return len(p.Key) != 1 || p.Columns[p.At(p.Key[0])].Type != model.Int })
	if len(targets) == 0 {
		m.owned(t, people)
		return
	}
	t.Columns = append(t.Columns, model.Column{Name: "target_type", Type: model.Text, Length: 20, Business: true})
	id := add(t, "target_id", model.Int, false, 0)
	m.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	for i, p := range targets[:min(2, len(targets))] {
		t.Edges = append(t.Edges, &model.Edge{Columns: []string{id}, To: p, ToColumns: p.Key, Role: model.Own,
			When: map[string]string{"target_type": []string{"first", "Second kind"}[i]}})
	}
}

// mailed belongs to whoever has the address, sometimes beside a key.
func (m *maker) mailed(t, people *model.Table) {
	if people.People["email"] == "" {
		m.owned(t, people)
		return
	}
	m.value(t, people, model.Own)
	if m.chance(40) {
		m.edge(t, people, model.Own, true)
	}
}

// thread hangs on rows of its own kind.
func (m *maker) thread(t, people *model.Table) {
	m.edge(t, people, model.Own, m.chance(30))
	if len(t.Key) > 0 {
		m.edge(t, t, model.Context, true)
	}
}

// named is somebody's row that names others: who handled it, who referred them.
func (m *maker) named(t, people *model.Table) {
	m.edge(t, people, model.Own, m.chance(30))
	if p := m.reachable(t); p != nil {
		m.edge(t, p, model.Mention, m.chance(70))
	}
	if m.serial%4 == 0 && people.People["email"] != "" && !slices.Contains(people.Key, "email") { // no draw, so other companies stay as they are
		m.value(t, people, model.Mention)
	}
}

// pooled shares a parent that is the person's only if nobody else's row refers to it.
func (m *maker) pooled(t, people *model.Table) {
	m.edge(t, people, model.Own, false)
	pool := m.table(t.System)
	pool.Key = []string{m.newColumn(pool, "id", keyNames, model.Int, true, 0)}
	m.text(pool)
	m.edge(t, pool, model.Follow, true)
	m.pools = append(m.pools, pool)
}

// pure is a link row: nothing but two references to people.
func (m *maker) pure() {
	p := m.people[0]
	if len(p.Key) != 1 {
		return
	}
	t := m.table(p.System)
	role := model.Join
	if m.chance(50) || byAddress(p) {
		role = model.Co
	}
	if !byAddress(p) { // else its key may change, and does not tell its rows apart before and after
		t.Columns, t.Mark = nil, nil
	}
	for range 2 {
		e := m.edge(t, p, role, false)
		e.Declared = true
		t.Key = append(t.Key, e.Columns...)
	}
	for i := range t.Columns {
		t.Columns[i].NotNull = true
	}
	for _, e := range t.Edges {
		if e.OnDelete == "SET NULL" {
			e.OnDelete = ""
		}
	}
	if len(t.Mark) == 0 {
		t.Mark = t.Key
	}
}

// byAddress: an address is the key of these people, or part of it.
func byAddress(t *model.Table) bool { return slices.Contains(t.Key, "email") }

// lines are rows whose own key holds an address that is a key, and rows that refer to them by it.
func (m *maker) lines() {
	p := m.people[0]
	if !byAddress(p) || !m.chance(70) {
		return
	}
	t := m.table(p.System)
	e := m.edge(t, p, model.Own, false)
	e.Declared = true
	t.Key = append(slices.Clone(e.Columns), m.newColumn(t, "line", keyNames, model.Int, true, 0))
	for i := range t.Columns {
		t.Columns[i].NotNull = true
	}
	m.ruleOfLines(t)
	if m.chance(50) {
		below := m.table(p.System)
		below.Key = []string{m.newColumn(below, "id", keyNames, model.Int, true, 0)}
		m.edge(below, t, model.Own, m.chance(50)).Declared = true
		m.ruleOfLines(below)
	}
}

// payers refer to people by an address that is no primary key, and the database knows.
func (m *maker) payers() {
	p := m.people[0]
	if byAddress(p) {
		return
	}
	p.Columns[p.At("email")].NotNull = true
	if len(p.Uniques) == 0 {
		p.Uniques = [][]string{{"email"}}
	}
	t := m.table(p.System)
	m.key(t)
	payer := m.newColumn(t, "payer", []string{"Mail", "payer mail"}, model.Text, m.chance(60), 120)
	t.Edges = append(t.Edges, &model.Edge{Columns: []string{payer}, To: p, ToColumns: []string{"email"}, Role: model.Own, Declared: true})
	m.ruleOfLines(t)
}

func (m *maker) ruleOfLines(t *model.Table) {
	m.text(t)
	if m.chance(60) {
		t.Rule = model.Rule{Erase: "keep"}
	}
}

// rule says what erasure does, where nothing said it yet.
func (m *maker) rule(t *model.Table) {
	if t.Rule.Erase != "" || slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return e.Role == model.Co }) {
		return
	}
	var texts []string
	for _, c := range t.Columns {
		if c.Type == model.Text && !slices.Contains(t.Key, c.Name) && !c.Business && !slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return slices.Contains(e.Columns, c.Name) }) {
			texts = append(texts, c.Name)
		}
	}
	switch n := m.IntN(100); {
	case n < 15:
		t.Rule = model.Rule{Erase: "keep", Years: 1 + m.IntN(9), After: add(t, "issued", model.Date, false, 0)}
	case n < 20:
		t.Rule = model.Rule{Erase: "keep"}
	case n < 28 && len(texts) > 0:
		t.Rule = model.Rule{Erase: "anonymise", Columns: texts[:1+m.IntN(len(texts))]}
	case n < 34:
		t.Rule = model.Rule{Erase: "anonymise"}
	case n < 42 && len(texts) > 0:
		t.Rule = model.Rule{Erase: "redact", Columns: texts[:1]}
	case n < 47 && len(texts) > 0 && !t.Columns[t.At(texts[0])].NotNull:
		t.Rule = model.Rule{Erase: "null", Columns: texts[:1]}
	case n < 52:
		t.Rule = model.Rule{Erase: "delete"}
	}
}
