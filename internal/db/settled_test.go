package db

import (
	"sync/atomic"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

// A commit that a reader sees already has not told memory yet: who acts upon what was read waits for that.
func TestSettledSeesWhatMemoryKnows(t *testing.T) { storetest.Each(t, testSettled) }

func testSettled(t *testing.T, engine string) {
	seen, told := make(chan bool), make(chan bool)
	var held, known atomic.Bool
	d, err := Open(ctx, Config{Path: storetest.Address(t, engine), Hook: func(at string) {
		if at == "commit" && held.CompareAndSwap(true, false) {
			close(seen)
			<-told
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(ctx, "test", table); err != nil {
		t.Fatal(err)
	}
	held.Store(true)
	wrote := make(chan error, 1)
	go func() {
		wrote <- d.Write(ctx, func(tx *Tx) error {
			tx.OnCommit(func() { known.Store(true) })
			return insert(tx, "one")
		})
	}()
	<-seen
	if n := len(values(t, d)); n != 1 || known.Load() {
		t.Errorf("%d rows, known %v: nothing to wait for", n, known.Load())
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		n := 0
		err := d.Settled(ctx, func(tx *Tx) error {
			close(told) // the writer goes on while this one reads
			return tx.QueryRow(ctx, "select count(*) from t").Scan(&n)
		})
		if err != nil || n != 1 || !known.Load() {
			t.Errorf("%d rows, %v, known %v", n, err, known.Load())
		}
	}()
	<-read
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
