package cli

import (
	"context"
	"io"

	"github.com/ombudhq/ombud/internal/fault"
)

type demoCmd struct {
	NoServe bool   `help:"End after the walk-through."`
	Listen  string `help:"Where to serve then." default:"127.0.0.1:7443" placeholder:"HOST:PORT"`
}

func (c *demoCmd) Help() string {
	return "Makes DIR/ombud.yaml, DIR/stores/ and DIR/ombud-data/ (DIR is --data, default ./ombud-demo), walks through scan, access, " +
		"erasure, proof and audit for one customer, then serves the console. Afterwards every command works from DIR without flags."
}

func (c *demoCmd) runPlain(ctx context.Context, s *session) error {
	if s.program.Demo == nil {
		return fault.New(fault.Unavailable, "this program was built without the demo")
	}
	dir := s.grammar.Data
	if dir == "" {
		dir = "ombud-demo"
	}
	dir = s.env.Abs(dir)
	text := s.env.Stdout
	if s.json {
		text = s.env.Stderr // stdout is for the one object
	}
	inside := func(ctx context.Context, stdout, stderr io.Writer, args ...string) int {
		env := *s.env
		env.Args, env.Dir, env.Inputs = args, dir, nil
		env.Stdout, env.Stderr, env.Progress = stdout, stderr, false
		return Run(ctx, env, s.program)
	}
	if err := s.program.Demo(ctx, DemoOptions{Dir: dir, Out: text, Command: inside}); err != nil {
		return err
	}
	if err := s.answer(map[string]any{"dir": dir, "complete": true}, func() {}); err != nil || c.NoServe {
		return err
	}
	if code := inside(ctx, text, s.env.Stderr, "serve", "--listen", c.Listen); code != 0 {
		return Exit(code)
	}
	return nil
}
