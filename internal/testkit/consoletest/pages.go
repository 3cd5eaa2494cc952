package consoletest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ombudhq/ombud/web/console"
)

// Pages are the addresses of every page that the console has, made from its own list of routes, each with an example for
// what stands in braces. A route without an example, or whose example is not there, is an error: so nobody adds a page
// that no test looks at. Files are left out.
func (w *World) Pages(ctx context.Context, refs Refs) ([]string, error) {
	var out []string
	for _, pattern := range console.Patterns() {
		path, ok := strings.CutPrefix(pattern, "GET ")
		if !ok {
			continue
		}
		path = w.example(ctx, strings.TrimSuffix(path, "{$}"), refs)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			return nil, fmt.Errorf("%s: the example %s answers %d", pattern, path, rec.Code)
		}
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			out = append(out, path)
		}
	}
	return out, nil
}

func (w *World) example(ctx context.Context, path string, refs Refs) string {
	ref, entry := refs["complete"], ""
	if strings.HasSuffix(path, "/package") {
		ref = refs["access-complete"]
	}
	if r, err := w.Requests.Get(ctx, ref); err == nil && len(r.Entries) > 0 {
		entry = fmt.Sprint(r.Entries[0])
	}
	person := refs[Person]
	if strings.HasPrefix(path, "/requests/") {
		person = entry
	}
	return strings.NewReplacer("{ref}", ref, "{id}", person, "{con}", refs[Given], "{purpose}", "newsletter").Replace(path)
}
