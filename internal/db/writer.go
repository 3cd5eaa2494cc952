package db

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// States of a command: waiting, then begun by the writer or withdrawn by its caller, never both.
const (
	waiting int32 = iota
	begun
	withdrawn
)

// command is one function on its way through the writer.
type command struct {
	ctx   context.Context // for its values
	fn    func(*Tx) error
	err   error
	state atomic.Int32
	done  chan error
}

func (c *command) withdraw() bool { return c.state.CompareAndSwap(waiting, withdrawn) }

func (c *command) answer() { c.done <- c.err }

// writer owns the connection that writes.
type writer struct {
	c      conn
	clock  clock.Clock
	queue  chan *command
	hook   func(string)
	done   chan struct{}
	group  []*command                  // of the commit under way
	dirty  bool                        // the same may have written something
	late   inserts                     // of the same
	hooks  hooks                       // of the same
	beside sync.WaitGroup              // of the same: what runs while it is forced
	held   []func() error              // of commits before: what must be kept elsewhere and is not yet, in order
	why    atomic.Pointer[fault.Error] // of the last try; nil while nothing is held

	settling sync.RWMutex // held while a commit others may see already has not told everybody
	forcing  gate         // closed while one they may see is not on the disk

	health context.Context // ends, with the cause, when nothing can be written any more
	fail   context.CancelCauseFunc
}

func newWriter(c conn, cl clock.Clock, hook func(string)) *writer {
	w := &writer{c: c, clock: cl, hook: hook, queue: make(chan *command, groupLimit), done: make(chan struct{})}
	w.health, w.fail = context.WithCancelCause(context.Background())
	return w
}

func (w *writer) loop() {
	defer close(w.done)
	beat := w.beat()
	for {
		select {
		case first, open := <-w.queue:
			if !open {
				return
			}
			if group := w.gather(first); len(group) > 0 {
				w.together(group)
			}
			if len(w.held) > 0 {
				beat = w.beat()
			}
		case <-beat:
			w.check()
			_ = w.keep() // who asks is told; this is so that it ends without anybody asking
			beat = w.beat()
		}
	}
}

// keepAgain is how long to wait before what could not be kept elsewhere is tried again, when nobody asks sooner.
const keepAgain = time.Second

// beat comes when it is time to check; nil is never.
func (w *writer) beat() <-chan time.Time {
	if len(w.held) > 0 {
		return w.clock.After(keepAgain)
	}
	if d := w.c.pulse(); d > 0 {
		return w.clock.After(d)
	}
	return nil
}

// check finds out that the connection is gone although nobody writes: with it goes the lock that keeps others away.
func (w *writer) check() {
	if w.broken() != nil {
		return
	}
	if err := w.c.check(); err != nil && w.c.lost() {
		w.fail(lost(err))
	}
}

// broken is why nothing can be written any more; nil while it can.
func (w *writer) broken() error { return context.Cause(w.health) }

// gather takes what waits now, up to the limit.
func (w *writer) gather(first *command) []*command {
	clear(w.group)
	group := w.group[:0]
	defer func() { w.group = group }()
	for c := first; c != nil; {
		if c.state.CompareAndSwap(waiting, begun) {
			group = append(group, c)
		}
		if len(group) == groupLimit {
			return group
		}
		select {
		case c = <-w.queue: // nil when closed and empty
		default:
			return group
		}
	}
	return group
}

// together runs a group in one transaction. When one of them must be undone, all are, and each runs again alone.
func (w *writer) together(group []*command) {
	if err := w.begin(); err != nil {
		answerAll(group, err)
		return
	}
	for _, c := range group {
		if !w.perform(c) {
			w.apart(group)
			return
		}
	}
	w.commit(group)
}

// apart undoes what a group did, and runs each of it again alone. One that was alone has failed.
func (w *writer) apart(group []*command) {
	w.rollback()
	if len(group) == 1 {
		group[0].answer()
		return
	}
	for _, c := range group {
		w.together([]*command{c})
	}
}

func (w *writer) begin() error {
	if err := w.broken(); err != nil {
		return err
	}
	if err := w.keep(); err != nil {
		return err
	}
	w.dirty = false
	err := w.c.begin(context.Background())
	if err != nil && w.c.lost() {
		w.fail(lost(err))
		return w.broken()
	}
	return err
}

