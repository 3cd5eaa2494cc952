package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ombudhq/ombud/api"
	"github.com/ombudhq/ombud/internal/db"
)

// bodyLimit is more than any request needs; a list of subjects is the longest.
const bodyLimit = 8 << 20

// front is what every request passes before a room of ours: Host, Origin and credentials are judged before the body
// is read, and every answer carries the headers that keep a page to itself.
//
// There are two credentials, both new at each start. Programs send the token as a bearer, to /v1 only. A browser
// brings it once in the address that serve printed, gets a cookie that only this server reads, and goes on without it.
type front struct {
	app      *App
	hosts    map[string]bool // as a browser writes them
	host     string          // the one in the address we print
	token    string
	session  string // what the cookie holds
	cookie   string // its name: cookies do not tell ports apart
	actor    string // whoever has the token is who started us
	metrics  *metrics
	replays  *replays
	ready    atomic.Bool
	stopping atomic.Bool
}

func newFront(ctx context.Context, a *App, addr net.Addr, actor string) (*front, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, err
	}
	f := &front{app: a, host: net.JoinHostPort(host, port), token: secret(), session: secret(), cookie: "ombud_" + port, actor: actor, hosts: map[string]bool{}}
	for _, h := range []string{host, "127.0.0.1", "localhost", "::1"} {
		f.hosts[net.JoinHostPort(h, port)] = true
	}
	f.metrics = newMetrics(a)
	if f.replays, err = newReplays(ctx, a); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.furnish = f.furnish
	f.furnish(a.Parts)
	return f, nil
}

// furnish gives parts their rooms.
func (f *front) furnish(p *Parts) {
	mux := http.NewServeMux()
	mux.Handle("/v1/", f.replays.around(api.New(api.Config{
		Requests: p.Requests, Catalog: p.Catalog, Ledger: f.app.Ledger,
		Go:  func(fn func(context.Context)) { f.app.Go(p, func(ctx context.Context, _ *Parts) { fn(ctx) }) },
		Dir: f.app.cfg.DataDir, Actor: f.actor, Version: f.app.cfg.Version, Failed: f.failed,
	})))
	mux.Handle("/", f.console(p))
	p.rooms = mux
}

func (f *front) failed(err error) { f.app.cfg.Log.Error("a run ended early", "error", err) }

func (f *front) url() string { return origin(f.host) + "/?token=" + f.token }

// ServeHTTP judges, then lets in.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if !f.hosts[r.Host] {
		refuse(w, r, http.StatusMisdirectedRequest, "this server answers to its own address only")
		return
	}
	f.metrics.count(w, r, func(w http.ResponseWriter) { f.route(w, r) })
}

func (f *front) route(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/healthz":
		writeStatus(w, http.StatusOK, "ok")
	case r.URL.Path == "/readyz":
		f.readiness(w, r)
	case r.URL.Path == "/metrics":
		promhttp.HandlerFor(f.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/v1/") && !f.hasBearer(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="ombud"`)
		refuse(w, r, http.StatusUnauthorized, "a token is needed: Authorization: Bearer, as in serve.token in the data directory")
	case !f.sameOrigin(r):
		refuse(w, r, http.StatusForbidden, "another site sent this request")
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		f.enter(w, r)
	case r.Method == http.MethodGet && r.URL.Query().Has("token"):
		f.exchange(w, r)
	case strings.HasPrefix(r.URL.Path, "/assets/") || f.hasSession(r):
		f.enter(w, r)
	default:
		refuse(w, r, http.StatusUnauthorized, "open the address that ombud serve printed; it is new at each start")
	}
}

// enter passes a request on, with the configuration as it is now.
func (f *front) enter(w http.ResponseWriter, r *http.Request) {
	p, release, err := f.app.Acquire(r.Context())
	if err != nil {
		// A configuration with faults must not take the server down: it goes on with the former one.
		f.app.cfg.Log.Error("ombud.yaml cannot be taken in; the former one stays", "error", err)
		p, release = f.app.hold(nil)
	}
	defer release()
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	p.rooms.ServeHTTP(w, r)
}

func (f *front) hasBearer(r *http.Request) bool {
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && same(got, f.token)
}

func (f *front) hasSession(r *http.Request) bool {
	c, err := r.Cookie(f.cookie)
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
	if !same(q.Get("token"), f.token) {
		refuse(w, r, http.StatusUnauthorized, "this address is of an earlier start; ombud serve prints a new one each time")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: f.cookie, Value: f.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
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
	from := r.Header.Get("Origin")
	if from != "" && from != "null" && from != origin(r.Host) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		return safe || from == origin(r.Host) || from == "" && r.Header.Get("Authorization") != ""
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
	case !f.ready.Load():
		writeStatus(w, http.StatusServiceUnavailable, "recovering")
	default:
		writeStatus(w, http.StatusOK, "ok")
	}
}

func writeStatus(w http.ResponseWriter, code int, status string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(`{"status":` + strconv.Quote(status) + "}\n"))
}

// refuse answers a program with a problem and a person with a sentence.
func refuse(w http.ResponseWriter, r *http.Request, code int, detail string) {
	discard(r)
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(code), "status": code, "detail": detail})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(http.StatusText(code) + ": " + detail + ".\n"))
}

// secure keeps a page to itself: nothing is loaded from elsewhere, nothing frames it, nothing is stored on the way.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}
