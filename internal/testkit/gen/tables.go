package gen

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/internal/testkit/model"
)

func (m *maker) newColumn(t *model.Table, plain string, pool []string, typ model.Type, notNull bool, length int) string {
	has := func(n string) bool {
		return slices.ContainsFunc(t.Columns, func(c model.Column) bool { return strings.EqualFold(c.Name, n) })
	}
	return add(t, m.column(has, plain, pool), typ, notNull, length)
}

// key gives a table its primary key: mostly a number, else a pair with a tenant, or a text.
func (m *maker) key(t *model.Table) {
	switch n := m.IntN(100); {
	case n < 65:
		t.Key = []string{m.newColumn(t, "id", keyNames, model.Int, true, 0)}
	case n < 88:
		tenant := m.newColumn(t, "tenant", keyNames, model.Int, true, 0)
		t.Key = []string{tenant, m.newColumn(t, "id", keyNames, model.Int, true, 0)}
	default:
		t.Key = []string{m.newColumn(t, "code", keyNames, model.Text, true, 60)}
	}
}

func (m *maker) text(t *model.Table) string {
	length := 0
	if m.chance(30) {
		length = 40 + m.IntN(80)
	}
	return m.newColumn(t, "note", textNames, model.Text, m.chance(25), length)
}

// lookup is a table that says nothing about people.
func (m *maker) lookup() {
	t := m.table(m.c.Systems[0])
	m.key(t)
	t.Columns = append(t.Columns, model.Column{Name: "label", Type: model.Text, Length: 30})
	m.pools = append(m.pools, t)
}

func (m *maker) peopleTables() {
	first := m.person(m.c.Systems[0], true)
	if m.chance(50) && len(m.pools) > 0 {
		m.edge(first, m.pools[0], model.None, true)
	}
	if m.chance(35) {
		m.edge(first, first, model.Mention, true)
	}
	switch {
	case m.chance(40):
		second := m.person(m.system(), m.chance(60))
		if m.chance(40) && (len(first.Key) == 1 || second.System == first.System) {
			m.edge(second, first, model.Mention, true)
		}
	case m.chance(30):
		m.alias(first)
	}
}

func (m *maker) person(system string, unique bool) *model.Table {
	t := m.table(system)
	kind := []string{"customer", "lead"}[len(m.people)]
	t.People = map[string]string{"email": "email"}
	switch {
	case m.chance(15): // the address is the key, or part of it
		if m.chance(35) {
			t.Key = []string{m.newColumn(t, "tenant", keyNames, model.Int, true, 0)}
		}
		t.Key = append(t.Key, add(t, "email", model.Text, true, 120))
	default:
		m.key(t)
		add(t, "email", model.Text, m.chance(50), 120)
		if len(t.Key) == 1 {
			t.People[kind] = t.Key[0]
		}
		if unique {
			t.Uniques = append(t.Uniques, []string{"email"})
		}
	}
	add(t, model.NameColumn, model.Text, m.chance(40), 0)
	if m.chance(50) {
		m.text(t)
	}
	m.people = append(m.people, t)
	return t
}

// alias is the same people a second time: its key is its reference.
func (m *maker) alias(base *model.Table) {
	if len(base.Key) != 1 {
		return
	}
	t := m.table(base.System)
	columns := m.refer(t, base, true)
	t.Key = columns
	t.Columns[t.At(columns[0])].NotNull = true
	t.People = map[string]string{"customer": columns[0]}
	m.text(t)
	t.Edges = append(t.Edges, &model.Edge{Columns: columns, To: base, ToColumns: base.Key, Role: model.Alias, Declared: true, OnDelete: m.onDelete(false)})
	m.people = append(m.people, t)
}

// sentinel is a table nobody refers to and everybody ignores: it must come out as it went in.
func (m *maker) sentinel() {
	t := m.table(m.c.Systems[0])
	t.Ignored = true
	m.text(t)
}

// ignoreUnused: a look-up table nobody uses is a gap until somebody says it holds no people.
func (m *maker) ignoreUnused() {
	for _, pool := range m.pools {
		pool.Ignored = !slices.ContainsFunc(m.c.Tables, func(t *model.Table) bool {
			return slices.ContainsFunc(t.Edges, func(e *model.Edge) bool { return e.To == pool })
		})
	}
}

// cycle lets a person refer to a row that refers to a person.
func (m *maker) cycle() {
	if len(m.others) == 0 || !m.chance(40) {
		return
	}
	from, to := m.people[0], pick(m, m.others)
	if len(to.Key) == 0 || len(to.Key) > 1 && to.System != from.System {
		return
	}
	m.edge(from, to, model.Context, !m.chance(15))
}

// onDelete draws what the database does by itself.
func (m *maker) onDelete(nullable bool) string {
	switch n := m.IntN(100); {
	case n < 40:
		return ""
	case n < 60:
		return "CASCADE"
	case n < 75:
		return "RESTRICT"
	case n < 90 && nullable:
		return "SET NULL"
	}
	return "NO ACTION"
}
