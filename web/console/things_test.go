package console_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/internal/testkit/passkeytest"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/web/console"
)

// relation is whose the thing is that an address names.
type relation string

const (
	own     relation = "own"     // made by the caller, or about them
	others  relation = "others'" // of somebody else
	guessed relation = "guessed" // of nobody
	nested  relation = "nested"  // an id inside of another: of a thing that lies elsewhere, or a path in place of an id
)

// shut are the routes that are closed to everybody for a relation, whatever the role permits. All others are open to
// whoever may, for own and for others' things alike: requests, people and systems are the work of all who have the role.
var shut = map[string]relation{
	"POST /account/passkeys/{key}":   others,
	"POST /alarms/{id}/review":       own,
	"POST /pseudonyms/{id}/approve":  own,    // another person does
	"POST /pseudonyms/{id}/reveal":   others, // who asked sees it
	"POST /accounts/{id}/role":       own,
	"POST /accounts/{id}/attributes": own,
	"POST /accounts/{id}/email":      own,
	"POST /accounts/{id}/disable":    own,
	"POST /accounts/{id}/enable":     own,
	"POST /accounts/{id}/sessions":   own,
	"POST /accounts/{id}/link":       own,
	"POST /accounts/{id}/reset":      own,
}

// cell is one try: somebody on a route, with ids.
type cell struct {
	*office
	route string
	role  access.Role
	rel   relation
	as    access.Caller
	ids   []string
}

// TestEveryThing asks every route with an id, in every role, for things that are one's own, of others, of nobody and inside
// of others: what the table of permissions says, closed where shut says so, and nothing more. A route whose ids are not
// declared, or of a kind that nothing makes, fails.
func TestEveryThing(t *testing.T) {
	o, tried := newOffice(t), map[relation]int{}
	routes := console.Routes()
	slices.Sort(routes)
	for _, route := range routes {
		names, err := console.Things(route)
		if err != nil {
			t.Error(err)
		}
		if len(names) == 0 || console.Needs()[route] == "anybody" {
			continue
		}
		for role := range o.tokens {
			for _, rel := range []relation{own, others, guessed, nested} {
				c := &cell{office: o, route: route, role: role, rel: rel, as: o.as(role).Calling(access.Call{Justification: "asked to"})}
				if c.fill(names) {
					c.try(names)
					tried[rel]++
				}
			}
		}
	}
	for rel, least := range map[relation]int{own: 100, others: 120, guessed: 150, nested: 150} {
		if tried[rel] < least {
			t.Errorf("%s: only %d were tried", rel, tried[rel])
		}
	}
}

// may is what the policies say.
func (c *cell) may() bool { return access.Allowed(c.as, console.Needs()[c.route]) == nil }

// fill makes what the ids name; false where this caller cannot have such a thing.
func (c *cell) fill(names []access.Named) bool {
	by := c.as
	if c.rel == others || c.rel == nested {
		by = access.Caller{Actor: "account:acc_somebody", Role: access.Support}
	}
	for _, n := range names {
		within := ""
		if len(c.ids) > 0 {
			within = c.ids[0]
		}
		if c.rel == nested && len(c.ids) > 0 { // of another than the address says
			within = c.make(names[0].Kind, "", by)
		}
		id := guesses[n.Kind]
		if c.rel != guessed {
			id = c.make(n.Kind, within, by)
		}
		if id == "" {
			return false
		}
		c.ids = append(c.ids, id)
	}
	if c.rel == nested && len(names) == 1 {
		c.ids[0] += "%2F" + c.ids[0]
	}
	return true
}

// make makes a thing. Of what is about the caller themself, somebody new has one, for it is used up.
func (c *cell) make(kind, within string, by access.Caller) string {
	c.t.Helper()
	if file := c.route[strings.LastIndex(c.route, "/"):]; kind == "request" && (file == "/receipt" || file == "/opening" || file == "/package") {
		return c.refs["access-complete"] // one that was answered: it has these files
	}
	var id string
	var err error
	switch {
	case !c.may(): // turned away at the door, whatever it names: one of each kind is enough
		return c.standing(kind, within)
	case kind == "alarm" && strings.HasSuffix(c.route, "/end"):
		return c.elevation()
	case kind == "alarm" || kind == "passkey" || kind == "account":
		return c.personal(kind)
	default:
		id, err = c.world.Make(c.t.Context(), kind, within, by)
	}
	if err != nil {
		c.t.Fatalf("%s for %s: %v", c.route, c.role, err)
	}
	return id
}

