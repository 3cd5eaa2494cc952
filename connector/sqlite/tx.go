package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// tx is a write transaction. It takes SQLite's one write lock when it begins, so that nothing it
// reads changes before it acts.
type tx struct {
	s      *Store
	conn   single
	failed bool // can only be rolled back
	done   bool
}

var errEnded = errors.New("the transaction has ended")

// Begin waits for the write lock as long as the timeout allows.
func (s *Store) Begin(ctx context.Context) (connector.Tx, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	if err := s.exec(ctx, single{conn}, "BEGIN IMMEDIATE"); err != nil {
		// Whoever went away meanwhile may have left a transaction that has begun: a closed connection has none.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close()
		return nil, err
	}
	return &tx{s: s, conn: single{conn}}, nil
}

// reading begins a transaction that only reads. It waits for nobody, so it does not look whether ctx ends
// meanwhile: it would not be known whether the transaction has begun.
func (s *Store) reading(ctx context.Context, from pool) (*tx, error) {
	conn, err := from.Conn(ctx)
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	t := &tx{s: s, conn: single{conn}}
	if err := t.control(ctx, "BEGIN"); err != nil {
		_ = conn.Close()
		return nil, s.fail(ctx, err)
	}
	return t, nil
}

// control begins or ends the transaction, also after the context ended.
func (t *tx) control(ctx context.Context, how string) error {
	return t.conn.on(ctx, func(k *keeper) error {
		_, err := k.exec(context.WithoutCancel(ctx), how, nil)
		return err
	})
}

// Defer postpones the check of all foreign keys to Commit, whatever they declare.
func (t *tx) Defer(ctx context.Context) (bool, error) {
	err := t.s.exec(ctx, t.conn, "PRAGMA defer_foreign_keys = ON")
	return err == nil, err
}

// Select reads inside the transaction.
func (t *tx) Select(ctx context.Context, qs []connector.Select, row func(query int, row []connector.Value) error) error {
	if t.done {
		return errEnded
	}
	return t.s.selects(ctx, t.conn, qs, row)
}

// Commit ends the transaction, or fails where a postponed check does.
func (t *tx) Commit(ctx context.Context) error {
	switch {
	case t.done:
		return errEnded
	case t.failed:
		return errors.New("the transaction failed and can only be rolled back")
	case ctx.Err() != nil:
		return t.s.fail(ctx, ctx.Err())
	}
	t.s.log.note()
	if err := t.s.exec(ctx, t.conn, "COMMIT"); err != nil {
		t.failed = true
		return err
	}
	t.done = true
	return t.release()
}

// Rollback undoes everything, also after the context ended. After Commit it does nothing.
func (t *tx) Rollback(ctx context.Context) error {
	if t.done {
		return nil
	}
	t.done = true
	if err := t.control(ctx, "ROLLBACK"); err != nil {
		// SQLite has rolled back by itself, or never will: a closed connection always has.
		_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return t.release()
}

func (t *tx) release() error {
	if err := t.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return t.s.refuse(plain(err))
	}
	return nil
}

// Do runs the acts in order.
func (t *tx) Do(ctx context.Context, acts []connector.Act) ([]int64, error) {
	if t.done || t.failed {
		return nil, errEnded
	}
	ctx, w := t.s.watch(ctx)
	defer w.end()
	affected := make([]int64, len(acts))
	for i, act := range acts {
		n, err := t.act(ctx, w, act)
		if err != nil {
			t.failed = true
			return nil, fmt.Errorf("%s of %s: %w", act.Verb, act.Table.Dataset(), err)
		}
		affected[i] = n
	}
	return affected, nil
}

func (t *tx) act(ctx context.Context, w *watch, act connector.Act) (int64, error) {
	if err := valid(act); err != nil {
		return 0, err
	}
	if len(act.Rows) == 0 {
		return 0, nil
	}
	set := func(b *builder) (string, error) { return "DELETE FROM " + from(act.Table) + " AS t", nil }
	if act.Verb == connector.Update {
		set = func(b *builder) (string, error) { return b.update(act.Set, act.Values[0]) }
	}
	perRow := act.Verb == connector.Update && len(act.Values) > 1
	if !perRow && len(act.Expect) == 0 {
		return t.change(ctx, w, act.Table, set, append([]connector.Match{rows(act.Table, act.Rows)}, act.Fence...))
	}
	var found []located
	err := w.outside(func() (err error) {
		found, err = t.find(ctx, act)
		return err
	})
	if err != nil {
		return 0, err
	}
	if perRow {
		return t.updateEach(ctx, w, act, found)
	}
	keys := make([]connector.Key, len(found))
	for i, f := range found {
		keys[i] = f.key
	}
	return t.change(ctx, w, act.Table, set, []connector.Match{rows(act.Table, keys)})
}

