package plan

import (
	"context"
	"errors"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// ON DELETE CASCADE, SET NULL and SET DEFAULT also reach rows that came after the last look. So before
// such parents go, their transaction locks them and asks who still refers to them. By the order of acts
// nobody does, but rows that go together with them; anybody else means that the data has moved.

// codeMoved is the code of what is left when the data moved under a run.
const codeMoved = "moved"

// stranger is the error of rows that nobody planned and the database would have taken along.
type stranger struct{ dataset string }

func (s *stranger) Error() string {
	return "rows of " + s.dataset + " still refer to rows that were to go"
}

// cascading are the references by which the database itself would change or delete rows when rows of d go.
func cascading(d *catalog.Dataset) []*catalog.Edge {
	var out []*catalog.Edge
	for _, e := range d.In {
		if e.FK != nil && cascades(e.FK.OnDelete) && !e.Child.Ignored && e.Child.Table.Rights.Select {
			out = append(out, e)
		}
	}
	return out
}

// bound is acts of a chunk tied to their tables, in order.
type bound struct {
	system string
	acts   []connector.Act
	plans  []act // what the journal says of each
	sets   []*catalog.Dataset
	index  []int // which act of the chunk each is
	tied   bool  // they refer to each other and go together
}

func (b bound) slice(from, to int) bound {
	b.acts, b.plans, b.sets, b.index = b.acts[from:to], b.plans[from:to], b.sets[from:to], b.index[from:to]
	return b
}

// stages cuts the acts where a parent's children must be gone before it can be asked who is left.
func (b bound) stages() []bound {
	tied := slices.IndexFunc(b.plans, func(a act) bool { return a.together })
	if tied < 0 {
		tied = len(b.plans)
	}
	var out []bound
	from := 0
	for i := range tied {
		if b.touchesChildren(from, i) {
			out, from = append(out, b.slice(from, i)), i
		}
	}
	if from < tied {
		out = append(out, b.slice(from, tied))
	}
	return append(out, b.tiedStages(tied)...)
}

// tiedStages are the acts from one on that go together: rows in a circle, what follows late, then each row that gets another key.
func (b bound) tiedStages(from int) []bound {
	var out []bound
	for i := from; i < len(b.plans); i++ {
		if i+1 == len(b.plans) || b.plans[i+1].verb == rekey || b.plans[i+1].verb == repoint && !rekeys(b.plans[i].verb) {
			stage := b.slice(from, i+1)
			stage.tied = true
			out, from = append(out, stage), i+1
		}
	}
	return out
}

// touchesChildren: an act since from is about rows that the database could take along with those of act i.
func (b bound) touchesChildren(from, i int) bool {
	return b.acts[i].Verb == connector.Delete && slices.ContainsFunc(cascading(b.sets[i]), func(e *catalog.Edge) bool {
		return slices.Contains(b.sets[from:i], e.Child)
	})
}

// guard fails with a *stranger when somebody refers to rows about to go who does not go with them. True
// when it holds any.
func (b bound) guard(ctx context.Context, tx connector.Tx) (bool, error) {
	keys, err := b.lockParents(ctx, tx)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	var qs []connector.Select
	var edges []*catalog.Edge
	var leaving [][]leaver
	for _, d := range b.sets {
		for _, e := range cascading(d) {
			if len(keys[e]) == 0 || slices.Contains(edges, e) {
				continue
			}
			q := connector.Select{Table: e.Child.Table, Columns: e.Child.Table.Locator.Columns, Where: []connector.Match{{Columns: e.ChildColumns, Keys: keys[e]}}}
			leaving = append(leaving, b.leaving(e.Child, &q))
			qs, edges = append(qs, q), append(edges, e)
		}
	}
	return true, tx.Select(ctx, qs, func(i int, row []connector.Value) error {
		address := connector.Key(row[:len(edges[i].Child.Table.Locator.Columns)]).Encode()
		if slices.ContainsFunc(leaving[i], func(l leaver) bool { return l.takes(address, row) }) {
			return nil
		}
		return &stranger{edges[i].Child.Name}
	})
}

// lockParents holds the rows that go and gives the keys by which others may refer to them.
func (b bound) lockParents(ctx context.Context, tx connector.Tx) (map[*catalog.Edge][]connector.Key, error) {
	var qs []connector.Select
	var at []int
	for i, a := range b.acts {
		edges := cascading(b.sets[i])
		if a.Verb != connector.Delete || len(edges) == 0 {
			continue
		}
		q := connector.Select{Table: a.Table, Lock: true, Where: append([]connector.Match{{Columns: a.Table.Locator.Columns, Keys: a.Rows}}, a.Fence...)}
		for _, e := range edges {
			q.Columns = append(q.Columns, e.ParentColumns...)
		}
		qs, at = append(qs, q), append(at, i)
	}
	if len(qs) == 0 {
		return nil, nil
	}
	keys := map[*catalog.Edge][]connector.Key{}
	err := tx.Select(ctx, qs, func(i int, row []connector.Value) error {
		for _, e := range cascading(b.sets[at[i]]) {
			if k, ok := convertKey(e.Child, e.ChildColumns, row[:len(e.ParentColumns)]); ok {
				keys[e] = append(keys[e], k)
			}
			row = row[len(e.ParentColumns):]
		}
		return nil
	})
	return keys, err
}

// leaver is an act that takes rows of a dataset in the same stage: which, and why.
type leaver struct {
	rows, expect map[string]bool
	cells, end   int // the whole row, where it has no key
	from         int // the cells that the reason is about
	why          cause
}

// leaving are the stage's acts that delete rows of d; what they need to know is read along.
func (b bound) leaving(d *catalog.Dataset, sel *connector.Select) []leaver {
	var out []leaver
	for i, a := range b.plans {
		if b.sets[i] != d || a.verb != connector.Delete {
			continue
		}
		l := leaver{rows: map[string]bool{}, expect: map[string]bool{}}
		for _, k := range a.rows {
			l.rows[k.Encode()] = true
		}
		for _, h := range a.expect {
			l.expect[h] = true
		}
		l.cells = wholeRow(d, sel, len(a.expect) > 0)
		l.end, l.from = len(sel.Columns), len(sel.Columns)
		l.why = causeOf(d, a, sel, nil)
		out = append(out, l)
	}
	return out
}

func (l leaver) takes(address string, row []connector.Value) bool {
	return l.rows[address] && l.why.holds(row[l.from:]) && (len(l.expect) == 0 || l.expect[connector.RowHash(row[l.cells:l.end])])
}

// moved is what a chunk leaves when the data has moved under it; nil when that was not the reason.
func moved(g *catalog.Graph, system string, err error) []Remaining {
	var s *stranger
	if !errors.As(err, &s) {
		return nil
	}
	return []Remaining{{System: system, Dataset: s.dataset, Rows: -1, Code: codeMoved, Who: owner(g, system), Next: "retry, which plans anew",
		Why: "rows still refer to rows that were to go, unplanned or not let go by the store, and the database would have taken them along; nothing of this part was done"}}
}
