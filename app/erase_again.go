package app

import (
	"context"
	"errors"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/request"
)

// replayErasures does erasures again in one system. Its parts know that system only: whoever was erased may be known
// elsewhere again, and rightly so.
func (a *App) replayErasures(ctx context.Context, o cli.ReplayOptions) (out *request.Request, err error) {
	all, print, err := loadConfig(a.cfg.ConfigPath)
	if err != nil {
		return nil, err
	}
	cfg := *all
	cfg.Systems = nil
	for _, s := range all.Systems {
		if s.ID == o.System {
			cfg.Systems = append(cfg.Systems, s)
		}
	}
	if len(cfg.Systems) == 0 {
		return nil, fault.New(fault.Invalid, "no system is called %s", o.System).Then("It is an id under systems: in ombud.yaml.")
	}
	p, err := a.buildOnly(ctx, &cfg, print, o.System)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Catalog.Close()) }()
	return p.Requests.Replay(ctx, o.ReplayInput)
}
