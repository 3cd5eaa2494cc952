package db

import (
	"context"
	"sync/atomic"
)

// gate keeps back who has seen what is not on the disk yet. One goroutine closes it.
type gate struct {
	until atomic.Pointer[chan struct{}] // closed when it opens; nil while it is open
}

// close gives what opens it again.
func (g *gate) close() (open func()) {
	until := make(chan struct{})
	g.until.Store(&until)
	return func() {
		g.until.Store(nil)
		close(until)
	}
}

// wait comes back when the gate is open, or with the error of ctx.
func (g *gate) wait(ctx context.Context) error {
	until := g.until.Load()
	if until == nil {
		return nil
	}
	select {
	case <-*until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
