package main

import (
	"context"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/demo"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/fault"
)

// runDemo walks through Fjordly, then serves its console from the same folder.
func runDemo(ctx context.Context, o cli.DemoOptions) error {
	err := demo.Walk(ctx, demo.Options{Dir: o.Dir, Clock: clock.System{}, Out: o.Stdout, Command: o.Command})
	if err != nil || !o.Serve {
		return err
	}
	if code := o.Command(ctx, o.Stdout, o.Stderr, "serve"); code != 0 {
		return fault.New(fault.Unavailable, "the console ended with %d", code)
	}
	return nil
}
