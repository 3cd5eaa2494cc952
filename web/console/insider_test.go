package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/ledger"
)

// office is a company with somebody signed in for each role, and nothing left to review.
type office struct {
	*site
	tokens map[access.Role]string
	ids    map[access.Role]string
	person string            // address of the page of one
	stand  map[string]string // things that are there, by kind
	hired  int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{newSite(t, consoletest.Full), map[access.Role]string{}, map[access.Role]string{}, "", map[string]string{}, 0}
	w, by := o.world, access.Caller{Actor: consoletest.Actor, Role: access.Local}
	o.person = "/people/" + w.Consents.Who(w.Consents.Find(consoletest.Ida()...).Person())
	for _, role := range []access.Role{access.Admin, access.Officer, access.Auditor, access.Support, access.Developer} {
		c, token, err := w.SignIn(t.Context(), string(role), role, by)
		if err != nil {
			t.Fatal(err)
		}
		if o.tokens[role], o.ids[role] = token, strings.TrimPrefix(c.Actor, "account:"); role == access.Admin {
			by = c
		}
	}
	for _, one := range o.alarms() { // two who are new clear each other, and who is clear the rest
		_, err := w.Accounts.Review(t.Context(), one.ID, "hired by the board", o.as(access.Auditor))
		if err != nil {
			_, err = w.Accounts.Review(t.Context(), one.ID, "hired by the board", o.as(access.Officer))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *office) as(role access.Role) access.Caller {
	c, _ := o.world.Accounts.Visit(o.tokens[role], true)
	return c
}

func (o *office) alarms() []access.Alarm {
	o.t.Helper()
	out, err := o.world.Accounts.Alarms(o.t.Context(), o.as(access.Auditor), false)
	if err != nil {
		o.t.Fatal(err)
	}
	return out
}

// about is the newest open alarm about an account.
func (o *office) about(account string) access.Alarm {
	all := o.alarms()
	return all[slices.IndexFunc(all, func(one access.Alarm) bool { return one.Account == account })]
}

func (o *office) ask(role access.Role, method, path string, fields ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	return o.askAs(o.as(role), method, path, fields...)
}

func (o *office) askAs(c access.Caller, method, path string, fields ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	form := url.Values{}
	form.Set("token", o.world.Accounts.FormToken(c))
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	o.world.As(c).ServeHTTP(w, r)
	return w
}

func (o *office) blocked(role access.Role, method, path string, fields ...string) {
	o.t.Helper()
	if w := o.ask(role, method, path, fields...); w.Code != http.StatusForbidden {
		o.t.Errorf("%s %s as %s: %d", method, path, role, w.Code)
	}
}

// seen demands that an entry of a kind, at most a minute old, is there for the auditor, and that it is this person's.
func (o *office) seen(kind string, by access.Role) ledger.Row {
	o.t.Helper()
	var found ledger.Row
	q := ledger.Question{Kind: kind, Actor: "account:" + o.ids[by], From: o.world.Clock.Now().Add(-time.Minute), Limit: 1}
	err := o.world.Ledger.Search(o.t.Context(), o.as(access.Auditor).Actor, "test", q, func(r ledger.Row) error { found = r; return nil })
	if err != nil || found.ID == 0 {
		o.t.Errorf("no auditor sees %s by %s: %v", kind, by, err)
	}
	if w := o.ask(access.Auditor, http.MethodGet, "/log"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), kind) {
		o.t.Errorf("the auditor's log lacks %s", kind)
	}
	return found
}

// alarmed demands that alarms of these kinds about an account stand open, and that auditor and officer see so on any page.
func (o *office) alarmed(account string, kinds ...access.AlarmKind) {
	o.t.Helper()
	var got []access.AlarmKind
	for _, one := range o.alarms() {
		if one.Account == account && o.world.Clock.Now().Sub(one.Began) <= time.Minute {
			got = append(got, one.Kind)
		}
	}
	slices.Sort(got)
	slices.Sort(kinds)
	if !slices.Equal(got, kinds) {
		o.t.Errorf("alarms %v, want %v", got, kinds)
	}
	for _, role := range []access.Role{access.Auditor, access.Officer} {
		if w := o.ask(role, http.MethodGet, "/consent/purposes"); !strings.Contains(w.Body.String(), "for a review.") {
			o.t.Errorf("the %s sees no banner: %d", role, w.Code)
		}
	}
}

// TestInsiders plays twelve: each is blocked, or visible to auditor and officer within a minute.
func TestInsiders(t *testing.T) {
	o := newOffice(t)
	for _, script := range []struct {
		name string
		play func(*office)
	}{
		{"an admin reads people", adminReads},
		{"an admin takes the officer's role", adminRises},
		{"an admin makes a key that reads the log", adminMakesKey},
		{"an admin makes an officer of their own", adminMakesOfficer},
		{"support approves alone what takes two", supportAlone},
		{"support takes a package home", supportTakes},
		{"support looks up somebody famous", supportLooks},
		{"an officer looks without a reason", officerLooks},
		{"an officer changes what a person chose", officerChanges},
		{"a developer breaks the glass at night", developerElevates},
		{"an admin resets the officer and opens the link", adminResets},
		{"somebody with the store rewrites what the log says", logRewritten},
	} {
		t.Run(script.name, func(t *testing.T) {
			o.t = t
			script.play(o)
		})
	}
}

func adminReads(o *office) {
	for _, path := range []string{"/people", o.person, "/requests", "/requests/" + o.refs["complete"], "/requests/" + o.refs["access-complete"] + "/package", "/log", "/log/looks"} {
		o.blocked(access.Admin, http.MethodGet, path)
	}
	o.blocked(access.Admin, http.MethodPost, o.person+"/reveal")
	o.blocked(access.Admin, http.MethodPost, "/account/elevate", "because", "I want to see everything")
}

func adminRises(o *office) {
	o.blocked(access.Admin, http.MethodPost, "/accounts/"+o.ids[access.Admin]+"/role", "role", string(access.Officer))
	o.blocked(access.Support, http.MethodPost, "/accounts/"+o.ids[access.Support]+"/role", "role", string(access.Admin))
}

func adminMakesOfficer(o *office) {
	if w := o.ask(access.Admin, http.MethodPost, "/accounts", "name", "nobody", "role", string(access.Officer)); w.Code != http.StatusOK {
		o.t.Fatalf("%d", w.Code)
	}
	acc, err := o.world.Accounts.Get(o.t.Context(), "nobody")
	if err != nil {
		o.t.Fatal(err)
	}
	o.alarmed(acc.ID, access.AlarmAccount)
	one := o.about(acc.ID)
	o.blocked(access.Admin, http.MethodPost, "/alarms/"+one.ID+"/review", "found", "all is in order")
	if w := o.ask(access.Admin, http.MethodGet, "/alarms"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "What you found") {
		o.t.Errorf("the admin is offered to review: %d", w.Code)
	}
}

func adminResets(o *office) {
	officer := o.ids[access.Officer]
	w := o.ask(access.Admin, http.MethodPost, "/accounts/"+officer+"/reset")
	_, link, ok := strings.Cut(w.Body.String(), "/setup?link=")
	if !ok {
		o.t.Fatalf("%d", w.Code)
	}
	link, _, _ = strings.Cut(link, "<")
	a := o.world.Accounts
	half, err := a.Setup(o.t.Context(), link, consoletest.Password)
	if err != nil {
		o.t.Fatal(err)
	}
	c, _ := a.Visit(half.Token, true)
	token, err := o.world.Enrol(o.t.Context(), c)
	if err != nil {
		o.t.Fatal(err)
	}
	o.tokens[access.Officer] = token
	o.alarmed(officer, access.AlarmReset, access.AlarmFactor)
	for _, one := range o.alarms() { // who was let in so clears nothing
		if w := o.ask(access.Officer, http.MethodPost, "/alarms/"+one.ID+"/review", "found", "all is in order"); w.Code != http.StatusForbidden {
			o.t.Errorf("%s: %d", one.Kind, w.Code)
		}
	}
}

func adminMakesKey(o *office) {
	o.blocked(access.Admin, http.MethodPost, "/api-keys", "name", "mine", "role", string(access.Auditor), "expires", "90")
}

func supportAlone(o *office) {
	ref := o.refs["mass"]
	r, err := o.world.Requests.Get(o.t.Context(), ref)
	if err != nil {
		o.t.Fatal(err)
	}
	for range 2 {
		o.ask(access.Support, http.MethodPost, "/requests/"+ref+"/approve", "hash", r.Hash)
	}
	if r, err = o.world.Requests.Get(o.t.Context(), ref); err != nil || len(r.Approvals) != 1 || r.State != "awaiting_approval" {
		o.t.Errorf("%v: %s, %d approvals", err, r.State, len(r.Approvals))
	}
	o.seen("request.approved", access.Support)
}

func supportTakes(o *office) {
	o.ask(access.Support, http.MethodGet, "/requests/"+o.refs["access-complete"]+"/package")
	if row := o.seen("package.read", access.Support); !slices.Contains(row.Fields, "shop/customers") || row.Resource != "request/"+o.refs["access-complete"] {
		o.t.Errorf("%s: %v", row.Resource, row.Fields)
	}
}

func supportLooks(o *office) {
	if w := o.ask(access.Support, http.MethodGet, o.person); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "ida@example.com") {
		o.t.Errorf("%d, or not masked", w.Code)
	}
	o.seen(ledger.KindLooked, access.Support)
	o.blocked(access.Support, http.MethodPost, o.person+"/reveal")
	if w := o.ask(access.Support, http.MethodPost, "/why", "about", o.person, "because", "she called about her order"); w.Code != http.StatusSeeOther {
		o.t.Fatalf("saying why: %d", w.Code)
	}
	if w := o.ask(access.Support, http.MethodPost, o.person+"/reveal"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "ida@example.com") {
		o.t.Errorf("revealing: %d", w.Code)
	}
	if row := o.seen(ledger.KindLooked, access.Support); !strings.Contains(string(row.Content), "revealed: email") || !slices.Equal(row.Fields, []string{"email"}) || "/"+strings.Replace(row.Resource, "person/", "people/", 1) != o.person {
		o.t.Errorf("%s", row.Content)
	}
	if row := o.seen("access.justified", access.Support); !strings.Contains(string(row.Content), "called about her order") {
		o.t.Errorf("%s", row.Content)
	}
}

