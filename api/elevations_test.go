package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/ombudhq/ombud/access"
)

// TestElevationOverHTTP: who may breaks the glass, an alarm stands, another ends it and says what they found.
func TestElevationOverHTTP(t *testing.T) {
	c := newCompany(t)
	dev, officer := caller(access.Developer), caller(access.Officer)
	open := c.world.Accounts.OpenAlarms()
	for body, want := range map[string]int{`{"because":"x"}`: 422, `{"because":"the shop is down","seconds":7200}`: 422} {
		if w := c.ask(dev, "POST", "/v1/elevations", body); w.Code != want {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	w := c.ask(dev, "POST", "/v1/elevations", `{"because":"the shop is down"}`)
	var alarm access.Alarm
	if err := json.Unmarshal(w.Body.Bytes(), &alarm); w.Code != http.StatusCreated || err != nil || c.world.Accounts.OpenAlarms() != open+1 {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	if w := c.ask(officer, "POST", "/v1/alarms/"+alarm.ID+"/review", `{"found":"all is in order here"}`); w.Code != http.StatusConflict {
		t.Errorf("a review while it goes on: %d", w.Code)
	}
	if w := c.ask(officer, "POST", "/v1/alarms/"+alarm.ID+"/end", ``); w.Code != http.StatusNoContent {
		t.Errorf("its end: %d %s", w.Code, w.Body)
	}
	if w := c.ask(dev, "POST", "/v1/elevations/end", ``); w.Code != http.StatusNotFound {
		t.Errorf("a second end: %d", w.Code)
	}
	if w := c.ask(officer, "POST", "/v1/alarms/"+alarm.ID+"/review", `{"found":"all is in order here"}`); w.Code != http.StatusOK || c.world.Accounts.OpenAlarms() != open {
		t.Errorf("the review: %d %s", w.Code, w.Body)
	}
}

// TestResolutionsOverHTTP: asked by one, approved by another, shown once to who asked, and each is an entry.
func TestResolutionsOverHTTP(t *testing.T) {
	c := newCompany(t)
	kari, ola := caller(access.Officer), caller(access.Officer)
	ola.Actor = "account:acc_ola"
	w := c.ask(caller(access.Service), "POST", "/v1/pseudonyms", `{"subject":{"email":"ida@example.com"},"context":"analytics"}`)
	var psn struct{ Pseudonym string }
	if err := json.Unmarshal(w.Body.Bytes(), &psn); w.Code != http.StatusOK || err != nil {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	size := c.world.Ledger.Size()
	w = c.ask(kari, "POST", "/v1/resolutions", `{"pseudonym":"`+psn.Pseudonym+`"}`)
	var asked struct{ ID, Because string }
	if err := json.Unmarshal(w.Body.Bytes(), &asked); w.Code != http.StatusCreated || err != nil || asked.Because != "asked to" {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	at := "/v1/resolutions/" + asked.ID
	for _, step := range []struct {
		who  access.Caller
		path string
		want int
	}{
		{kari, at + "/reveal", 409}, {kari, at + "/approve", 403}, {ola, at + "/approve", 200}, {ola, at + "/reveal", 403},
		{kari, at + "/reveal", 200}, {kari, at + "/reveal", 409},
	} {
		if w := c.ask(step.who, "POST", step.path, ""); w.Code != step.want {
			t.Errorf("%s as %s: %d %s", step.path, step.who.Actor, w.Code, w.Body)
		}
	}
	var list struct {
		Resolutions []struct{ Because, Approved_By string }
	}
	w = c.ask(ola, "GET", "/v1/resolutions", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Resolutions) != 1 || list.Resolutions[0].Approved_By != ola.Actor {
		t.Errorf("%v: %s", err, w.Body)
	}
	if got := c.world.Ledger.Size() - size; got != 3 {
		t.Errorf("%d entries", got)
	}
	unjustified := kari.Calling(access.Call{})
	if w := c.ask(unjustified, "POST", "/v1/resolutions", `{"pseudonym":"`+psn.Pseudonym+`"}`); w.Code != http.StatusForbidden {
		t.Errorf("without a justification: %d", w.Code)
	}
}

// TestDownloadsOverHTTP: who took away as much as one person may is told how long to wait, and an alarm stands.
func TestDownloadsOverHTTP(t *testing.T) {
	c := newCompany(t)
	c.world.Accounts.SetDownloads(access.Downloads{Most: 1})
	open, path := c.world.Accounts.OpenAlarms(), "/v1/requests/"+c.refs["access-complete"]+"/package"
	if w := c.ask(caller(access.Support), "GET", path, ""); w.Code != http.StatusOK {
		t.Fatalf("the first: %d", w.Code)
	}
	w := c.ask(caller(access.Support), "GET", path, "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "3600" || w.Header().Get("Content-Type") != "application/problem+json" || c.world.Accounts.OpenAlarms() != open+1 {
		t.Errorf("the second: %d %v %s", w.Code, w.Header(), w.Body)
	}
}
