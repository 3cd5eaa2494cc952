package app_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const letters = `purposes:
  - id: letters
    basis: consent
    categories: [contact]
    notices: [{id: letters, version: "3", language: en, text: "Send me trips and offers"}]
  - {id: orders, basis: contract, categories: [contact]}
`

// consenting is a company with purposes, served.
func consenting(t *testing.T) (*server, string) {
	t.Helper()
	dir := t.TempDir()
	shop(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(shopConfig+letters), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, dir), dir
}

const (
	saysYes = `{"subject":{"email":"ida@example.com"},"purpose":"letters","categories":["contact"],"status":"given","method":"web_form","notice":{"id":"letters","version":"3","language":"en"%s}}`
	asks    = `{"subject":{"email":"Ida@Example.com"},"purpose":"letters","category":"contact"%s}`
)

type decision struct {
	Allowed    bool    `json:"allowed"`
	Basis      *string `json:"basis"`
	ConsentID  *string `json:"consent_id"`
	Reason     string  `json:"reason"`
	ValidUntil *string `json:"valid_until"`
	Revision   int64   `json:"revision"`
	Subject    string  `json:"subject"`
}

func (s *server) decide(more string) decision {
	s.t.Helper()
	code, _, body := s.v1("POST", "/decisions", strings.Replace(asks, "%s", more, 1))
	s.want("asking", code, 200)
	var d decision
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		s.t.Fatalf("%v: %s", err, body)
	}
	return d
}

