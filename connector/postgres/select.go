package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ombudhq/ombud/connector"
)

// chunk is how many keys one statement holds. Beyond some ten thousand PostgreSQL leaves the index.
const chunk = 5000

// errEnough stops reading when a limit is reached; it never leaves this file.
var errEnough = errors.New("enough rows")

// question is a Select ready to ask.
type question struct {
	connector.Select
	columns []*connector.Column
	where   []match
	folds   []foldCheck
}

// foldCheck is the recheck of one folded condition on a cell read besides those asked for.
type foldCheck struct {
	at   int
	keys map[string]bool
}

// prepare checks the question against the catalog.
func prepare(q connector.Select) (*question, error) {
	p := &question{Select: q}
	var err error
	if p.columns, err = resolveColumns(q.Table, q.Columns); err != nil {
		return nil, err
	}
	for _, m := range q.Where {
		r, err := resolve(q.Table, m)
		if err != nil {
			return nil, err
		}
		p.where = append(p.where, r)
	}
	for _, m := range p.where {
		if m.fold {
			p.recheck(m)
		}
	}
	return p, nil
}

// recheck reads the folded cell too, as text.
func (q *question) recheck(m match) {
	check := foldCheck{at: len(q.columns), keys: make(map[string]bool, len(m.keys))}
	for _, k := range m.keys {
		check.keys[k[0].S] = true
	}
	cell := *m.columns[0]
	cell.Kind, cell.Base = connector.Text, "text"
	q.columns = append(q.columns, &cell)
	q.folds = append(q.folds, check)
}

func (q *question) passes(row []connector.Value) bool {
	for _, f := range q.folds {
		if !f.keys[connector.Fold(row[f.at].S)] {
			return false
		}
	}
	return true
}

// largest is the condition with the most keys; -1 when none has more than a chunk.
func (q *question) largest() int {
	at, most := -1, chunk
	for i, m := range q.where {
		if !m.null && !m.whole && len(m.keys) > most {
			at, most = i, len(m.keys)
		}
	}
	return at
}

// each calls write for every chunk of the conditions; a question that nothing matches has none.
func (q *question) each(write func(where []match)) {
	if slices.ContainsFunc(q.where, match.empty) {
		return
	}
	at := q.largest()
	if at < 0 || q.Sorted {
		write(q.where)
		return
	}
	where := slices.Clone(q.where)
	for part := range slices.Chunk(order(q.where[at].keys), chunk) {
		where[at].keys = part
		write(where)
	}
}

// rows writes the statements that deliver the question's rows.
func (q *question) rows() (list []statement) {
	q.each(func(where []match) {
		b := &builder{}
		b.add("SELECT ")
		for i, c := range q.columns {
			b.joint(i, ", ").column(c.Name)
		}
		b.add(" FROM ", source(q.Table), " AS t")
		writeWhere(b, where)
		q.writeTail(b)
		list = append(list, b.done())
	})
	return list
}

// counts writes statements of one number each.
func (q *question) counts() (list []statement) {
	q.each(func(where []match) {
		b := &builder{}
		b.add("SELECT count(*) FROM (SELECT FROM ", source(q.Table), " AS t")
		writeWhere(b, where)
		q.writeTail(b)
		b.add(") AS n")
		list = append(list, b.done())
	})
	return list
}

func writeWhere(b *builder, where []match) {
	for i, m := range where {
		if i == 0 {
			b.add(" WHERE ")
		}
		b.joint(i, " AND ")
		m.write(b)
	}
}

func (q *question) writeTail(b *builder) {
	if q.Sorted {
		b.add(" ORDER BY ")
		for i, c := range q.Table.Locator.Columns {
			b.joint(i, ", ").column(c)
		}
	}
	if q.Limit > 0 && len(q.folds) == 0 { // a folded condition still drops rows here
		b.add(" LIMIT ", strconv.Itoa(q.Limit))
	}
	if q.Lock && q.Table.Rights.Update && slices.Contains([]connector.TableKind{connector.Base, connector.Partitioned, connector.Partition}, q.Table.Kind) {
		b.add(" FOR UPDATE")
	}
}

// Select asks all questions in one round trip. See connector.Store.
func (s *store) Select(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	return ask(qs, row, func(list []statement, each func(int, [][]byte) error) error { return s.query(ctx, list, each) })
}

