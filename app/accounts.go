package app

import (
	"context"

	"github.com/ombudhq/ombud/cli"
)

// defaultAddress is where a plain serve is.
const defaultAddress = "http://127.0.0.1:7443"

// where tells the address of the console, and whether it is there now.
func (a *App) where() (address string, serving bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.address != "" {
		return a.address, true
	}
	if a.Parts != nil && a.Catalog.Config().Serve.URL != "" {
		return a.Catalog.Config().Serve.URL, false
	}
	return defaultAddress, false
}

// firstAccount does with accounts what serve was started with. An account that is there is never changed.
func (a *App) firstAccount(ctx context.Context, o cli.ServeOptions) error {
	if o.Idle > 0 {
		a.Accounts.SetIdle(o.Idle)
	}
	if o.Admin.Name == "" || a.Accounts.Any() {
		return nil
	}
	_, _, err := a.Accounts.Create(ctx, o.Admin)
	return err
}
