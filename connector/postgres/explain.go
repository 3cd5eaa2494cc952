package postgres

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
)

// Allowed evaluates a check on a row of constants. A value that its column cannot hold is not
// allowed. See connector.Evaluator.
func (s *store) Allowed(ctx context.Context, t *connector.Table, check connector.Check, row map[string]connector.Value) (bool, error) {
	b := &builder{}
	b.add("SELECT (", check.Expr, ") IS NOT FALSE FROM (SELECT ")
	for i := range t.Columns {
		c := &t.Columns[i]
		v, fits := convert(row[c.Name], c)
		if !fits {
			return false, nil
		}
		b.joint(i, ", ").add(b.param(wireBytes(v)), "::text::", literal(c), " AS ", quote(c.Name))
	}
	b.add(") AS ", quote(t.Name))
	allowed := false
	err := s.query(ctx, []statement{b.done()}, func(_ int, row [][]byte) error { allowed = cells(row).is(0); return nil })
	if err != nil {
		return false, fmt.Errorf("evaluating check %s: %w", check.Name, err)
	}
	return allowed, nil
}

// piece is how many pages of a large table are searched at a time to know what all of them cost.
const piece = 512

// ScanCost times the search itself, or some samples of pages of it. See connector.Explainer.
func (s *store) ScanCost(ctx context.Context, t *connector.Table, columns []string) (time.Duration, error) {
	none, err := nowhere(t, columns)
	if err != nil || t.Kind == connector.View || t.Kind == connector.Foreign {
		return 0, err
	}
	pages, err := s.pages(ctx, t)
	if err != nil {
		return 0, err
	}
	search := searching(t, none, 0, 0)
	share := piece / float64(max(pages, piece))
	speedup := s.speedup(ctx, search)
	return connector.SearchCost(func() (time.Duration, error) { return s.took(ctx, search) }, func(n int) (time.Duration, float64, error) {
		took, err := s.took(ctx, searching(t, none, share, n)) // other pages each time: what was read a moment ago is in the processor's cache
		return took, share * speedup, err
	})
}

// took is what a statement takes the server, by its clock: without the way there, and without the wait for a turn.
func (s *store) took(ctx context.Context, st statement) (time.Duration, error) {
	st.quiet = true
	clock := statement{sql: "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"}
	var at [3]int64
	err := s.query(ctx, []statement{clock, st, clock}, func(i int, row [][]byte) error { at[i] = cells(row).int(0); return nil })
	return time.Duration(at[2]-at[0]) * time.Microsecond, err
}

// speedup is by how much the server's own parallel scan is faster than one that is not: something between one, where others
// work as well, and the number of its processes. 1 where the server plans none, or does not say.
func (s *store) speedup(ctx context.Context, search statement) float64 {
	search.sql = "EXPLAIN " + search.sql
	planned := 0
	err := s.query(ctx, []statement{search}, func(_ int, row [][]byte) error {
		if _, n, ok := strings.Cut(string(row[0]), "Workers Planned: "); ok {
			planned, _ = strconv.Atoi(n) // 0 where it is no number
		}
		return nil
	})
	if err != nil {
		return 1
	}
	return math.Sqrt(1 + float64(planned))
}

// searching is a search of all of a table, or where share is not 0 of the nth sample of it.
func searching(t *connector.Table, none []match, share float64, nth int) statement {
	b := &builder{}
	b.add("SELECT FROM ", source(t), " AS t")
	if share > 0 {
		percent := b.param([]byte(strconv.FormatFloat(100*share, 'f', 6, 64)))
		b.add(" TABLESAMPLE SYSTEM (", percent, "::float4) REPEATABLE (", b.param([]byte(strconv.Itoa(nth))), "::float8)")
	}
	b.add(" WHERE ")
	for i, m := range none {
		m.write(b.joint(i, " OR "))
	}
	return b.done()
}

// nowhere are conditions on the columns that no cell meets, each compared as a search compares it.
func nowhere(t *connector.Table, columns []string) ([]match, error) {
	out := make([]match, len(columns))
	for i, name := range columns {
		name, fold := t.Folded(name)
		resolved, err := resolveColumns(t, []string{name})
		if err != nil {
			return nil, err
		}
		out[i] = match{columns: resolved, keys: []connector.Key{{connector.Value{}}}, fold: fold}
	}
	return out, nil
}

// pages counts those of a table and of its partitions.
func (s *store) pages(ctx context.Context, t *connector.Table) (n int64, err error) {
	const sql = `SELECT sum(pg_relation_size(c.oid))::bigint / current_setting('block_size')::bigint FROM pg_class c WHERE c.oid IN (
		SELECT to_regclass($1)::oid UNION ALL SELECT relid FROM pg_partition_tree(to_regclass($1)))`
	err = s.query(ctx, []statement{{sql: sql, args: [][]byte{[]byte(qualified(t))}}}, func(_ int, row [][]byte) error {
		n = cells(row).int(0)
		return nil
	})
	return n, err
}

// IndexStatement makes the missing index without blocking writers, as far as the server can. See connector.Explainer.
func (s *store) IndexStatement(t *connector.Table, columns []string) string {
	parts := make([]string, len(columns))
	for i, name := range columns {
		name, fold := t.Folded(name)
		parts[i] = quote(name)
		if fold {
			parts[i] = "(" + folded(parts[i]+"::text") + ")"
		}
	}
	concurrently := "CONCURRENTLY "
	if t.Kind == connector.Partitioned {
		concurrently = ""
	}
	return "CREATE INDEX " + concurrently + "ON " + qualified(t) + " (" + strings.Join(parts, ", ") + ")"
}
