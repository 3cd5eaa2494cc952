package db

import (
	"context"
	"errors"
	"strings"
)

var errEnded = errors.New("the transaction has ended")

// Tx is one transaction. It belongs to the function it was given to, and ends with it.
type Tx struct {
	c       conn
	reading bool
	from    context.Context // of the caller of Write
	dirty   bool            // something may have been written
	failed  error           // the first statement that failed; nothing runs after it
	late    *inserts        // of the commit; nil when reading
	hooks   *hooks          // of the commit
	open    []*Rows
}

// hooks are what is to be called for the commands of one commit, in the order in which they asked for it.
type hooks struct {
	commit, settled, rollback []func()
	forcing                   []func() (beside func())
	keep                      []func() error
}

// lengths is how many hooks there are of each sort.
type lengths struct{ commit, settled, rollback, forcing, keep int }

func (h *hooks) lengths() lengths {
	return lengths{len(h.commit), len(h.settled), len(h.rollback), len(h.forcing), len(h.keep)}
}

// undo calls those for what did not count, the last first, and forgets all that came behind to.
func (h *hooks) undo(to lengths) {
	for i := len(h.rollback) - 1; i >= to.rollback; i-- {
		h.rollback[i]()
	}
	h.reset(to)
}

func (h *hooks) reset(to lengths) {
	h.commit, h.settled, h.rollback = cut(h.commit, to.commit), cut(h.settled, to.settled), cut(h.rollback, to.rollback)
	h.forcing, h.keep = cut(h.forcing, to.forcing), cut(h.keep, to.keep)
}

func cut[F any](list []F, to int) []F {
	clear(list[to:])
	return list[:to]
}

// Exec runs a statement and gives the number of rows it touched. args fill $1, $2 ….
func (t *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := t.usable(text); err != nil {
		return 0, err
	}
	n, err := t.c.exec(t.context(ctx), text, args)
	if err != nil {
		return 0, t.fail(err)
	}
	return n, nil
}

// Query runs a statement that gives rows. The caller closes them; the end of the transaction closes what was forgotten.
func (t *Tx) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	if err := t.usable(text); err != nil {
		return nil, err
	}
	rows, err := t.c.query(t.context(ctx), text, args)
	if err != nil {
		return nil, t.fail(err)
	}
	r := &Rows{t: t, rows: rows}
	t.open = append(t.open, r)
	return r, nil
}

// QueryRow runs a statement that gives at most one row; Scan of the answer tells the rest.
func (t *Tx) QueryRow(ctx context.Context, text string, args ...any) *Row {
	rows, err := t.Query(ctx, text, args...)
	return &Row{rows: rows, err: err}
}

// OnCommit calls fn when the transaction is durable and before the answer, in the order of the calls. fn must be quick
// and must not use the store.
func (t *Tx) OnCommit(fn func()) { t.hooks.commit = append(t.hooks.commit, fn) }

// OnSettled calls fn after all OnCommit of the group and before its answers: for who tells others that there is something
// new. They may ask at once, and memory knows it.
func (t *Tx) OnSettled(fn func()) { t.hooks.settled = append(t.hooks.settled, fn) }

// WhileForced calls fn while the transaction is on its way to the disk: when it is part of a file, which is forced behind, or when a
// server has it, which may still refuse it. It is for what must be kept elsewhere before the answer, so that it is not waited for
// twice, and comes in the order of the calls, before all OnCommit of the group. What fn writes out of a file that the store carries
// (DB.Carries) is forced with it; what takes longer fn gives back, and it runs beside, on another goroutine. OnRollback takes back what either did. After a
// power cut it may stand while the transaction is gone. Neither must use the store otherwise.
func (t *Tx) WhileForced(fn func() (beside func())) { t.hooks.forcing = append(t.hooks.forcing, fn) }

// BeforeAnswer calls fn after all OnCommit of the group and before any answer, in the order of the calls: for what must be
// kept elsewhere too before anybody may rely on it. An error undoes nothing; it is answered to the whole group, and every
// Write gives fault.Unavailable until fn, which is called again and again, gives none.
func (t *Tx) BeforeAnswer(fn func() error) { t.hooks.keep = append(t.hooks.keep, fn) }

// OnRollback calls fn when the transaction is undone, the last one first. It is called once per run of the function, also
// when that will run again.
func (t *Tx) OnRollback(fn func()) { t.hooks.rollback = append(t.hooks.rollback, fn) }

// Value is what the context that Write was given holds for a key; nil in Read.
func (t *Tx) Value(key any) any {
	if t.from == nil {
		return nil
	}
	return t.from.Value(key)
}

func (t *Tx) usable(text string) error {
	if t.c == nil {
		return errEnded
	}
	if t.failed != nil {
		return t.failed
	}
	if !isSelect(text) {
		t.dirty = true
	}
	return t.flush()
}

// context is the one statements run under. A write is never interrupted half way: the engine would undo the whole group
// behind our back.
func (t *Tx) context(ctx context.Context) context.Context {
	if t.reading {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

func (t *Tx) fail(err error) error {
	t.failed = err
	return err
}

// end closes forgotten rows and makes the transaction unusable.
func (t *Tx) end() {
	for len(t.open) > 0 {
		t.open[len(t.open)-1].Close()
	}
	t.c = nil
}

// isSelect tells what surely does not write; a "with" might.
func isSelect(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= 6 && strings.EqualFold(text[:6], "select")
}

// Rows are the rows of a query, read one by one: for rows.Next() { rows.Scan(…) }, then rows.Err().
type Rows struct {
	t    *Tx
	rows cursor
	err  error
}

// Next moves to the next row; false at the end or on an error, and then the rows are closed.
func (r *Rows) Next() bool {
	if r.rows == nil {
		return false
	}
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan copies the row's columns into dest, as database/sql does.
func (r *Rows) Scan(dest ...any) error {
	if r.rows == nil {
		return errEnded
	}
	return r.rows.Scan(dest...)
}

// Err is what ended the rows early, if anything did.
func (r *Rows) Err() error { return r.err }

// Close ends the rows; it may be called again.
func (r *Rows) Close() {
	if r.rows == nil {
		return
	}
	if err := r.rows.Close(); err != nil {
		r.err = r.t.fail(err)
	}
	r.rows = nil
	for i, o := range r.t.open {
		if o == r {
			r.t.open = append(r.t.open[:i], r.t.open[i+1:]...)
			break
		}
	}
}

// Row is the first row of a query.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the row's columns into dest; ErrNoRows when there is none.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if r.rows.Err() != nil {
			return r.rows.Err()
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
