package db

import (
	"errors"
	"testing"

	"github.com/ombudhq/ombud/internal/fault"
)

// TestBeforeAnswer: what must be kept elsewhere is, once the group is durable and before anybody is answered; when it
// cannot be, nobody of the group is told yes, nothing more is written, and what was committed is there.
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
		errs = d.group(
			func(tx *Tx) error { return insert(tx, "c") },
			func(tx *Tx) error {
				tx.BeforeAnswer(func() error { return full })
				return insert(tx, "d")
			},
		)
		for i, err := range append(errs, d.Write(ctx, func(tx *Tx) error { return insert(tx, "e") })) {
			if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, full) {
				t.Errorf("command %d: %v", i, err)
			}
		}
		if got := values(t, d); len(got) != 4 {
			t.Errorf("kept %v", got)
		}
	})
}

// TestBeforeAnswerNotWhenUndone: a command that is undone keeps nothing anywhere.
func TestBeforeAnswerNotWhenUndone(t *testing.T) {
	each(t, func(t *testing.T, d *DB) {
		called := false
		err := d.Write(ctx, func(tx *Tx) error {
			tx.BeforeAnswer(func() error { called = true; return nil })
			return errors.Join(insert(tx, "a"), errors.New("no"))
		})
		if err == nil || called {
			t.Errorf("%v, called %v", err, called)
		}
	})
}
