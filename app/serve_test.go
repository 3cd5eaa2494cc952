package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/web/console"
)

// server is a running `ombud serve` on a folder.
type server struct {
	t     *testing.T
	base  string // http://127.0.0.1:PORT
	token string
	stop  func() error
	log   *lines // what it wrote to its log
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func serve(t *testing.T, dir string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	log := &lines{}
	go func() {
		p := app.Program(app.Options{Version: "test"})
		place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve"}
		ended <- p.Serve(ctx, place, cli.ServeOptions{Listen: "127.0.0.1:0", Actor: "local:ida", Log: log, Ready: func(u string) { ready <- u }})
	}()
	s := &server{t: t, log: log, stop: func() error { cancel(); return <-ended }}
	select {
	case u := <-ready:
		var found bool
		if s.base, s.token, found = strings.Cut(u, "/?token="); !found { // people sign in
			s.base = strings.TrimSuffix(u, "/")
		}
	case err := <-ended:
		t.Fatal(err)
	}
	return s
}

// do asks, with headers as pairs, and answers status, headers and body.
func (s *server) do(method, path, body string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// v1 asks the API with the token.
func (s *server) v1(method, path, body string, headers ...string) (int, http.Header, string) {
	return s.do(method, "/v1"+path, body, append(headers, "Authorization", "Bearer "+s.token, "Content-Type", "application/json")...)
}

func (s *server) want(what string, got, want int) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// wantSecured: what the front answers by itself has the headers of the pages.
func wantSecured(t *testing.T, got http.Header) {
	t.Helper()
	want := http.Header{}
	console.Secure(want)
	for name := range want {
		if got.Get(name) != want.Get(name) {
			t.Errorf("%s is %q, want %q", name, got.Get(name), want.Get(name))
		}
	}
}

func TestServeJudgesFirst(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	code, h, _ := s.do("GET", "/", "")
	s.want("no credentials", code, 401)
	wantSecured(t, h)
	_, h, _ = s.do("GET", "/healthz", "")
	wantSecured(t, h)
	code, _, _ = s.do("GET", "/v1/requests", "")
	s.want("the API without a token", code, 401)
	code, _, _ = s.do("POST", "/v1/requests", "not even JSON")
	s.want("credentials are judged before the body", code, 401)
	code, _, _ = s.do("GET", "/v1/requests?token="+s.token, "")
	s.want("the token in a URL of the API", code, 401)
	code, _, _ = s.v1("GET", "/requests", "")
	s.want("the API with it", code, 200)
	code, _, _ = s.v1("GET", "/requests", "", "Host", "evil.example")
	s.want("another host", code, 421)
	code, _, _ = s.v1("POST", "/requests", "{}", "Origin", "http://evil.example")
	s.want("another site", code, 403)
	code, _, _ = s.v1("POST", "/requests", "{}", "Sec-Fetch-Site", "cross-site")
	s.want("another site, without Origin", code, 403)
	code, _, _ = s.v1("POST", "/requests", "{}", "Origin", "null")
	s.want("a page that hides where it is from", code, 403)
	code, _, body := s.do("GET", "/healthz", "")
	s.want("health needs no token", code, 200)
	if strings.TrimSpace(body) != `{"status":"ok"}` {
		t.Errorf("health says %s", body)
	}
	code, _, body = s.do("GET", "/metrics", "")
	s.want("metrics", code, 200)
	if !strings.Contains(body, "ombud_ledger_entries 0") {
		t.Error("the metrics lack the ledger's size")
	}
	st, err := os.Stat(filepath.Join(dir, "ombud-data", "serve.token"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("serve.token: %v, %v", st, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ombud-data", "serve.token")); !os.IsNotExist(err) {
		t.Error("serve.token is still there")
	}
}

// TestServeExchangesToken: a browser brings the token once and goes on with a cookie of its own.
func TestServeExchangesToken(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	code, h, _ := s.do("GET", "/requests?token="+s.token+"&kind=access", "")
	s.want("the exchange", code, 303)
	if h.Get("Location") != "/requests?kind=access" {
		t.Errorf("it leads to %s", h.Get("Location"))
	}
	cookie := h.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, s.token) {
		t.Errorf("the cookie is %s", strings.ReplaceAll(cookie, s.token, "TOKEN"))
	}
	code, _, body := s.do("GET", "/?token=wrong", "")
	s.want("a wrong token", code, 401)
	if strings.Contains(body, "<") {
		t.Errorf("who is no browser is answered with %s", body)
	}
	code, h, body = s.do("GET", "/?token=wrong", "", "Accept", "text/html,*/*;q=0.8")
	s.want("a wrong token in a browser", code, 401)
	sheet := regexp.MustCompile(`/assets/[^"]+\.css`).FindString(body)
	if !strings.Contains(body, "This address is of an earlier start") || !strings.Contains(h.Get("Content-Type"), "text/html") || sheet == "" {
		t.Errorf("the page: %s", body)
	}
	code, _, _ = s.do("GET", sheet, "")
	s.want("what the page looks like", code, 200)
	code, h, _ = s.do("GET", "//evil.example/?token="+s.token, "")
	if to, err := url.Parse(h.Get("Location")); code == 303 && (err != nil || to.Host != "") {
		t.Errorf("the exchange leads to %s", h.Get("Location"))
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Jar: jar}).Get(s.base + "/?token=" + s.token)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode == 401 {
		t.Error("the cookie does not let in")
	}
	code, _, _ = s.do("GET", "/v1/requests", "", "Cookie", cookie)
	s.want("the cookie does not open the API", code, 401)
	code, _, _ = s.do("POST", "/requests", "", "Cookie", cookie)
	s.want("a form without Origin", code, 403)
	code, _, _ = s.do("POST", "/requests", "", "Cookie", cookie, "Origin", "null", "Sec-Fetch-Site", "cross-site")
	s.want("a form of another site", code, 403)
	code, _, _ = s.do("POST", "/nothing", "", "Cookie", cookie, "Origin", "null", "Sec-Fetch-Site", "same-origin")
	s.want("a form of ours", code, 404)
	code, _, _ = s.do("POST", "/sign-out/from/work", "logout_token=x", "Content-Type", "application/x-www-form-urlencoded")
	s.want("a provider, which is no browser, whose token is nothing", code, 400)
}

func TestIdempotencyKeys(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	const ask = `{"kind":"access","subject":{"email":"ida@example.com"}}`
	code, first, body := s.v1("POST", "/requests", ask, "Idempotency-Key", "k1")
	s.want("the first", code, 201)
	code, again, repeated := s.v1("POST", "/requests", ask, "Idempotency-Key", "k1")
	s.want("the same again", code, 201)
	if body != repeated || again.Get("Idempotent-Replayed") != "true" || first.Get("Idempotent-Replayed") != "" || again.Get("Location") != first.Get("Location") {
		t.Error("the answer was not replayed")
	}
	code, _, _ = s.v1("POST", "/requests", `{"kind":"erasure","subject":{"email":"ida@example.com"}}`, "Idempotency-Key", "k1")
	s.want("the key for something else", code, 409)
	code, _, body = s.v1("GET", "/requests", "")
	var list struct{ Requests []json.RawMessage }
	if err := json.Unmarshal([]byte(body), &list); code != 200 || err != nil || len(list.Requests) != 1 {
		t.Errorf("%d requests, %v", len(list.Requests), err)
	}
}
