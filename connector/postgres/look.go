package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ombudhq/ombud/connector"
)

// Look asks again, for proof. It shares with Select the conversion of keys and cells and the names
// of types, but no statement: here keys are texts, cast one by one and joined, each question goes
// out alone through the driver's ordinary interface, on a connection that nothing else uses.
func (s *store) Look(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	for i, q := range qs {
		if err := s.lookOnce(ctx, q, func(cells []connector.Value) error { return row(i, cells) }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// glance is one question of Look.
type glance struct {
	from   strings.Builder
	where  []string
	args   []any
	folded []folds
	shown  []*connector.Column
}

type folds struct {
	at   int
	keys map[string]bool
}

func (s *store) lookOnce(ctx context.Context, q connector.Select, row func([]connector.Value) error) error {
	g := &glance{args: []any{pgx.QueryResultFormats{pgx.TextFormatCode}}}
	var err error
	if g.shown, err = resolveColumns(q.Table, q.Columns); err != nil {
		return err
	}
	possible := true
	for i, m := range q.Where {
		r, err := resolve(q.Table, m)
		if err != nil {
			return err
		}
		possible = possible && !r.empty()
		g.join(i, r)
	}
	if !possible {
		return ctx.Err()
	}
	if err := s.pace.wait(ctx, 1); err != nil {
		return err
	}
	err = s.gaze(ctx, g, q, row)
	if isStale(err) { // a table changed since the statement was prepared; nothing was delivered yet
		g.args = append([]any{pgx.QueryExecModeExec}, g.args...)
		err = s.gaze(ctx, g, q, row)
	}
	if e, ok := errors.AsType[*received](err); ok {
		return e.error
	}
	return s.fail(ctx, err)
}

// received is an error of whoever takes the rows.
type received struct{ error }

// gaze asks once. Its error is the driver's, or received.
func (s *store) gaze(ctx context.Context, g *glance, q connector.Select, row func([]connector.Value) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := s.look.Query(ctx, g.sql(q), g.args...)
	if err != nil {
		return err
	}
	stopped := g.deliver(rows, q, row)
	if stopped != nil {
		cancel() // the rest is not wanted
	}
	rows.Close()
	switch stopped {
	case nil:
		return rows.Err()
	case errEnough:
		return nil
	}
	return &received{stopped}
}

// deliver hands over rows until an error of the callback or the limit.
func (g *glance) deliver(rows pgx.Rows, q connector.Select, row func([]connector.Value) error) error {
	r, n := newReader(g.shown), 0
	for rows.Next() {
		if q.Limit > 0 && n == q.Limit {
			return errEnough
		}
		cells := r.read(rows.RawValues())
		if !g.passes(cells) {
			continue
		}
		n++
		if err := row(cells[:len(q.Columns)]); err != nil {
			return err
		}
	}
	return nil
}

func (g *glance) passes(row []connector.Value) bool {
	for _, f := range g.folded {
		if !f.keys[connector.Fold(row[f.at].S)] {
			return false
		}
	}
	return true
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
		g.args = append(g.args, texts)
		arrays = append(arrays, fmt.Sprintf("$%d::text[]", len(g.args)-1))
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
	keys, wanted, beyond := map[string]bool{}, []string{}, false
	for _, k := range m.keys {
		keys[k[0].S] = true
		beyond = beyond || !isASCII(k[0].S)
		wanted = append(wanted, k[0].S)
	}
	g.args = append(g.args, wanted)
	condition := fmt.Sprintf(`lower(btrim(%s, %s) COLLATE "C") = ANY ($%d::text[])`, name, blanks, len(g.args)-1)
	if beyond {
		condition = "(" + condition + " OR length(" + name + ") < octet_length(" + name + "))"
	}
	g.where = append(g.where, condition)
	c.Kind = connector.Text
	g.folded = append(g.folded, folds{at: len(g.shown), keys: keys})
	g.shown = append(g.shown, &c)
}