// valid refuses acts that say no clear thing.
func valid(act connector.Act) error {
	switch {
	case act.Verb != connector.Delete && act.Verb != connector.Update:
		return errors.New("there is no such verb")
	case len(act.Table.Locator.Columns) == 0:
		return errors.New("rows of the table have no address")
	case len(act.Expect) > 0 && len(act.Expect) != len(act.Rows):
		return errors.New("not every row has an expected content")
	case act.Verb == connector.Delete:
		return nil
	case len(act.Set) == 0 || len(act.Values) != 1 && len(act.Values) != len(act.Rows):
		return errors.New("the values are not one list for all rows or one per row")
	}
	for _, list := range act.Values {
		if len(list) != len(act.Set) {
			return errors.New("a list of values is not as long as the columns to set")
		}
	}
	return nil
}

func rows(t *connector.Table, keys []connector.Key) connector.Match {
	return connector.Match{Columns: t.Locator.Columns, Keys: keys}
}

// change runs one statement on all rows that match.
func (t *tx) change(ctx context.Context, w *watch, table *connector.Table, verb func(*builder) (string, error), where []connector.Match) (int64, error) {
	b := &builder{table: table}
	text, err := verb(b)
	if err != nil {
		return 0, err
	}
	condition, err := b.where(where)
	if err != nil {
		return 0, err
	}
	return t.s.change(ctx, w, t.conn, text+" WHERE "+condition, b.args)
}

// update writes UPDATE … SET.
func (b *builder) update(set []string, values []connector.Value) (string, error) {
	parts := make([]string, len(set))
	for i, name := range set {
		c := b.table.Column(name)
		if c == nil {
			return "", fmt.Errorf("table %s has no such column", b.table.Dataset())
		}
		parts[i] = quote(c.Name) + " = " + b.param(encode(values[i]))
	}
	return "UPDATE " + from(b.table) + " AS t SET " + strings.Join(parts, ", "), nil
}

// located is a row that is there as planned, and which of the act's rows it is.
type located struct {
	key   connector.Key
	index int
}

// find reads which of an act's rows meet its fence and hold the content expected.
func (t *tx) find(ctx context.Context, act connector.Act) ([]located, error) {
	b := &builder{table: act.Table}
	locator := act.Table.Locator.Columns
	columns := make([]*connector.Column, len(locator))
	for i, name := range locator {
		var err error
		if columns[i], err = b.column(name); err != nil {
			return nil, err
		}
	}
	wanted := make(map[string]int, len(act.Rows))
	for i, k := range act.Rows {
		wanted[comparable(columns, k)] = i
	}
	q := connector.Select{Table: act.Table, Columns: slices.Clone(locator), Where: append([]connector.Match{rows(act.Table, act.Rows)}, act.Fence...)}
	if len(act.Expect) > 0 {
		for _, c := range act.Table.Columns {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	var out []located
	err := t.s.selects(ctx, t.conn, []connector.Select{q}, func(_ int, row []connector.Value) error {
		key := connector.Key(slices.Clone(row[:len(locator)]))
		i, ok := wanted[comparable(columns, key)]
		if ok && (len(act.Expect) == 0 || act.Expect[i] == connector.RowHash(row[len(locator):])) {
			out = append(out, located{key, i})
		}
		return nil
	})
	return out, err
}

// comparable encodes a key so that a planned one and the one read are equal.
func comparable(columns []*connector.Column, k connector.Key) string {
	out := make(connector.Key, len(k))
	for i, v := range k {
		cell, ok := cellFor(v, columns[i])
		if !ok {
			cell = v
		}
		if columnAffinity(columns[i]) == affNone && cell.Kind != connector.Bytes && !cell.IsNull() {
			cell = connector.TextValue(cell.S)
		}
		out[i] = cell
	}
	return out.Encode()
}

// updateEach gives every row found values of its own.
func (t *tx) updateEach(ctx context.Context, w *watch, act connector.Act, found []located) (int64, error) {
	if len(found) == 0 {
		return 0, nil
	}
	b := &builder{table: act.Table}
	text, err := b.update(act.Set, act.Values[0])
	if err != nil {
		return 0, err
	}
	var where []string
	for i, name := range act.Table.Locator.Columns {
		c, _ := b.column(name) // found by it
		p := b.param(found[0].key[i])
		where = append(where, fmt.Sprintf("%s = %s AND %[1]s = %[2]s COLLATE BINARY", ref(c), p))
	}
	text += " WHERE " + strings.Join(where, " AND ")
	var total int64
	err = t.conn.on(ctx, func(k *keeper) error {
		for _, f := range found {
			args := make([]any, 0, len(b.args))
			for _, v := range slices.Concat(act.Values[f.index], f.key) {
				args = append(args, encode(v))
			}
			w.moved.Store(true)
			n, err := k.exec(ctx, text, args)
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return 0, t.s.fail(ctx, err)
	}
	return total, nil
}
