package postgres

import (
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// base is the type beneath a domain, without its length: "character varying(40)" and a domain over
// it are both "character varying".
func base(c *connector.Column) string {
	name := c.Type
	if c.Base != "" {
		name = c.Base
	}
	return bare(name)
}

// bare cuts what stands in parentheses outside quotes: numeric(10,2)[] is numeric[].
func bare(name string) string {
	if !strings.Contains(name, "(") {
		return name
	}
	var b strings.Builder
	quoted, depth := false, 0
	for _, r := range name {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '(' && !quoted:
			depth++
			continue
		case r == ')' && !quoted:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// kindOf tells what values of a type are; user-defined types other than enums are Other.
func kindOf(name string) connector.Kind {
	name = bare(name)
	switch name {
	case "smallint", "integer", "bigint", "oid":
		return connector.Int
	case "numeric":
		return connector.Decimal
	case "real", "double precision":
		return connector.Float
	case "boolean":
		return connector.Bool
	case "bytea":
		return connector.Bytes
	case "json", "jsonb":
		return connector.JSON
	case "uuid":
		return connector.UUID
	case "text", "character varying", "character", "name", `"char"`:
		return connector.Text
	case "date", "interval":
		return connector.Time
	}
	switch {
	case strings.HasSuffix(name, "[]"):
		return connector.Array
	case strings.HasPrefix(name, "time"):
		return connector.Time
	case isCitext(name):
		return connector.Text
	}
	return connector.Other
}

func isCitext(name string) bool { return name == "citext" || strings.HasSuffix(name, ".citext") }

// literal names the type to write values of a column in: without a length, which would cut them
// silently, and in the form that no grammar gives a default length.
func literal(c *connector.Column) string {
	switch name := base(c); name {
	case "character":
		return "pg_catalog.bpchar"
	case "bit":
		return `pg_catalog."bit"`
	default:
		return name
	}
}

// keyType names the type in which keys of a column are compared, so that its index serves. False
// means as text: the type has no equality, or one that we cannot say exactly.
func keyType(c *connector.Column) (string, bool) {
	name := base(c)
	switch name {
	case "character varying":
		return "text", true
	case "character":
		return "pg_catalog.bpchar", true
	case "smallint", "integer", "bigint", "oid", "tid", "numeric", "real", "double precision", "boolean", "text", "bytea", "date",
		"uuid", "inet", "cidr", "macaddr", "macaddr8", "jsonb",
		"timestamp without time zone", "timestamp with time zone", "time without time zone":
		return name, true
	}
	if len(c.Enum) > 0 || isCitext(name) {
		return name, true
	}
	return "text", false
}

// operand is a column of table "t" as it is compared: a domain or varchar by the name of what its
// operators are for, so that no operator of somebody else's schema fits better. Its index serves still.
func operand(c *connector.Column) string {
	cell := "t." + quote(c.Name)
	name, native := keyType(c)
	switch {
	case !native:
		return cell + `::text COLLATE "C"`
	case c.Base != "" || name != c.Type && name == "text":
		return cell + "::" + name
	}
	return cell
}

// equals is the operator "=" of a column's type: that of citext lives where the extension was put,
// and without its name PostgreSQL would quietly compare as text, past the index.
func equals(c *connector.Column) string {
	name := base(c)
	if i := len(name) - len(".citext"); i > 0 && isCitext(name) {
		return "OPERATOR(" + name[:i] + ".=)"
	}
	return "="
}

// overmatches tells that the type's equality joins different texts, as citext does.
func overmatches(c *connector.Column) bool { return c.FoldEqual }