// perform runs a command and tells whether the transaction may go on. One that fails before it wrote leaves nothing to
// undo: its error stands on what the group did before it, and is answered with the group.
func (w *writer) perform(c *command) bool {
	before := w.hooks.lengths()
	tx := &Tx{c: w.c, from: c.ctx, late: &w.late, hooks: &w.hooks}
	c.err = call(c.fn, tx)
	if tx.failed != nil && c.err == nil {
		c.err = tx.failed
	}
	clean := !tx.dirty && tx.failed == nil
	w.dirty = w.dirty || tx.dirty
	tx.end()
	if c.err == nil {
		return true
	}
	if clean {
		w.hooks.undo(before)
	}
	return clean
}

func (w *writer) rollback() {
	w.late.reset()
	err := w.c.rollback()
	w.hooks.undo(lengths{})
	if err != nil {
		w.fail(lost(err)) // unless it already failed: the first cause stands
	}
}

// commit makes the group durable, then tells everybody: hooks first, then what must be kept elsewhere, answers after all
// of them. Where that cannot be kept the group is answered so, and nothing is written until it is.
func (w *writer) commit(group []*command) {
	refused, err := w.publish()
	if refused != nil && !w.c.lost() {
		for _, c := range group {
			c.err = cmp.Or(c.err, refused)
		}
		w.apart(group)
		return
	}
	if refused != nil {
		w.fail(lost(refused))
	}
	if err = cmp.Or(err, refused); err != nil {
		w.fail(unknown(err)) // unless it already failed
		w.rollback()
		answerAll(group, w.broken())
		return
	}
	w.held = append(w.held, w.hooks.keep...)
	w.hooks.reset(lengths{})
	if err := w.keep(); err != nil {
		answerAll(group, err)
		return
	}
	for _, c := range group {
		c.answer()
	}
}

// publish makes the group durable and runs its hooks.
func (w *writer) publish() (refused, err error) {
	w.settling.Lock()
	defer w.settling.Unlock()
	defer w.late.reset()
	if refused, err = w.persist(); refused != nil || err != nil {
		return refused, err
	}
	w.reached("commit")
	run(w.hooks.commit)
	run(w.hooks.settled)
	return nil, nil
}

// persist commits the group and forces it to the disk, and waits for what runs beside that.
func (w *writer) persist() (refused, err error) {
	if w.c.lazy() {
		defer w.forcing.close()()
	}
	var meanwhile func()
	if len(w.hooks.forcing) > 0 {
		meanwhile = w.meanwhile
		defer w.beside.Wait()
	}
	refused, err = w.c.commit(w.late.tables, meanwhile)
	if refused == nil && err == nil && w.dirty {
		err = w.c.force()
	}
	return refused, err
}

// meanwhile is called while the group is on its way.
func (w *writer) meanwhile() {
	w.reached("seen")
	var longer []func()
	for _, fn := range w.hooks.forcing {
		if fn := fn(); fn != nil {
			longer = append(longer, fn)
		}
	}
	if len(longer) > 0 {
		w.beside.Go(func() { run(longer) })
	}
}

func run(list []func()) {
	for _, fn := range list {
		fn()
	}
}

// keep keeps elsewhere what must be there before anything else is answered, in order. What fails stays, with all behind it.
func (w *writer) keep() error {
	if len(w.held) == 0 {
		return nil
	}
	for ; len(w.held) > 0; w.held = w.held[1:] {
		if err := w.held[0](); err != nil {
			why := fault.Wrap(fault.Unavailable, err, "what was changed last could not be kept outside the own store: %v", err).
				Then("Mend that place. What is missing there is written as soon as it can be, and until then nothing is changed.")
			w.why.Store(why)
			return why
		}
	}
	w.why.Store(nil)
	w.reached("kept")
	return nil
}

func (w *writer) reached(point string) {
	if w.hook != nil {
		w.hook(point)
	}
}

func unknown(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "the own store failed while committing; whether the last change is kept is unknown").
		Then("Restart: what was kept is read again from the disk.")
}

func lost(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "the own store was lost; what was not answered is not kept").
		Then("See that it can be reached, and restart.")
}

func answerAll(group []*command, err error) {
	for _, c := range group {
		c.err = err
		c.answer()
	}
}

// panicked carries a panic of a command to the goroutine that asked for it.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func call(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v}
			tx.dirty = true
		}
	}()
	return fn(tx)
}

func repanic(err error) error {
	if p, ok := err.(*panicked); ok {
		panic(p.value)
	}
	return err
}
