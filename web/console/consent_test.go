package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/subject"
)

// TestConsentRoom: the heading says what is late, who acts is named, and the figures are those of the acts.
func TestConsentRoom(t *testing.T) {
	s := newSite(t, consoletest.Full)
	p := s.read("/consent", http.StatusOK)
	if got := p.heading(); got != "Every withdrawal holds. One service has not heard of 17 changes." {
		t.Errorf("%q", got)
	}
	p.has("Ola Brekke", "Mend the way to mailpath", "17 behind", "http 401", "Today, Thu 19 Nov, 19:44", "Newsletter", "legitimate interest", "2 objected", "v3, 2 languages",
		"More people said no in the week of 9 November: 16; 5 do in a usual week.", "said no or let it lapse (down)", "9 Nov 2026", "16 Nov 2026, so far", "Send again now to mailpath", "up to date")
	s.read("/consent?purpose=measuring&weeks=52", http.StatusOK).has("In these 52 weeks 131 said yes, and nobody said no", "52 weeks")
	s.read("/consent?purpose=nonsense&weeks=7", http.StatusOK).has("In these 13 weeks")

	p = s.read("/consent/purposes/newsletter", http.StatusOK)
	p.has("Newsletter: ", "for 3 months", "direct marketing", "letters go there", "old, kept as proof", "Send me trips and offers, twice a month", "Send meg turer")
	s.read("/consent/purposes/advice", http.StatusOK).has("proceed with safeguards; assessed Sun 1 Feb by Kari Lunde")
	s.read("/consent/purposes/unheard-of", http.StatusNotFound)
	s.read("/consent/expiring", http.StatusOK).has("consents end in the next 30 days", "Newsletter", "Wed 25 Nov")
	s.read("/consent/restrictions", http.StatusOK).has("One restriction stands, and three objections.", "Disputes that the data is right", "I have told the person first")
}

