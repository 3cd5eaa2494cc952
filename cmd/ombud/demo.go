package main

import (
	"context"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/demo"
	"github.com/ombudhq/ombud/internal/clock"
)

// runDemo gives the demo the command line that it shows.
func runDemo(ctx context.Context, o cli.DemoOptions) error {
	return demo.Walk(ctx, demo.Options{Dir: o.Dir, Clock: clock.System{}, Out: o.Out, Command: o.Command})
}
