package catalog_test

import (
	"testing"

	"github.com/ombudhq/ombud/catalog"
)

// TestWhatIsFollowedHoldsPeople: a dataset that only a link to it makes somebody's counts as one of people's rows.
func TestWhatIsFollowedHoldsPeople(t *testing.T) {
	g := graphOf(t, `create table places (id integer primary key, street text);
create table customers (id integer primary key, email text, place_id integer references places(id));`, []string{"customers"})
	for _, role := range []catalog.Role{catalog.Up, catalog.Follow} {
		e := g.Edges[0]
		e.Role = role
		if got := e.Parent.HoldsPeople(); got != (role == catalog.Follow) {
			t.Errorf("%s: %v", role, got)
		}
	}
}
