package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// errEnough ends a stream whose limit is reached.
var errEnough = errors.New("enough")

// caller marks an error of the caller's own function, which is returned as it is.
type caller struct{ error }

// Select delivers the rows of each query in turn.
func (s *store) Select(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	return s.selectAll(ctx, s.db, qs, func(connector.Select) string { return "" }, row)
}

// selectAll ends every statement as suffix says: with a lock inside a transaction.
func (s *store) selectAll(ctx context.Context, db querier, qs []connector.Select, suffix func(connector.Select) string, row func(int, []connector.Value) error) error {
	for i, q := range qs {
		err := s.selectOne(ctx, db, q, suffix(q), func(r []connector.Value) error {
			if err := row(i, r); err != nil {
				return caller{err}
			}
			return nil
		})
		if err := s.outcome("reading", err); err != nil {
			return err
		}
	}
	return nil
}

// outcome separates the caller's errors from the server's.
func (s *store) outcome(doing string, err error) error {
	var own caller
	if errors.As(err, &own) {
		return own.error
	}
	return s.fault(doing, err)
}

// selectOne asks one query, in as many statements as its keys need. The suffix ends each statement:
// a lock inside a transaction.
func (s *store) selectOne(ctx context.Context, db querier, q connector.Select, suffix string, row func([]connector.Value) error) error {
	found, err := columns(q.Table, q.Columns)
	if err != nil {
		return err
	}
	matches, none, err := s.ready(q.Table, q.Where)
	if err != nil || none {
		return err
	}
	size, order := atOnce, ""
	if q.Sorted {
		if order, err = orderBy(q.Table); err != nil {
			return err
		}
		size = 1 << 30 // one order is one statement
	}
	r := newRecheck(found, matches)
	left := q.Limit
	for where := range s.conditions(matches, size) {
		statement := "SELECT " + cells(r.columns) + " FROM " + full(q.Table) + where + order
		if left > 0 && len(r.folds) == 0 {
			statement += fmt.Sprintf(" LIMIT %d", left)
		}
		if where == "" {
			statement = s.unhurried(statement)
		}
		err := s.stream(ctx, db, statement+suffix, r.columns, func(values []connector.Value) error {
			if !r.holds(values) {
				return nil
			}
			if err := row(values[:len(found)]); err != nil {
				return err
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func orderBy(t *connector.Table) (string, error) {
	if t.Locator.Kind != connector.ByPrimary && t.Locator.Kind != connector.ByUnique {
		return "", fault.New(fault.Invalid, "table %s has no key to sort by", t.Dataset())
	}
	return " ORDER BY " + names(t.Locator.Columns), nil
}

// unhurried lets a statement that streams a whole table run as long as rows keep coming.
func (s *store) unhurried(statement string) string {
	if s.engine == "mariadb" {
		return "SET STATEMENT max_statement_time=0 FOR " + statement
	}
	return strings.Replace(statement, "SELECT ", "SELECT /*+ MAX_EXECUTION_TIME(0) */ ", 1)
}

// recheck reads the columns of folded matches along and decides by connector.Fold.
type recheck struct {
	columns []*connector.Column
	folds   map[int]map[string]bool // by position
}

func newRecheck(asked []*connector.Column, matches []match) recheck {
	r := recheck{columns: asked[:len(asked):len(asked)], folds: map[int]map[string]bool{}}
	for _, m := range matches {
		if m.form == byFold {
			r.folds[len(r.columns)] = m.folds
			r.columns = append(r.columns, m.columns[0])
		}
	}
	return r
}

func (r recheck) holds(values []connector.Value) bool {
	for i, folds := range r.folds {
		if values[i].IsNull() || !folds[connector.Fold(values[i].S)] {
			return false
		}
	}
	return true
}

// stream runs a statement and hands over row by row; the slice is used again. The wait for each row
// is bounded, the time the caller takes is not.
func (s *store) stream(ctx context.Context, db querier, statement string, list []*connector.Column, row func([]connector.Value) error) error {
	if err := s.pace.wait(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(s.timeout+grace, func() { cancel(context.DeadlineExceeded) })
	defer watch.Stop()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer rows.Close()
	raw := make([]sql.RawBytes, len(list))
	into := make([]any, len(list))
	for i := range raw {
		into[i] = &raw[i]
	}
	values := make([]connector.Value, len(list))
	for rows.Next() {
		watch.Stop()
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, c := range list {
			values[i] = decode(raw[i], c)
		}
		if err := row(values); err != nil {
			return err
		}
		watch.Reset(s.timeout + grace)
	}
	return causeOf(ctx, rows.Err())
}

// causeOf names a passed deadline as such.
func causeOf(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// Count counts on the server, or here where the rows must be rechecked.
func (s *store) Count(ctx context.Context, qs []connector.Select) ([]int64, error) {
	counts := make([]int64, len(qs))
	for i, q := range qs {
		n, err := s.countOne(ctx, s.db, q)
		if err != nil {
			return nil, s.fault("counting", err)
		}
		counts[i] = n
	}
	return counts, nil
}

func (s *store) countOne(ctx context.Context, db querier, q connector.Select) (int64, error) {
	matches, none, err := s.ready(q.Table, q.Where)
	if err != nil || none {
		return 0, err
	}
	var total int64
	if len(newRecheck(nil, matches).folds) > 0 || q.Limit > 0 {
		q.Columns, q.Sorted = []string{q.Table.Columns[0].Name}, false
		err := s.selectOne(ctx, db, q, "", func([]connector.Value) error { total++; return nil })
		return total, err
	}
	for where := range s.conditions(matches, atOnce) {
		n, err := s.number(ctx, db, "SELECT COUNT(*) FROM "+full(q.Table)+where)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// number asks for one integer.
func (s *store) number(ctx context.Context, db querier, statement string) (n int64, err error) {
	one := []*connector.Column{{Name: "n", Type: "bigint", Kind: connector.Int}}
	err = s.stream(ctx, db, statement, one, func(v []connector.Value) error {
		_, err := fmt.Sscan(v[0].S, &n)
		return err
	})
	return n, err
}

// Sample delivers rows from several places of the primary key's range, where that is one integer;
// otherwise the first rows.
func (s *store) Sample(ctx context.Context, t *connector.Table, names []string, limit int) ([][]connector.Value, error) {
	if limit <= 0 {
		return nil, nil
	}
	rows, err := s.sample(ctx, t, names, limit)
	return rows, s.fault("sampling", err)
}
