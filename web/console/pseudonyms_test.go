package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/subject"
)

// TestPseudonymsPage: an officer asks with a reason in the form, another approves, and who asked sees the person once.
func TestPseudonymsPage(t *testing.T) {
	o := newOffice(t)
	second, token, err := o.world.SignIn(t.Context(), "second", access.Officer, o.as(access.Admin))
	if err != nil {
		t.Fatal(err)
	}
	psn, err := o.world.Pseudonyms.Make(t.Context(), subject.PseudonymInput{Subject: consoletest.Ida(), Context: "analytics", Actor: "service:key_1"})
	if err != nil {
		t.Fatal(err)
	}
	o.blocked(access.Support, http.MethodGet, "/pseudonyms")
	o.blocked(access.Auditor, http.MethodPost, "/pseudonyms", "pseudonym", psn.ID, "because", "the fraud desk asks")
	o.blocked(access.Officer, http.MethodPost, "/pseudonyms", "pseudonym", psn.ID, "because", "x")
	if w := o.ask(access.Officer, http.MethodPost, "/pseudonyms", "pseudonym", "psn_nobody", "because", "the fraud desk asks"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "no such pseudonym") {
		t.Errorf("nobody's: %d", w.Code)
	}
	if w := o.ask(access.Officer, http.MethodPost, "/pseudonyms", "pseudonym", psn.ID, "because", "the fraud desk asks"); w.Code != http.StatusSeeOther {
		t.Fatalf("asked: %d %s", w.Code, w.Body)
	}
	all, err := o.world.Pseudonyms.Resolutions(t.Context(), second)
	if err != nil || len(all) != 1 || all[0].Because != "the fraud desk asks" {
		t.Fatalf("%+v, %v", all, err)
	}
	at := "/pseudonyms/" + all[0].ID
	o.blocked(access.Officer, http.MethodPost, at+"/approve", "because", "I know them well")
	as := func() access.Caller {
		c, _ := o.world.Accounts.Visit(token, true)
		return c
	}
	if w := o.askAs(as(), http.MethodGet, "/pseudonyms"); !strings.Contains(w.Body.String(), "to approve") || strings.Contains(w.Body.String(), "ida@") {
		t.Errorf("the page: %d", w.Code)
	}
	if w := o.askAs(as(), http.MethodPost, at+"/approve", "because", "the desk confirmed it"); w.Code != http.StatusSeeOther {
		t.Errorf("approved: %d %s", w.Code, w.Body)
	}
	if w := o.ask(access.Officer, http.MethodPost, at+"/reveal", "because", "the fraud desk asks"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "ida@example.com") {
		t.Errorf("shown: %d", w.Code)
	}
	if w := o.ask(access.Officer, http.MethodPost, at+"/reveal", "because", "the fraud desk asks"); w.Code != http.StatusConflict || strings.Contains(w.Body.String(), "ida@") {
		t.Errorf("shown again: %d", w.Code)
	}
	o.seen("pseudonym.revealed", access.Officer)
}

// TestBearerOfAnAccount: shown once to who proves again who they are, and it is them.
func TestBearerOfAnAccount(t *testing.T) {
	o := newOffice(t)
	if w := o.ask(access.Support, http.MethodPost, "/account/bearer", "present", "wrong"); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), `class="secret"`) {
		t.Errorf("a wrong password: %d", w.Code)
	}
	w := o.ask(access.Support, http.MethodPost, "/account/bearer", "present", consoletest.Password)
	_, rest, ok := strings.Cut(w.Body.String(), `class="secret"`)
	_, rest, _ = strings.Cut(rest, ">")
	bearer, _, _ := strings.Cut(rest, "<")
	if c, in := o.world.Accounts.Visit(bearer, true); !ok || !in || c.Role != access.Support || c.Actor != o.as(access.Support).Actor {
		t.Errorf("%d: %v", w.Code, in)
	}
}
