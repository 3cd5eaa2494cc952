package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// act is an Act ready to write: its rows have keys that can exist and values that fit.
type act struct {
	connector.Act
	table   *connector.Table
	locator match
	fence   []match
	set     []*connector.Column
	values  [][]connector.Value // one list, or one per key
	expect  []string            // none, or one per key
}

// prepareAct checks an act against the catalog. It reads nothing and changes nothing.
func prepareAct(a connector.Act) (*act, error) {
	p := &act{Act: a, table: a.Table}
	if a.Verb != connector.Delete && a.Verb != connector.Update {
		return nil, fmt.Errorf("table %s: no verb %q", a.Table.Name, a.Verb)
	}
	if len(a.Expect) > 0 && len(a.Expect) != len(a.Rows) {
		return nil, fmt.Errorf("table %s: %d hashes for %d rows", a.Table.Name, len(a.Expect), len(a.Rows))
	}
	for _, m := range a.Fence {
		r, err := resolve(a.Table, m)
		if err != nil {
			return nil, err
		}
		r.aside = true
		p.fence = append(p.fence, r)
	}
	if err := p.prepareSet(); err != nil {
		return nil, err
	}
	return p, p.prepareRows()
}

// prepareSet converts what the columns are to become. A value that does not fit is an error here,
// since the server's own would repeat it or cut it.
func (p *act) prepareSet() (err error) {
	if p.Verb == connector.Delete {
		return nil
	}
	if p.set, err = resolveColumns(p.table, p.Set); err != nil {
		return err
	}
	if len(p.set) == 0 || len(p.Values) != 1 && len(p.Values) != len(p.Rows) {
		return fmt.Errorf("table %s: %d columns to set from %d lists of values for %d rows", p.table.Name, len(p.set), len(p.Values), len(p.Rows))
	}
	for _, c := range p.set {
		if p.table.Column(c.Name) == nil || c.Generated {
			return fmt.Errorf("table %s: column %s cannot be set", p.table.Name, c.Name)
		}
	}
	p.values = make([][]connector.Value, len(p.Values))
	for i, list := range p.Values {
		if len(list) != len(p.set) {
			return fmt.Errorf("table %s: %d values for %d columns", p.table.Name, len(list), len(p.set))
		}
		p.values[i] = make([]connector.Value, len(list))
		for j, v := range list {
			fits := false
			if p.values[i][j], fits = convert(v, p.set[j]); !fits {
				return fmt.Errorf("table %s: a value does not fit column %s", p.table.Name, p.set[j].Name)
			}
		}
	}
	return nil
}

// prepareRows drops keys that no row can have, together with what belongs to them.
func (p *act) prepareRows() (err error) {
	p.locator, err = resolve(p.table, connector.Match{Columns: p.table.Locator.Columns})
	if err != nil {
		return err
	}
	perRow := len(p.values) == len(p.Rows) && len(p.values) > 1
	values := p.values[:0:0]
	for i, k := range p.Rows {
		if len(k) != len(p.locator.columns) {
			return fmt.Errorf("table %s: an address of %d parts instead of %d", p.table.Name, len(k), len(p.locator.columns))
		}
		k, ok := p.locator.key(k)
		if !ok {
			continue
		}
		p.locator.keys = append(p.locator.keys, k)
		if len(p.Expect) > 0 {
			p.expect = append(p.expect, p.Expect[i])
		}
		if perRow {
			values = append(values, p.values[i])
		}
	}
	if perRow {
		p.values = values
	}
	return nil
}

// idle tells that nothing can match.
func (p *act) idle() bool { return p.locator.empty() || slices.ContainsFunc(p.fence, match.empty) }

// looks tells that rows must be seen before they are changed: for their content, or because a
// folded comparison is decided here.
func (p *act) looks() bool {
	return len(p.expect) > 0 || slices.ContainsFunc(p.fence, func(m match) bool { return m.fold })
}

// perRow tells that every row gets values of its own.
func (p *act) perRow() bool { return p.Verb == connector.Update && len(p.values) > 1 }

// part is the act for some of its rows.
func (p *act) part(from, to int) *act {
	q := *p
	q.locator.keys = p.locator.keys[from:to]
	if p.perRow() {
		q.values = p.values[from:to]
	}
	if len(p.expect) > 0 {
		q.expect = p.expect[from:to]
	}
	return &q
}

// parts cuts the act into chunks.
func (p *act) parts() (list []*act) {
	for from := 0; from < len(p.locator.keys); from += chunk {
		list = append(list, p.part(from, min(from+chunk, len(p.locator.keys))))
	}
	return list
}

// write adds the statement. Values go in as text and are cast in place: an array of arrays would
// be taken apart by unnest.
func (p *act) write(b *builder) {
	switch {
	case p.Verb == connector.Delete:
		b.add("DELETE FROM ", source(p.table), " AS t")
	case p.perRow():
		p.writePerRow(b)
		return
	default:
		b.add("UPDATE ", source(p.table), " AS t SET ")
		for i, c := range p.set {
			b.joint(i, ", ").add(quote(c.Name), " = ", b.param(wireBytes(p.values[0][i])), "::text::", literal(c))
		}
	}
	writeWhere(b, append([]match{p.locator}, p.fence...))
}

