package db

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

// TestBeforeAnswer: what must be kept elsewhere is, once the group is durable and before anybody is answered; when it
// cannot be, nobody of the group is told yes, nothing more is written, and what was committed is there. Once it can be, it is
// kept before anything else is written.
func TestBeforeAnswer(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		var order []string
		full := errors.New("full")
		errs := d.group(
			func(tx *Tx) error {
				tx.BeforeAnswer(func() error { order = append(order, "kept"); return nil })
				return insert(tx, "a")
			},
			func(tx *Tx) error {
				tx.OnCommit(func() { order = append(order, "committed") })
				return insert(tx, "b")
			},
		)
		if errs[0] != nil || errs[1] != nil || len(order) != 2 || order[0] != "committed" {
			t.Fatalf("%v, %v", errs, order)
		}
		missing := full
		errs = d.group(
			func(tx *Tx) error { return insert(tx, "c") },
			func(tx *Tx) error {
				tx.BeforeAnswer(func() error {
					if missing == nil {
						order = append(order, "kept late")
					}
					return missing
				})
				tx.BeforeAnswer(func() error { order = append(order, "kept behind it"); return nil })
				return insert(tx, "d")
			},
		)
		for i, err := range append(errs, d.Write(ctx, func(tx *Tx) error { return insert(tx, "e") }), d.Held()) {
			if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, full) {
				t.Errorf("command %d: %v", i, err)
			}
		}
		if _, err := d.Health(ctx); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("the health is %v", err)
		}
		if got := values(t, d); len(got) != 4 || len(order) != 2 {
			t.Errorf("there is %v, after %v", got, order)
		}
		missing = nil
		err := d.Write(ctx, func(tx *Tx) error { order = append(order, "next"); return insert(tx, "e") })
		if err != nil || d.Held() != nil || fmt.Sprint(order[2:]) != "[kept late kept behind it next]" || len(values(t, d)) != 5 {
			t.Errorf("afterwards %v, %v, %v", err, d.Held(), order)
		}
	})
}

// TestKeptElsewhereByItself: what is missing elsewhere is tried again also when nobody writes.
func TestKeptElsewhereByItself(t *testing.T) {
	c := clock.NewFake(time.Unix(1e9, 0))
	d, err := Open(ctx, Config{Path: filepath.Join(t.TempDir(), "own.db"), Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tries := make(chan int)
	go func() {
		n := 0
		_ = d.Write(ctx, func(tx *Tx) error {
			tx.BeforeAnswer(func() error {
				tries <- n
				if n++; n < 3 {
					return errors.New("full")
				}
				return nil
			})
			_, err := tx.Exec(ctx, "create table t (v text)")
			return err
		})
	}()
	for want := range 3 {
		for got := -1; got != want; {
			select {
			case got = <-tries:
			default:
				c.Advance(keepAgain)
			}
		}
	}
	if err := d.Write(ctx, func(tx *Tx) error { return nil }); err != nil || d.Held() != nil {
		t.Errorf("%v, held %v", err, d.Held())
	}
}

// TestBeforeAnswerNotWhenUndone: a command that is undone keeps nothing anywhere.
func TestBeforeAnswerNotWhenUndone(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		if err := d.Write(ctx, func(tx *Tx) error { return insert(tx, "a") }); err != nil {
			t.Fatal(err)
		}
		called, late := false, NewTable("t", Column{"id", "bigint"}, Column{"v", "text"})
		for _, why := range []error{errors.New("no"), nil} { // undone by the command, and refused by the commit
			err := d.Write(ctx, func(tx *Tx) error {
				tx.BeforeAnswer(func() error { called = true; return nil })
				return errors.Join(tx.Insert(late, OfInt(1), OfText("a")), why)
			})
			if err == nil || called {
				t.Errorf("%v, called %v", err, called)
			}
		}
	})
}

// TestTakenBack: what is kept elsewhere with a commit that is refused can be taken back: when that is asked for, all of it is there.
func TestTakenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		d := fresh(t, engine)
		late := NewTable("t", Column{"id", "bigint"}, Column{"v", "text"})
		var order []string
		note := func(what string) { order = append(order, what) }
		for range 2 {
			err := d.Write(ctx, func(tx *Tx) error {
				tx.WhileForced(func() func() { note("now"); return func() { note("beside") } })
				tx.OnRollback(func() { note("taken back") })
				return tx.Insert(late, OfInt(1), OfText("a"))
			})
			if refused := len(order) > 2; refused != (err != nil) {
				t.Errorf("%v after %v", err, order)
			}
		}
		want := "[now beside now beside taken back]" // a server says no when it has all
		if engine == storetest.SQLite {
			want = "[now beside taken back]"
		}
		if fmt.Sprint(order) != want {
			t.Errorf("%v", order)
		}
	})
}

// TestWhileForced: what is kept elsewhere while a group is forced to the disk is so before anybody hears of the commit, what takes
// longer comes after all that does not, and nothing is kept of what was undone.
func TestWhileForced(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		var order []string
		note := func(what string) func() { return func() { order = append(order, what) } }
		first := func(now string, beside func()) func() func() {
			return func() func() { note(now)(); return beside }
		}
		errs := d.group(
			func(tx *Tx) error {
				tx.OnCommit(note("committed"))
				tx.WhileForced(first("ready", note("written")))
				return insert(tx, "a")
			},
			func(tx *Tx) error {
				tx.WhileForced(first("of what was undone", note("of what was undone")))
				return errors.New("no")
			},
			func(tx *Tx) error {
				tx.WhileForced(first("ready too", nil))
				tx.BeforeAnswer(func() error { order = append(order, "kept"); return nil })
				return insert(tx, "b")
			},
		)
		if errs[0] != nil || errs[1] == nil || errs[2] != nil || fmt.Sprint(order) != "[ready ready too written committed kept]" {
			t.Errorf("%v, %v", errs, order)
		}
	})
}
