package mysql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// grant is one line of SHOW GRANTS about objects: "*"."*", schema."*" or schema.table.
type grant struct {
	schema, table string
	rights        []string
}

type grants struct {
	account string // quoted, for cures
	list    []grant
}

var (
	grantLine = regexp.MustCompile("^GRANT (.+) ON (?:TABLE )?(\\*|`(?:[^`]|``)+`)\\.(\\*|`(?:[^`]|``)+`) TO ")
	columned  = regexp.MustCompile(`\([^)]*\)`)
)

// readGrants asks for the rights of this session: the account's and those of its active role.
func (c *catalog) readGrants() error {
	err := c.each("SELECT CURRENT_USER()", 1, func(r []string) {
		user, host, _ := strings.Cut(r[0], "@")
		c.grants.account = name(user) + "@" + name(host)
	})
	if err != nil {
		return err
	}
	query := "SHOW GRANTS"
	if c.s.engine == "mysql" {
		err := c.each("SELECT CURRENT_ROLE()", 1, func(r []string) {
			if r[0] != "" && r[0] != "NONE" {
				query = "SHOW GRANTS FOR CURRENT_USER() USING " + r[0] // quoted by the server
			}
		})
		if err != nil {
			return err
		}
	}
	return c.each(query, 1, func(r []string) {
		if g, ok := parseGrant(r[0]); ok {
			c.grants.list = append(c.grants.list, g)
		}
	})
}

// parseGrant reads one line. Rights on single columns are left out: they do not let a whole row be
// read or written.
func parseGrant(line string) (grant, bool) {
	m := grantLine.FindStringSubmatch(line)
	if m == nil {
		return grant{}, false
	}
	g := grant{schema: unquoted(m[2]), table: unquoted(m[3])}
	for part := range strings.SplitSeq(columned.ReplaceAllString(m[1], "()"), ",") {
		if part = strings.TrimSpace(part); !strings.HasSuffix(part, "()") {
			g.rights = append(g.rights, part)
		}
	}
	return g, true
}

func unquoted(n string) string {
	if strings.HasPrefix(n, "`") {
		return strings.ReplaceAll(n[1:len(n)-1], "``", "`")
	}
	return n
}

func (g grant) gives(right string) bool {
	return slices.Contains(g.rights, right) || right != "PROXY" && slices.Contains(g.rights, "ALL PRIVILEGES")
}

func (g grants) everywhere(right string) bool {
	return slices.ContainsFunc(g.list, func(x grant) bool { return x.schema == "*" && x.gives(right) })
}

func (g grants) schemaWide(schema, right string) bool {
	return g.everywhere(right) || slices.ContainsFunc(g.list, func(x grant) bool {
		return x.table == "*" && like(x.schema, schema) && x.gives(right)
	})
}

func (g grants) has(schema, table, right string) bool {
	return g.schemaWide(schema, right) || slices.ContainsFunc(g.list, func(x grant) bool {
		return x.schema == schema && x.table == table && x.gives(right)
	})
}

// on is the rights on one table.
func (g grants) on(schema, table string) connector.Rights {
	has := func(right string) bool { return g.has(schema, table, right) }
	return connector.Rights{
		Select: has("SELECT"), Insert: has("INSERT"), Update: has("UPDATE"), Delete: has("DELETE"),
		DeleteHistory: has("DELETE HISTORY") || has("DELETE VERSIONING ROWS"),
	}
}

// like matches a schema against the pattern of a grant: % and _ stand for others unless escaped.
func like(pattern, schema string) bool {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == '%':
			b.WriteString(".*")
		case !escaped && r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		escaped = false
	}
	matched, err := regexp.MatchString("^(?s:"+b.String()+")$", schema)
	return err == nil && matched
}
