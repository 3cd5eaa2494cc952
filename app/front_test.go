package app

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/web/console"
)

// TestRoomsAreLabels: what a metric says of a path is one of a few words, never a part that somebody typed.
func TestRoomsAreLabels(t *testing.T) {
	for path, want := range map[string]string{
		"": "home", "/": "home", "/v1/requests": "v1/requests", "/v1/requests/R-1/plan": "v1/requests", "/v1/decisions/batch": "v1/decisions",
		"/requests/x": "requests", "/healthz": "healthz", "/v1": "other", "/v1/": "other", "/v1/ida@example.com": "other", "/ida@example.com": "other",
	} {
		if got := roomOf(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
	for _, pattern := range console.Patterns() {
		if _, path, _ := strings.Cut(pattern, " "); path != "/{$}" && roomOf(path) == "other" {
			t.Errorf("%s is no room", pattern)
		}
	}
}

// TestRoomsOfTheAPI: whatever the description of the API names has a room of its own in the metrics.
func TestRoomsOfTheAPI(t *testing.T) {
	f, _ := frontHere(t)
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:7443/v1/openapi.json", nil)
	r.Header.Set("Authorization", "Bearer "+f.token)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	var api struct{ Paths map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &api); err != nil || len(api.Paths) < 30 {
		t.Fatalf("%d: %d paths, %v", w.Code, len(api.Paths), err)
	}
	for path := range api.Paths {
		if roomOf(path) == "other" {
			t.Errorf("%s is no room", path)
		}
	}
}

// frontHere is the front of an App of its own, as its own machine reaches it, and writes its ombud.yaml.
func frontHere(t *testing.T) (_ *front, write func(string)) {
	t.Helper()
	a, _, write := openHere(t)
	d, err := localDoor(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7443})
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFront(t.Context(), a, d, "local:ida")
	if err != nil {
		t.Fatal(err)
	}
	return f, write
}

// blank is an answer that nobody reads.
type blank struct{ header http.Header }

func (b blank) Header() http.Header         { return b.header }
func (b blank) Write(p []byte) (int, error) { return len(p), nil }
func (b blank) WriteHeader(int)             {}

// TestDecisionsEnterCheaply: on its way to the handler a decision costs five allocations, and no look at the disk.
func TestDecisionsEnterCheaply(t *testing.T) {
	f, write := frontHere(t)
	a := f.app
	_, key, err := a.Keys.Create(t.Context(), access.KeyInput{Name: "checkout", Role: access.Service, Actor: "local:ida"})
	if err != nil {
		t.Fatal(err)
	}
	entered := 0
	a.Parts.programs = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if access.From(r.Context()).Role == access.Service {
			entered++
		}
	})
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7443/v1/decisions", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer "+key)
	w := blank{http.Header{}}
	f.ServeHTTP(w, r)
	write("organization: {name: New}\n") // would be taken in by whoever looks
	if n := testing.AllocsPerRun(100, func() { f.ServeHTTP(w, r) }); n > 5 {
		t.Errorf("%v allocations", n)
	}
	if entered != 102 {
		t.Errorf("%d of 102 were let in, in the name of the key, with the parts they had", entered)
	}
}
