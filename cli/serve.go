package cli

import (
	"context"

	"github.com/ombudhq/ombud/internal/fault"
)

type serveCmd struct {
	Listen    string `help:"Where to listen. Loopback only, until there are accounts." default:"127.0.0.1:7443" placeholder:"HOST:PORT"`
	AcceptGap string `help:"File in which two people accept that the store, or what lies outside it, is not what was used last, and why." placeholder:"FILE"`
}

// runPlain needs the data directory and still never runs in another owner's process: a second serve is refused.
func (c *serveCmd) runPlain(ctx context.Context, s *session) error {
	if s.program.Serve == nil {
		return fault.New(fault.Unavailable, "this program cannot serve")
	}
	gap, err := s.readGap(c.AcceptGap)
	if err != nil {
		return err
	}
	return s.program.Serve(ctx, s.place(), ServeOptions{Listen: c.Listen, Gap: gap, Actor: s.actor(), Log: s.env.Stderr, Ready: func(url string) {
		_ = s.answer(map[string]string{"url": url}, func() {
			s.printf("Ombud serves at\n\n  %s\n\nThe address holds a secret: whoever opens it may do what you may. It is new at each start.\nStop with Ctrl-C.\n", url)
		})
	}})
}