// TestConsentOverHTTP says yes, asks, says no, asks, and says yes again too early and in time.
func TestConsentOverHTTP(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	if d := s.decide(""); d.Allowed || d.Reason != "unknown-person" || d.ConsentID != nil {
		t.Errorf("%+v", d)
	}
	code, _, body := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	var c struct {
		ID       string `json:"consent_id"`
		Revision int64  `json:"revision"`
	}
	if err := json.Unmarshal([]byte(body), &c); err != nil || !strings.HasPrefix(c.ID, "con_") || len(c.ID) != 30 {
		t.Fatalf("%v: %s", err, body)
	}
	d := s.decide(`,"min_revision":` + strconv.FormatInt(c.Revision, 10))
	if !d.Allowed || *d.ConsentID != c.ID || *d.Basis != "consent" || d.ValidUntil == nil || d.Revision < c.Revision || !strings.HasPrefix(d.Subject, "sub_") {
		t.Errorf("%+v", d)
	}
	code, _, _ = s.v1("POST", "/decisions", strings.Replace(asks, "%s", `,"min_revision":9007199254740991`, 1))
	s.want("a revision that is not here", code, 503)

	code, _, body = s.v1("POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"purpose":"letters","reason":"too many"}`)
	s.want("saying no", code, 200)
	var no struct{ Ended, Revision int64 }
	if err := json.Unmarshal([]byte(body), &no); err != nil || no.Ended != 1 {
		t.Errorf("%v: %s", err, body)
	}
	if d := s.decide(""); d.Allowed || d.Reason != "withdrawn" {
		t.Errorf("%+v", d)
	}
	seen := func(n int64) string {
		return strings.Replace(saysYes, "%s", `,"seen_revision":`+strconv.FormatInt(n, 10), 1)
	}
	code, _, _ = s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("a yes that shows nothing", code, 422)
	code, _, _ = s.v1("POST", "/consents", seen(c.Revision))
	s.want("a late yes", code, 409)
	code, _, _ = s.v1("POST", "/consents", seen(no.Revision))
	s.want("a new yes", code, 201)
	if d := s.decide(""); !d.Allowed {
		t.Errorf("%+v", d)
	}
	s.looksAt(d.Subject, c.ID)
}

// looksAt asks for all that shows something of one person; each look is an entry.
func (s *server) looksAt(who, consent string) {
	t := s.t
	t.Helper()
	code, _, body := s.v1("POST", "/consents/history", `{"subject":{"id":"`+who+`"}}`)
	s.want("the history", code, 200)
	s.looks(1)
	if strings.Count(body, `"kind":"consent.`) != 3 || !strings.Contains(body, "Send me trips and offers") {
		t.Errorf("%s", body)
	}
	code, _, body = s.v1("GET", "/consents/"+consent+"/receipt", "")
	s.want("the receipt", code, 200)
	if !strings.Contains(body, "27560") {
		t.Errorf("%s", body)
	}
	s.looks(2)
	code, _, _ = s.v1("GET", "/consents/"+consent, "")
	s.want("one consent", code, 200)
	s.looks(3)
	code, _, _ = s.v1("POST", "/consents/history", `{"subject":{"email":"nobody@example.com"}}`)
	s.want("nobody's history", code, 404)
	s.looks(3)
}

// looks counts the entries of who was shown something of a person over HTTP.
func (s *server) looks(want int) {
	s.t.Helper()
	code, _, body := s.v1("GET", "/ledger/entries?kind=subject.read", "")
	if n := strings.Count(body, `"kind":"subject.read"`); code != 200 || n != want || strings.Count(body, `"subject":"sub_`) != n {
		s.t.Errorf("%d: %d looks, want %d: %s", code, n, want, body)
	}
}

// TestDecisionsRefuseWhatIsMalformed: every fault in one problem, nothing of the body repeated.
func TestDecisionsRefuseWhatIsMalformed(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	for name, c := range map[string]struct {
		body string
		code int
		want string
	}{
		"nothing in it":    {`{}`, 422, `/category`},
		"unknown field":    {strings.Replace(asks, "%s", `,"email":"ida@example.com"`, 1), 422, "unknown field"},
		"another type":     {`{"subject":"ida@example.com","purpose":"letters","category":"contact"}`, 422, "/subject"},
		"a list":           {`[]`, 422, `{"message":"must be an object"}`},
		"half a number":    {strings.Replace(asks, "%s", `,"min_revision":1.5`, 1), 422, `{"where":"/min_revision","message":"must be a whole number"}`},
		"not JSON":         {`ida@example.com`, 422, "not JSON"},
		"two values":       {strings.Replace(asks, "%s", "", 1) + "{}", 422, "more than one"},
		"too long":         {`{"purpose":"` + strings.Repeat("x", 17<<10) + `"}`, 413, "longer"},
		"negative":         {strings.Replace(asks, "%s", `,"min_revision":-1`, 1), 422, "min_revision"},
		"escaped and fine": {strings.Replace(strings.Replace(asks, "%s", "", 1), "letters", `l\u0065tters`, 1), 200, "unknown-person"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, body := s.v1("POST", "/decisions", c.body)
			if code != c.code || !strings.Contains(body, c.want) || strings.Contains(body, "ida@") {
				t.Errorf("%d: %s", code, body)
			}
		})
	}
	code, _, body := s.v1("POST", "/decisions/batch", `{"decisions":[{},`+strings.Replace(asks, "%s", "", 1)+`,{"purpose":"x"}]}`)
	if code != 422 || strings.Count(body, `"where"`) != 5 {
		t.Errorf("%d: %s", code, body)
	}
	code, _, body = s.v1("POST", "/decisions/batch", `{"decisions":[{"purpose":"x"},{"x":1},5]}`)
	if code != 422 || strings.Count(body, `"where":"/decisions/0/`) != 2 || strings.Count(body, `"where":"/decisions/`) != 4 || !strings.Contains(body, `"where":"/decisions/2"`) {
		t.Errorf("of several kinds: %d: %s", code, body)
	}
	code, _, body = s.v1("POST", "/decisions/batch", `{"decisions":[`+strings.Replace(asks, "%s", "", 1)+`,`+strings.Replace(asks, "%s", `,"signals":{"gpc":true}`, 1)+`]}`)
	if code != 200 || strings.Count(body, `"reason":"unknown-person"`) != 2 {
		t.Errorf("%d: %s", code, body)
	}
	code, _, body = s.v1("POST", "/decisions/stream", strings.Replace(asks, "%s", "", 1)+"\n{}\n")
	if lines := strings.Split(strings.TrimSpace(body), "\n"); code != 200 || len(lines) != 2 || !strings.Contains(lines[1], `"status":422`) {
		t.Errorf("%d: %s", code, body)
	}
}

