package plan

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// indexed sets must answer by key: parents, and datasets that a row can be reached in more than once.
func (w *walk) indexed(d *catalog.Dataset) bool {
	if len(d.In) > 0 || d.People != nil || redacts(d) || hasAlias(d) || len(d.Lists) > 0 || w.again {
		return true
	}
	ways := 0
	for _, e := range d.Out {
		if e.Parent.Personal || e.Role != catalog.Lookup {
			ways++
			if !distinct(e) {
				return true
			}
		}
	}
	return ways > 1
}

// distinct: no two parent rows have the same key for a child.
func distinct(e *catalog.Edge) bool {
	child, parent := e.Child.Table, e.Parent.Table
	for i, c := range e.ChildColumns {
		a, b := child.Column(c), parent.Column(e.ParentColumns[i])
		if e.Value || a == nil || b == nil || a.Kind != b.Kind || a.FoldEqual && !b.FoldEqual {
			return false
		}
	}
	same := func(columns []string) bool {
		return len(columns) == len(e.ParentColumns) && !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(e.ParentColumns, c) })
	}
	return same(parent.Primary) || slices.ContainsFunc(parent.Uniques, func(u connector.Unique) bool { return !u.Partial && same(u.Columns) })
}

// columns that must be read: the address, every reference in and out, what rules and authorship look at.
func (w *walk) columns(d *catalog.Dataset) []string {
	var cols []string
	add := func(names ...string) {
		for _, n := range names {
			if n != "" && !slices.Contains(cols, n) {
				cols = append(cols, n)
			}
		}
	}
	add(d.Table.Locator.Columns...)
	if w.full || upwards(d) || d.Table.Locator.Kind == connector.ByPhysical || d.Table.Locator.Kind == connector.ByPredicate {
		add(allColumns(d.Table)...)
		return cols
	}
	for _, e := range d.Out {
		add(e.ChildColumns...)
		for column := range sorted(e.When()) {
			add(column)
		}
	}
	for _, e := range d.In {
		add(e.ParentColumns...)
	}
	if d.People != nil {
		for _, id := range d.Known {
			add(id.Column)
		}
		add(nameColumns(d)...)
		add(formerColumns(d)...)
	}
	for _, l := range d.Lists {
		add(l.Column)
	}
	for _, l := range w.g.ListsOf(d) {
		add(l.ParentColumn)
	}
	add(untilColumn(d), writerColumn(d))
	return cols
}

func allColumns(t *connector.Table) []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// upwards: rows of the dataset are reached from those that refer to them, and by nothing of their own. When those have gone, only
// their address and all that they hold tell them.
func upwards(d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.In, func(e *catalog.Edge) bool { return e.Role == catalog.Follow || e.Role == catalog.Alias })
}

func untilColumn(d *catalog.Dataset) string {
	if d.Rule == nil || d.Rule.Until == "" {
		return ""
	}
	u, err := catalog.ParseUntil(d.Rule.Until)
	if err != nil {
		return ""
	}
	return u.Column
}

var writerNames = []string{"from", "sender", "author", "created_by", "writer"}

// writerColumn is the column that says who wrote the row's text, "" when nothing does.
func writerColumn(d *catalog.Dataset) string {
	for _, e := range d.Out {
		if e.Author {
			return e.ChildColumns[0]
		}
	}
	for _, c := range d.Table.Columns {
		for _, n := range writerNames {
			if strings.HasPrefix(strings.ToLower(c.Name), n) && c.Kind != connector.Time {
				return c.Name
			}
		}
	}
	return ""
}
