package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/consoletest"
)

// TestRequestInEveryState: the heading is computed from the state, and the page says what that state is about.
func TestRequestInEveryState(t *testing.T) {
	s := newSite(t, consoletest.Full)
	for state, want := range map[string]struct {
		heading string
		says    []string
	}{
		"planned":         {"Erasure for email i····: the plan is ready for you.", []string{"You kari", "Tomorrow, Fri 20 Nov", "law says Mon 14 Dec, 25 days left", "Approve plan", "Nothing has been touched. 4 systems were asked and answered.", "rows deleted", "Bookkeeping law, 5 years", "Until 1 Mar 2029 to 1 Mar 2030", "email › customers › orders.customer_id", "trigger address_gone"}},
		"gap":             {"Erasure for email e····: the plan is ready for you.", []string{"4 systems were asked, 3 answered.", "not reached", "Ola Brekke acts", "1 gap."}},
		"drifted":         {"Erasure for email j····: the data moved, so here is a new plan.", []string{"Approve plan", "The data moved, planned again"}},
		"mass":            {"Erasure for 2 people: the plan is ready for you.", nil},
		"late":            {"Erasure for email p····: the plan is ready for you.", []string{"7 days late", "GDPR Art. 12(3)"}},
		"running":         {"Erasure for email k····: Ombud is at work.", []string{"Erasing: 1 of", "Runs the plan"}},
		"complete":        {"Erasure R-2026-0002: done, and proven by looking again.", []string{"none left", "stays", "What stays, and why", "ombud verify erasure R-2026-0002", "inclusion proof", "on the same day; the law allowed until"}},
		"nobody":          {"Erasure R-2026-0003: done, nobody was found.", []string{"Every system was searched"}},
		"incomplete":      {"Erasure for email s····: incomplete, one thing remains.", []string{"not reached", "Ola Brekke", "Try again what remains"}},
		"failed":          {"Access for email t····: the run failed.", []string{"Run it again"}},
		"refused":         {"Erasure R-2026-0005: refused.", []string{"GDPR Art. 12(4)"}},
		"access":          {"Access for email l····: ready to run.", []string{"Run and make the package", "rows copied"}},
		"access-complete": {"Access for email b····: the package is ready, some text waits for review.", []string{"Download R-2026-0004.zip", "held back", "Ship the package with these texts", "Sat 21 Nov"}},
	} {
		p := s.read("/requests/"+s.refs[state], http.StatusOK)
		if got := p.heading(); got != want.heading {
			t.Errorf("%s: %q, want %q", state, got, want.heading)
		}
		p.has(want.says...)
		if state != "planned" && state != "gap" && state != "drifted" && state != "mass" && state != "late" {
			p.lacks("Approve plan")
		}
	}
}

// TestEveryPage: what a page must keep, every route's page keeps.
func TestEveryPage(t *testing.T) {
	s := newSite(t, consoletest.Full)
	pages, err := s.world.Pages(t.Context(), s.refs)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 13 {
		t.Errorf("only %d pages", len(pages))
	}
	for _, path := range pages {
		s.read(path, http.StatusOK)
	}
}

func TestBlockedPlan(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	p := s.read("/requests/"+s.refs["blocked"], http.StatusOK)
	if got := p.heading(); got != "Erasure for email i····: two questions come first." {
		t.Errorf("%q", got)
	}
	p.has("questions to answer", "This plan cannot be approved before these are answered", "events.visitors", "ombud scan --accept p-visitors")
	p.lacks("Approve plan")
}

func TestHome(t *testing.T) {
	s := newSite(t, consoletest.Full)
	p := s.read("/", http.StatusOK)
	if got := p.heading(); got != "Nine things need you. One request is late." {
		t.Errorf("%q", got)
	}
	p.has("Thursday 19 November 2026, 09:40 UTC. 9 requests are open; 1 waits for somebody else.", "7 days late", "own target; the law says Mon 14 Dec",
		"Limits in the next 14 days", "The same as a table", "Mon 30 Nov", "Plan approved: Erasure R-2026-0013", "Fjordly AS", "kari, on this machine")
	p.has("Consent: mailpath has not heard of", "See that Ola Brekke acts")
	p.lacks("Incidents", "Retention") // rooms that are not built
}

func TestNothingYet(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	for path, heading := range map[string]string{
		"/":             "Ombud is here, and knows no system yet.",
		"/requests":     "Nobody has asked yet.",
		"/requests/new": "Take in what a person asks.",
		"/map":          "No system is connected yet.",
		"/keys":         "Every page can be worked with a keyboard.",
	} {
		if got := s.read(path, http.StatusOK).heading(); got != heading {
			t.Errorf("%s: %q, want %q", path, got, heading)
		}
	}
	s.read("/", http.StatusOK).has("ombud scan shop=")
}

func TestHomeTellsOfFindings(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	p := s.read("/", http.StatusOK)
	if got := p.heading(); got != "Two things need you. Nothing is late." {
		t.Errorf("%q", got)
	}
	p.has("Data map: 2 findings", "Say yes or no to what was guessed")
}

func TestListIsNarrowedByTheAddress(t *testing.T) {
	s := newSite(t, consoletest.Full)
	for query, want := range map[string]struct{ has, lacks string }{
		"":                  {"R-2026-0009", "R-2026-0002"},
		"?state=closed":     {"R-2026-0002", "R-2026-0009"},
		"?state=you":        {"R-2026-0004", "R-2026-0013"},
		"?state=incomplete": {"R-2026-0007", "R-2026-0009"},
		"?state=all":        {"R-2026-0003", "No request here"},
		"?due=late":         {"R-2026-0001", "R-2026-0009"},
		"?due=3":            {"No request here", "R-2026-0009"},
		"?due=later":        {"R-2026-0009", "R-2026-0001"},
		"?state=nonsense":   {"R-2026-0009", "R-2026-0002"},
	} {
		p := s.read("/requests"+query, http.StatusOK)
		p.has(want.has)
		p.lacks(want.lacks)
	}
}

func TestDataMap(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	p := s.read("/map", http.StatusOK)
	if got := p.heading(); got != "Two findings wait for a yes or no." {
		t.Errorf("%q", got)
	}
	p.has("people enter here, by email", "88 of 100 sampled values are e-mail addresses, 0.91 sure", "Nobody has said whether these hold personal data: events.odds",
		"billing.invoices", "keep: bookkeeping law, 5 years", "shop.orders (link, own)", "customers (key, own)", "5 systems with 15 datasets")

	full := newSite(t, consoletest.Full)
	if got := full.read("/map", http.StatusOK).heading(); got != "Every dataset is spoken for." {
		t.Errorf("%q", got)
	}
}

func TestErrorsArePages(t *testing.T) {
	s := newSite(t, consoletest.Full)
	for path, heading := range map[string]string{
		"/nothing":                "Nothing is here.",
		"/requests/R-2026-9999":   "", // whatever the service says of it
		"/requests/x/y/z":         "Nothing is here.",
		"/requests/R-2026-0009/x": "Nothing is here.",
	} {
		p := s.read(path, http.StatusNotFound)
		if got := p.heading(); heading != "" && got != heading {
			t.Errorf("%s: %q", path, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := s.do(httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	if w.Code < 500 {
		t.Errorf("a store that does not answer: %d", w.Code)
	}
	s.parse("/ of a store that does not answer", w).lacks("sql", "context canceled")
	if len(s.world.Errors) == 0 {
		t.Error("nobody was told")
	}
}
