package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/app"
	"github.com/ombudhq/ombud/cli"
)

// TestAccountsCloseTheStart: from the first account on, neither the address of the start nor its cookie opens a page, and
// its token opens the API for work, not for the log.
func TestAccountsCloseTheStart(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	s := serve(t, dir)
	defer s.stop()
	_, h, _ := s.do("GET", "/?token="+s.token, "")
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	code, _, _ := s.do("GET", "/requests", "", "Cookie", cookie)
	s.want("the cookie of the start", code, 200)
	code, _, _ = s.v1("GET", "/ledger/checkpoint", "")
	s.want("the log, by the token", code, 200)

	code, out, errs := command(t, dir, "", "admin", "create", "--name", "kari", "--role", "system_admin", "--json")
	var made struct {
		Link string `json:"setup_link"`
	}
	if err := json.Unmarshal([]byte(out), &made); code != 0 || err != nil || !strings.HasPrefix(made.Link, s.base+"/setup?link=") {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	for _, path := range []string{"/", "/requests", "/?token=" + s.token, "/map?token=" + s.token} {
		code, h, _ = s.do("GET", path, "", "Cookie", cookie)
		if code != 303 || h.Get("Location") != "/sign-in" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d to %s", strings.ReplaceAll(path, s.token, "TOKEN"), code, h.Get("Location"))
		}
	}
	code, _, _ = s.v1("GET", "/requests", "")
	s.want("requests, by the token", code, 200)
	code, _, _ = s.v1("GET", "/ledger/checkpoint", "")
	s.want("the log, by the token", code, 403)
	code, _, _ = s.v1("GET", "/requests/R-2026-0001/package", "")
	s.want("a package, by the token", code, 403)
	s.setUp(made.Link)
}

// setUp goes through a setup link as far as the second factor.
func (s *server) setUp(link string) {
	s.t.Helper()
	path := strings.TrimPrefix(link, s.base)
	code, _, page := s.do("GET", path, "")
	s.want("the setup page", code, 200)
	form := url.Values{"link": {path[len("/setup?link="):]}, "password": {"correct horse battery"}, "again": {"correct horse battery"}}
	form.Set("token", regexp.MustCompile(`name="token" value="(\w+)"`).FindStringSubmatch(page)[1])
	post := func(headers ...string) (int, http.Header) {
		code, h, _ := s.do("POST", "/setup", form.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
		return code, h
	}
	code, _ = post("Origin", "http://evil.example")
	s.want("the form, sent by another site", code, 403)
	code, h := post("Sec-Fetch-Site", "same-origin")
	set := h.Get("Set-Cookie")
	if code != 303 || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") || !strings.HasPrefix(set, "ombud_") {
		s.t.Fatalf("%d, %s", code, set)
	}
	cookie, _, _ := strings.Cut(set, ";")
	code, h, _ = s.do("GET", "/accounts", "", "Cookie", cookie)
	if code != 303 || h.Get("Location") != "/account/factor" {
		s.t.Errorf("half way in: %d to %s", code, h.Get("Location"))
	}
	code, _, _ = s.do("GET", "/account/factor", "", "Cookie", cookie)
	s.want("the second factor", code, 200)
	code, _, _ = s.do("GET", "/v1/requests", "", "Cookie", cookie)
	s.want("the cookie of a session does not open the API", code, 401)
	code, _ = post("Sec-Fetch-Site", "same-origin")
	s.want("the link a second time", code, 404)
}

// TestFirstAccountOfTheEnvironment is made once, and never changed by it again.
func TestFirstAccountOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	place := cli.Place{Data: filepath.Join(dir, "ombud-data"), Config: filepath.Join(dir, "ombud.yaml"), Command: "ombud serve"}
	start := func(password string) string {
		t.Helper()
		ready := make(chan string, 1)
		first := access.NewAccount{Name: "kari", Role: access.Admin, Password: password, By: access.Caller{Actor: "local:ida", Role: access.Local}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- app.Program(app.Options{}).Serve(ctx, place, cli.ServeOptions{Listen: "127.0.0.1:0", Actor: "local:ida", Log: &lines{}, Admin: first, Ready: func(u string) { ready <- u }})
		}()
		var at string
		select {
		case at = <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return at
	}
	for _, password := range []string{"correct horse battery", "another horse battery"} {
		if at := start(password); strings.Contains(at, "token=") {
			t.Error("it prints a token, and an account exists")
		}
	}
	code, out, _ := command(t, dir, "", "admin", "list", "--json")
	if code != 0 || strings.Count(out, `"id"`) != 1 {
		t.Errorf("exit %d: %s", code, out)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "ombud-data", "ombud.db")); err != nil || strings.Contains(string(b), "correct horse") {
		t.Errorf("the password lies in the store, %v", err)
	}
}
