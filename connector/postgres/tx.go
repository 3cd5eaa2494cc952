package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// tx is a transaction on a connection of its own, read committed as the server has it. What begins it
// goes out with the first statements.
type tx struct {
	store *store
	conn  *pgxpool.Conn // nil once it has ended
	begun bool
}

var _ connector.CycleDeleter = (*tx)(nil)

// Begin takes a connection. Triggers run in the transaction find their tables by the role's own
// search_path: every name and every type of our statements is fixed without it. See connector.Store.
func (s *store) Begin(ctx context.Context) (connector.Tx, error) {
	c, err := s.acquire(ctx, s.ask)
	if err != nil {
		return nil, err
	}
	return &tx{store: s, conn: c}, nil
}

// opening begins the transaction.
func (t *tx) opening() []statement {
	return []statement{{sql: "BEGIN"}, {sql: "SELECT set_config('search_path', $1, true)", args: [][]byte{[]byte(t.store.path)}, quiet: true}}
}

// run sends statements inside the transaction, the first ones behind what begins it. Where one turns
// out to be stale, a transaction that did nothing yet begins again.
func (t *tx) run(ctx context.Context, list []statement, row func(int, [][]byte) error) ([]int64, error) {
	if t.conn == nil {
		return nil, fault.New(fault.Internal, "system %s: the transaction has ended", t.store.system)
	}
	if len(list) == 0 {
		return nil, ctx.Err()
	}
	conn := t.conn.Conn().PgConn()
	first := 0
	if !t.begun {
		open := t.opening()
		list, first = append(open, list...), len(open)
	}
	t.begun = true
	shifted := func(i int, cells [][]byte) error { return row(i-first, cells) }
	counts, err := t.store.run(ctx, conn, reuse(ctx, conn, list), shifted, func() {})
	if errors.Is(err, errStale) {
		forget(conn)
		if first == 0 {
			return nil, fault.New(fault.Unavailable, "system %s: its catalog changed while a transaction was under way", t.store.system)
		}
		if err := t.plain(ctx, "ROLLBACK"); err != nil {
			return nil, err
		}
		counts, err = t.store.run(ctx, conn, list, shifted, func() {})
	}
	if err != nil {
		return nil, err
	}
	return counts[first:], nil
}

func (t *tx) plain(ctx context.Context, sql string) error {
	_, err := t.run(ctx, []statement{{sql: sql}}, nil)
	return err
}

// Select reads inside the transaction. See connector.Tx.
func (t *tx) Select(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	return ask(qs, row, func(list []statement, each func(int, [][]byte) error) error {
		_, err := t.run(ctx, list, each)
		return err
	})
}

// Defer postpones the checks that are declared deferrable. True means that no other is there.
func (t *tx) Defer(ctx context.Context) (bool, error) {
	all := false
	_, err := t.run(ctx, []statement{
		{sql: "SET CONSTRAINTS ALL DEFERRED"},
		{sql: "SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable)"},
	}, func(_ int, row [][]byte) error { all = cells(row).is(0); return nil })
	return all, err
}

// Orphans counts rows of child that point at no parent. Keys nil means all of child. See connector.Tx.
func (t *tx) Orphans(ctx context.Context, child *connector.Table, fk connector.ForeignKey, keys []connector.Key) (int64, error) {
	columns, err := resolveColumns(child, fk.Columns)
	if err != nil {
		return 0, err
	}
	q := connector.Select{Table: child}
	if keys != nil {
		q.Where = []connector.Match{{Columns: fk.Columns, Keys: keys}}
	}
	p, err := prepare(q)
	if err != nil {
		return 0, err
	}
	var list []statement
	p.each(func(where []match) {
		b := &builder{}
		b.add("SELECT count(*) FROM ", source(child), " AS t")
		writeWhere(b, where)
		if len(where) == 0 {
			b.add(" WHERE true")
		}
		writeOrphan(b, columns, fk)
		list = append(list, b.done())
	})
	var orphans int64
	_, err = t.run(ctx, list, func(_ int, row [][]byte) error { orphans += cells(row).int(0); return nil })
	return orphans, err
}

// writeOrphan: a whole reference without its row, or under MATCH FULL half a reference.
func writeOrphan(b *builder, columns []*connector.Column, fk connector.ForeignKey) {
	var null, whole, same []string
	for i, c := range columns {
		name := "t." + quote(c.Name)
		null = append(null, name+" IS NULL")
		whole = append(whole, name+" IS NOT NULL")
		same = append(same, "p."+quote(fk.RefColumns[i])+" "+equals(c)+" "+name)
	}
	b.add(" AND (", strings.Join(whole, " AND "), " AND NOT EXISTS (SELECT FROM ", quote(fk.RefSchema), ".", quote(fk.RefTable),
		" AS p WHERE ", strings.Join(same, " AND "), ")")
	if fk.MatchFull {
		b.add(" OR (", strings.Join(null, " OR "), ") AND (", strings.Join(whole, " OR "), ")")
	}
	b.add(")")
}

// Commit ends the transaction; it fails when the server rolled it back instead.
func (t *tx) Commit(ctx context.Context) error {
	if t.conn == nil {
		return fault.New(fault.Internal, "system %s: the transaction has ended", t.store.system)
	}
	if !t.begun {
		t.release()
		return ctx.Err()
	}
	failed := t.conn.Conn().PgConn().TxStatus() == 'E'
	if err := t.plain(ctx, "COMMIT"); err != nil {
		return err
	}
	t.store.last.Store(nil) // whoever asks for a fingerprint now need not first ask whether anybody wrote
	t.release()
	if failed {
		return fault.New(fault.Conflict, "system %s: the transaction had failed and is rolled back", t.store.system)
	}
	return nil
}

// Rollback ends the transaction without a trace; after Commit it does nothing. A connection that is
// gone has rolled back by itself.
func (t *tx) Rollback(ctx context.Context) error {
	if t.conn == nil {
		return nil
	}
	defer t.release()
	c := t.conn.Conn().PgConn()
	if c.IsClosed() || c.TxStatus() == 'I' {
		return nil
	}
	if err := t.plain(ctx, "ROLLBACK"); err != nil && !c.IsClosed() {
		return err
	}
	return nil
}

// release gives the connection back; the pool closes one that is still inside a transaction.
func (t *tx) release() {
	if t.conn != nil {
		t.conn.Release()
		t.conn = nil
	}
}
