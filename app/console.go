package app

import (
	"context"
	"net/http"

	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/web/console"
)

// console is the one place where the pages are mounted.
func (f *front) console(p *Parts) http.Handler {
	return console.New(console.Config{
		About: f.app.about(p), Accounts: f.app.Accounts, Desk: f.app.Desk, Keys: f.app.Keys, Vault: f.app.Vault, Warnings: f.app.warnings, Verified: f.app.lastVerified,
		Verify: func(ctx context.Context) (ledger.Report, error) {
			return f.app.VerifyLedger(ctx, ledger.VerifyOptions{})
		},
		Requests: p.Requests, Consents: f.app.Consents, Purposes: f.app.Purposes, People: f.app.People, Pseudonyms: f.app.Pseudonyms, Relay: f.app.Relay, Catalog: p.Catalog, Ledger: f.app.Ledger, Clock: f.app.cfg.Clock,
		Go:  func(fn func(context.Context)) { f.app.Go(p, func(ctx context.Context, _ *Parts) { fn(ctx) }) },
		Dir: f.app.cfg.DataDir, Cookie: f.door.cookie, Origin: f.door.origin, Token: f.session, Failed: f.failed,
	})
}
