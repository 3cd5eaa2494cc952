package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/api"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/trace"
	"github.com/ombudhq/ombud/web/console"
)

// bodyLimit is more than any request needs; a list of subjects is the longest.
const bodyLimit = 8 << 20

// front is what every request passes before a room of ours: Host, Origin and credentials are judged before the body
// is read, and every answer carries the headers that keep a page to itself.
//
// Programs send a bearer, to the paths of the API only: an API key, or the token, which is new at each start and stands for whoever
// started us. While there is no account, a browser brings the token once in the address that serve printed, gets a cookie
// that only this server reads, and goes on without it; from the first account on people sign in, and the token opens no
// page. Whoever is let in stands in the context of the request.
type front struct {
	app      *App
	door     *door
	token    string
	session  string        // what the cookie holds while there is no account
	local    access.Caller // whoever has the token is who started us
	metrics  *metrics
	tracer   *trace.Tracer // nil where none is configured
	replays  *replays
	ready    atomic.Bool
	stopping atomic.Bool
}

func newFront(ctx context.Context, a *App, d *door, actor string) (_ *front, err error) {
	f := &front{app: a, door: d, token: secret(), session: secret()}
	f.local = access.Caller{Actor: actor, Role: access.Local}
	a.Keys.Admit(f.token, f.local)
	f.metrics = newMetrics(a)
	if f.replays, err = newReplays(ctx, a); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.address = d.origin
	a.furnish = f.furnish
	f.furnish(a.Parts)
	return f, nil
}

// furnish gives parts their rooms.
func (f *front) furnish(p *Parts) {
	p.programs = api.New(api.Config{
		Requests: p.Requests, Catalog: p.Catalog, Ledger: f.app.Ledger, Vault: f.app.Vault, Consents: f.app.Consents, Purposes: f.app.Purposes, Relay: f.app.Relay, MirrorToken: f.app.MirrorToken,
		About: f.app.about(p), Clock: f.app.cfg.Clock, Accounts: f.app.Accounts, Stands: f.stands, Pseudonyms: f.app.Pseudonyms,
		Go:  func(fn func(context.Context)) { f.app.Go(p, func(ctx context.Context, _ *Parts) { fn(ctx) }) },
		Dir: f.app.cfg.DataDir, Version: f.app.cfg.Version, Replays: f.replays.around, Failed: f.failed,
	})
	p.pages = f.console(p)
}

func (f *front) failed(err error) { f.app.cfg.Log.Error("something failed on our side", "error", err) }

// url is the address to open: with the token while nobody can sign in.
func (f *front) url() string {
	if f.app.Accounts.Any() {
		return f.door.origin + "/"
	}
	return f.door.origin + "/?token=" + f.token
}

// ServeHTTP judges, then lets in.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), forPrograms(r))
	if f.door.hsts != nil {
		w.Header()["Strict-Transport-Security"] = f.door.hsts
	}
	r, status, why := f.door.admit(r)
	if status != 0 {
		turnAway(w, r, status, why, "")
		return
	}
	rec := &recorder{ResponseWriter: w, began: f.app.cfg.Clock.Now(), code: http.StatusOK}
	span := f.begin(r, rec.began)
	f.route(rec, r)
	end := f.metrics.count(r, rec.code, rec.began)
	f.end(span, r, rec, end)
}