// TestConsentRoomWithoutPurposes: what nobody declared is denied, and the room says so.
func TestConsentRoomWithoutPurposes(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	for path, heading := range map[string]string{
		"/consent":              "No purpose is declared, so every question is answered no.",
		"/consent/purposes":     "No purpose is declared, so every question is answered no.",
		"/consent/expiring":     "No consents end in the next 30 days.",
		"/consent/restrictions": "No restriction and no objection stands.",
		"/people":               "Find a person by what you know of them.",
	} {
		if got := s.read(path, http.StatusOK).heading(); got != heading {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// TestPersonIsFoundInTheBody: the value leads to a page whose address says nothing of the person, and neither does the page.
func TestPersonIsFoundInTheBody(t *testing.T) {
	s := newSite(t, consoletest.Full)
	ask := s.read("/people", http.StatusOK).fields("/people/find")
	find := func(kind, value string) (int, string) {
		form := url.Values{"token": ask["token"], "kind": {kind}, "value": {value}}
		w := s.post("/people/find", form)
		return w.Code, w.Header().Get("Location")
	}
	address := "/people/" + s.refs[consoletest.Person]
	for _, x := range [][2]string{{"email", "  IDA@example.com "}, {"id", s.refs[consoletest.Person]}} {
		if code, to := find(x[0], x[1]); code != http.StatusSeeOther || to != address {
			t.Errorf("by %s: %d, %s", x[0], code, to)
		}
	}
	for _, x := range []struct {
		kind, value string
		code        int
	}{{"email", "stranger@example.org", http.StatusNotFound}, {"email", "ida", http.StatusUnprocessableEntity}, {"shoe", "44", http.StatusUnprocessableEntity},
		{"phone", " ", http.StatusUnprocessableEntity}, {"id", "sub_x", http.StatusNotFound}} {
		if code, to := find(x.kind, x.value); code != x.code || to != "" {
			t.Errorf("%s: %d, %s", x.kind, code, to)
		}
	}
	p := s.read(address, http.StatusOK)
	if got := p.heading(); got != "Three of six purposes are allowed for this person." {
		t.Errorf("%q", got)
	}
	p.has("i····", "The person withdrew", "The person has not confirmed yet", "to be confirmed until 25 Nov", "The person objected", "“Stop all letters”",
		"“Send me trips and offers, twice a month”", "notice newsletter, version 2, en", "signed receipt", "I want no advice")
	s.read("/people/sub_00000000000000000000000000", http.StatusNotFound)
	w := s.get(address + "/consents/" + s.refs[consoletest.Given] + "/receipt")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || !consent.IsReceipt(w.Body.Bytes()) {
		t.Errorf("the receipt: %d", w.Code)
	}
	other := s.world.Consents.Find(subject.Identity{Kind: "email", Value: "member5@example.com"})
	s.read("/people/"+s.world.Consents.Who(other.Person())+"/consents/"+s.refs[consoletest.Given]+"/receipt", http.StatusNotFound)
}

// TestWhatAPersonSaysIsWrittenDown: each form changes what is decided, and a restriction is lifted only once the person was told.
func TestWhatAPersonSaysIsWrittenDown(t *testing.T) {
	s := newSite(t, consoletest.Full)
	id := subject.Identity{Kind: "email", Value: "ida@example.com"}
	address := "/people/" + s.refs[consoletest.Person]
	reason := func(purpose, category string) consent.Reason {
		return s.world.Consents.Decide(s.world.Consents.Find(id), purpose, category, false).Reason
	}
	send := func(code int, page, action string, more url.Values) {
		t.Helper()
		form := s.read(page, http.StatusOK).fields(action)
		for k, v := range more {
			form[k] = v
		}
		if w := s.post(action, form); w.Code != code {
			t.Errorf("%s: %d", action, w.Code)
		}
	}
	send(422, address, address+"/withdraw", url.Values{"purpose": {""}})
	send(303, address, address+"/withdraw", url.Values{"purpose": {"measuring"}, "reason": {"No more counting"}})
	if got := reason("measuring", "usage"); got != consent.WasWithdrawn {
		t.Errorf("after a withdrawal: %s", got)
	}
	send(422, address, address+"/limit", url.Values{"ground": {"restriction/nonsense"}})
	send(303, address, address+"/limit", url.Values{"ground": {"restriction/accuracy_dispute"}, "purpose": {"orders"}, "because": {"My address is wrong"}})
	if got := reason("orders", "contact"); got != consent.IsRestricted {
		t.Errorf("after a restriction: %s", got)
	}
	p := s.read(address, http.StatusOK)
	p.has("their data is restricted", "My address is wrong", "No to Measuring the site")
	facts := s.world.Consents.FactsOf(s.world.Consents.Find(id))
	lift := "/consent/restrictions/" + facts[len(facts)-1].ID + "/lift"
	send(422, address, lift, nil)
	if got := reason("orders", "contact"); got != consent.IsRestricted {
		t.Errorf("lifted before the person was told: %s", got)
	}
	send(303, address, lift, url.Values{"told": {"yes"}})
	if got := reason("orders", "contact"); got != consent.BasisDeclared {
		t.Errorf("after lifting: %s", got)
	}
	if w := s.post(lift, p.fields("/consent/restrictions/"+facts[0].ID+"/lift")); w.Code != http.StatusNotFound {
		t.Errorf("lifted twice: %d", w.Code)
	}
}

// TestSendAgain takes a service's pause away; a service nobody knows is told apart.
func TestSendAgain(t *testing.T) {
	s := newSite(t, consoletest.Full)
	form := s.read("/consent", http.StatusOK).fields("/consent/targets/mailpath/again")
	if w := s.post("/consent/targets/mailpath/again", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/consent#heard" {
		t.Errorf("%d", w.Code)
	}
	s.read("/consent", http.StatusOK).has("at once")
	if w := s.post("/consent/targets/nobody/again", form); w.Code != http.StatusNotFound {
		t.Errorf("a service nobody knows: %d", w.Code)
	}
	form.Set("token", "of somebody else")
	if w := s.post("/consent/targets/mailpath/again", form); w.Code != http.StatusForbidden {
		t.Errorf("without the token: %d", w.Code)
	}
}

// TestDeadlinesThatPassed: what was late becomes over, and an assessment that ended is somebody's task.
func TestDeadlinesThatPassed(t *testing.T) {
	s := newSite(t, consoletest.Full)
	s.world.Clock.Advance(80 * 24 * time.Hour)
	p := s.read("/consent", http.StatusOK)
	p.has("Thu 19 Nov 2026, over", "that was the time to have heard", "Measuring the site")
	p = s.read("/consent/purposes/advice", http.StatusOK)
	if got := p.heading(); got != "Advice from past orders: without a valid assessment every question is answered no." {
		t.Errorf("%q", got)
	}
	p.has("Assess the interest again", "not valid")
	s.read("/", http.StatusOK).has("Consent: mailpath has not heard of 17 changes", "Consent: Advice from past orders has no valid assessment")
	s.read("/people/"+s.refs[consoletest.Person], http.StatusOK).has("not confirmed in time")
}