func officerLooks(o *office) {
	w := o.ask(access.Officer, http.MethodGet, o.person)
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/why?about="+url.QueryEscape(o.person) {
		o.t.Errorf("%d %s", w.Code, to)
	}
	for _, bad := range []string{"", "x", "//evil.example/", "/log", "/people/../log", "https://evil.example/people/x"} {
		if w := o.ask(access.Officer, http.MethodPost, "/why", "about", bad, "because", "the authority asks"); w.Code != http.StatusNotFound {
			o.t.Errorf("about %q: %d", bad, w.Code)
		}
	}
	if w := o.ask(access.Officer, http.MethodPost, "/why", "about", o.person, "because", "no"); w.Code != http.StatusUnprocessableEntity {
		o.t.Errorf("too short: %d", w.Code)
	}
	o.ask(access.Officer, http.MethodPost, "/why", "about", o.person, "because", "the authority asks")
	if w := o.ask(access.Officer, http.MethodGet, o.person); w.Code != http.StatusOK {
		o.t.Errorf("with a reason: %d", w.Code)
	}
	o.seen("access.justified", access.Officer)
	o.seen(ledger.KindLooked, access.Officer)
}

func officerChanges(o *office) {
	o.blocked(access.Officer, http.MethodPost, o.person+"/withdraw", "purpose", "letters")
	o.blocked(access.Officer, http.MethodPost, o.person+"/limit")
}

