package consent

import (
	"context"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/consent/internal/index"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/subject"
)

const (
	laterLength = 1024 // what may wait
	laterAtOnce = 32   // share commits
)

// later puts off what no answer waits for. When too much waits it is dropped: a sample stays one, and a signal repeats.
func (s *Service) later(fn func(context.Context) error) bool {
	select {
	case s.queue <- fn:
		return true
	default:
		s.dropped.Add(1)
		return false
	}
}

// Run does what was put off, until ctx ends; then what is left.
func (s *Service) Run(ctx context.Context) {
	for {
		select {
		case fn := <-s.queue:
			s.work(context.WithoutCancel(ctx), fn)
		case <-ctx.Done():
			s.Drain(context.WithoutCancel(ctx))
			return
		}
	}
}

// Drain does what was put off so far.
func (s *Service) Drain(ctx context.Context) {
	for len(s.queue) > 0 {
		s.work(ctx)
	}
}

// work does a few at once, and says what went wrong.
func (s *Service) work(ctx context.Context, list ...func(context.Context) error) {
	for len(list) < laterAtOnce && len(s.queue) > 0 {
		list = append(list, <-s.queue)
	}
	var wait sync.WaitGroup
	for _, fn := range list {
		wait.Go(func() {
			if err := fn(ctx); err != nil {
				s.cfg.Log.Error("what was put off could not be recorded", "error", err)
			}
		})
	}
	wait.Wait()
	if n := s.dropped.Swap(0); n > 0 {
		s.cfg.Log.Warn("too much came at once; some of it was not recorded", "dropped", n)
	}
}

// gpcReason is why an opt-out stands that a browser asked for.
const gpcReason = "Global Privacy Control"

// keepSignal makes an opt-out signal of a known person's browser an objection of theirs, soon: it binds for what is known
// of them too (11 CCR § 7025(c)(1)).
func (s *Service) keepSignal(n subject.Number) {
	if s.optedOut(n) {
		return
	}
	if _, under := s.signals.LoadOrStore(n, true); under {
		return
	}
	if !s.later(func(ctx context.Context) error { return s.optOut(ctx, n) }) {
		s.signals.Delete(n)
	}
}

// optedOut tells whether an opt-out of all stands.
func (s *Service) optedOut(n subject.Number) bool {
	now := s.cfg.Clock.Now()
	return slices.ContainsFunc(s.cfg.Facts.Of(n), func(f subject.Fact) bool {
		return f.Kind == subject.Objection && f.Type == optOutType && len(f.Purposes) == 0 && f.Stands(now)
	})
}

const optOutType = "opt_out"

func (s *Service) optOut(ctx context.Context, n subject.Number) error {
	defer s.signals.Delete(n)
	return s.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		flags := s.index.Flags(index.Number(n))
		if flags&index.Erased != 0 || s.optedOut(n) {
			return nil
		}
		_, err := s.addFact(ctx, tx, n, nil, subject.FactInput{Kind: subject.Objection, Type: optOutType, Because: gpcReason, Actor: "ombud"})
		return err
	})
}
