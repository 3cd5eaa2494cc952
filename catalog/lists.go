package catalog

import (
	"slices"
	"strings"
)

// A cell may list many rows of another dataset: teams.member_ids. No database knows that for a reference, so ombud.yaml says it,
// with brackets behind the column. It is no edge: it says of nobody's row whose it is, and is only ever a mention.

// List is a column each of whose cells lists keys of another dataset's rows.
type List struct {
	Child, Parent        *Dataset
	Column, ParentColumn string
	Guess                string // id of the proposal that made it, while nobody answered
}

// Path is "child.column[]" as a person reads it.
func (l *List) Path() string { return l.Child.Name + "." + l.Column + listMark }

// listMark behind a column says that its cells list keys.
const listMark = "[]"

// addList takes a link from a column that lists keys; false for any other link.
func (g *Graph) addList(s *System, l *Link) bool {
	from, is := strings.CutSuffix(l.From, listMark)
	if d, _ := g.endpoint(s.ID, l.From); !is || d != nil { // a column may be called so
		return false
	}
	child, column := g.endpoint(s.ID, from)
	parent, key := g.endpoint(s.ID, l.To)
	if len(column) != 1 || len(key) != 1 {
		g.danglingLink(s, l)
		return true
	}
	list := &List{Child: child, Parent: parent, Column: column[0], ParentColumn: key[0]}
	if l.Proposed {
		list.Guess = l.ID
	}
	child.Lists = append(child.Lists, list)
	return true
}

// ListsOf are the lists of keys of a dataset.
func (g *Graph) ListsOf(d *Dataset) []*List {
	var out []*List
	for _, o := range g.Datasets {
		for _, l := range o.Lists {
			if l.Parent == d {
				out = append(out, l)
			}
		}
	}
	return out
}

// IsList reports whether the cells of a column list rows of another dataset.
func (d *Dataset) IsList(column string) bool {
	return slices.ContainsFunc(d.Lists, func(l *List) bool { return l.Column == column })
}
