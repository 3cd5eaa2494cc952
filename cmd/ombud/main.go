// Command ombud handles the rights of people over the data a company holds about them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
)

func main() { os.Exit(run()) }

// run ends what is under way on the first signal; a second one ends the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	env, err := cli.System()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ombud:", err)
		return 6
	}
	program := app.Program(app.Options{Version: version()})
	program.Demo = runDemo
	return cli.Run(ctx, env, program)
}

// version is the module's, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "dev"
}
