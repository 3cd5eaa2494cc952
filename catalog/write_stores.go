package catalog

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// WithStores gives a copy of a configuration with the stores of "ID=DSN" arguments added, or their
// DSN replaced. The connector follows from the DSN. A path in an argument starts from the folder here,
// "" is the current one; in the file it starts from the file's own, so it is rewritten.
func WithStores(cfg *Config, here string, args []string) (*Config, error) {
	out := *cfg
	out.Systems = append([]System(nil), cfg.Systems...)
	for _, arg := range args {
		id, dsn, ok := strings.Cut(arg, "=")
		engine, dsn := namedEngine(dsn)
		if !ok || !idShape.MatchString(id) || dsn == "" {
			return nil, fault.New(fault.Invalid, "a store is given as ID=DSN").
				Then("For example: ombud scan shop=shop.db billing='${BILLING_DSN}'")
		}
		s := System{ID: id, DSN: dsn}
		if have := out.system(id); have != nil {
			s = *have
			s.DSN = dsn
		}
		expanded, err := s.ExpandDSN()
		if err != nil {
			return nil, err
		}
		if s.Connector = engine; engine == "" {
			s.Connector = ConnectorOf(expanded)
		}
		if s.Connector == "" {
			return nil, fault.New(fault.Invalid, "%s: its DSN does not show which engine it is", id).
				Then("Begin it with postgres://, mysql:// or mariadb://, or name a SQLite file.")
		}
		if s.Connector == "sqlite" {
			s.DSN = fromFolder(out.Folder, here, s.DSN)
		}
		out.put(s)
	}
	out.Digest = digest(&out)
	return &out, nil
}

// namedEngine takes the engine off a DSN that names it in front of a form of its own: sqlite:shop.db,
// mariadb:user:password@tcp(host)/db. A URL stays whole, and so does mysql:password@tcp(host)/db of the user mysql.
func namedEngine(dsn string) (engine, rest string) {
	scheme, rest, found := strings.Cut(dsn, ":")
	engine = schemes[strings.ToLower(scheme)]
	switch {
	case !found || scheme == "file" || engine == "":
		return "", dsn
	case engine == "sqlite":
		return engine, strings.TrimPrefix(rest, "//")
	case strings.HasPrefix(rest, "//"):
		return "", dsn
	}
	if user, _, at := strings.Cut(rest, "@"); at && !strings.ContainsAny(user, ":$") {
		return "", dsn
	}
	return engine, rest
}

func (c *Config) put(s System) {
	if have := c.system(s.ID); have != nil {
		*have = s
		return
	}
	c.Systems = append(c.Systems, s)
}

// fromFolder makes a relative path of the folder here one of the configuration's folder.
func fromFolder(folder, here, dsn string) string {
	if folder == "" || folder == "." || strings.Contains(dsn, "${") {
		return dsn
	}
	prefix, path := "", dsn
	if rest, ok := strings.CutPrefix(dsn, "file:"); ok {
		prefix, path = "file:", rest
	}
	path, query, has := strings.Cut(path, "?")
	if filepath.IsAbs(path) {
		return dsn
	}
	target, err := filepath.Abs(filepath.Join(here, path))
	if err != nil {
		return dsn
	}
	base, err := filepath.Abs(folder)
	if err != nil {
		return dsn
	}
	rel, err := filepath.Rel(base, target)
	if err != nil {
		return dsn
	}
	if has {
		rel += "?" + query
	}
	return prefix + rel
}

var (
	schemes = map[string]string{"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "file": "sqlite", "sqlite": "sqlite"}
	// user:password@tcp(host)/db and user@/db, the form of the MySQL driver
	driverForm = regexp.MustCompile(`^([^@/]*@)?(\w+(\([^)]*\))?)?/[^/]+$`)
	kvForm     = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|dbname|service)\s*=`)
	kvSecret   = regexp.MustCompile(`(?i)(^|[\s?&;])(password|passwd|pwd|sslpassword|secret|token|key)\s*=\s*'?([^\s&;']+)`)
	fileForm   = regexp.MustCompile(`(?i)\.(db|db3|sqlite|sqlite3|s3db)(\?.*)?$`)
)

// ConnectorOf tells the connector from a DSN's form; "" when it cannot be told.
func ConnectorOf(dsn string) string {
	scheme, _, found := strings.Cut(dsn, ":")
	switch {
	case found && schemes[strings.ToLower(scheme)] != "":
		return schemes[strings.ToLower(scheme)]
	case strings.Contains(dsn, "://"):
		return ""
	case strings.Contains(dsn, "@tcp(") || strings.Contains(dsn, "@unix("):
		return "mysql"
	case fileForm.MatchString(dsn):
		return "sqlite"
	case kvForm.MatchString(dsn):
		return "postgres"
	case strings.Contains(dsn, "@") && driverForm.MatchString(dsn):
		return "mysql"
	}
	return ""
}

// LiteralSecret reports whether a DSN holds a password itself instead of naming a variable.
func LiteralSecret(dsn string) bool {
	for _, m := range kvSecret.FindAllStringSubmatch(dsn, -1) {
		if !isVariableText(m[3]) {
			return true
		}
	}
	if scheme, rest, ok := strings.Cut(dsn, "://"); ok && scheme != "file" {
		authority, _, _ := strings.Cut(rest, "/")
		return hasPassword(authority)
	}
	if fileForm.MatchString(dsn) && !strings.Contains(dsn, "@tcp(") {
		return false
	}
	return strings.Contains(dsn, "@") && hasPassword(dsn)
}

// hasPassword looks at user:password@ in front of a host.
func hasPassword(authority string) bool {
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return false
	}
	_, password, ok := strings.Cut(authority[:at], ":")
	if plain, err := url.PathUnescape(password); err == nil {
		password = plain
	}
	return ok && password != "" && !isVariableText(password)
}

func variableFor(id string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_").Replace(strings.TrimLeft(id, "0123456789-_"))) + "_DSN"
}
