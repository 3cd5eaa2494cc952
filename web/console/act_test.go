package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/consoletest"
	"github.com/ombudhq/ombud/web/console"
)

// follow sends a form that must be taken, waits for what it began, and gives where it leads to.
func (s *site) follow(path string, form url.Values) string {
	s.t.Helper()
	w := s.post(path, form)
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || to == "" {
		s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return to
}

func TestTakeInApproveAndProve(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	if err := os.WriteFile(filepath.Join(s.world.Dir, "ombud.yaml"), []byte(withoutGuesses(t, s)), 0o600); err != nil {
		t.Fatal(err)
	}
	form := s.read("/requests/new", http.StatusOK).fields("/requests")
	form.Set("kind", "erasure")
	form.Set("by", "email")
	form.Set("value", " Olav@Example.com ")
	to := s.follow("/requests", form)
	if !regexp.MustCompile(`^/requests/R-2026-\d{4}$`).MatchString(to) {
		t.Fatalf("it leads to %s", to)
	}
	p := s.read(to, http.StatusOK)
	p.has("Approve plan")
	approve := p.fields(to + "/approve")
	if hash := approve.Get("hash"); len(hash) != 64 || !strings.Contains(text(p.root), "Approve plan "+hash[:4]+" "+hash[4:8]) {
		t.Errorf("the form's hash is %s", hash)
	}
	s.follow(to+"/approve", approve)
	s.world.Wait()
	s.read(to, http.StatusOK).has("done, and proven by looking again", "Download the receipt")
	again := s.post(to+"/approve", approve)
	if again.Code != http.StatusConflict {
		t.Errorf("approved twice: %d", again.Code)
	}
	s.parse("approved twice", again)
}

// withoutGuesses is ombud.yaml before the scan.
func withoutGuesses(t *testing.T, s *site) string {
	b, err := os.ReadFile(filepath.Join(s.world.Dir, "ombud.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(b), "  - id: events\n")
	return before
}

func TestWrongFormsChangeNothing(t *testing.T) {
	s := newSite(t, consoletest.Full)
	at := "/requests/" + s.refs["planned"]
	good := s.read(at, http.StatusOK).fields(at + "/approve")
	size := s.world.Ledger.Size()
	with := func(key, value string) url.Values {
		out := url.Values{}
		for k, v := range good {
			out[k] = v
		}
		out.Set(key, value)
		return out
	}
	for _, c := range []struct {
		name, path string
		form       url.Values
		code       int
	}{
		{"no token", at + "/approve", with("token", ""), 403},
		{"another token", at + "/approve", with("token", strings.Repeat("0", 64)), 403},
		{"another hash", at + "/approve", with("hash", strings.Repeat("0", 64)), 403},
		{"no hash", at + "/approve", with("hash", ""), 422},
		{"the first digits only", at + "/approve", with("hash", good.Get("hash")[:16]), 403},
		{"no reason", at + "/refuse", with("because", "  "), 422},
		{"no such request", "/requests/R-2026-9999/approve", good, 404},
		{"a retry of what was not run", at + "/retry", good, 409},
		{"nothing held", at + "/release", good, 409},
		{"no such guess", "/map/answer", with("accept", "p-nothing"), 422},
		{"no kind", "/requests", good, 422},
	} {
		w := s.post(c.path, c.form)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.code)
		}
		s.parse(c.name, w)
	}
	s.read(at, http.StatusOK).has("Approve plan")
	if got := s.world.Ledger.Size(); got != size {
		t.Errorf("%d entries were written", got-size)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	s := newSite(t, consoletest.Full)
	at := "/requests/" + s.refs["planned"]
	good := s.read(at, http.StatusOK).fields(at + "/approve")
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"}} {
		r := httptest.NewRequest(http.MethodPost, at+"/approve", strings.NewReader(good.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header[0], header[1])
		w := s.do(r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%v: %d", header, w.Code)
		}
		if got := s.parse(header[1], w).heading(); got != "Another site sent this; nothing was changed." {
			t.Errorf("%q", got)
		}
	}
	s.read(at, http.StatusOK).has("Approve plan")
}

func TestFormSaysWhatToMend(t *testing.T) {
	s := newSite(t, consoletest.Full)
	form := s.read("/requests/new", http.StatusOK).fields("/requests")
	for _, c := range []struct {
		kind, by, value string
		says            []string
	}{
		{"", "email", "a@example.org", []string{"Please check 1 thing", "Say what the person asks"}},
		{"access", "shoe size", "a@example.org", []string{"Choose what you know of the person"}},
		{"access", "email", "", []string{"Write the value you know of the person"}},
		{"erasure", "email", "anna", []string{"Write the e-mail address with an @"}},
		{"", "", "", []string{"Please check 3 things"}},
	} {
		form.Set("kind", c.kind)
		form.Set("by", c.by)
		form.Set("value", c.value)
		w := s.post("/requests", form)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%+v: %d", c, w.Code)
		}
		s.parse("/requests/new", w).has(c.says...)
	}
}

func TestAnswersBecomeRules(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	form := s.read("/map", http.StatusOK).fields("/map/answer")
	form.Set("accept", "p-visitors")
	s.follow("/map/answer", form)
	form.Del("accept")
	form.Set("reject", "t-receipts")
	if to := s.follow("/map/answer", form); to != "/map#findings" {
		t.Errorf("it leads to %s", to)
	}
	b, err := os.ReadFile(filepath.Join(s.world.Dir, "ombud.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); !strings.HasPrefix(got, "# Where Fjordly's data of people lies.\n") || strings.Contains(got, "proposed") || !strings.Contains(got, "rejected: true") {
		t.Errorf("ombud.yaml is\n%s", got)
	}
	p := s.read("/map", http.StatusOK)
	p.has("None.")
	at := "/requests/" + s.refs["blocked"]
	s.follow(at+"/plan", s.read(at, http.StatusOK).fields(at+"/plan"))
	s.read(at, http.StatusOK).has("the plan is ready for you")
}

func TestAccessIsRunReviewedAndHandedOver(t *testing.T) {
	s := newSite(t, consoletest.Full)
	at := "/requests/" + s.refs["access-complete"]
	w := s.get(at + "/package")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/zip" || !strings.HasPrefix(bodyOf(w), "PK") {
		t.Fatalf("the package: %d %v", w.Code, w.Header())
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="R-2026-0004.zip"` {
		t.Error(got)
	}
	if err := os.Remove(filepath.Join(s.world.Dir, "data", "packages", "R-2026-0004.zip")); err != nil {
		t.Fatal(err)
	}
	before := s.world.Ledger.Size()
	if w := s.get(at + "/package"); w.Code != http.StatusNotFound || s.world.Ledger.Size() != before {
		t.Errorf("a package that lies elsewhere: %d, and %d new entries say that it was handed out", w.Code, s.world.Ledger.Size()-before)
	}
	gone := s.read(at, http.StatusOK)
	gone.has("The file is not here")
	gone.lacks("Download R-2026-0004.zip")
	failed := "/requests/" + s.refs["failed"]
	p := s.read(failed, http.StatusOK)
	if w := s.get(failed + "/package"); w.Code != http.StatusNotFound {
		t.Errorf("a package that was never made: %d", w.Code)
	}
	p.fields(failed + "/retry")
}

func TestHeldTextIsReleasedByAPerson(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	if err := os.WriteFile(filepath.Join(s.world.Dir, "ombud.yaml"), []byte(withoutGuesses(t, s)), 0o600); err != nil {
		t.Fatal(err)
	}
	form := s.read("/requests/new", http.StatusOK).fields("/requests")
	form.Set("kind", "access")
	form.Set("by", "email")
	form.Set("value", "bo@example.com")
	at := s.follow("/requests", form)
	p := s.read(at, http.StatusOK)
	p.has("ready to run")
	s.follow(at+"/run", p.fields(at+"/run"))
	s.world.Wait()
	p = s.read(at, http.StatusOK)
	p.has("some text waits for review", "support.messages.body: 1 text held back.")
	s.follow(at+"/release", p.fields(at+"/release"))
	s.world.Wait()
	p = s.read(at, http.StatusOK)
	p.has("the package is ready.", "Held text released by a person")
	p.lacks("Ship the package", "held back.")
	if w := s.get(at + "/package"); w.Code != http.StatusOK {
		t.Errorf("the package: %d", w.Code)
	}
}

func TestRefusalIsAPage(t *testing.T) {
	w := httptest.NewRecorder()
	if err := console.Refused(w, http.StatusUnauthorized, "this address is of an earlier start", "Open the one that ombud serve printed."); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, consoletest.Empty)
	if got := s.parse("refused", w).heading(); got != "This address is of an earlier start." {
		t.Errorf("%q", got)
	}
}

func TestFiles(t *testing.T) {
	s := newSite(t, consoletest.Full)
	at := "/requests/" + s.refs["complete"]
	r, err := s.world.Requests.Get(t.Context(), s.refs["complete"])
	if err != nil {
		t.Fatal(err)
	}
	entry := fmt.Sprintf("/entries/%d", r.Entries[0])
	for path, kind := range map[string]string{"/plan.json": "application/json", "/receipt": "application/json", "/opening": "application/json", entry: "application/json"} {
		w := s.get(at + path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s is no JSON", path)
		}
	}
	for _, path := range []string{"/entries/1", "/entries/x", "/package"} { // of another request, of nobody, of no access
		if w := s.get(at + path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestProgress(t *testing.T) {
	s := newSite(t, consoletest.Full)
	var got struct{ State, Phase, Words, Speaks string }
	if err := json.Unmarshal(s.get("/requests/"+s.refs["running"]+"/progress").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.State != "running" || got.Phase != "act" || !strings.HasPrefix(got.Words, "Erasing: 1 of ") || !strings.HasPrefix(got.Speaks, "Erasing in ") {
		t.Errorf("%+v", got)
	}
	if body := s.get("/requests/" + s.refs["running"]).Body.String(); !strings.Contains(body, `<noscript><meta http-equiv="refresh" content="3"`) {
		t.Error("without script the page does not load itself again")
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	s := newSite(t, consoletest.Empty)
	found := regexp.MustCompile(`/assets/[0-9a-f]{16}/[a-z]+\.(css|js|svg)`).FindAllString(s.get("/").Body.String(), -1)
	if len(found) != 7 {
		t.Fatalf("%v", found)
	}
	for _, path := range found {
		w := s.get(path)
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Body.Len() == 0 {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		for _, bad := range []string{"http:", "https:", "@import", "eval("} {
			if strings.Contains(strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", ""), bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
		old := strings.Replace(path, path[8:24], strings.Repeat("0", 16), 1)
		if w := s.get(old); w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", old, w.Code, w.Header())
		}
	}
}

// TestTwoRowsAreSaidToBeOnePerson answers the merge review by a form, after which the plan can be approved.
func TestTwoRowsAreSaidToBeOnePerson(t *testing.T) {
	s := newSite(t, consoletest.Guesses)
	if err := os.WriteFile(filepath.Join(s.world.Dir, "ombud.yaml"), []byte(withoutGuesses(t, s)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := consoletest.Exec(t.Context(), s.world.Dir, "shop", `insert into customers values (9001, 'OLAV@example.com', 'Olav', '+47 900 00 999')`); err != nil {
		t.Fatal(err)
	}
	form := s.read("/requests/new", http.StatusOK).fields("/requests")
	form.Set("kind", "erasure")
	form.Set("by", "email")
	form.Set("value", "olav@example.com")
	to := s.follow("/requests", form)
	p := s.read(to, http.StatusOK)
	p.has("cannot be approved", "They are one person: plan again")
	answer := p.fields(to + "/plan")
	answer.Set("same", "yes")
	s.follow(to+"/plan", answer)
	s.read(to, http.StatusOK).has("Approve plan")
}
