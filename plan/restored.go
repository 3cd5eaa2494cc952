package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/subject"
)

// Returned finds who of the erased stands in an identity column again: one Person for what stands in one row, or is joined
// by another. It reads every identity column once, whole; identities that no token names are passed over. A system
// that cannot be reached is an error: nobody may think that it was looked into.
func (e *Engine) Returned(ctx context.Context, tokens map[string]bool, token func(kind, value string) string) ([]Person, error) {
	g, err := e.cfg.Catalog.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range g.Systems {
		if s.Err != nil {
			return nil, s.Err
		}
	}
	r := &returned{tokens: tokens, token: token, of: map[subject.Identity]int{}}
	for _, d := range g.Datasets {
		kinds, columns := identityColumns(d)
		if len(columns) == 0 || d.Ignored {
			continue
		}
		if err := r.read(ctx, d, kinds, columns); err != nil {
			return nil, err
		}
	}
	return r.people(), nil
}

// returned joins identities that stand in one row.
type returned struct {
	tokens map[string]bool
	token  func(kind, value string) string
	of     map[subject.Identity]int // number of an identity
	ids    []subject.Identity
	up     []int // by number: an earlier identity of the same person, or itself
}

// read takes up the rows of a dataset in which an erased identity stands.
func (r *returned) read(ctx context.Context, d *catalog.Dataset, kinds, columns []string) error {
	all := []connector.Select{{Table: d.Table, Columns: columns}}
	return d.Store.Select(ctx, all, func(_ int, row []connector.Value) error {
		first := -1
		for i, v := range row {
			if v.IsNull() || !r.tokens[r.token(kinds[i], v.S)] {
				continue
			}
			n := r.number(subject.Identity{Kind: kinds[i], Value: v.S})
			if first >= 0 {
				r.up[r.root(n)] = r.root(first)
			}
			first = n
		}
		return nil
	})
}

func (r *returned) number(i subject.Identity) int {
	key := subject.Identity{Kind: i.Kind, Value: subject.Canonical(i.Kind, i.Value)}
	n, ok := r.of[key]
	if !ok {
		n = len(r.ids)
		r.of[key], r.ids, r.up = n, append(r.ids, i), append(r.up, n)
	}
	return n
}

func (r *returned) root(n int) int {
	for r.up[n] != n {
		n = r.up[n]
	}
	return n
}

// people are those found, in the order they were met.
func (r *returned) people() []Person {
	var out []Person
	at := map[int]int{}
	for n, i := range r.ids {
		root := r.root(n)
		if _, ok := at[root]; !ok {
			at[root] = len(out)
			out = append(out, Person{})
		}
		p := &out[at[root]]
		p.Identities = append(p.Identities, i)
	}
	return out
}

// Tokens compares keyed tokens with the token of every value in every identity column: it proves,
// without knowing who was erased, that nobody erased stands there again, beside the rows that were kept and the
// keys of shells.
func (e *Engine) Tokens(ctx context.Context, tokens map[string]bool, token func(kind, value string) string, kept []Kept, shells map[string]int64) ([]Remaining, error) {
	g, err := e.cfg.Catalog.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	l := e.newLooker(g, &Plan{})
	for _, s := range g.Systems {
		l.proof[s.Config.ID] = &Proof{System: s.Config.ID}
		if s.Err != nil {
			l.unseen(s.Config.ID, "", -1)
		}
	}
	for _, d := range g.Datasets {
		if d.Ignored {
			continue
		}
		kinds, columns := identityColumns(d)
		for i, column := range columns {
			is := func(v connector.Value) bool {
				return !v.IsNull() && tokens[token(kinds[i], subject.Canonical(kinds[i], v.S))]
			}
			may := keptOf(d, kept)
			if slices.Contains(d.Table.Locator.Columns, column) {
				may += shells[d.ID()]
			}
			if err := l.standsIn(ctx, d, column, is, may, kinds[i]); err != nil {
				return nil, err
			}
		}
	}
	return l.left, nil
}

// standsIn names an identity column that holds more of the erased than rows that were kept may.
func (l *looker) standsIn(ctx context.Context, d *catalog.Dataset, column string, is func(connector.Value) bool, may int64, kind string) error {
	n := -may
	ok, err := l.look(ctx, d, connector.Select{Table: d.Table, Columns: []string{column}}, func(row []connector.Value) {
		if is(row[0]) {
			n++
		}
	})
	if ok && n > 0 {
		l.residue(d, n, "an erased identity stands there again in "+strings.ToLower(kind))
		l.left[len(l.left)-1].Next = "if " + d.System + " was brought back from a copy: ombud replay-erasures --system " + d.System + "; whoever came back by themselves is somebody new"
	}
	return err
}

// keptOf is how many rows of a dataset were kept; of a people dataset none may show who was erased.
func keptOf(d *catalog.Dataset, kept []Kept) (n int64) {
	for _, k := range kept {
		if d.People == nil && k.System == d.System && k.Dataset == d.Name {
			n += k.Rows
		}
	}
	return n
}
