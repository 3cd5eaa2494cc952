package app_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/internal/testkit/wait"
)

// canary stands in every identity, text and secret that the test gives away; nothing that leaves the program by another
// door than an answer to who may see it may hold it.
const canary = "kanarifugl"

// TestNothingSings lets the program meet a canary in every place, in good requests and bad ones, and then looks through
// its log, metrics, traces, headers, problems and files.
func TestNothingSings(t *testing.T) {
	urls, traces := []string{}, collect(t)
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		urls = append(urls, r.URL.String())
		http.Error(w, canary, http.StatusInternalServerError)
	}))
	t.Setenv("CANARY_SECRET", "whsec_"+"a2FuYXJpZnVnbGthbmFyaWZ1Z2xrYW5hcmlmdWds")
	t.Setenv("CANARY_KEY", canary+"-key")
	dir := t.TempDir()
	shop(t, dir)
	config := shopConfig + letters + `targets:
  - {id: crm, url: "` + hooks.URL + `/crm", secret: "${CANARY_SECRET}", key: "${CANARY_KEY}", identity: email, allow: private}
tracing: {endpoint: "` + traces.url + `", sample: 1, allow: private}
`
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	said := s.sing()
	if code, out, errs := command(t, dir, "", "admin", "create", "--name", canary, "--display", canary+" Nordmann", "--role", "system_admin"); code != 0 {
		t.Fatal(code, out, errs)
	}
	for _, c := range [][3]string{
		{"POST", "/sign-in", "name=" + canary + "&password=" + canary + "-password"}, {"GET", "/setup?link=" + canary, ""}, {"POST", "/setup", "link=" + canary + "&password=" + canary}, {"GET", "/accounts/" + canary, ""},
	} { // with an account, the door stands open to everybody
		_, h, body := s.do(c[0], c[1], c[2], "Content-Type", "application/x-www-form-urlencoded", "User-Agent", canary)
		said += body + strings.Join(h.Values("Location"), " ") + strings.Join(h.Values("Set-Cookie"), " ")
	}
	wait.Until(t, "it was told, and answered badly", func() bool { return strings.Contains(s.targetState(), "http 500") })
	_, _, metrics := s.do("GET", "/metrics", "")
	hooks.Close()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"metrics": metrics, "traces": traces.all(), "problems and headers": said, "log": s.log.String(), "URLs": strings.Join(urls, "\n")} {
		if text == "" && where != "log" {
			t.Errorf("%s: nothing was looked through", where)
		}
		sings(t, where, text)
	}
	for _, place := range []string{filepath.Join(dir, "ombud-data"), filepath.Join(dir, "ombud-data.heads")} {
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Type()&fs.ModeSocket != 0 {
				return err
			}
			b, err := os.ReadFile(path)
			sings(t, path, path+string(b))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func sings(t *testing.T, where, text string) {
	t.Helper()
	if i := strings.Index(strings.ToLower(text), canary); i >= 0 {
		t.Errorf("%s: %.200q", where, text[max(0, i-60):])
	}
}

func (s *server) targetState() string {
	_, _, body := s.v1("GET", "/targets", "")
	return body
}

// sing brings the canary everywhere, and gives the headers of all answers and the bodies of problems.
func (s *server) sing() string {
	address := canary + "@example.com"
	who := `"subject":{"email":"` + address + `"}`
	var out strings.Builder
	for _, c := range [][3]string{
		{"POST", "/v1/consents", `{` + who + `,"purpose":"letters","method":"web_form","user_agent":"` + canary + `","ip":"` + canary + `","metadata":{"` + canary + `":"x"},"notice":{"id":"letters","version":"3"}}`},
		{"POST", "/v1/consents", `{` + who + `,"purpose":"` + canary + `","method":"` + canary + `","categories":["` + canary + `"]}`},
		{"POST", "/v1/consents", `{` + who + `,"` + canary + `":1}`},
		{"POST", "/v1/consents/withdraw", `{` + who + `,"all":true,"reason":"` + canary + `"}`},
		{"POST", "/v1/consents/withdraw", `{` + who + `,"categories":["` + canary + `"]}`},
		{"POST", "/v1/consents/confirm", `{"token":"` + canary + `"}`},
		{"POST", "/v1/decisions", `{` + who + `,"purpose":"` + canary + `","category":"` + canary + `"}`},
		{"POST", "/v1/decisions", `{"subject":"` + address + `","purpose":1}`},
		{"POST", "/v1/decisions", canary},
		{"POST", "/v1/restrictions", `{` + who + `,"kind":"restriction","type":"legal_claims","because":"` + canary + `"}`},
		{"POST", "/v1/restrictions", `{` + who + `,"kind":"` + canary + `","type":"` + canary + `"}`},
		{"POST", "/v1/requests", `{"kind":"erasure",` + who + `}`},
		{"POST", "/v1/requests", `{"kind":"` + canary + `",` + who + `}`},
		{"GET", "/v1/requests/" + canary, ""},
		{"GET", "/" + canary + "?q=" + url.QueryEscape(address), ""},
		{"POST", "/v1/subjects/find", `{` + who + `}`},
		{"POST", "/v1/ledger/search", `{` + who + `,"actor":"` + canary + `"}`},
		{"POST", "/v1/ledger/search", `{"kind":"` + canary + `","cursor":"` + canary + `"}`},
		{"GET", "/v1/ledger/entries?cursor=" + canary, ""},
		{"POST", "/v1/pseudonyms", `{` + who + `,"context":"research"}`},
		{"POST", "/v1/pseudonyms", `{` + who + `,"` + canary + `":"x"}`},
		{"POST", "/v1/alarms/" + canary + "/review", `{"found":"` + canary + `"}`},
		{"GET", "/setup?link=" + canary, ""},
		{"GET", "/sign-in/from/" + canary + "?code=" + canary + "&state=" + canary, ""},
		{"POST", "/sign-in", "name=" + canary + "&password=" + canary},
		{"GET", "/log/looks?who=" + canary, ""},
	} {
		code, h, body := s.do(c[0], c[1], c[2], "Authorization", "Bearer "+s.token, "Content-Type", "application/json", "Idempotency-Key", canary+c[2], "Justification", "asked for by "+canary, "User-Agent", canary)
		for name, values := range h {
			out.WriteString(name + ": " + strings.Join(values, " ") + "\n")
		}
		if code >= 400 {
			out.WriteString(body)
		}
	}
	return out.String()
}
