package api

import (
	"slices"

	"github.com/ombudhq/ombud/access"
)

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

// Narrowing tells of each route whether a key that is for some purposes is let in, and whether it is asked again there.
func Narrowing() (enters, again map[string]bool) {
	enters, again = map[string]bool{}, map[string]bool{}
	for route, named := range narrowing {
		enters[route], again[route] = true, named == inside
	}
	return enters, again
}

// Things are the ids in the address of a route.
func Things(route string) ([]access.Named, error) { return things.In(route) }

// Alias tells whether a route is answered by another one.
func Alias(route string) bool {
	return slices.ContainsFunc(aliases, func(a alias) bool { return a.route == route })
}
