package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoCardOfPeopleSurvives is TestNoCardSurvives for who has an account: the routes that are theirs alone, and what a call says of
// itself in headers, which entries of the log keep also where nothing but reading is asked for.
func TestNoCardOfPeopleSurvives(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	kari, _ := staff(t, dir)
	s := serve(t, dir)
	bearer := typed(t, dir, kari(), 0, "bearer", "access", "token", "--name", "kari")
	why := []string{"Justification", "the board asks for it"}
	_, _, description := s.as(bearer, "GET", "/openapi.json", "")
	routes := slices.DeleteFunc(s.routesWithBody(description), func(route string) bool {
		code, _, _ := s.as(bearer, "POST", route, "{}", why...)
		return code == http.StatusForbidden
	})
	if !slices.Contains(routes, "/resolutions") || len(routes) < 10 {
		t.Fatalf("%q", routes)
	}
	all := cards(1000)
	for i, card := range all {
		route, text := routes[i%len(routes)], written(card, i)
		for _, c := range []struct{ body, because string }{{fmt.Sprintf(`{"x":[{"y":%q}]}`, text), why[1]}, {`{}`, "ticket " + text}} {
			code, _, body := s.as(bearer, "POST", route, c.body, "Justification", c.because)
			if code != http.StatusUnprocessableEntity || !strings.Contains(body, "payment card") || strings.Contains(body, card) {
				t.Fatalf("%s with %s: %d %s", route, text, code, body)
			}
		}
		header := [][]string{{"Justification", "ticket " + text}, append([]string{"Purpose", text}, why...), append([]string{"User-Agent", "shop/" + text}, why...)}[i%3]
		if code, _, body := s.as(bearer, "GET", "/ledger/checkpoint", "", header...); code != http.StatusOK {
			t.Fatalf("reading with %s: %d %s", header[0], code, body)
		}
		if i%10 < 3 {
			code, _, body := s.as(bearer, "GET", "/ledger/entries?limit=1", "", header...)
			s.want(body, code, http.StatusOK)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	a := open(t, config(dir))
	rows, err := a.Ledger.Since(t.Context(), 0, 1<<20)
	must(t, err)
	b, err := json.Marshal(rows)
	must(t, err)
	must(t, a.Close())
	if n := strings.Count(string(b), `"ledger.read"`); n < 300 || !strings.Contains(string(b), "ticket ") || !strings.Contains(string(b), "shop/") {
		t.Errorf("%d entries of reading, and not what was said of why", n)
	}
	holdsNone(t, all, map[string]string{"an entry": string(b), "the log": s.log.String()})
	for i, card := range all {
		if text := written(card, i); i%2 == 1 && strings.Contains(string(b), text) {
			t.Errorf("an entry holds %s", text)
		}
	}
	for _, place := range []string{"ombud-data", "ombud-data.heads"} {
		noCardIn(t, filepath.Join(dir, place), all)
	}
}
