package api

import "github.com/ombudhq/ombud/access"

// Routes are the registered ones, and those of the aliases.
func Routes() []string {
	routes := testGate().routes
	for _, a := range aliases {
		routes = append(routes, a.route)
	}
	return routes
}

// Needs is what each route needs; an alias needs what it answers with.
func Needs() map[string]access.Permission {
	out := map[string]access.Permission{}
	for route, need := range permissions {
		out[route] = need
	}
	for _, a := range aliases {
		if out[a.route] = permissions[a.as]; a.as == "" {
			out[a.route] = access.APIRead
		}
	}
	return out
}

// Things are the ids in the address of a route.
func Things(route string) ([]access.Named, error) { return things.In(route) }
