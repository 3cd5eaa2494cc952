package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Select runs the queries one after the other, several in one read transaction, which takes a lock once
// for all: there is no round trip to save.
func (s *Store) Select(ctx context.Context, qs []connector.Select, row func(query int, row []connector.Value) error) error {
	if len(qs) < 2 {
		return s.selects(ctx, s.db, qs, row)
	}
	t, err := s.reading(ctx, s.db)
	if err != nil {
		return err
	}
	err = t.Select(ctx, qs, row)
	if ended := t.Rollback(ctx); err == nil {
		err = ended
	}
	return err
}

func (s *Store) selects(ctx context.Context, r runner, qs []connector.Select, row func(query int, row []connector.Value) error) error {
	ctx, w := s.watch(ctx)
	defer w.end()
	for i, q := range qs {
		text, args, err := selection(q, false)
		if err != nil {
			return s.refuse(err)
		}
		ready := statement{text: text, args: args, swift: i > 0 && swift(q)}
		if err := s.watched(ctx, w, r, ready, func(cells []connector.Value) error { return row(i, cells) }); err != nil {
			return err
		}
	}
	return nil
}

// swift: a few numbers are all that is looked for, in an index, which has each or not.
func swift(q connector.Select) bool {
	if len(q.Where) != 1 || q.Sorted || q.Where[0].Fold || q.Where[0].Null || len(q.Where[0].Keys) > few {
		return false
	}
	for _, k := range q.Where[0].Keys {
		if slices.ContainsFunc(k, func(v connector.Value) bool { return v.Kind != connector.Int }) {
			return false // how texts are ordered in an index is for each to say
		}
	}
	columns := q.Where[0].Columns
	return slices.ContainsFunc(q.Table.Indexes, func(x connector.Index) bool {
		return !x.Partial && !x.Fold && len(x.Columns) >= len(columns) && slices.Equal(x.Columns[:len(columns)], columns)
	})
}

// Count counts in the engine.
func (s *Store) Count(ctx context.Context, qs []connector.Select) ([]int64, error) {
	counts := make([]int64, len(qs))
	for i, q := range qs {
		text, args, err := selection(q, true)
		if err != nil {
			return nil, s.refuse(err)
		}
		if counts[i], err = s.number(ctx, s.db, text, args...); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// refuse is the error of a question that is none: it names tables and columns at most.
func (s *Store) refuse(err error) error { return fmt.Errorf("system %s: %w", s.system, err) }

// selection writes a query, or the count of its rows.
func selection(q connector.Select, count bool) (string, []any, error) {
	b := &builder{table: q.Table}
	cells, err := b.cells(q.Columns)
	if err != nil {
		return "", nil, err
	}
	where, err := b.where(q.Where)
	if err != nil {
		return "", nil, err
	}
	if count {
		cells = "1"
	}
	text := "SELECT " + cells + " FROM " + from(q.Table) + " AS t WHERE " + where
	if key := q.Table.Locator; q.Sorted && !count && (key.Kind == connector.ByPrimary || key.Kind == connector.ByUnique) {
		order := make([]string, len(key.Columns))
		for i, c := range key.Columns {
			order[i] = "t." + quote(c)
		}
		text += " ORDER BY " + strings.Join(order, ", ")
	}
	if q.Limit > 0 {
		text += " LIMIT " + b.param(int64(q.Limit))
	}
	if count {
		text = "SELECT count(*) FROM (" + text + ")"
	}
	return text, b.args, nil
}

// sampleRuns is over how many places of the table a sample is spread.
const sampleRuns = 20

// Sample reads short runs of rows at even distances of the rowid, the first rows where there is none.
func (s *Store) Sample(ctx context.Context, t *connector.Table, columns []string, limit int) ([][]connector.Value, error) {
	b := &builder{table: t}
	cells, err := b.cells(columns)
	if err != nil {
		return nil, s.refuse(err)
	}
	p := probe{s: s, ctx: ctx, table: t, cells: cells, width: len(columns)}
	row := rowid(t)
	if t.Kind != connector.Base || row == "" || limit <= sampleRuns {
		return p.out, p.read("SELECT "+cells+" FROM "+from(t)+" AS t LIMIT ?1", int64(limit))
	}
	return p.out, p.spread("t."+quote(row), limit)
}

// probe is a sample in the making.
type probe struct {
	s     *Store
	ctx   context.Context
	table *connector.Table
	cells string
	width int
	out   [][]connector.Value
	last  int64 // the last cell of the row read last
}

func (p *probe) read(text string, args ...any) error {
	return p.s.query(p.ctx, p.s.db, text, args, func(row []connector.Value) error {
		p.last = whole(row[len(row)-1])
		p.out = append(p.out, slices.Clone(row[:p.width]))
		return nil
	})
}

// spread reads all of a small table, else runs that do not overlap.
func (p *probe) spread(row string, limit int) error {
	var n, low, high int64
	text := fmt.Sprintf("SELECT (SELECT count(*) FROM (SELECT 1 FROM %s LIMIT ?1)), min(%s), max(%[2]s) FROM %[1]s AS t", from(p.table), row)
	err := p.s.query(p.ctx, p.s.db, text, []any{int64(limit) + 1}, func(f []connector.Value) error {
		n, low, high = whole(f[0]), whole(f[1]), whole(f[2])
		return nil
	})
	if err != nil {
		return err
	}
	step, run := max(high/sampleRuns-low/sampleRuns, 1), int64(limit+sampleRuns-1)/sampleRuns
	if n <= int64(limit) {
		run = n
	}
	next := low
	for left := int64(limit); left > 0 && next <= high && int64(len(p.out)) < n; left -= run {
		err := p.read("SELECT "+p.cells+", "+row+" FROM "+from(p.table)+" AS t WHERE "+row+" >= ?1 ORDER BY "+row+" LIMIT ?2", next, min(run, left))
		if err != nil || p.last == math.MaxInt64 {
			return err
		}
		next = max(min(next, high-step)+step, p.last+1)
	}
	return nil
}
