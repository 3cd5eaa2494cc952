package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

var _ connector.Rekeyer = (*tx)(nil)

// Rekey runs updates as one statement, behind which the server checks the keys. A statement changes no row twice, so the acts
// on one table become one: each column gets what the first act says of which the row is.
func (t *tx) Rekey(ctx context.Context, acts []connector.Act) ([]int64, error) {
	ready, err := prepareActs(acts)
	if err != nil {
		return nil, err
	}
	var tables [][]*act
	var owner []int // the first act of each
	for i, p := range ready {
		if p.idle() {
			continue
		}
		if p.perRow() || p.looks() || p.Verb != connector.Update {
			return nil, fmt.Errorf("table %s: one list of values for each key", p.table.Name)
		}
		n := slices.IndexFunc(tables, func(list []*act) bool { return qualified(list[0].table) == qualified(p.table) })
		if n < 0 {
			tables, owner = append(tables, []*act{p}), append(owner, i)
		} else {
			tables[n] = append(tables[n], p)
		}
	}
	var writes []func(*builder)
	for _, list := range tables {
		writes = append(writes, func(b *builder) { writeRekey(b, list) })
	}
	counts, err := t.atOnce(ctx, writes)
	affected := make([]int64, len(acts))
	for i, n := range counts {
		affected[owner[i]] = n
		if len(tables[i]) > 1 { // the other acts' rows are among them
			affected[owner[i]] = min(n, int64(len(acts[owner[i]].Rows)))
		}
	}
	return affected, err
}

// writeRekey writes updates of one table, each with one list of values, as one.
func writeRekey(b *builder, list []*act) {
	if len(list) == 1 {
		list[0].write(b)
		return
	}
	var columns []*connector.Column
	for _, p := range list {
		for _, c := range p.set {
			if !slices.ContainsFunc(columns, func(o *connector.Column) bool { return o.Name == c.Name }) {
				columns = append(columns, c)
			}
		}
	}
	b.add("UPDATE ", source(list[0].table), " AS t SET ")
	for i, c := range columns {
		b.joint(i, ", ").add(quote(c.Name), " = CASE")
		for _, p := range list {
			if at := slices.IndexFunc(p.set, func(o *connector.Column) bool { return o.Name == c.Name }); at >= 0 {
				b.add(" WHEN ")
				p.writeWhich(b)
				b.add(" THEN ", b.param(wireBytes(p.values[0][at])), "::text::", literal(c))
			}
		}
		b.add(" ELSE ").column(c.Name).add(" END")
	}
	for i, p := range list {
		b.add([]string{" WHERE (", " OR ("}[min(1, i)])
		p.writeWhich(b)
		b.add(")")
	}
}

// writeWhich writes which rows the act is about.
func (p *act) writeWhich(b *builder) {
	p.locator.write(b)
	for _, m := range p.fence {
		b.add(" AND ")
		m.write(b)
	}
}
