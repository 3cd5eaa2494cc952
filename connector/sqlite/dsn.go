package sqlite

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// location is what a DSN means.
type location struct {
	path      string // absolute
	readOnly  bool
	immutable bool
}

// locate reads a DSN. Its errors repeat nothing of it.
func locate(c connector.Config) (location, error) {
	wrong := func(why string) (location, error) {
		return location{}, fault.New(fault.Invalid, "system %s: the dsn of a SQLite file %s", c.System, why).
			Then("Write a path, such as shop.db or file:shop.db?mode=ro; a relative one starts from the folder of ombud.yaml.")
	}
	rest, isURI := strings.CutPrefix(c.DSN, "file:")
	path, query, _ := strings.Cut(rest, "?")
	if isURI {
		unescaped, err := url.PathUnescape(strings.TrimPrefix(strings.TrimPrefix(path, "//localhost"), "//"))
		if err != nil {
			return wrong("is not a URI")
		}
		path = unescaped
	}
	if path == "" || path == ":memory:" || strings.ContainsRune(path, 0) || strings.Contains(path, "://") {
		return wrong("must name a file")
	}
	at := location{path: path}
	params, err := url.ParseQuery(query)
	if err != nil {
		return wrong("has parameters that cannot be read")
	}
	for name, values := range params {
		if len(values) != 1 || !at.set(name, values[0]) {
			return wrong("knows the parameters mode=ro, mode=rw and immutable=1 only")
		}
	}
	if !filepath.IsAbs(at.path) {
		at.path = filepath.Join(c.Folder, at.path)
	}
	if at.path, err = filepath.Abs(at.path); err != nil {
		return wrong("has a path that cannot be made absolute")
	}
	return at, nil
}

func (l *location) set(name, value string) bool {
	switch name + "=" + value {
	case "mode=ro":
		l.readOnly = true
	case "immutable=1":
		l.immutable, l.readOnly = true, true
	case "mode=rw", "immutable=0":
	default:
		return false
	}
	return true
}

// uri is the driver's name for the file. Mode rw never creates it; what is deleted is overwritten.
func (l location) uri(timeout time.Duration, look bool) string {
	q := url.Values{"mode": {"rw"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(timeout.Milliseconds(), 10) + ")",
		"foreign_keys(1)",
		"secure_delete(1)",
		"journal_size_limit(0)", // see writeAhead.young
	}}
	if l.readOnly || look {
		q.Set("mode", "ro")
		q.Add("_pragma", "query_only(1)")
	}
	if l.immutable {
		q.Set("immutable", "1")
	}
	path := filepath.ToSlash(l.path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}
