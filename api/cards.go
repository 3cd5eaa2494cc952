package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/pii"
)

// withoutCards refuses a request that brings a payment card number, before anything of it is stored, logged or remembered. The
// questions of decisions store nothing of what they bring but names of purposes and categories, which are masked where they are
// written down; they are not read twice.
func withoutCards(pattern string, next http.Handler) http.Handler {
	if !strings.HasPrefix(pattern, "P") || strings.HasPrefix(pattern, "POST /v1/decisions") {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil { // too long, or cut off: what reads it next says which
			r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
			next.ServeHTTP(w, r)
			return
		}
		if bringsCard(body) || pii.HoldsCard(r.Header.Get(access.JustificationHeader)) || pii.HoldsCard(r.Header.Get(access.PurposeHeader)) || pii.HoldsCard(r.URL.Path+" "+r.URL.RawQuery) {
			writeProblem(w, problemOf(fault.New(fault.Invalid, "this holds the number of a payment card; nothing of it was stored").
				Then("Ombud takes no card numbers. Name the person by another identity, and leave the number out of texts.")))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// failing is the rest of a body that could not be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// bringsCard looks through a body as it is written, and through what its escapes mean. A revision is a number that may look like
// that of a card.
func bringsCard(body []byte) bool {
	escaped := bytes.Contains(body, []byte(`\u`))
	if !escaped && !pii.HoldsCard(string(body)) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for read := false; ; read = true {
		var v any
		if err := d.Decode(&v); err != nil {
			return (!read || !errors.Is(err, io.EOF)) && pii.HoldsCard(string(body)) // no JSON: it is judged as it is written
		}
		if valueHoldsCard("", v) {
			return true
		}
	}
}

func valueHoldsCard(name string, v any) bool {
	switch v := v.(type) {
	case string:
		return pii.HoldsCard(v)
	case json.Number:
		return !strings.HasSuffix(name, "revision") && pii.HoldsCard(v.String())
	case []any:
		for _, one := range v {
			if valueHoldsCard(name, one) {
				return true
			}
		}
	case map[string]any:
		for name, one := range v {
			if pii.HoldsCard(name) || valueHoldsCard(name, one) {
				return true
			}
		}
	}
	return false
}
