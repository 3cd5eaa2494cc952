package once_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/once"
)

type outcome struct{ N int }

// TestOnce: what an act comes to is kept with the act or not at all, and is what the next call is told; a call without a
// key is told nothing and keeps nothing.
func TestOnce(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(t.TempDir(), "once.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var kept []byte
	call := func() *once.Call {
		return &once.Call{Before: kept, Keep: func(tx *db.Tx, b []byte) error {
			tx.OnCommit(func() { kept = b })
			return nil
		}}
	}
	fails := errors.New("fails")
	act := func(ctx context.Context, n int, fail error) (out outcome, err error) {
		if was, err := once.Was(ctx, &out); was || err != nil {
			return out, err
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			out.N = n
			return errors.Join(once.Done(tx, out), fail)
		})
		return out, err
	}
	if out, err := act(t.Context(), 1, nil); err != nil || out.N != 1 || kept != nil {
		t.Errorf("without a key: %v, %v, kept %s", out, err, kept)
	}
	if _, err := act(once.With(t.Context(), call()), 2, fails); !errors.Is(err, fails) || kept != nil {
		t.Errorf("an act that failed was kept: %s, %v", kept, err)
	}
	for n := 3; n < 5; n++ {
		c := call()
		if out, err := act(once.With(t.Context(), c), n, nil); err != nil || out.N != 3 || c.Recalled != (n == 4) {
			t.Errorf("call %d: %v, recalled %v, %v", n, out, c.Recalled, err)
		}
	}
	kept = []byte("damaged")
	if _, err := act(once.With(t.Context(), call()), 5, nil); err == nil {
		t.Error("an act was done again that had been done before")
	}
}
