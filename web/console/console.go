package console

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/access/oidc"
	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
	"github.com/ombudhq/ombud/web/console/view"
)

// Config is what the pages show and act on.
type Config struct {
	// About tells policies of the company where a thing lies and whose it is; nil tells nothing.
	About    access.About
	Accounts *access.Accounts
	Keys     *access.Keys
	Desk     *oidc.Desk
	Requests *request.Service
	Consents *consent.Service
	Purposes *purpose.Register
	People   *subject.People
	Relay    *event.Relay
	Catalog  *catalog.Catalog
	Ledger   *ledger.Ledger
	Clock    clock.Clock
	// Go runs work that outlives a call, and is waited for when the program ends.
	Go func(func(context.Context))
	// Verify reads the whole ledger again, and Verified tells what that found last, here or on the command line.
	Verify   func(context.Context) (ledger.Report, error)
	Verified func() (ledger.Verified, bool)
	// Pseudonyms says who one is, to those who may know.
	Pseudonyms *subject.Pseudonyms
	Vault      *vault.Vault
	Warnings   []string // what weakens a promise here and could be mended
	Dir        string   // data directory: packages and backups lie in it
	Token      string   // secret of this start; the forms of who has no session carry a value derived from it
	Cookie     string   // name of the cookie of a session
	Origin     string   // of the address people reach the pages at: it stands in links that they are given
	In         *time.Location
	Failed     func(error) // takes errors of which no user can be told more; nil drops them
}

// console answers requests. It is safe for concurrent use.
type console struct {
	Config
	token  string // what forms carry
	assets assets
	routed []string   // what is registered
	file   sync.Mutex // one answer at a time is written into ombud.yaml
}

// New gives the handler of every page. It expects to be mounted at the root.
func New(c Config) http.Handler {
	if c.In == nil {
		c.In = time.UTC
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	mac := hmac.New(sha256.New, []byte(c.Token))
	mac.Write([]byte("console form"))
	con := &console{Config: c, token: hex.EncodeToString(mac.Sum(nil)), assets: embedded()}
	mux := http.NewServeMux()
	con.routes(mux)
	return con.guard(mux)
}

func (c *console) routes(mux *http.ServeMux) {
	mux.Handle("GET /assets/{print}/{name}", c.assets)
	mux.HandleFunc("/", c.handle(inside((*visit).nothing)))
	c.gate(mux, rooms())
	c.gate(mux, people())
	c.gate(mux, trust())
}

// gate registers routes behind the permission that each needs.
func (c *console) gate(mux *http.ServeMux, routes map[string]func(*visit) error) {
	for pattern, show := range routes {
		c.routed = append(c.routed, pattern)
		mux.HandleFunc(pattern, c.handle(gated(pattern, show)))
	}
}

// visit is one request of a browser: what it wants, when, and what it is shown.
type visit struct {
	*console
	w    http.ResponseWriter
	r    *http.Request
	time view.Time

	caller access.Caller
	of     access.Named // what the address names
	Actor  string       // who the ledger says did it
	token  string       // what the forms of this visitor carry
}

// handle gives a page its errors: what a page cannot do becomes a page that says so.
func (c *console) handle(show func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller := access.From(r.Context())
		v := &visit{console: c, w: w, r: r, time: view.Time{Now: c.Clock.Now(), In: c.In}, caller: caller, Actor: caller.Actor, token: c.token}
		if caller.Session != "" {
			v.token = c.Accounts.FormToken(caller)
			v.knowWhy()
		}
		if err := show(v); err != nil {
			v.fail(err)
		}
	}
}

// checkForm reads a form and refuses one that does not come from a page of this start.
func (v *visit) checkForm() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 64<<10)
	if err := v.r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, err, "the form cannot be read").Then("Go back and send it again.")
	}
	if !hmac.Equal([]byte(v.r.PostForm.Get(view.TokenField)), []byte(v.token)) {
		return fault.New(fault.Denied, "this form is of an earlier session or start of Ombud, or of another page; nothing was changed").
			Then("Go back, load the page again and send it once more.")
	}
	return withoutCards(v.r.PostForm)
}

// secrets are the fields of forms that are kept as a hash only.
var secrets = []string{view.TokenField, "password", "again", "present", "code", "link"}

// withoutCards refuses a form that brings the number of a payment card, before anything of it is stored or shown again.
func withoutCards(form url.Values) error {
	for name, values := range form {
		if !slices.Contains(secrets, name) && slices.ContainsFunc(values, pii.HoldsCard) {
			return fault.New(fault.Invalid, "this holds the number of a payment card; nothing was stored").
				Then("Ombud takes no card numbers. Go back, and name the person by something else, or leave the number out of the text.")
		}
	}
	return nil
}

// show writes a page.
func (v *visit) show(status int, s view.Shell) error {
	var page bytes.Buffer
	if err := s.Render(&page); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes()) // who hung up is told nothing
	return nil
}

// seeOther sends the browser on after a form.
func (v *visit) seeOther(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// guard is what every answer passes: headers that keep a page to itself, and no form of another site.
func (c *console) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(c.handle((*visit).foreign))
	inner := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Secure(w.Header())
		inner.ServeHTTP(w, r)
	})
}
