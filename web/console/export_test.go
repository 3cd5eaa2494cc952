package console

import (
	"net/http"

	"github.com/ombudhq/ombud/access"
)

// Routes are the registered ones, and Needs says what each needs.
func Routes() []string {
	c := &console{}
	c.routes(http.NewServeMux())
	return c.routed
}

// Needs is the table of permissions.
func Needs() map[string]access.Permission { return permissions }

// Things are the ids in the address of a route.
func Things(route string) ([]access.Named, error) { return things.In(route) }
