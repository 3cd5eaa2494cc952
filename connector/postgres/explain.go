package postgres

import (
	"context"
	"fmt"
	"slices"
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

// probe is how many pages a cost is measured on.
const probe = 256

// ScanCost times a search through some pages and scales it to all of them. See connector.Explainer.
func (s *store) ScanCost(ctx context.Context, t *connector.Table, columns []string) (time.Duration, error) {
	resolved, err := resolveColumns(t, columns)
	if err != nil || t.Kind == connector.View || t.Kind == connector.Foreign {
		return 0, err
	}
	pages, err := s.pages(ctx, t)
	if err != nil {
		return 0, err
	}
	share := min(1, float64(probe)/float64(max(1, pages)))
	b := &builder{}
	b.add("SELECT count(*) FROM ", source(t), " AS t TABLESAMPLE SYSTEM (", strconv.FormatFloat(100*share, 'f', 6, 64), ") WHERE false")
	for _, c := range resolved {
		b.add(" OR ", noCell(c))
	}
	st, least := b.done(), time.Duration(0)
	for n := range 2 { // the first also prepares, and fetches what no later scan has to
		begun := s.clock.Now()
		if err := s.query(ctx, []statement{st}, func(int, [][]byte) error { return nil }); err != nil {
			return 0, err
		}
		if took := s.clock.Now().Sub(begun); n == 0 || took < least {
			least = took
		}
	}
	return time.Duration(float64(least) / share), nil
}

// noCell compares as a search does, with what no cell equals: texts as identities, folded, and what
// has an equality of its own by that.
func noCell(c *connector.Column) string {
	if kind, native := keyType(c); native && c.Kind != connector.Text {
		return operand("t", c) + " = (SELECT NULL::" + kind + ")"
	}
	return folded("t."+quote(c.Name)+"::text") + " = 'x'"
}

// pages counts those of a table and of its partitions, as last estimated.
func (s *store) pages(ctx context.Context, t *connector.Table) (n int64, err error) {
	const sql = `SELECT sum(c.relpages)::bigint FROM pg_class c WHERE c.oid IN (
		SELECT to_regclass($1)::oid UNION ALL SELECT relid FROM pg_partition_tree(to_regclass($1)))`
	err = s.query(ctx, []statement{{sql: sql, args: [][]byte{[]byte(qualified(t))}}}, func(_ int, row [][]byte) error {
		n = cells(row).int(0)
		return nil
	})
	return n, err
}

// IndexStatement makes the missing index without blocking writers, as far as the server can. The
// column of a folded search is named as "lower(column)". See connector.Explainer.
func (s *store) IndexStatement(t *connector.Table, columns []string) string {
	parts := make([]string, len(columns))
	for i, name := range columns {
		inner, isFold := strings.CutPrefix(name, "lower(")
		inner, closed := strings.CutSuffix(inner, ")")
		known := slices.ContainsFunc(t.Columns, func(c connector.Column) bool { return c.Name == name })
		if isFold && closed && !known {
			parts[i] = "(" + folded(quote(inner)+"::text") + ")"
		} else {
			parts[i] = quote(name)
		}
	}
	concurrently := "CONCURRENTLY "
	if t.Kind == connector.Partitioned {
		concurrently = ""
	}
	return "CREATE INDEX " + concurrently + "ON " + qualified(t) + " (" + strings.Join(parts, ", ") + ")"
}
