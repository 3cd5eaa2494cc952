package api

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ombudhq/ombud/ledger"
)

// headHeader brings, with the answer to an act, the newest signed head of the ledger: base64 of a file that ombud audit verify
// --checkpoint reads. Whoever keeps it can tell later that nothing it covers was changed, even if everything we keep was.
const headHeader = "Ombud-Checkpoint"

// headed gives answers to acts that header, the remembered ones too: they get the head of now.
func headed(newest func() ledger.Checkpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&headedWriter{ResponseWriter: w, newest: newest}, r)
	})
}

// isAct tells whether a route changes something.
func isAct(pattern string) bool { return !strings.HasPrefix(pattern, "GET ") && !asked[pattern] }

type headedWriter struct {
	http.ResponseWriter
	newest func() ledger.Checkpoint
	began  bool
}

func (w *headedWriter) WriteHeader(code int) {
	if c := w.newest(); !w.began && code < http.StatusMultipleChoices && c.Size > 0 {
		w.Header().Set(headHeader, base64.StdEncoding.EncodeToString([]byte(c.Note+"\n")))
	}
	w.began = true
	w.ResponseWriter.WriteHeader(code)
}

func (w *headedWriter) Write(b []byte) (int, error) {
	if !w.began {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets handlers flush and set deadlines.
func (w *headedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