// TestAYesIsNotSaidAgain: an Idempotency-Key makes acts happen once; a question that brings one is answered as things stand.
func TestAYesIsNotSaidAgain(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	ask := func(path, body string) string {
		t.Helper()
		code, h, out := s.v1("POST", path, body, "Idempotency-Key", "k1")
		if code >= 300 || h.Get("Idempotent-Replayed") != "" {
			t.Fatalf("%s: %d, replayed %q: %s", path, code, h.Get("Idempotent-Replayed"), out)
		}
		return out
	}
	question := strings.Replace(asks, "%s", "", 1)
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	yes := ask("/decisions", question)
	code, _, _ = s.v1("POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"purpose":"letters"}`)
	s.want("saying no", code, 200)
	if no := ask("/decisions", question); !strings.Contains(yes, `"allowed":true`) || !strings.Contains(no, `"allowed":false`) {
		t.Errorf("%s, then %s", yes, no)
	}
}

// TestStreamOfARevokedKey: a stream of questions ends with the key that began it.
func TestStreamOfARevokedKey(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	id, key := newKey(t, dir, "service")
	stream, question := s.stream(key), strings.Replace(asks, "%s", "", 1)
	if line, open := stream(question); !open || !strings.Contains(line, "unknown-person") {
		t.Fatalf("before: %s", line)
	}
	if code, _, errs := command(t, dir, "", "key", "revoke", id); code != 0 {
		t.Fatal(errs)
	}
	if line, open := stream(question); open {
		t.Errorf("answered after the key was revoked: %s", line)
	}
}

// stream opens a stream of questions, and gives how to ask on it: the answer, and whether there was one.
func (s *server) stream(key string) func(question string) (answer string, open bool) {
	s.t.Helper()
	body, asking := io.Pipe()
	s.t.Cleanup(func() { _ = asking.Close() })
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", s.base+"/v1/decisions/stream", body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	var lines *bufio.Scanner
	return func(question string) (string, bool) {
		s.t.Helper()
		go func() { _, _ = io.WriteString(asking, question+"\n") }()
		if lines == nil {
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() { _ = resp.Body.Close() })
			lines = bufio.NewScanner(resp.Body)
		}
		open := lines.Scan()
		return lines.Text(), open
	}
}

// TestChangesAreStreamed: who keeps copies hears of every change, and that nothing changed.
func TestChangesAreStreamed(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	from := s.decide("").Revision
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.base+"/v1/changes?from="+strconv.FormatInt(from, 10), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	for next("event: ") != "head" {
	}
	if data := next("data: "); !strings.Contains(data, `"revision":`) || !strings.Contains(data, `Z"`) {
		t.Errorf("%s", data)
	}
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	for next("event: ") != "change" {
	}
	if id, data := next("id: "), next("data: "); id == "" || !strings.Contains(data, `"purposes":["letters"]`) || !strings.Contains(data, `"subject":"sub_`) {
		t.Errorf("%s %s", id, data)
	}
}

