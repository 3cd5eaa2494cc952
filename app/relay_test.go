package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServicesHear: a service of the purpose's systems hears of the withdrawal, thinly; one of others does not; one that
// may know the address gets it; what acted is acknowledged.
func TestServicesHear(t *testing.T) {
	type heard struct {
		path string
		body map[string]any
	}
	inbox := make(chan heard, 16)
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := heard{path: r.URL.Path}
		if r.Header.Get("Webhook-Signature") == "" || json.NewDecoder(r.Body).Decode(&h.body) != nil {
			t.Error("an event without signature, or no event")
		}
		inbox <- h
	}))
	defer hooks.Close()
	t.Setenv("MAILER_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	dir := t.TempDir()
	shop(t, dir)
	config := strings.Replace(shopConfig+letters, "    categories: [contact]\n    notices", "    categories: [contact]\n    systems: [shop]\n    notices", 1) + `targets:
  - {id: mailer, url: "` + hooks.URL + `/mailer", systems: [shop], secret: "${MAILER_SECRET}", identity: none, allow: private}
  - {id: crm, url: "` + hooks.URL + `/crm", secret: "${MAILER_SECRET}", identity: email, allow: private}
`
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	defer s.stop()
	code, _, _ := s.v1("POST", "/consents", strings.Replace(saysYes, "%s", "", 1))
	s.want("saying yes", code, 201)
	code, _, _ = s.v1("POST", "/consents/withdraw", `{"subject":{"email":"ida@example.com"},"all":true}`)
	s.want("saying no", code, 200)
	kinds := map[string][]string{}
	var id string
	for range 4 {
		select {
		case h := <-inbox:
			kinds[h.path] = append(kinds[h.path], h.body["type"].(string))
			data, _ := json.Marshal(h.body)
			if names := strings.Contains(string(data), "ida@example.com"); names != (h.path == "/crm") {
				t.Errorf("%s is told %s", h.path, data)
			}
			if h.path == "/mailer" {
				id = h.body["id"].(string)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("only these were heard: %v", kinds)
		}
	}
	for _, path := range []string{"/mailer", "/crm"} {
		if strings.Join(kinds[path], " ") != "consent.given consent.withdrawn" {
			t.Errorf("%s heard %v", path, kinds[path])
		}
	}
	code, _, body := s.v1("POST", "/propagations/"+id+"/ack", "")
	if code != 200 || !strings.Contains(body, `"acted"`) {
		t.Errorf("acknowledging: %d %s", code, body)
	}
	if code, _, body = s.v1("GET", "/targets", ""); code != 200 || !strings.Contains(body, `"target":"mailer"`) || strings.Contains(body, "whsec") {
		t.Errorf("%d: %s", code, body)
	}
}
