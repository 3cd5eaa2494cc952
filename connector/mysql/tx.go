package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// tx is one transaction. Once an act has failed it can only be rolled back: the engine would commit
// the acts before it.
type tx struct {
	s      *store
	tx     *sql.Tx
	failed bool
	rekeys bool // see Rekey
}

// Begin starts a transaction. It outlives ctx, which bounds the start alone.
func (s *store) Begin(ctx context.Context) (connector.Tx, error) {
	if err := s.pace.wait(ctx); err != nil {
		return nil, err
	}
	t, err := s.db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, s.fault("beginning a transaction", err)
	}
	return &tx{s: s, tx: t}, nil
}

// Do runs the acts in order.
func (t *tx) Do(ctx context.Context, acts []connector.Act) ([]int64, error) {
	if t.failed {
		return nil, errFailed()
	}
	counts := make([]int64, len(acts))
	for i, a := range acts {
		n, err := t.act(ctx, a)
		if err != nil {
			t.failed = true
			return nil, t.s.fault("acting on "+a.Table.Dataset(), err)
		}
		counts[i] = n
	}
	return counts, nil
}

func errFailed() error {
	return fault.New(fault.Conflict, "an act of this transaction has failed; it can only be rolled back")
}

func (t *tx) act(ctx context.Context, a connector.Act) (int64, error) {
	w, err := t.prepare(ctx, a)
	if err != nil {
		return 0, err
	}
	var n int64
	switch {
	case w == nil:
	case w.locator.form == byRow:
		n, err = t.rowByRow(ctx, w)
	case a.Verb == connector.Delete:
		n, err = t.delete(ctx, w)
	case a.Verb == connector.Update:
		n, err = t.update(ctx, w)
	}
	if err != nil || !a.History || !a.Table.Versioned {
		return n, err
	}
	_, err = t.exec(ctx, "DELETE HISTORY FROM "+full(a.Table))
	return n, err
}

// exec runs a statement and answers the rows it matched.
func (t *tx) exec(ctx context.Context, statement string) (int64, error) {
	if err := t.s.pace.wait(ctx); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.s.timeout+grace)
	defer cancel()
	result, err := t.tx.ExecContext(ctx, statement)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Defer answers false: these engines check every row at once.
func (t *tx) Defer(context.Context) (bool, error) { return false, nil }

// Select reads inside the transaction, under lock: without one a transaction would see the past. The
// callback must not use the transaction.
func (t *tx) Select(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	return t.s.selectAll(ctx, t.tx, qs, lock, row)
}

func lock(q connector.Select) string {
	if q.Lock {
		return " FOR UPDATE"
	}
	return " LOCK IN SHARE MODE"
}

// Orphans counts children whose key has no NULL and no parent, as committed and as changed here. With
// parentKeys only children of those keys are looked at, without any all are.
func (t *tx) Orphans(ctx context.Context, child *connector.Table, fk connector.ForeignKey, parentKeys []connector.Key) (int64, error) {
	n, err := t.orphans(ctx, child, fk, fk.Columns, parentKeys)
	return n, t.s.fault("counting orphans", err)
}

// orphans looks, with keys, at the children only that have one of them in the columns named by.
func (t *tx) orphans(ctx context.Context, child *connector.Table, fk connector.ForeignKey, by []string, keys []connector.Key) (int64, error) {
	own, err := columns(child, fk.Columns)
	if err != nil {
		return 0, err
	}
	m := match{form: byRule}
	if m.columns, err = columns(child, by); err != nil {
		return 0, err
	}
	for _, k := range keys {
		if converted, ok := t.s.convertKey(k, m); ok && len(k) == len(by) {
			m.keys = append(m.keys, converted)
		}
	}
	if m.keys = sortKeys(m.keys); len(keys) > 0 && len(m.keys) == 0 {
		return 0, nil
	}
	pairs := make([]string, len(own))
	for i, c := range own {
		pairs[i] = "p." + name(fk.RefColumns[i]) + " = c." + name(c.Name)
	}
	alone := "SELECT COUNT(*) FROM " + full(child) + " c LEFT JOIN " + name(fk.RefSchema) + "." + name(fk.RefTable) + " p ON " +
		strings.Join(pairs, " AND ") + " WHERE p." + name(fk.RefColumns[0]) + " IS NULL"
	for _, c := range fk.Columns {
		alone += " AND c." + name(c) + " IS NOT NULL"
	}
	if len(keys) == 0 {
		return t.s.number(ctx, t.tx, alone+" LOCK IN SHARE MODE")
	}
	var total int64
	for part := range slices.Chunk(m.keys, atOnce) {
		n, err := t.s.number(ctx, t.tx, alone+" AND "+t.s.in(m, part, false, "c.")+" LOCK IN SHARE MODE")
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// Commit makes the changes durable.
func (t *tx) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return t.s.fault("committing", err)
	}
	if t.failed {
		return errFailed()
	}
	return t.s.fault("committing", t.tx.Commit())
}

// Rollback undoes everything; after Commit it does nothing.
func (t *tx) Rollback(context.Context) error {
	if err := t.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return t.s.fault("rolling back", err)
	}
	return nil
}

// invalid is an act that a plan must not contain.
func invalid(t *connector.Table, what string) error {
	return fault.New(fault.Invalid, "table %s: %s", t.Dataset(), what)
}
