package api_test

import (
	"net/http"
	"testing"

	"github.com/ombudhq/ombud/access"
)

// TestAnotherMethod: who asks by another method is told by which there is an answer; where there is none by any, that.
func TestAnotherMethod(t *testing.T) {
	c := newCompany(t)
	dev := caller(access.Developer)
	for _, a := range []struct {
		method, path string
		code         int
		allow        string
	}{
		{"DELETE", "/v1/decisions", http.StatusMethodNotAllowed, "POST"},
		{"GET", "/v1/decisions/batch", http.StatusMethodNotAllowed, "POST"},
		{"PATCH", "/v1/purposes/letters", http.StatusMethodNotAllowed, "GET, PUT"},
		{"BREW", "/v1/changes", http.StatusMethodNotAllowed, "GET"},
		{"GET", "/v1/nothing", http.StatusNotFound, ""},
		{"POST", "/v1/", http.StatusNotFound, ""},
	} {
		w := c.ask(dev, a.method, a.path, "{}")
		if w.Code != a.code || w.Header().Get("Allow") != a.allow || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d, allow %q: %s", a.method, a.path, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}