func (f *front) route(w *recorder, r *http.Request) {
	switch {
	case forPrograms(r):
		f.program(w, r)
	case r.URL.Path == gpcPath:
		writeJSON(w, http.StatusOK, gpcStatement)
	case r.URL.Path == "/healthz":
		writeStatus(w, http.StatusOK, "ok")
	case r.URL.Path == "/readyz":
		f.readiness(w, r)
	case r.URL.Path == "/metrics" && f.door.public && !f.known(r):
		f.askBearer(w, r)
	case r.URL.Path == "/metrics":
		promhttp.HandlerFor(f.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	case console.SignedOut(r):
		f.enter(w, r, access.Caller{})
	case !f.sameOrigin(r):
		turnAway(w, r, http.StatusForbidden, "another site sent this request", "")
	case r.Method == http.MethodGet && r.URL.Query().Has("token"):
		f.exchange(w, r)
	case f.app.Accounts.Any(): // who is not signed in comes to the door: the pages say what is for whom
		f.enter(w, r, f.person(r))
	case strings.HasPrefix(r.URL.Path, "/assets/") || f.hasSession(r):
		f.enter(w, r, f.local)
	default:
		turnAway(w, r, http.StatusUnauthorized, "open the address that ombud serve printed; it is new at each start", "")
	}
}

// program lets in whoever has a bearer in force.
func (f *front) program(w *recorder, r *http.Request) {
	caller, known := f.bearer(r, w.began)
	switch {
	case !known:
		f.askBearer(w, r)
	case !f.sameOrigin(r):
		turnAway(w, r, http.StatusForbidden, "another site sent this request", "")
	default:
		f.enter(w, r, f.now(caller))
	}
}

// known tells whether a request brings a bearer in force.
func (f *front) known(r *http.Request) bool {
	_, known := f.bearer(r, f.app.cfg.Clock.Now())
	return known
}

// bearer is who comes with an API key, the token of this start, or the token of a session of theirs.
func (f *front) bearer(r *http.Request, now time.Time) (access.Caller, bool) {
	given := bearerOf(r)
	if c, known := f.app.Keys.CallerAt(given, now); known {
		return c, true
	}
	c, _ := f.app.Accounts.Visit(given, true)
	return c, c.Role != ""
}

func (f *front) askBearer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="ombud"`)
	turnAway(w, r, http.StatusUnauthorized, "a bearer in force is needed",
		"Send Authorization: Bearer with an API key, as ombud key create prints it, with what serve.token in the data directory holds, or as a person with what ombud access token prints.")
}

// bearerOf is what a request brings in its Authorization, "" when that is nothing or something else.
func bearerOf(r *http.Request) string {
	const scheme = "Bearer "
	given := header(r, "Authorization")
	if len(given) < len(scheme) || !strings.EqualFold(given[:len(scheme)], scheme) {
		return ""
	}
	return given[len(scheme):]
}

// header is what a request says first in a header that is named as the library writes it.
func header(r *http.Request, name string) string {
	if given := r.Header[name]; len(given) > 0 {
		return given[0]
	}
	return ""
}

// enter passes a request on, in the name of the caller.
func (f *front) enter(w *recorder, r *http.Request, c access.Caller) {
	p := f.parts(r, w.began)
	defer f.app.release(p)
	r = r.WithContext(f.entered(w, r, f.calling(r, c.Under(p.Policies))))
	if !strings.HasPrefix(r.URL.Path, "/v1/decisions") { // those have narrower bounds, and a stream of them goes on and on
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	}
	if forPrograms(r) {
		p.programs.ServeHTTP(w, r)
	} else {
		p.pages.ServeHTTP(w, r)
	}
	w.route = r.Pattern
}

// forPrograms tells the API from the pages.
func forPrograms(r *http.Request) bool { return api.Programs(r.URL.Path) }

// parts are those of the configuration as it is now; for decisions, which are asked thousands of times a second, as it
// was within the last one.
func (f *front) parts(r *http.Request, at time.Time) *Parts {
	var p *Parts
	var err error
	if strings.HasPrefix(r.URL.Path, "/v1/decisions") {
		p, err = f.app.recent(r.Context(), at)
	} else {
		err = f.app.refresh(r.Context())
		p = f.app.take()
	}
	if err != nil {
		// A configuration with faults must not take the server down: it goes on with the former one.
		f.app.cfg.Log.Error("ombud.yaml cannot be taken in; the former one stays", "error", err)
	}
	return p
}

// now is what a caller is at this moment: who has the token is less once an account exists.
func (f *front) now(c access.Caller) access.Caller {
	if c.Role == access.Local && f.app.Accounts.Any() {
		c.Role = access.Machine
	}
	return c
}

// stands tells whether a caller would be let in again as the same, and be judged by the same policies of the company.
func (f *front) stands(c access.Caller) bool {
	if now := f.app.newest.Load().Policies; c.Policies() != now && (c.Policies().Narrowed() || now.Narrowed()) {
		return false
	}
	if c.Actor == f.local.Actor && c.Key == "" {
		return c.Same(f.now(f.local)) && !f.stopping.Load()
	}
	if c.Session != "" {
		return f.app.Accounts.StageOf(c) == access.SignedIn && !f.stopping.Load()
	}
	return f.app.Keys.Stands(c) && !f.stopping.Load()
}

// person is who comes with the cookie of a session; nobody without one. What a page fetches by itself does not keep a
// session from its idle end.
func (f *front) person(r *http.Request) access.Caller {
	cookie, err := r.Cookie(f.door.cookie)
	if err != nil {
		return access.Caller{}
	}
	c, _ := f.app.Accounts.Visit(cookie.Value, r.Header.Get("Sec-Fetch-Dest") != "empty")
	return c
}

func (f *front) hasSession(r *http.Request) bool {
	c, err := r.Cookie(f.door.cookie)
	return err == nil && same(c.Value, f.session)
}

// same takes as long for a near miss as for a far one.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// exchange gives a cookie for the token and sends the browser on, without the token in its address.
func (f *front) exchange(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if f.app.Accounts.Any() {
		w.Header().Set("Location", "/sign-in")
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	if !same(q.Get("token"), f.token) {
		turnAway(w, r, http.StatusUnauthorized, "this address is of an earlier start; ombud serve prints a new one each time", "")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: f.door.cookie, Value: f.session, Path: "/", HttpOnly: true, Secure: f.door.public, SameSite: http.SameSiteStrictMode})
	q.Del("token")
	to := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/\\")
	if rest := q.Encode(); rest != "" {
		to += "?" + rest
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// sameOrigin refuses what a page of somebody else sent. A browser says where a request comes from, in a header that
// no page can set; Origin may be null where the page asked for no referrer. Programs say nothing and have a bearer.
func (f *front) sameOrigin(r *http.Request) bool {
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	from := header(r, "Origin")
	ours := from != "" && from == f.door.scheme+"://"+r.Host
	if from != "" && from != "null" && !ours {
		return false
	}
	switch header(r, "Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		return safe || ours || from == "" && header(r, "Authorization") != ""
	}
	return safe && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

func (f *front) readiness(w http.ResponseWriter, r *http.Request) {
	err := f.app.DB.Read(r.Context(), func(tx *db.Tx) error {
		var one int
		return tx.QueryRow(r.Context(), "select 1").Scan(&one)
	})
	switch {
	case f.stopping.Load():
		writeStatus(w, http.StatusServiceUnavailable, "stopping")
	case err != nil:
		writeStatus(w, http.StatusServiceUnavailable, "the store does not answer")
	case f.app.DB.Held() != nil:
		writeStatus(w, http.StatusServiceUnavailable, "what was changed cannot be kept outside the store")
	case !f.ready.Load():
		writeStatus(w, http.StatusServiceUnavailable, "recovering")
	default:
		writeStatus(w, http.StatusOK, "ok")
	}
}

func writeStatus(w http.ResponseWriter, code int, status string) {
	writeJSON(w, code, `{"status":`+strconv.Quote(status)+"}\n")
}

func writeJSON(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

// The statement of the W3C's Global Privacy Control that the signal is obeyed here, and since when it says so.
const (
	gpcPath      = "/.well-known/gpc.json"
	gpcStatement = `{"gpc":true,"lastUpdate":"2026-11-21"}` + "\n"
)

// turnAway refuses whom we do not let in, before the body is read.
func turnAway(w http.ResponseWriter, r *http.Request, code int, detail, next string) {
	api.LeaveBody(w, r)
	refuse(w, r, code, detail, next)
}

// refuse answers a program with a problem, a browser with a page, and whoever else asks with a sentence.
func refuse(w http.ResponseWriter, r *http.Request, code int, detail, next string) {
	if forPrograms(r) {
		api.Refuse(w, code, detail, next)
		return
	}
	if strings.Contains(header(r, "Accept"), "text/html") {
		_ = console.Refused(w, code, detail, next) // who hung up is told nothing
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(http.StatusText(code) + ": " + detail + ".\n"))
}

// Answers to programs are no pages: they may do nothing, and are not sniffed and not stored. Fewer headers are quicker headers. The
// values are shared: who answers sets one anew, and changes none in place.
var (
	closed  = []string{"default-src 'none'; frame-ancestors 'none'"}
	nosniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

func secure(h http.Header, data bool) {
	if data {
		h["Content-Security-Policy"], h["X-Content-Type-Options"], h["Cache-Control"] = closed, nosniff, noStore
		return
	}
	console.Secure(h)
}
