package db

import (
	"context"
	"path/filepath"
	"testing"
)

// TestACancelledReadLeavesNoTransaction: whoever goes away just when a snapshot begins leaves no connection that nobody else
// can read with.
func TestACancelledReadLeavesNoTransaction(t *testing.T) {
	d := opened(t, filepath.Join(t.TempDir(), "ombud.db"))
	for range 2000 {
		leaving, leave := context.WithCancel(ctx)
		gone := make(chan struct{})
		go func() {
			leave()
			close(gone)
		}()
		_ = d.Read(leaving, func(*Tx) error { return nil }) // refused, or not
		<-gone
	}
	for range 2 * readers {
		if err := d.Read(ctx, func(*Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
