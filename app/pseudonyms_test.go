package app_test

import (
	"strings"
	"testing"
)

// TestPseudonymsForPrograms: a program uses pseudonyms and tokens, and learns nothing of anybody by them.
func TestPseudonymsForPrograms(t *testing.T) {
	s, dir := consenting(t)
	defer s.stop()
	_, key := newKey(t, dir, "service")
	ask := func(bearer, path, body string, want int) string {
		t.Helper()
		code, _, out := s.as(bearer, "POST", path, body)
		if code != want || strings.Contains(out, "ida@") || strings.Contains(out, "192.0.2.7") {
			t.Errorf("%s: %d, want %d: %s", path, code, want, out)
		}
		return out
	}
	ask(key, "/consents", strings.Replace(saysYes, "%s", "", 1), 201)
	const ida = `{"subject":{"email":"ida@example.com"},"context":"analytics"}`
	first := ask(key, "/pseudonyms", ida, 200)
	if !strings.Contains(first, `"pseudonym":"psn_`) || ask(key, "/pseudonyms", ida, 200) != first {
		t.Errorf("two pseudonyms: %s", first)
	}
	ask(key, "/pseudonyms", `{"subject":{"email":"bo@example.com"},"context":"analytics"}`, 404)
	ask(key, "/pseudonyms", `{"subject":{"email":"ida@example.com"},"context":""}`, 422)
	if out := ask(key, "/pseudonyms/tokens", `{"context":"shop","kind":"email","value":"ida@example.com"}`, 200); !strings.Contains(out, "@pseudonym.invalid") {
		t.Error(out)
	}
	ask(key, "/pseudonyms/tokens", `{"context":"shop","kind":"ip","value":"192.0.2.7"}`, 200)
	ask(key, "/pseudonyms/tokens", `{"context":"shop","kind":"ip","value":"ida"}`, 422)
	_, auditor := newKey(t, dir, "auditor")
	ask(auditor, "/pseudonyms", ida, 403)
	ask("nobody", "/pseudonyms", ida, 401)
}
