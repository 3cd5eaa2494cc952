package mysql

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// name quotes an identifier.
func name(n string) string { return "`" + strings.ReplaceAll(n, "`", "``") + "`" }

func names(list []string) string {
	quoted := make([]string, len(list))
	for i, n := range list {
		quoted[i] = name(n)
	}
	return strings.Join(quoted, ", ")
}

// full is a table with its schema: no statement depends on the selected database.
func full(t *connector.Table) string { return name(t.Schema) + "." + name(t.Name) }

// quote writes text so that it reads the same whether or not a backslash escapes (sql_mode may be
// changed by a proxy): a text with a backslash or a NUL goes as hexadecimal.
func quote(s string) string {
	if strings.ContainsAny(s, "\\\x00") {
		return "_utf8mb4 X'" + hex.EncodeToString([]byte(s)) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// binary writes bytes.
func binary(s string) string { return "X'" + hex.EncodeToString([]byte(s)) + "'" }

// literal writes a value that was converted to the column: nothing else may come here, since numbers
// go bare.
func (s *store) literal(v connector.Value, c *connector.Column) string {
	if v.IsNull() {
		return "NULL"
	}
	switch c.Kind {
	case connector.Int, connector.Decimal:
		return v.S
	case connector.Float:
		return float(v.S, c)
	case connector.Bytes:
		return binary(v.S)
	case connector.JSON:
		if s.engine == "mysql" {
			return "CAST(" + quote(v.S) + " AS JSON)"
		}
	case connector.Other:
		if spatial(c) {
			return "ST_GeomFromText(" + quote(v.S) + ")"
		}
	}
	return quote(v.S)
}

// float writes the double that equals what the column holds: a FLOAT is compared after widening.
func float(s string, c *connector.Column) string {
	f, err := strconv.ParseFloat(s, floatBits(c))
	if err != nil {
		return "NULL"
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

func floatBits(c *connector.Column) int {
	if strings.HasPrefix(c.Type, "float") {
		return 32
	}
	return 64
}

// base is the name of a column's type alone: "int" of "int(11) unsigned".
func base(c *connector.Column) string {
	end := strings.IndexAny(c.Type, "( ")
	if end < 0 {
		end = len(c.Type)
	}
	return strings.ToLower(c.Type[:end])
}

func spatial(c *connector.Column) bool {
	switch base(c) {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}

// cell is how a column is read: exactly. The server prints FLOAT with six digits and a geometry not at all.
func cell(c *connector.Column) string {
	switch {
	case spatial(c):
		return "ST_AsText(" + name(c.Name) + ")"
	case c.Kind == connector.Float && floatBits(c) == 32:
		return "(" + name(c.Name) + " + 0e0)"
	}
	return name(c.Name)
}

func cells(list []*connector.Column) string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = cell(c)
	}
	return strings.Join(out, ", ")
}

// decode makes a value of what the text protocol delivered for cell.
func decode(b []byte, c *connector.Column) connector.Value {
	switch {
	case b == nil:
		return connector.Value{}
	case base(c) == "bit":
		var n uint64
		for _, x := range b {
			n = n<<8 | uint64(x)
		}
		return connector.Value{Kind: connector.Int, S: strconv.FormatUint(n, 10)}
	case c.Kind == connector.Float:
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			break
		}
		return connector.Value{Kind: connector.Float, S: strconv.FormatFloat(f, 'g', -1, floatBits(c))}
	case c.Kind == connector.Decimal && len(b) > 1 && b[0] == '0' && b[1] != '.': // ZEROFILL
		b = []byte(strings.TrimLeft(string(b[:len(b)-1]), "0") + string(b[len(b)-1:]))
		if b[0] == '.' {
			b = append([]byte{'0'}, b...)
		}
	}
	return connector.Value{Kind: c.Kind, S: string(b)}
}
