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
	// What a statement takes anyway, whatever it reads, is in the time for many pages and in that for few.
	few, err := s.probeCost(ctx, t, resolved, min(1, probe/8/float64(max(1, pages))))
	if err != nil || pages <= probe/8 {
		return few, err
	}
	share := min(1, probe/float64(pages))
	many, err := s.probeCost(ctx, t, resolved, share)
	scan := float64(many-few) / (share - probe/8/float64(pages))
	return max(many, time.Duration(scan/s.workers(ctx, t, resolved))), err
}

// probeCost is the time of a search through a share of the pages: the median of some.
func (s *store) probeCost(ctx context.Context, t *connector.Table, columns []*connector.Column, share float64) (time.Duration, error) {
	b := &builder{}
	b.add("SELECT count(*) FROM ", source(t), " AS t TABLESAMPLE SYSTEM (", strconv.FormatFloat(100*share, 'f', 6, 64), ") REPEATABLE (1) WHERE false")
	for _, c := range columns {
		writeNoCell(b.add(" OR "), c)
	}
	st := b.done()
	var took []time.Duration
	for n := range 6 {
		begun := s.clock.Now()
		if err := s.query(ctx, []statement{st}, func(int, [][]byte) error { return nil }); err != nil {
			return 0, err
		}
		if n > 0 { // the first also prepares, and fetches what no later scan has to
			took = append(took, s.clock.Now().Sub(begun))
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// workers is by how much the server's own parallel scan would be faster than one that is not: each
// worker counts half, for they share a disk and a machine. 1 where the server plans none, or does not say.
func (s *store) workers(ctx context.Context, t *connector.Table, columns []*connector.Column) float64 {
	b := &builder{}
	b.add("EXPLAIN SELECT FROM ", source(t), " AS t WHERE false")
	for _, c := range columns {
		writeNoCell(b.add(" OR "), c)
	}
	planned := 0
	err := s.query(ctx, []statement{b.done()}, func(_ int, row [][]byte) error {
		if _, n, ok := strings.Cut(string(row[0]), "Workers Planned: "); ok {
			planned, _ = strconv.Atoi(n) // 0 where it is no number
		}
		return nil
	})
	if err != nil {
		return 1
	}
	return 1 + float64(planned)/2
}

// writeNoCell compares as a search does, with what no cell equals: texts as identities, folded, and what
// has an equality of its own by that.
func writeNoCell(b *builder, c *connector.Column) {
	if kind, native := keyType(c); native && c.Kind != connector.Text {
		b.add(operand(c), " = ANY (", b.param([]byte("{NULL}")), "::", kind, "[])")
		return
	}
	b.add(folded("t."+quote(c.Name)+"::text"), " = ANY (", b.param([]byte("{x}")), "::text[])")
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