// standing is a thing that is there.
func (c *cell) standing(kind, within string) string {
	c.t.Helper()
	if kind == "alarm" || kind == "passkey" {
		return guesses[kind] // turned away before it is looked for: the same as one that is there
	}
	at := kind + " of " + within
	if c.stand[at] == "" {
		id, err := c.world.Make(c.t.Context(), kind, within, access.Caller{Actor: consoletest.Actor, Role: access.Support})
		if err != nil {
			c.t.Fatalf("%s: %v", c.route, err)
		}
		c.stand[at] = id
	}
	return c.stand[at]
}

// personal is a thing about somebody new: about the caller, when it is to be their own.
func (c *cell) personal(kind string) string {
	c.t.Helper()
	c.hired++
	who, _, err := c.world.SignIn(c.t.Context(), "hired-"+strconv.Itoa(c.hired), c.role, c.as1())
	if err != nil {
		c.t.Fatal(err)
	}
	if c.rel == own {
		c.as = who.Calling(access.Call{Justification: "asked to"})
	}
	id := strings.TrimPrefix(who.Actor, "account:")
	switch kind {
	case "alarm":
		return c.about(id).ID
	case "passkey":
		return c.passkey(who)
	}
	return id
}

// as1 is the admin.
func (c *cell) as1() access.Caller { return c.office.as(access.Admin) }

// passkey gives somebody one, and signs them in anew when the caller is them.
func (c *cell) passkey(who access.Caller) string {
	c.t.Helper()
	d := &passkeytest.Device{Origin: "http://localhost", RP: "localhost"}
	a, ctx := c.world.Accounts, c.t.Context()
	q, err := a.BeginPasskey(ctx, who, d.Origin, "phone", consoletest.Password)
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := d.Make(q)
	if err != nil {
		c.t.Fatal(err)
	}
	in, _, err := a.ConfirmPasskey(ctx, who, answer)
	if err != nil {
		c.t.Fatal(err)
	}
	if who, _ = a.Visit(in.Token, true); c.rel == own {
		c.as = who
	}
	acc, err := a.Own(ctx, who)
	if err != nil {
		c.t.Fatal(err)
	}
	return acc.Passkeys[0].ID
}

// elevation is one of a developer; nobody who reviews can have one of their own.
func (c *cell) elevation() string {
	c.t.Helper()
	if c.rel == own {
		return ""
	}
	_ = c.world.Accounts.EndElevation(c.t.Context(), c.office.ids[access.Developer], c.office.as(access.Auditor)) // that of the try before
	one, err := c.world.Accounts.Elevate(c.t.Context(), c.office.as(access.Developer), "the shop is down", 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return one.ID
}

// try asks, and judges the answer.
func (c *cell) try(names []access.Named) {
	c.t.Helper()
	method, path, _ := strings.Cut(c.route, " ")
	for i, n := range names {
		path = strings.Replace(path, "{"+n.Wildcard+"}", c.ids[i], 1)
	}
	size := c.world.Ledger.Size()
	fields := []string{"found", "all is in order here", "role", string(access.Auditor), "because", "a reason in words", "present", consoletest.Password, "told", "yes", "purpose", "measuring"}
	if r, err := c.world.Requests.Get(c.t.Context(), c.ids[0]); err == nil {
		fields = append(fields, "hash", r.Hash)
	}
	w := c.askAs(c.as, method, path, fields...)
	no := denied(w.Code, w.Header().Get("Location"))
	open := c.may() && (c.rel == own || c.rel == others) && shut[c.route] != c.rel
	switch {
	case !c.may() && !no:
		c.t.Errorf("%s %s as %s: %d, and they may not", c.route, c.rel, c.role, w.Code)
	case open && (no || w.Code == http.StatusNotFound || w.Code >= 500):
		c.t.Errorf("%s %s as %s: %d, and they may", c.route, c.rel, c.role, w.Code)
	case !open && w.Code < 400 && !no:
		c.t.Errorf("%s %s as %s: answered with %d", c.route, c.rel, c.role, w.Code)
	}
	if !open {
		c.leftNothing(size)
	}
	if c.rel == others && strings.HasSuffix(c.route, "/end") && c.may() && w.Code != http.StatusSeeOther {
		c.t.Errorf("%s as %s: %d", c.route, c.role, w.Code)
	}
}

// leftNothing fails when there are entries since the ledger had size; but for the program's own, that ends what was begun before.
func (c *cell) leftNothing(size int64) {
	c.t.Helper()
	rows, err := c.world.Ledger.Tail(c.t.Context(), int(c.world.Ledger.Size()-size), ledger.TailOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Actor != "ombud" {
			c.t.Errorf("%s %s as %s: %s was left", c.route, c.rel, c.role, r.Kind)
		}
	}
}