func developerElevates(o *office) {
	o.blocked(access.Developer, http.MethodGet, "/requests")
	if w := o.ask(access.Developer, http.MethodPost, "/account/elevate", "because", "x"); w.Code == http.StatusSeeOther {
		o.t.Error("without words")
	}
	if w := o.ask(access.Developer, http.MethodPost, "/account/elevate", "because", "orders are lost tonight"); w.Code != http.StatusSeeOther {
		o.t.Fatalf("%d", w.Code)
	}
	o.alarmed(o.ids[access.Developer], access.AlarmElevation)
	o.seen("elevation.began", access.Developer)
	if w := o.ask(access.Developer, http.MethodGet, "/requests"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "You broke the glass.") {
		o.t.Errorf("%d", w.Code)
	}
	if w := o.ask(access.Auditor, http.MethodPost, "/alarms/"+o.about(o.ids[access.Developer]).ID+"/end"); w.Code != http.StatusSeeOther {
		o.t.Errorf("an auditor ends it: %d", w.Code)
	}
	o.blocked(access.Developer, http.MethodGet, "/requests")
}

func logRewritten(o *office) {
	if _, err := o.world.Ledger.Checkpoint(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	err := o.world.DB.Write(o.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(context.WithoutCancel(o.t.Context()), `update ledger_entries set result = 'denied' where id = 3`)
		return err
	})
	w := o.ask(access.Auditor, http.MethodPost, "/log/verify")
	page := o.ask(access.Auditor, http.MethodGet, "/log/checkpoints")
	if err != nil || !strings.Contains(page.Body.String(), "The log is not what was written.") {
		o.t.Errorf("%v: %d, %d", err, w.Code, page.Code)
	}
}
