package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/ombudhq/ombud/internal/clock"
)

// pace spreads statements evenly: a store in use comes first. A nil pace does not wait.
type pace struct {
	clock clock.Clock
	gap   time.Duration
	mu    sync.Mutex
	next  time.Time
}

func newPace(c clock.Clock, perSecond float64) *pace {
	if perSecond <= 0 {
		return nil
	}
	return &pace{clock: c, gap: time.Duration(float64(time.Second) / perSecond)}
}

// wait returns at the statement's turn, or with the context's error.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	now := p.clock.Now()
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(p.gap)
	p.mu.Unlock()
	if delay == 0 {
		return nil
	}
	select {
	case <-p.clock.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
