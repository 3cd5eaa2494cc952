package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// instant is a fingerprint with the snapshot it was taken in.
type instant struct{ snapshot, token string }

// Fingerprint hashes the catalog in the server. While no transaction ended or began to write since
// the last time, in any database of the server, nothing can have changed, and nothing is hashed.
// See connector.Store.
func (s *store) Fingerprint(ctx context.Context) (string, error) {
	if last := s.last.Load(); last != nil {
		var snapshot string
		err := s.query(ctx, []statement{{sql: snapshotQuery}}, func(_ int, row [][]byte) error {
			snapshot = string(row[0])
			return nil
		})
		if err != nil {
			return "", err
		}
		if last.snapshot == snapshot {
			return last.token, nil
		}
	}
	var now instant
	err := s.query(ctx, []statement{{sql: fingerprintQuery}}, func(_ int, row [][]byte) error {
		sum := sha256.Sum256(row[1])
		now = instant{snapshot: string(row[0]), token: hex.EncodeToString(sum[:])}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.last.Store(&now)
	return now.token, nil
}

// Schema reads the catalog in one round trip. See connector.Store.
func (s *store) Schema(ctx context.Context) (*connector.Schema, error) {
	r := &catalog{
		schema:   &connector.Schema{Engine: "postgres", Default: s.home},
		comments: map[comment]string{}, tables: map[string]*entry{}, domains: map[string]*domain{}, enums: map[string][]string{},
		texts: map[string]string{}, types: map[typeName]connector.Column{},
	}
	steps := []struct {
		sql string
		row func(cells)
	}{
		{serverQuery, func(c cells) { r.schema.Version = c.text(0) }},
		{commentsQuery, func(c cells) { r.comments[comment{c.text(0), c.text(1)}] = c.text(2) }},
		{tablesQuery, r.table}, {domainsQuery, r.domain}, {domainChecksQuery, r.domainCheck}, {enumsQuery, r.enum},
		{columnsQuery, r.column}, {constraintsQuery, r.constraint}, {indexesQuery, r.index}, {triggersQuery, r.trigger},
		{notesQuery, r.note},
	}
	list := make([]statement, len(steps))
	for i, step := range steps {
		list[i].sql = step.sql
	}
	if err := s.query(ctx, list, func(i int, row [][]byte) error { steps[i].row(row); return nil }); err != nil {
		return nil, err
	}
	r.finish()
	s.copies.Store(slices.ContainsFunc(r.schema.Tables, func(t *connector.Table) bool { return t.Kind == connector.MatView }))
	return r.schema, nil
}

// cells is a row of the catalog.
type cells [][]byte

func (c cells) text(i int) string { return string(c[i]) }
func (c cells) is(i int) bool     { return string(c[i]) == "t" }
func (c cells) int(i int) int64 {
	n, err := strconv.ParseInt(string(c[i]), 10, 64)
	if err != nil {
		return 0 // NULL: the queries give numbers otherwise
	}
	return n
}

// list reads an array of numbers: {1,2}, or [0:1]={1,2} where the first is not element 1.
func (c cells) list(i int) (out []int64) {
	_, s, _ := bytes.Cut(c[i], []byte("{"))
	for len(s) > 0 {
		var n []byte
		n, s, _ = bytes.Cut(s, []byte(","))
		if n = bytes.TrimSuffix(n, []byte("}")); len(n) > 0 {
			out = append(out, cells{n}.int(0))
		}
	}
	return out
}

// catalog collects what the queries deliver, by oid.
type catalog struct {
	schema   *connector.Schema
	comments map[comment]string
	tables   map[string]*entry
	domains  map[string]*domain
	enums    map[string][]string
	texts    map[string]string             // each text once, of those that many rows have
	types    map[typeName]connector.Column // what a type says of its columns
	last     *entry                        // whose columns come
}

// typeName is a type with its length, and the oid without.
type typeName struct{ name, oid string }

// same is a text of which most rows repeat one that was there.
func (r *catalog) same(b []byte) string {
	s, ok := r.texts[string(b)]
	if !ok {
		s = string(b)
		r.texts[s] = s
	}
	return s
}

// comment is what a comment is about: an oid, and a column of it or 0.
type comment struct{ of, column string }

// entry is a table with what only matters while reading.
type entry struct {
	*connector.Table
	oid, parent string
	names       []string // by attnum
}

// name is a column's; "" for the number of none.
func (t *entry) name(number int64) string {
	if number < 0 || number >= int64(len(t.names)) {
		return ""
	}
	return t.names[number]
}

type domain struct {
	of      string // oid
	name    string
	notNull bool
	checks  []connector.Check
}

var kinds = map[string]connector.TableKind{"r": connector.Base, "p": connector.Partitioned, "v": connector.View, "m": connector.MatView, "f": connector.Foreign}

func (r *catalog) table(c cells) {
	t := &connector.Table{
		Schema: r.same(c[1]), Name: c.text(2), Kind: kinds[c.text(3)], Comment: r.comments[comment{c.text(0), "0"}],
		Rows: c.int(6), Bytes: c.int(7),
		Rights:      connector.Rights{Select: c.is(8), Insert: c.is(9), Update: c.is(10), Delete: c.is(11)},
		RowSecurity: c.is(12),
		InDefault:   c.text(1) == r.schema.Default,
		Columns:     make([]connector.Column, 0, c.int(13)),
	}
	if c.is(4) && t.Kind != connector.Foreign { // a middle level of partitions is acted on through its root, too
		t.Kind = connector.Partition
	}
	if t.Rows < 0 {
		t.Bytes = -1
	}
	r.schema.Tables = append(r.schema.Tables, t)
	r.tables[c.text(0)] = &entry{Table: t, oid: c.text(0), parent: c.text(5), names: make([]string, c.int(13)+1)}
}

func (r *catalog) domain(c cells) {
	r.domains[c.text(0)] = &domain{of: c.text(1), name: c.text(2), notNull: c.is(3)}
}

func (r *catalog) domainCheck(c cells) {
	if d := r.domains[c.text(0)]; d != nil {
		d.checks = append(d.checks, connector.Check{Name: c.text(1), Expr: c.text(2)})
	}
}

func (r *catalog) enum(c cells) { r.enums[c.text(0)] = append(r.enums[c.text(0)], c.text(1)) }

func (r *catalog) column(c cells) {
	t := r.last
	if t == nil || t.oid != string(c[0]) {
		t = r.tables[string(c[0])]
		r.last = t
	}
	if t == nil {
		return
	}
	column := r.ofType(typeName{r.same(c[3]), r.same(c[4])})
	column.Name, column.Default, column.Collation = r.same(c[2]), r.same(c[8]), r.same(c[9])
	column.NotNull, column.Generated = c.is(5), len(c[6]) > 0 || string(c[7]) == "a"
	column.Identity = len(c[7]) > 0 || strings.HasPrefix(column.Default, "nextval(")
	column.FoldEqual = column.FoldEqual || c.is(10)
	if number := c.int(1); number > 0 && number < int64(len(t.names)) {
		t.names[number] = column.Name
	}
	if len(r.comments) > 0 {
		column.Comment = r.comments[comment{c.text(0), c.text(1)}]
	}
	for d := r.domains[string(c[4])]; d != nil; d = r.domains[d.of] {
		column.NotNull = column.NotNull || d.notNull
		for _, check := range d.checks {
			t.Checks = append(t.Checks, connector.Check{Name: check.Name, Expr: ofColumn(check.Expr, column.Name), Columns: []string{column.Name}})
		}
	}
	t.Columns = append(t.Columns, column)
}

// ofType is what a column's type says of it: nearly all columns share a few.
func (r *catalog) ofType(t typeName) connector.Column {
	if column, ok := r.types[t]; ok {
		return column
	}
	column, name, oid := connector.Column{Type: t.name}, t.name, t.oid
	for d := r.domains[oid]; d != nil; d = r.domains[oid] {
		column.Base, name, oid = d.name, d.name, d.of
	}
	column.Kind, column.Enum = kindOf(name), r.enums[oid]
	if column.Enum != nil {
		column.Kind = connector.Text
	}
	column.FoldEqual = isCitext(name)
	limits(&column, name)
	r.types[t] = column
	return column
}

// limits reads the numbers in parentheses.
func limits(c *connector.Column, name string) {
	_, rest, ok := strings.Cut(name, "(")
	inner, _, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return
	}
	first, second, _ := strings.Cut(inner, ",")
	n, err := strconv.Atoi(first)
	if err != nil {
		return
	}
	switch c.Kind {
	case connector.Text:
		c.Length = n
	case connector.Decimal:
		c.Precision = n
		c.Scale, _ = strconv.Atoi(second) // absent is 0
	}
}

// finish resolves what needed all rows.
func (r *catalog) finish() {
	for _, t := range r.tables {
		if p := r.tables[t.parent]; p != nil {
			t.Parent = p.Dataset()
		}
		for i := range t.Triggers {
			t.Triggers[i].Writes = r.writes(t.Table, t.Triggers[i].Body)
		}
		for i := range t.Uniques {
			t.Uniques[i].NotNull = t.Uniques[i].NotNull && notNull(t.Table, t.Uniques[i].Columns)
		}
		t.Locator = locator(t.Table)
	}
}

func notNull(t *connector.Table, columns []string) bool {
	return !slices.ContainsFunc(columns, func(name string) bool {
		c := t.Column(name)
		return c == nil || !c.NotNull
	})
}

// locator is the best address of a table's rows.
func locator(t *connector.Table) connector.Locator {
	if len(t.Primary) > 0 {
		return connector.Locator{Kind: connector.ByPrimary, Columns: t.Primary}
	}
	for _, u := range t.Uniques {
		if u.NotNull && !u.Partial && usable(t, u.Name) {
			return connector.Locator{Kind: connector.ByUnique, Columns: u.Columns}
		}
	}
	if t.Kind != connector.View && t.Kind != connector.Foreign {
		return connector.Locator{Kind: connector.ByPhysical, Columns: []string{"tableoid", "ctid"}, Moves: true}
	}
	all := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		all[i] = c.Name
	}
	return connector.Locator{Kind: connector.ByPredicate, Columns: all, Moves: true}
}

// usable: an index that failed to build holds no promise of uniqueness.
func usable(t *connector.Table, name string) bool {
	return slices.ContainsFunc(t.Indexes, func(i connector.Index) bool { return i.Name == name && i.Valid })
}
