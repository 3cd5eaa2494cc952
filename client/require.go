package client

import (
	"encoding/json"
	"net/http"
	"slices"
)

// NoIdentity is the reason when nobody is named.
const NoIdentity = "no-identity"

// Require lets a request in when the category may be processed for the purpose of the person that it is about. Else the
// answer is a problem: 403 with the reason when the decision is no, or of names nobody; 503 when it cannot be known. The
// browser's Sec-GPC is passed on.
func (c *Client) Require(purpose, category string, of func(*http.Request) Subject) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := of(r)
			if len(s) == 0 {
				refuse(w, http.StatusForbidden, "denied", purpose, category, NoIdentity)
				return
			}
			d, err := c.Allowed(r.Context(), s, purpose, category, Options{GPC: slices.Contains(r.Header["Sec-Gpc"], "1")})
			switch {
			case err != nil:
				w.Header().Set("Retry-After", "1")
				refuse(w, http.StatusServiceUnavailable, Unavailable, purpose, category, d.Reason)
			case !d.Allowed:
				refuse(w, http.StatusForbidden, "denied", purpose, category, d.Reason)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

// refusal is the problem that Require answers with.
type refusal struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	Purpose  string `json:"purpose"`
	Category string `json:"category"`
	Reason   string `json:"reason"`
}

func refuse(w http.ResponseWriter, status int, code, purpose, category, reason string) {
	detail := "this may not be processed for this purpose"
	if code == Unavailable {
		detail = "whether this may be processed cannot be known now"
	}
	b, err := json.Marshal(refusal{http.StatusText(status), status, code, detail, purpose, category, reason})
	if err != nil { // texts only
		b = nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // who hung up is told nothing
}