// writePerRow joins the table with a list of addresses and values.
func (p *act) writePerRow(b *builder) {
	b.add("UPDATE ", source(p.table), " AS t SET ")
	for i, c := range p.set {
		b.joint(i, ", ").add(quote(c.Name), " = v.s", number(i), "::", literal(c))
	}
	b.add(" FROM unnest(")
	for i, c := range p.locator.columns {
		b.joint(i, ", ").add(b.param(array(p.locator.keys, i)), "::", tupleType(c), "[]")
	}
	for i := range p.set {
		b.add(", ", b.param(column(p.values, i)), "::text[]")
	}
	b.add(") AS v(")
	for i := range p.locator.columns {
		b.joint(i, ", ").add("k", number(i))
	}
	for i := range p.set {
		b.add(", s", number(i))
	}
	b.add(")")
	writeWhere(b, append([]match{p.locator}, p.fence...))
	for i, c := range p.locator.columns {
		b.add(" AND ", tuplePart(c), " IS NOT DISTINCT FROM v.k", number(i))
	}
}

// column writes value i of each list as an array.
func column(values [][]connector.Value, i int) []byte {
	keys := make([]connector.Key, len(values))
	for n, list := range values {
		keys[n] = list
	}
	return array(keys, i)
}

// Do runs the acts in order, together as far as none needs to see its rows first. See connector.Tx.
func (t *tx) Do(ctx context.Context, acts []connector.Act) ([]int64, error) {
	ready, err := prepareActs(acts)
	if err != nil {
		return nil, err
	}
	affected := make([]int64, len(acts))
	var list []statement
	var owner []int
	flush := func() error {
		counts, err := t.run(ctx, list, nil)
		for i, n := range counts {
			affected[owner[i]] += n
		}
		list, owner = nil, nil
		return err
	}
	for i, p := range ready {
		if !p.idle() && p.looks() {
			if err := flush(); err != nil {
				return nil, err
			}
			if err := t.verify(ctx, p); err != nil {
				return nil, err
			}
		}
		if p.idle() {
			continue
		}
		for _, q := range p.parts() {
			b := &builder{}
			q.write(b)
			list, owner = append(list, b.done()), append(owner, i)
		}
	}
	return affected, flush()
}

// DoTogether runs the acts as one statement. See connector.CycleDeleter.
func (t *tx) DoTogether(ctx context.Context, acts []connector.Act) ([]int64, error) {
	ready, err := prepareActs(acts)
	if err != nil {
		return nil, err
	}
	affected := make([]int64, len(acts))
	var writes []func(*builder)
	var owner []int
	for i, p := range ready {
		if !p.idle() && p.looks() {
			if err := t.verify(ctx, p); err != nil {
				return nil, err
			}
		}
		if !p.idle() {
			writes, owner = append(writes, p.write), append(owner, i)
		}
	}
	counts, err := t.atOnce(ctx, writes)
	for i, n := range counts {
		affected[owner[i]] = n
	}
	return affected, err
}

// atOnce runs data-modifying statements as one, and answers the rows of each.
func (t *tx) atOnce(ctx context.Context, writes []func(*builder)) ([]int64, error) {
	counts := make([]int64, len(writes))
	if len(writes) == 0 {
		return counts, ctx.Err()
	}
	b := &builder{}
	for i, write := range writes {
		b.add([]string{"WITH ", ", "}[min(1, i)], "a", number(i), " AS (")
		write(b)
		b.add(" RETURNING 1)")
	}
	for i := range writes {
		b.add([]string{" SELECT ", ", "}[min(1, i)], "(SELECT count(*) FROM a", number(i), ")")
	}
	_, err := t.run(ctx, []statement{b.done()}, func(_ int, row [][]byte) error {
		for i := range counts {
			counts[i] = cells(row).int(i)
		}
		return nil
	})
	return counts, err
}

func prepareActs(acts []connector.Act) ([]*act, error) {
	ready := make([]*act, len(acts))
	for i, a := range acts {
		p, err := prepareAct(a)
		if err != nil {
			return nil, err
		}
		ready[i] = p
	}
	return ready, nil
}

// verify locks the act's rows, where the role may, and leaves only those whose content and folded
// cells are as expected.
func (t *tx) verify(ctx context.Context, p *act) error {
	names := slices.Clone(p.table.Locator.Columns)
	if len(p.expect) > 0 {
		for _, c := range p.table.Columns {
			names = append(names, c.Name)
		}
	}
	q, err := prepare(connector.Select{Table: p.table, Columns: names, Where: p.Fence})
	if err != nil {
		return err
	}
	q.where = append(q.where, p.locator)
	q.Lock = true
	list := q.rows()
	at, r := len(p.table.Locator.Columns), reader{}
	found := map[string]string{}
	_, err = t.run(ctx, list, func(_ int, raw [][]byte) error {
		if row := r.read(q.columns, raw); q.passes(row) {
			found[connector.Key(row[:at]).Encode()] = connector.RowHash(row[at:len(names)])
		}
		return nil
	})
	if err == nil {
		p.keep(found)
	}
	return err
}

// keep drops the rows that are not among those found, by encoded address and content.
func (p *act) keep(found map[string]string) {
	kept := *p
	kept.locator.keys, kept.values, kept.expect = nil, nil, nil
	for i, k := range p.locator.keys {
		hash, ok := found[k.Encode()]
		if !ok || len(p.expect) > 0 && hash != p.expect[i] {
			continue
		}
		kept.locator.keys = append(kept.locator.keys, k)
		if p.perRow() {
			kept.values = append(kept.values, p.values[i])
		}
	}
	if !p.perRow() {
		kept.values = p.values
	}
	*p = kept
}
