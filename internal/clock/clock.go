// Package clock gives time to everything that needs it. Nothing in Ombud reads the wall clock
// itself: a statutory deadline, an expiry or a retention date can then be tested on any day.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and waits. Times are UTC.
type Clock interface {
	Now() time.Time
	// After delivers once, when d has passed.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock.
type System struct{}

// Now is the current instant in UTC.
func (System) Now() time.Time { return time.Now().UTC() }

// After is time.After.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Fake stands still until it is moved. It is safe for concurrent use.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
}

type waiter struct {
	at time.Time
	ch chan time.Time
}

// NewFake starts a fake clock at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC()} }

// Now is the instant the clock was last moved to.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// After delivers when Advance has moved the clock by d or more.
func (f *Fake) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan time.Time, 1)
	f.waiters = append(f.waiters, waiter{f.now.Add(d), ch})
	f.fire()
	return ch
}

// Advance moves the clock and wakes whoever waited until then.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.fire()
}

// Set jumps to a moment, also back, as clocks that people set do. Nothing that was waited for is taken back.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t.UTC()
	f.fire()
}

func (f *Fake) fire() {
	left := f.waiters[:0]
	for _, w := range f.waiters {
		if w.at.After(f.now) {
			left = append(left, w)
			continue
		}
		w.ch <- f.now
	}
	f.waiters = left
}
