package app_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ombudhq/ombud/pii"
)

// cards makes valid numbers of the brands, each only once.
func cards(n int) []string {
	r := rand.New(rand.NewPCG(4, 1000))
	brands := []struct {
		first  string
		length int
	}{{"4", 16}, {"51", 16}, {"55", 16}, {"2221", 16}, {"37", 15}, {"36", 14}, {"6011", 16}, {"3528", 16}, {"62", 19}, {"4", 13}}
	var out []string
	for len(out) < n {
		b := brands[len(out)%len(brands)]
		digits := b.first
		for len(digits) < b.length-1 {
			digits += fmt.Sprint(r.IntN(10))
		}
		for last := range 10 {
			if c := digits + fmt.Sprint(last); pii.Luhn(c) && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out[:n]
}

// written are the ways to write one down.
func written(card string, i int) string {
	switch i % 4 {
	case 1:
		return card[:4] + " " + card[4:8] + " " + card[8:12] + " " + card[12:]
	case 2:
		return "please charge " + card + ", thanks"
	case 3:
		return card[:4] + "-" + card[4:8] + "-" + card[8:12] + "-" + card[12:]
	}
	return card
}

// TestNoCardSurvives puts 1,000 valid card numbers through the inputs of the API and of the command line: each is refused before
// anything is stored, and then none is in any file, log, entry or export. What only looks like one is taken.
func TestNoCardSurvives(t *testing.T) {
	s, dir := consenting(t)
	all := cards(1000)
	routes := s.writingRoutes()
	if len(routes) < 15 {
		t.Fatalf("only %d routes take a body", len(routes))
	}
	_, _, before := s.v1("GET", "/ledger/checkpoint", "")
	for i, card := range all {
		text := written(card, i)
		for _, c := range [][2]string{
			{"/consents", fmt.Sprintf(`{"subject":{"customer":%q},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"}}`, text)},
			{"/consents", fmt.Sprintf(`{"subject":{"email":"a@example.com"},"purpose":"letters","method":"web_form","notice":{"id":"letters","version":"3"},"metadata":{"note":%q}}`, text)},
			{"/requests", fmt.Sprintf(`{"kind":"erasure","subject":{"email":%q}}`, text+"@example.com")},
			{"/restrictions", fmt.Sprintf(`{"subject":{"email":"a@example.com"},"kind":"restriction","type":"legal_claims","because":%q}`, text)},
			{routes[i%len(routes)], fmt.Sprintf(`{"x":[{"y":%q}]}`, text)},
			{routes[(i+7)%len(routes)], fmt.Sprintf(`{"\u0078":"\u003%c%s"}`, card[0], card[1:])},
		} {
			code, _, body := s.v1("POST", c[0], c[1])
			if code != http.StatusUnprocessableEntity || !strings.Contains(body, "payment card") || strings.Contains(body, card) {
				t.Fatalf("%s with %s: %d %s", c[0], text, code, body)
			}
		}
	}
	for i, card := range all {
		for _, args := range [][]string{
			{"consent", "record", "--subject", "customer=" + written(card, i)}, {"dsr", "plan", "--kind", "erasure", "--subject", "email=" + card + "@example.com"},
			{"hold", "add", "--subject", "email=a@example.com", "--because", written(card, i)}, {"key", "create", "--role", "service", "--name", written(card, i)}, {"dsr", "refuse", "R-2026-0001", "--because", card},
		} {
			if code, out, errs := command(t, dir, "", args...); code != 2 || strings.Contains(out+errs, card) {
				t.Fatalf("%v: exit %d %s %s", args, code, out, errs)
			}
		}
	}
	if code, _, errs := command(t, dir, "email=a@example.com\ncustomer="+all[0]+"\n", "dsr", "plan", "--kind", "access", "--subject", "-"); code != 2 || !strings.Contains(errs, "payment card") {
		t.Errorf("from standard input: exit %d %s", code, errs)
	}
	if _, _, after := s.v1("GET", "/ledger/checkpoint", ""); after != before {
		t.Error("something of what was refused is in the ledger")
	}
	none := all[0][:len(all[0])-1] + string('0'+(all[0][len(all[0])-1]-'0'+1)%10)
	code, _, body := s.v1("POST", "/consents", fmt.Sprintf(`{"subject":{"customer":%q},"purpose":"letters","categories":["contact"],"status":"given","method":"web_form","notice":{"id":"letters","version":"3","language":"en"}}`, none))
	if pii.HoldsCard(none) || code != http.StatusCreated {
		t.Errorf("%s is no card: %d %s", none, code, body)
	}
	if code, _, body := s.v1("POST", "/decisions", fmt.Sprintf(`{"subject":{"customer":%q},"purpose":%q,"category":%q}`, all[0], all[1], all[2])); code != http.StatusOK {
		t.Errorf("a question: %d %s", code, body)
	}
	_, _, entries := s.v1("GET", "/ledger/entries?limit=500", "")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	holdsNone(t, all, map[string]string{"entries": entries, "log": s.log.String()})
	for _, place := range []string{"ombud-data", "ombud-data.heads"} {
		noCardIn(t, filepath.Join(dir, place), all)
	}
}

// writingRoutes are those with a body but for those that are for people with accounts: who may not is refused before anything is read.
func (s *server) writingRoutes() []string {
	_, _, description := s.v1("GET", "/openapi.json", "")
	return slices.DeleteFunc(s.routesWithBody(description), func(route string) bool {
		code, _, _ := s.v1("POST", route, "{}")
		return code == http.StatusForbidden
	})
}

// routesWithBody are the addresses below /v1 that take a body, as the API describes itself, without those of decisions.
func (s *server) routesWithBody(description string) (out []string) {
	s.t.Helper()
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(description), &doc); err != nil {
		s.t.Fatal(err)
	}
	braces := regexp.MustCompile(`\{\w+\}`)
	for path, methods := range doc.Paths {
		if methods["post"] != nil && !strings.HasPrefix(path, "/v1/decisions") && strings.HasPrefix(path, "/v1/") {
			out = append(out, strings.TrimPrefix(braces.ReplaceAllString(path, "x"), "/v1"))
		}
	}
	slices.Sort(out)
	return out
}

func holdsNone(t *testing.T, cards []string, where map[string]string) {
	t.Helper()
	for name, text := range where {
		for _, c := range cards {
			if strings.Contains(text, c) {
				t.Errorf("%s holds a card number", name)
			}
		}
	}
}

func noCardIn(t *testing.T, dir string, cards []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Type()&fs.ModeSocket != 0 {
			return err
		}
		b, err := os.ReadFile(path)
		holdsNone(t, cards, map[string]string{filepath.Base(path): string(b)})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNoCardInConfiguration: a notice, a reason or a file of words that holds one is a fault with its line, and not repeated.
func TestNoCardInConfiguration(t *testing.T) {
	dir := t.TempDir()
	shop(t, dir)
	card := cards(1)[0]
	config := shopConfig + strings.Replace(letters, "Send me trips", "Pay with "+card, 1)
	if err := os.WriteFile(filepath.Join(dir, "ombud.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := command(t, dir, "", "doctor")
	if !strings.Contains(out+errs, "payment card") || strings.Contains(out+errs, card) || code == 0 {
		t.Errorf("exit %d: %s %s", code, out, errs)
	}
}