// SelectFingerprinted asks for the moment last. See connector.Fingerprinter.
func (s *store) SelectFingerprinted(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) (fingerprint string, err error) {
	err = ask(qs, row, func(list []statement, each func(int, [][]byte) error) error {
		return s.query(ctx, append(list, statement{sql: snapshotQuery}), func(n int, raw [][]byte) error {
			if n < len(list) {
				return each(n, raw)
			}
			if last := s.last.Load(); last != nil && last.snapshot == string(raw[0]) {
				fingerprint = last.token
			}
			return nil
		})
	})
	return fingerprint, err
}

// ask runs the questions through send. When a question has its limit while several are under way,
// the surplus of its later chunks is dropped.
func ask(qs []connector.Select, row func(int, []connector.Value) error, send func([]statement, func(int, [][]byte) error) error) error {
	var (
		list  = make([]statement, 0, len(qs))
		query = make([]int, 0, len(qs)) // of each statement
		ready = make([]*question, len(qs))
		left  = make([]int, len(qs))
		r     reader
	)
	for i, q := range qs {
		p, err := prepare(q)
		if err != nil {
			return err
		}
		ready[i], left[i] = p, q.Limit
		for _, st := range p.rows() {
			list, query = append(list, st), append(query, i)
		}
	}
	err := send(list, func(n int, raw [][]byte) error {
		i := query[n]
		q := ready[i]
		if q.Limit > 0 && left[i] == 0 {
			return last(i, len(qs))
		}
		cells := r.read(q.columns, raw)
		if !q.passes(cells) {
			return nil
		}
		left[i]--
		return row(i, cells[:len(q.Columns)])
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// last stops everything when the question was the last one.
func last(i, n int) error {
	if i == n-1 {
		return errEnough
	}
	return nil
}

// Count counts in the server, except for folded conditions, whose rows must be seen.
func (s *store) Count(ctx context.Context, qs []connector.Select) ([]int64, error) {
	counts := make([]int64, len(qs))
	var list []statement
	var query []int
	for i, q := range qs {
		p, err := prepare(q)
		if err != nil {
			return nil, err
		}
		statements := p.counts()
		if len(p.folds) > 0 {
			statements = nil
			q.Columns = nil
			if err := s.Select(ctx, []connector.Select{q}, func(int, []connector.Value) error { counts[i]++; return nil }); err != nil {
				return nil, err
			}
		}
		for _, st := range statements {
			list, query = append(list, st), append(query, i)
		}
	}
	err := s.query(ctx, list, func(n int, row [][]byte) error {
		count, err := strconv.ParseInt(string(row[0]), 10, 64)
		i := query[n]
		counts[i] += count
		if qs[i].Limit > 0 {
			counts[i] = min(counts[i], int64(qs[i].Limit))
		}
		return err
	})
	return counts, err
}

// Sample takes whole pages spread over a large table, the first rows of a small one.
func (s *store) Sample(ctx context.Context, t *connector.Table, columns []string, limit int) ([][]connector.Value, error) {
	q, err := prepare(connector.Select{Table: t, Columns: columns, Limit: limit})
	if err != nil || limit <= 0 {
		return nil, err
	}
	rows, err := s.sample(ctx, q, q.rows()[0])
	if err != nil || len(rows) < limit || t.Rows < int64(spread*limit) || t.Kind == connector.View || t.Kind == connector.Foreign {
		return rows, err
	}
	b := &builder{}
	b.add("SELECT ")
	for i, c := range q.columns {
		b.joint(i, ", ").add("t.", quote(c.Name))
	}
	percent := strconv.FormatFloat(100*spread*float64(limit)/float64(t.Rows), 'f', 6, 64)
	b.add(" FROM ", source(t), " AS t TABLESAMPLE SYSTEM (", percent, ") REPEATABLE (1) ORDER BY random() LIMIT ", strconv.Itoa(limit))
	spreadRows, err := s.sample(ctx, q, b.done())
	if err != nil || len(spreadRows) < limit/2 {
		return rows, err
	}
	return spreadRows, nil
}

// spread is how many more rows than wanted a page sample asks for, since pages differ.
const spread = 4

func (s *store) sample(ctx context.Context, q *question, st statement) (rows [][]connector.Value, err error) {
	var r reader
	err = s.query(ctx, []statement{st}, func(_ int, raw [][]byte) error {
		rows = append(rows, slices.Clone(r.read(q.columns, raw)))
		return nil
	})
	return rows, err
}
