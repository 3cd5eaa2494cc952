package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
)

// Run does exactly the approved plan, then looks again. It finds everything anew first: when the
// plan would hash differently now, nothing is touched and the error is a *Drift with the new plan.
// A run that was cut off goes on from its journal when Run is called again. A store that fails
// delays only its own steps; what is left is named in the outcome. A newly approved plan of a request
// that ran before takes up what the earlier run left: see ghosts. A plan of which something was done by the journal's
// account, and that is found again unchanged, was not done: a store confirmed what it did not keep. It is done anew.
// What triggers wrote meanwhile, where the plan says so, goes in the same run: see echo.
func (e *Engine) Run(ctx context.Context, q Question, approved *Plan, progress func(Progress)) (*Outcome, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	j, err := e.openJournal(ctx, q.Request)
	if err != nil {
		return nil, err
	}
	j, g, err := e.resume(ctx, j, q, approved, progress)
	if err != nil {
		return nil, err
	}
	var o *Outcome
	left, err := e.act(ctx, j, g, progress)
	if err == nil {
		err = e.askAgain(ctx, j, q, left)
	}
	if err == nil && len(left) == 0 {
		left, err = e.echo(ctx, j, q, approved, g, progress)
	}
	if err == nil {
		o, err = e.conclude(ctx, j, approved, left, q.Thorough, progress)
	}
	if err != nil {
		return nil, errors.Join(err, j.settle(ctx))
	}
	o.journal = j
	if o.unsaid, err = j.rest(); err != nil {
		return nil, err
	}
	return o, nil
}

// Settle writes what the journal of a run does not say yet, the last that was done, in the transaction that closes the run. Where
// that never commits, Run does it again, which changes nothing.
func (o *Outcome) Settle(ctx context.Context, tx *db.Tx) error {
	if len(o.unsaid) == 0 {
		return nil
	}
	return o.journal.doneIn(ctx, tx, o.unsaid)
}

// askAgain is a *Drift when the data moved at the last moment and nothing was touched, by this run or an
// earlier one. Its journal is then about nothing, and goes.
func (e *Engine) askAgain(ctx context.Context, j *journal, q Question, left []Remaining) error {
	if !j.begun || j.gen > 1 || len(left) == 0 || slices.ContainsFunc(left, func(r Remaining) bool { return r.Code != codeMoved }) {
		return nil
	}
	heads, err := j.heads(ctx)
	if err != nil || slices.ContainsFunc(heads, func(h head) bool { return h.done && !h.idle }) {
		return err
	}
	p, w, err := e.findAfter(ctx, nil, q, false)
	if err != nil {
		return err
	}
	w.close()
	if p.Hash == j.hash {
		return nil // it was not the data that moved
	}
	if err := j.discard(ctx); err != nil {
		return err
	}
	return &Drift{Plan: p}
}

// resume gives the journal to go on from, the one that is there or a new one, and the catalog as it is.
func (e *Engine) resume(ctx context.Context, j *journal, q Question, approved *Plan, progress func(Progress)) (*journal, *catalog.Graph, error) {
	if j == nil || !j.acting || j.hash != approved.Hash {
		return e.begin(ctx, j, q, approved, progress)
	}
	heads, err := j.heads(ctx)
	if err != nil {
		return nil, nil, err
	}
	waits := slices.ContainsFunc(heads, func(h head) bool { return !h.done })
	if !waits || slices.ContainsFunc(heads, func(h head) bool { return h.done && !h.idle }) {
		again, g, err := e.begin(ctx, j, q, approved, progress)
		var moved *Drift
		if !errors.As(err, &moved) {
			return again, g, err
		}
	}
	l, err := e.refresh(ctx)
	if err != nil {
		return nil, nil, err
	}
	return j, l.g, nil
}

// begin finds again, compares, and writes the journal: once it is durable, and not before, stores may
// commit. before is what an earlier run left of a journal, if anything.
func (e *Engine) begin(ctx context.Context, before *journal, q Question, approved *Plan, progress func(Progress)) (*journal, *catalog.Graph, error) {
	progress(Progress{Phase: "find"})
	p, w, err := e.findAfter(ctx, before, q, false)
	if err != nil {
		return nil, nil, err
	}
	defer w.close()
	if p.Hash != approved.Hash {
		return nil, nil, &Drift{Plan: p}
	}
	gen := 1
	if before != nil {
		gen = before.last + 1
	}
	j, err := e.newJournal(q.Request, p.Hash, gen, w.before)
	if err != nil {
		return nil, nil, err
	}
	j.small = w.storage.file == nil
	if err := w.inscribe(ctx, j, w.groups); err != nil {
		_ = j.durable() // nothing is on its way any more
		return nil, nil, err
	}
	if e.cfg.Stepwise {
		if err := j.durable(); err != nil {
			return nil, nil, err
		}
	}
	e.cfg.Hook("own:journal")
	return j, w.g, nil
}

