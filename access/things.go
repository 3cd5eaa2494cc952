package access

import (
	"context"
	"fmt"
	"strings"
)

// Things say what kind of thing each id in an address names, by the address up to and with that id: "/requests/{ref}" is a
// request. The gates of API and console each have one, beside what their routes need: so what is judged, what the log says
// of it, and what is tried on every route with ids of oneself, of others and of nobody, come from one table.
type Things map[string]string

// Named is an id in an address: the name of the wildcard, and the kind of thing it names.
type Named struct{ Wildcard, Kind string }

// About tells what is known of a thing of a kind, beside what its kind says: who took it in, where it lies, which law holds.
type About func(ctx context.Context, kind, id string, what Resource) Resource

// Asked is what a permission is asked for, as policies see it. No policy of ours asks where a thing lies or whose it is: that
// is looked up only where the company has policies of its own.
func (n Named) Asked(ctx context.Context, id string, p Permission, tell About) Resource {
	what := p.On(id)
	if tell == nil || !From(ctx).Policies().Narrowed() {
		return what
	}
	return tell(ctx, n.Kind, id, what)
}

// Of is what the log says an act was done to: kind/id, or where an address names nothing, what the permission is about.
func (n Named) Of(id string, p Permission) string {
	if n.Kind == "" {
		return p.On("").Kind
	}
	return n.Kind + "/" + id
}

// In gives the ids of a route, the outermost first. A wildcard of which nothing is declared is an error.
func (t Things) In(route string) ([]Named, error) {
	var out []Named
	path := route[strings.Index(route, "/"):]
	for at := 0; ; {
		open := strings.IndexByte(path[at:], '{')
		if open < 0 {
			return out, nil
		}
		end := at + open + strings.IndexByte(path[at+open:], '}') + 1
		word := path[at+open+1 : end-1]
		if at = end; word == "$" {
			continue
		}
		kind := t[path[:end]]
		if kind == "" {
			return nil, fmt.Errorf("%s: nothing says what kind of thing %s names", route, path[:end])
		}
		out = append(out, Named{word, kind})
	}
}

// Outermost is the thing that a route is about: its first id; the zero Named where there is none.
func (t Things) Outermost(route string) Named {
	all, err := t.In(route)
	if err != nil || len(all) == 0 {
		return Named{}
	}
	return all[0]
}
