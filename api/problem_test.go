package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ombudhq/ombud/internal/fault"
)

// TestDefectsReachTheLog: an answer that says that the log says more is right, and says nothing of it itself; what a caller can
// act on, and who hung up, is no defect.
func TestDefectsReachTheLog(t *testing.T) {
	for _, c := range []struct {
		err    error
		logged bool
	}{
		{errors.New("a defect"), true},
		{fault.New(fault.Internal, "a defect"), true},
		{fault.New(fault.Invalid, "no defect"), false},
		{errors.Join(errors.New("reading"), context.Canceled), false},
	} {
		var log []error
		s, mux := &server{Config{Failed: func(err error) { log = append(log, err) }}}, http.NewServeMux()
		huma.Register(humago.New(mux, s.config()), operation("defect", http.MethodGet, "/defect", "", 200),
			func(context.Context, *struct{}) (*struct{}, error) { return nil, problem(c.err) })
		mux.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, c.err) })
		for i, path := range []string{"/v1/defect", "/plain"} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != fault.HTTPStatus(c.err) || strings.Contains(w.Body.String(), "reading") {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			if c.logged != (len(log) == i+1) || !c.logged && len(log) > 0 {
				t.Errorf("%s of %q: logged %v", path, c.err, log)
			}
		}
	}
}