// act runs every chunk that is not done, each store in its own order, all stores at once. A system
// whose chunk fails goes no further: later chunks count on earlier ones.
func (e *Engine) act(ctx context.Context, j *journal, g *catalog.Graph, progress func(Progress)) ([]Remaining, error) {
	heads, err := j.heads(ctx)
	if err != nil {
		return nil, err
	}
	bySystem := map[string][]head{}
	for _, h := range heads {
		bySystem[h.system] = append(bySystem[h.system], h)
	}
	var mu sync.Mutex
	var left []Remaining
	var wg sync.WaitGroup
	errs := make(chan error, len(bySystem))
	done, total := int64(0), int64(len(heads))
	begun := 0
	for system, hs := range bySystem {
		run := func() {
			for i, h := range hs {
				rs, err := e.actChunk(ctx, g, j, h)
				if err != nil {
					errs <- err
					return
				}
				if len(bySystem) > 1 || i+1 < len(hs) { // else it is said when the run is closed
					j.say(ctx)
				}
				mu.Lock()
				done++
				progress(Progress{Phase: "act", System: system, Done: done, Total: total})
				left = append(left, rs...)
				mu.Unlock()
				if len(rs) > 0 {
					return
				}
			}
		}
		if begun++; begun == len(bySystem) { // the last needs no goroutine
			run()
			break
		}
		wg.Go(run)
	}
	wg.Wait()
	close(errs)
	return left, errors.Join(<-errs, j.durable(), ctx.Err())
}

// actChunk runs one chunk in one transaction of its store. What the store refuses is remaining work,
// not an error; errors are ours: the journal, an interruption.
func (e *Engine) actChunk(ctx context.Context, g *catalog.Graph, j *journal, h head) ([]Remaining, error) {
	if h.done {
		return nil, nil
	}
	c, err := j.chunk(ctx, h.ordinal)
	if err != nil {
		return nil, err
	}
	b, missing := bind(g, c)
	if len(missing) > 0 {
		return missing, nil
	}
	acted := make([]int64, len(c.acts))
	if len(b.acts) > 0 {
		counts, err := e.transact(ctx, j, b)
		if failed := j.durable(); failed != nil {
			return nil, failed
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return refused(g, c, err), nil
		}
		for i, n := range counts {
			acted[b.index[i]] = n
		}
	}
	if err := j.mark(ctx, marked{h.ordinal, acted}); err != nil {
		return nil, err
	}
	if e.cfg.Stepwise {
		if err := j.settle(ctx); err != nil {
			return nil, err
		}
	}
	e.cfg.Hook("own:done")
	return nil, nil
}

// bind turns the journal's names into tables of the store as it is now. A dataset that is gone remains.
func bind(g *catalog.Graph, c chunk) (b bound, missing []Remaining) {
	b.system = c.system
	for i, a := range c.acts {
		if a.looks() {
			continue
		}
		d := g.Dataset(c.system, a.dataset)
		if d == nil {
			missing = append(missing, Remaining{System: c.system, Dataset: a.dataset, Rows: int64(len(a.rows)), Code: "unreachable",
				Why: "the system or dataset could not be reached when its turn came", Who: owner(g, c.system), Next: "bring it back, then retry"})
			continue
		}
		x := connector.Act{Verb: a.verb, Table: d.Table, Rows: a.rows, Set: a.set, Values: a.values, Expect: a.expect, History: d.Table.Versioned && d.Table.Rights.DeleteHistory}
		if rekeys(a.verb) {
			x = rekeyAct(a, x, keyOf(d))
		}
		for _, f := range a.fence {
			x.Fence = append(x.Fence, f.match())
		}
		b.acts, b.plans, b.sets, b.index = append(b.acts, x), append(b.plans, a), append(b.sets, d), append(b.index, i)
	}
	return b, missing
}

