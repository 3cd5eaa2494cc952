package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/connector"
)

// Look asks again, for proof. It shares with Select the conversion of keys and cells, the names of
// types and the wire, but no statement: here keys are texts, cast one by one and joined, on
// connections that nothing else uses. The questions of one call go out together, in one round trip.
func (s *store) Look(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	var list []statement
	var asked []*glance
	var r reader
	for i, q := range qs {
		g, err := newGlance(i, q)
		if err != nil {
			return err
		}
		if g.possible {
			list, asked = append(list, statement{sql: g.sql(q), args: g.args}), append(asked, g)
		}
	}
	err := s.queryOn(ctx, s.look, list, func(n int, raw [][]byte) error {
		g := asked[n]
		if g.q.Limit > 0 && g.delivered == g.q.Limit {
			return last(n, len(asked))
		}
		cells := r.read(g.shown, raw)
		if !g.passes(cells) {
			return nil
		}
		g.delivered++
		return row(g.n, cells[:len(g.q.Columns)])
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// glance is one question of Look.
type glance struct {
	n         int // of the call
	q         connector.Select
	possible  bool // some cell could match
	from      strings.Builder
	where     []string
	args      [][]byte
	folded    []folds
	shown     []*connector.Column
	delivered int
}

type folds struct {
	at   int
	keys map[string]bool
}

func newGlance(n int, q connector.Select) (*glance, error) {
	g := &glance{n: n, q: q, possible: true}
	var err error
	if g.shown, err = resolveColumns(q.Table, q.Columns); err != nil {
		return nil, err
	}
	for i, m := range q.Where {
		r, err := resolve(q.Table, m)
		if err != nil {
			return nil, err
		}
		g.possible = g.possible && !r.empty()
		g.join(i, r)
	}
	return g, nil
}

func (g *glance) passes(row []connector.Value) bool {
	for _, f := range g.folded {
		if !f.keys[connector.Fold(row[f.at].S)] {
			return false
		}
	}
	return true
}

// bind adds a list of texts, nil for NULL, as a parameter and gives its place.
func (g *glance) bind(texts []*string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var list strings.Builder
	for i, text := range texts {
		list.WriteString([]string{"{", ","}[min(i, 1)])
		if text == nil {
			list.WriteString("NULL")
		} else {
			list.WriteString(`"` + escape.Replace(*text) + `"`)
		}
	}
	if len(texts) == 0 {
		list.WriteString("{")
	}
	g.args = append(g.args, []byte(list.String()+"}"))
	return fmt.Sprintf("$%d::text[]", len(g.args))
}

// sql is the whole statement.
func (g *glance) sql(q connector.Select) string {
	list := make([]string, len(g.shown))
	for i, c := range g.shown {
		list[i] = "looked." + pgx.Identifier{c.Name}.Sanitize()
	}
	only := ""
	if q.Table.Kind == connector.Base {
		only = "ONLY "
	}
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + only + pgx.Identifier{q.Table.Schema, q.Table.Name}.Sanitize() +
		" looked" + g.from.String()
	if len(g.where) > 0 {
		text += " WHERE " + strings.Join(g.where, " AND ")
	}
	if q.Sorted && len(q.Table.Locator.Columns) > 0 {
		names := make([]string, len(q.Table.Locator.Columns))
		for i, n := range q.Table.Locator.Columns {
			names[i] = "looked." + pgx.Identifier{n}.Sanitize() + " ASC"
		}
		text += " ORDER BY " + strings.Join(names, ", ")
	}
	if q.Limit > 0 && len(g.folded) == 0 {
		text += fmt.Sprintf(" FETCH FIRST %d ROWS ONLY", q.Limit)
	}
	return text
}

// join adds condition n.
func (g *glance) join(n int, m match) {
	switch {
	case m.null:
		for _, c := range m.columns {
			g.where = append(g.where, "looked."+pgx.Identifier{c.Name}.Sanitize()+" IS NULL")
		}
	case m.fold:
		g.joinFold(m)
	default:
		g.joinKeys(n, m)
	}
}

// joinKeys joins the distinct keys, cast from text to what their columns are compared in.
func (g *glance) joinKeys(n int, m match) {
	var arrays, names, on []string
	for i, c := range m.columns {
		texts := make([]*string, len(m.keys))
		for j, k := range m.keys {
			if !k[i].IsNull() {
				text := wire(k[i])
				texts[j] = &text
			}
		}
		arrays = append(arrays, g.bind(texts))
		names = append(names, fmt.Sprintf("w%d", i))
		on = append(on, lookEquals(c, fmt.Sprintf("wanted%d.w%d", n, i), m.whole))
	}
	fmt.Fprintf(&g.from, " JOIN (SELECT DISTINCT * FROM unnest(%s) u(%s)) wanted%d ON %s",
		strings.Join(arrays, ", "), strings.Join(names, ", "), n, strings.Join(on, " AND "))
}

func lookEquals(c *connector.Column, wanted string, null bool) string {
	name := "looked." + pgx.Identifier{c.Name}.Sanitize()
	kind, native := keyType(c)
	operator := equals(c)
	if null {
		operator = "IS NOT DISTINCT FROM"
	}
	exact := fmt.Sprintf(`CAST(%s AS text) COLLATE "C" %s %s`, name, map[bool]string{true: operator, false: "="}[null], wanted)
	if !native {
		return exact
	}
	same := fmt.Sprintf("%s %s CAST(%s AS %s)", name, operator, wanted, kind)
	if c.FoldEqual {
		same = "(" + same + " AND " + exact + ")"
	}
	return same
}

// joinFold reads what could be equal and decides here: small letters for ASCII, which the index on
// the folded form serves, anything beyond it else.
func (g *glance) joinFold(m match) {
	c := *m.columns[0]
	name := "CAST(looked." + pgx.Identifier{c.Name}.Sanitize() + " AS text)"
	keys, wanted, beyond := map[string]bool{}, []*string{}, false
	for _, k := range m.keys {
		keys[k[0].S] = true
		beyond = beyond || !isASCII(k[0].S)
		wanted = append(wanted, &k[0].S)
	}
	condition := fmt.Sprintf(`lower(btrim(%s, %s) COLLATE "C") = ANY (%s)`, name, blanks, g.bind(wanted))
	if beyond {
		condition = "(" + condition + " OR length(" + name + ") < octet_length(" + name + "))"
	}
	g.where = append(g.where, condition)
	c.Kind = connector.Text
	g.folded = append(g.folded, folds{at: len(g.shown), keys: keys})
	g.shown = append(g.shown, &c)
}
