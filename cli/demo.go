package cli

import (
	"context"
	"io"

	"github.com/ombudhq/ombud/internal/fault"
)

type demoCmd struct {
	NoServe bool `help:"End after the walk-through."`
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
	return s.program.Demo(ctx, DemoOptions{
		Dir: dir, Serve: !c.NoServe, JSON: s.json,
		Stdout: s.env.Stdout, Stderr: s.env.Stderr, Color: s.env.Color, Width: s.env.Width,
		Command: func(ctx context.Context, stdout, stderr io.Writer, args ...string) int {
			env := *s.env
			env.Args, env.Dir, env.Inputs = args, dir, nil
			env.Stdout, env.Stderr, env.Progress = stdout, stderr, false
			return Run(ctx, env, s.program)
		},
	})
}
