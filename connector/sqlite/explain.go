package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

const (
	// runRows is how many rows of a large table are searched at each of some places.
	runRows = 5_000
	places  = 100
)

// ScanCost times the search itself, or some runs of rows of it. See connector.Explainer.
func (s *Store) ScanCost(ctx context.Context, t *connector.Table, columns []string) (time.Duration, error) {
	none := nowhere(t, columns)
	text, args, err := selection(connector.Select{Table: t, Where: none}, true)
	if err != nil {
		return 0, s.refuse(err)
	}
	rows := t.Rows
	if rows < 0 { // ANALYZE has not counted them
		if rows, err = s.number(ctx, s.db, "SELECT count(*) FROM "+from(t)); err != nil {
			return 0, err
		}
	}
	runs, err := s.runs(ctx, t, none, max(1, min(places, rows/runRows)))
	if err != nil {
		return 0, err
	}
	return connector.SearchCost(func() (time.Duration, error) { return s.took(ctx, text, args) }, func(n int) (time.Duration, float64, error) {
		if len(runs) == 0 {
			return 0, 0, nil
		}
		r := runs[n*37%len(runs)] // far apart
		text, args, err := r.search(t, none)
		if err != nil {
			return 0, 0, s.refuse(err)
		}
		took, err := s.took(ctx, text, args)
		return took, float64(r.rows) / float64(max(rows, r.rows)), err
	})
}

// took is what a statement takes, without the wait for its turn.
func (s *Store) took(ctx context.Context, text string, args []any) (took time.Duration, err error) {
	ctx, w := s.watch(ctx)
	defer w.end()
	if err := w.outside(func() error { return s.pace.wait(ctx) }); err != nil {
		return 0, err
	}
	err = s.db.on(ctx, func(k *keeper) error {
		began := s.clock.Now()
		err := k.query(ctx, text, args, func([]driver.Value) error { return nil })
		took = s.clock.Now().Sub(began)
		return err
	})
	if err != nil {
		return 0, s.fail(ctx, err)
	}
	return took, nil
}

// run is some rows that follow each other by a column that orders what a search reads.
type run struct {
	by       string
	from, to any
	rows     int64
}

// runs are cut at even distances of the rowid, all before one is searched: of many none lies in a cache then that all of the
// table would not fit in. A table without a rowid has one.
func (s *Store) runs(ctx context.Context, t *connector.Table, none []connector.Match, n int64) (out []run, err error) {
	var low, high int64
	row, table := quote(rowid(t)), from(t)
	by, start := row, "?1"
	switch {
	case rowid(t) == "" && len(t.Primary) == 0:
		return nil, nil
	case rowid(t) == "":
		by, n = quote(t.Primary[0]), 1
		start = fmt.Sprintf("(SELECT min(%s) FROM %s WHERE ?1 IS NOT NULL)", by, table)
	case readsIndexOnly(t, none):
		by = quote(none[0].Columns[0])
		start = fmt.Sprintf("(SELECT %[1]s FROM %[2]s WHERE %[3]s >= ?1 AND %[1]s IS NOT NULL ORDER BY %[3]s LIMIT 1)", by, table, row)
		fallthrough
	default:
		ends := fmt.Sprintf("SELECT (SELECT min(%s) FROM %[2]s), (SELECT max(%[1]s) FROM %[2]s)", row, table)
		if err := s.query(ctx, s.db, ends, nil, func(c []connector.Value) error { low, high = whole(c[0]), whole(c[1]); return nil }); err != nil {
			return nil, err
		}
	}
	cut := fmt.Sprintf("SELECT count(*), min(k), max(k) FROM (SELECT %[1]s AS k FROM %[2]s WHERE %[1]s >= %[3]s ORDER BY %[1]s LIMIT %[4]d)", by, table, start, runRows)
	for i := range n {
		err := s.query(ctx, s.db, cut, []any{low + i*(high/n-low/n)}, func(c []connector.Value) error {
			if rows := whole(c[0]); rows > 0 {
				out = append(out, run{by, encode(c[1]), encode(c[2]), rows})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readsIndexOnly: the search goes through an index of the column in place of the table.
func readsIndexOnly(t *connector.Table, where []connector.Match) bool {
	return len(where) == 1 && where[0].Fold && readsIndex(t, where[0].Columns[0])
}

// search is the search of the run's rows.
func (r run) search(t *connector.Table, none []connector.Match) (text string, args []any, err error) {
	plain := *t
	plain.Indexes = nil // the run is what is read
	b := &builder{table: &plain}
	condition, err := b.where(none)
	between := "t." + r.by + " BETWEEN " + b.param(r.from) + " AND " + b.param(r.to)
	return "SELECT count(*) FROM " + from(t) + " AS t WHERE " + between + " AND " + condition, b.args, err
}

// nowhere is a condition on the columns that no cell meets, each compared as a search compares it.
func nowhere(t *connector.Table, columns []string) []connector.Match {
	out := make([]connector.Match, len(columns))
	for i, name := range columns {
		name, fold := t.Folded(name)
		key := connector.IntValue(math.MinInt64)
		if fold {
			key = connector.TextValue("nobody@nowhere")
		}
		out[i] = connector.Match{Columns: []string{name}, Keys: []connector.Key{{key}}, Fold: fold}
	}
	return out
}

// IndexStatement is the CREATE INDEX for the columns.
func (s *Store) IndexStatement(t *connector.Table, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		c, fold := t.Folded(c)
		quoted[i] = quote(c)
		if fold {
			quoted[i] = "lower(" + quoted[i] + ")"
		}
	}
	name := quote(strings.Join(append([]string{"ombud", t.Name}, columns...), "_"))
	return "CREATE INDEX " + name + " ON " + quote(t.Name) + " (" + strings.Join(quoted, ", ") + ")"
}
