package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// session is one command line under way.
type session struct {
	*Services
	ctx     context.Context // of the one command line; what asks a terminal ends with it
	env     *Env
	program Program
	grammar grammar
	name    string
	json    bool
}

func (s *session) place() Place {
	g := &s.grammar
	data := g.Data
	if data == "" {
		data = "ombud-data"
	}
	store := g.Store
	if !strings.Contains(store, "://") && !strings.Contains(store, "${") {
		store = s.env.Abs(store)
	}
	return Place{Data: s.env.Abs(data), Config: s.env.Abs(g.Config), Store: store, Command: "ombud " + s.name, Passphrase: s.passphrase()}
}

// actor is who the ledger says did it.
func (s *session) actor() string { return "local:" + s.env.User }

// printf writes text for a person to stdout, or nowhere with --json. Control characters in what comes from stores
// and files are made visible first: a name must not steer a terminal.
func (s *session) printf(format string, args ...any) {
	if s.json {
		return
	}
	fmt.Fprint(s.env.Stdout, clean(fmt.Sprintf(format, args...)))
}

// warn writes to stderr, in every form of output.
func (s *session) warn(format string, args ...any) {
	fmt.Fprintf(s.env.Stderr, "ombud: %s\n", clean(fmt.Sprintf(format, args...)))
}

// answer prints v as the command's one object, or text for a person.
func (s *session) answer(v any, text func()) error {
	if s.json {
		return writeJSON(s.env.Stdout, v)
	}
	text()
	return nil
}

// needSystems refuses what cannot be answered without knowing a single system.
func (s *session) needSystems() error {
	if len(s.Catalog.Config().Systems) > 0 {
		return nil
	}
	return fault.New(fault.Invalid, "no system is configured in %s", s.Place.Config).
		Then("ombud scan ID=DSN --write reads a store and writes it down.")
}