// match is what a row must be to be touched.
func (f fence) match() connector.Match {
	if len(f.lost) > 0 {
		return connector.Match{Columns: f.lost, Null: true}
	}
	return connector.Match{Columns: f.columns, Keys: f.keys}
}

// transact runs bound acts in one transaction, which commits when the journal is durable. Where nothing
// could undo the acts, they wait for it too.
func (e *Engine) transact(ctx context.Context, j *journal, b bound) ([]int64, error) {
	if slices.ContainsFunc(b.sets, func(d *catalog.Dataset) bool { return d.Table.NoRollback }) {
		if err := j.durable(); err != nil {
			return nil, err
		}
	}
	store, err := e.cfg.Catalog.Store(b.system)
	if err != nil {
		return nil, err
	}
	tx, err := store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := e.actAll(ctx, tx, b)
	if failed := j.durable(); err == nil {
		err = failed
	}
	if err != nil {
		return nil, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	e.cfg.Hook("store:" + b.system + ":before-commit")
	if err := tx.Commit(ctx); err != nil {
		return nil, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	e.cfg.Hook("store:" + b.system + ":commit")
	return counts, nil
}

func (e *Engine) actAll(ctx context.Context, tx connector.Tx, b bound) ([]int64, error) {
	var counts []int64
	for _, stage := range b.stages() {
		held, err := stage.guard(ctx, tx)
		if err != nil {
			return nil, err
		}
		if held {
			e.cfg.Hook("store:" + b.system + ":guard")
		}
		run := e.do
		if stage.tied {
			run = e.doTied
		}
		n, err := run(ctx, tx, stage)
		if err != nil {
			return nil, err
		}
		counts = append(counts, n...)
	}
	return counts, nil
}

// doTied deletes rows that refer to each other and cannot let go: with checks at the end of the
// transaction where the store has that, else in one statement.
func (e *Engine) doTied(ctx context.Context, tx connector.Tx, b bound) ([]int64, error) {
	deferred, err := tx.Defer(ctx)
	if err != nil {
		return nil, err
	}
	if deferred {
		return e.do(ctx, tx, b)
	}
	if r, ok := tx.(connector.Rekeyer); ok && rekeys(b.plans[0].verb) {
		counts, err := r.Rekey(ctx, b.acts)
		e.cfg.Hook("store:" + b.system + ":rekey")
		return counts, err
	}
	cycle, ok := tx.(connector.CycleDeleter)
	if !ok {
		return nil, fault.New(fault.Conflict, "rows refer to each other and this engine cannot delete them together")
	}
	counts, err := cycle.DoTogether(ctx, b.acts)
	e.cfg.Hook("store:" + b.system + ":together")
	return counts, err
}

// do runs acts pipelined; a crash test takes them one by one, to stop behind each.
func (e *Engine) do(ctx context.Context, tx connector.Tx, b bound) ([]int64, error) {
	if !e.cfg.Stepwise {
		return tx.Do(ctx, b.acts)
	}
	var counts []int64
	for i := range b.acts {
		n, err := tx.Do(ctx, b.acts[i:i+1])
		if err != nil {
			return nil, err
		}
		counts = append(counts, n...)
		e.cfg.Hook(fmt.Sprintf("store:%s:%d", b.system, b.index[i]))
	}
	return counts, nil
}

// refused names every dataset of a chunk that its store rolled back.
func refused(g *catalog.Graph, c chunk, err error) []Remaining {
	if rs := moved(g, c.system, err); rs != nil {
		return rs
	}
	rows := map[string]int64{}
	for _, a := range c.acts {
		if a.verb == connector.Delete || a.verb == connector.Update || a.verb == rekey {
			rows[a.dataset] += int64(len(a.rows))
		}
	}
	why, code := "the store refused: "+publicReason(err), "refused"
	if fault.KindOf(err) == fault.Unavailable {
		why, code = "the store stopped answering; nothing of this part was done", "unreachable"
	}
	var out []Remaining
	for dataset, n := range sorted(rows) {
		out = append(out, Remaining{System: c.system, Dataset: dataset, Rows: n, Code: code, Why: why, Who: owner(g, c.system), Next: "mend it, then retry"})
	}
	return out
}

// publicReason is a connector's error, which by its contract holds no value; one line of it.
func publicReason(err error) string {
	s := err.Error()
	for i, r := range s {
		if r == '\n' || i > 200 {
			return s[:i]
		}
	}
	return s
}
