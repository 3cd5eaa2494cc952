package cli

import (
	"context"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// mirrorCmd is the copy in Redis that services look decisions up in.
type mirrorCmd struct {
	Status  mirrorStatusCmd  `cmd:"" help:"How far the mirror is."`
	Rebuild mirrorRebuildCmd `cmd:"" help:"Write everybody anew and remove what should not be there."`
}

func (s *session) mirrored() error {
	if s.Mirror == nil {
		return fault.New(fault.Invalid, "no mirror is configured").Then("mirror: {redis: \"${REDIS_URL}\"} in ombud.yaml names one; it counts from the next start.")
	}
	return nil
}

type mirrorStatusCmd struct{}

func (*mirrorStatusCmd) run(_ context.Context, s *session) error {
	if err := s.mirrored(); err != nil {
		return err
	}
	st := s.Mirror.Status()
	return s.answer(st, func() {
		if !st.Running {
			s.heading("Nobody keeps the mirror now: ombud serve does.")
			return
		}
		if st.Error != "" {
			s.heading("The mirror cannot be reached: %s.", st.Error)
		} else if st.Behind > 0 {
			s.heading("The mirror is %s behind.", st.Behind.Round(time.Millisecond))
		} else {
			s.heading("The mirror is up to date.")
		}
		s.printf("  revision  %d\n  written   %s\n", st.Revision, count(st.Keys, "key"))
	})
}

type mirrorRebuildCmd struct{}

func (*mirrorRebuildCmd) run(ctx context.Context, s *session) error {
	if err := s.mirrored(); err != nil {
		return err
	}
	if err := s.Mirror.Rebuild(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the mirror could not be rebuilt").Then("See that Redis answers: ombud mirror status. Then run it again; it may be broken off at any point.")
	}
	return s.answer(map[string]any{"rebuilt": true}, func() { s.heading("Everybody is written anew.") })
}
