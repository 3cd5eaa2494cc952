package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// timedRows is how many rows a cost is measured on, and places how often, each time elsewhere: what was
// read a moment ago is cheaper to read again than all of a table is.
const (
	timedRows = 5_000
	places    = 4
	tries     = 2 // at each place; the quicker counts, for what else the machine does only adds
)

// ScanCost times the search itself on some runs of rows and scales it to all of them, which are counted
// where ANALYZE did not. See connector.Explainer.
func (s *Store) ScanCost(ctx context.Context, t *connector.Table, columns []string) (time.Duration, error) {
	p, err := probing(t, columns)
	if err != nil {
		return 0, s.refuse(err)
	}
	rows := t.Rows
	if rows < 0 {
		if rows, err = s.number(ctx, s.db, "SELECT count(*) FROM "+from(t)); err != nil {
			return 0, err
		}
	}
	var low, high int64
	if row := rowid(t); row != "" {
		ends := fmt.Sprintf("SELECT (SELECT min(%s) FROM %[2]s), (SELECT max(%[1]s) FROM %[2]s)", quote(row), from(t))
		err := s.query(ctx, s.db, ends, nil, func(row []connector.Value) error { low, high = whole(row[0]), whole(row[1]); return nil })
		if err != nil {
			return 0, err
		}
	}
	var each []float64
	for n := range int64(places) {
		took, err := s.time(ctx, p, low+n*(high/places-low/places))
		if err != nil {
			return 0, err
		}
		if took > 0 {
			each = append(each, took)
		}
	}
	if len(each) == 0 {
		return 0, nil
	}
	slices.Sort(each)
	return time.Duration(each[len(each)/4] * float64(rows)), nil
}

// time is what the search takes for each row of a run, 0 where there is none. What counts the rows
// of the run has read them before, as it is with the pages of a store in use.
func (s *Store) time(ctx context.Context, p timed, from int64) (float64, error) {
	read, err := s.number(ctx, s.db, p.rows, from)
	if err != nil || read == 0 {
		return 0, err
	}
	least := time.Duration(math.MaxInt64)
	for range tries {
		began := s.clock.Now()
		if _, err := s.number(ctx, s.db, p.search, append(slices.Clone(p.args), from)...); err != nil {
			return 0, err
		}
		least = min(least, s.clock.Now().Sub(began))
	}
	return float64(least) / float64(read), nil
}

// timed is a search of a run of rows, from the rowid in its last parameter on, and the count of the run.
type timed struct {
	search, rows string
	args         []any
}

// probing searches for what no cell equals, texts as identities, folded.
func probing(t *connector.Table, columns []string) (timed, error) {
	plain := *t
	plain.Indexes = nil // none serves the search whose cost is asked
	b := &builder{table: &plain}
	var where []connector.Match
	names := make([]string, len(columns))
	for i, name := range columns {
		c, err := b.column(name)
		if err != nil {
			return timed{}, err
		}
		m := connector.Match{Columns: []string{name}, Keys: []connector.Key{{connector.IntValue(math.MinInt64)}}}
		if c.Kind == connector.Text {
			m = connector.Match{Columns: m.Columns, Keys: []connector.Key{{connector.TextValue("nobody@nowhere")}}, Fold: true}
		}
		names[i], where = quote(name), append(where, m)
	}
	condition, err := b.where(where)
	if err != nil {
		return timed{}, err
	}
	run := func(param int) string {
		start, order := "?"+strconv.Itoa(param)+" IS NOT NULL", ""
		if row := rowid(t); row != "" {
			start = quote(row) + " >= ?" + strconv.Itoa(param)
			if len(where) == 1 && where[0].Fold && readsIndex(t, columns[0]) { // the run is one of the index then
				start = names[0] + " >= (SELECT " + names[0] + " FROM " + from(t) + " WHERE " + start + " AND " + names[0] + " IS NOT NULL ORDER BY " + quote(row) + " LIMIT 1)"
				order = " ORDER BY " + names[0]
			}
		}
		return fmt.Sprintf("SELECT count(*) FROM (SELECT %s FROM %s WHERE %s%s LIMIT %d) AS t", strings.Join(names, ", "), from(t), start, order, timedRows)
	}
	return timed{run(len(b.args)+1) + " WHERE " + condition, run(1), b.args}, nil
}

// IndexStatement is the CREATE INDEX for the columns.
func (s *Store) IndexStatement(t *connector.Table, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
		if inner, ok := strings.CutPrefix(c, "lower("); ok && t.Column(c) == nil {
			quoted[i] = "lower(" + quote(strings.TrimSuffix(inner, ")")) + ")"
		}
	}
	name := quote(strings.Join(append([]string{"ombud", t.Name}, columns...), "_"))
	return "CREATE INDEX " + name + " ON " + quote(t.Name) + " (" + strings.Join(quoted, ", ") + ")"
}