// TestGlobalPrivacyControl: who asks is told that it is obeyed, and exactly 1 in one of the headers is the signal.
func TestGlobalPrivacyControl(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	code, h, body := s.do("GET", "/.well-known/gpc.json", "")
	var said struct {
		GPC  bool
		Last string `json:"lastUpdate"`
	}
	if err := json.Unmarshal([]byte(body), &said); code != 200 || err != nil || !said.GPC || len(said.Last) != 10 || h.Get("Content-Type") != "application/json" {
		t.Errorf("%d: %s", code, body)
	}
	selling := strings.Replace(shopConfig, "[eu]", "[us-ca]", 1) + "purposes:\n  - {id: selling, basis: contract, categories: [contact], uses: [sale]}\n"
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(selling), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, _ = s.v1("GET", "/purposes", "")
	s.want("the new configuration", code, 200)
	for _, c := range []struct {
		sent []string
		stop bool
	}{{nil, false}, {[]string{"1"}, true}, {[]string{" 1 "}, true}, {[]string{"0", "1"}, true}, {[]string{"0"}, false}, {[]string{"true"}, false}, {[]string{"1, 0"}, false}, {[]string{"11"}, false}} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/v1/decisions", strings.NewReader(`{"subject":{"email":"x@example.com"},"purpose":"selling","category":"contact"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Sec-Gpc"] = c.sent
		r.Header.Set("Authorization", "Bearer "+s.token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var d decision
		err = json.NewDecoder(res.Body).Decode(&d)
		res.Body.Close()
		if err != nil || (d.Reason == "opt-out-signal") != c.stop {
			t.Errorf("%q: %+v, %v", c.sent, d, err)
		}
	}
}

// TestANoticeIsShownAtARevision: a yes to what was shown after a no counts, with the revision that came with the notice.
func TestANoticeIsShownAtARevision(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	shown := func() string {
		code, h, body := s.v1("GET", "/purposes", "")
		s.want("the notices", code, 200)
		_, one, _ := s.v1("GET", "/purposes/letters", "")
		seen := h.Get("Ombud-Revision")
		if seen == "" || one == nil || one.Get("Ombud-Revision") != seen || !strings.Contains(body, `"revision":`+seen) {
			t.Errorf("%v: %s", h, body)
		}
		return strings.Replace(saysYes, "%s", `,"seen_revision":`+seen, 1)
	}
	before := shown()
	code, _, _ := s.v1("POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`)
	s.want("saying no", code, 200)
	code, _, _ = s.v1("POST", "/consents", before)
	s.want("a yes to what was shown before", code, 409)
	code, _, _ = s.v1("POST", "/consents", shown())
	s.want("a yes to what was shown since", code, 201)
}

// TestAnErasureIsObeyedAtOnce: a request that was run to its proof leaves nothing that may be processed.
func TestAnErasureIsObeyedAtOnce(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	before := s.decide("")
	_, _, body := s.v1("POST", "/requests", `{"kind":"erasure","subject":{"email":"ida@example.com"}}`)
	r := decode(t, body)
	code, _, _ = s.v1("POST", "/requests/"+r.Request+"/approve", `{"hash":"`+r.Hash+`"}`)
	s.want("approving", code, 202)
	if r = s.finished(r.Ref); r.Status != "complete" {
		t.Fatalf("%+v", r)
	}
	if d := s.decide(""); d.Allowed || d.Reason != "erased" || d.Subject != "" || d.Revision <= before.Revision {
		t.Errorf("%+v", d)
	}
	_, _, body = s.v1("POST", "/decisions", `{"subject":{"id":"`+before.Subject+`"},"purpose":"orders","category":"contact"}`)
	if !strings.Contains(body, `"reason":"erased"`) {
		t.Errorf("by id: %s", body)
	}
	code, _, _ = s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("a yes that was on its way", code, 422)
}

// TestAStreamGoesOn: its lines are bounded, and how many there are is not.
func TestAStreamGoesOn(t *testing.T) {
	s, _ := consenting(t)
	defer s.stop()
	line := strings.Replace(asks, "%s", "", 1) + strings.Repeat(" ", 400) + "\n"
	n := 9<<20/len(line) + 1 // more than any other body may have
	code, _, body := s.v1("POST", "/decisions/stream", strings.Repeat(line, n))
	if got := strings.Count(body, `"unknown-person"`); code != 200 || got != n {
		t.Errorf("%d: %d answers to %d questions", code, got, n)
	}
}
