package mysql

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

func count(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (c *catalog) readColumns() error {
	return c.each("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA,"+
		" COLLATION_NAME, COLUMN_COMMENT, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE,"+
		" DATETIME_PRECISION, GENERATION_EXPRESSION"+
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA"+c.scope+" ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION", 16,
		func(r []string) {
			t := c.table(r[0], r[1])
			if t == nil {
				return
			}
			t.Columns = append(t.Columns, c.column(r))
			if r[15] == "ROW END" {
				c.period[t] = r[2]
			}
		})
}

func (c *catalog) column(r []string) connector.Column {
	extra := strings.ToUpper(r[7])
	col := connector.Column{
		Name: r[2], Type: r[3], Kind: kindOf(r[4]), NotNull: r[5] == "NO", Default: c.sqlDefault(r[6], extra),
		Collation: r[8], Comment: r[9], Unsigned: strings.Contains(r[3], "unsigned"),
		Identity:  strings.Contains(extra, "AUTO_INCREMENT"),
		Generated: strings.Contains(extra, "VIRTUAL GENERATED") || strings.Contains(extra, "STORED GENERATED") || strings.Contains(extra, "PERSISTENT"),
		FoldEqual: caseBlind(r[8]),
	}
	length, octets := max(0, count(r[10])), max(0, count(r[11]))
	switch {
	case col.Kind == connector.Bytes:
		col.Bytes = int(octets)
	case strings.HasSuffix(r[4], "text"): // their limit is in bytes
		col.Length = int(octets / 4)
	case r[4] == "char" || r[4] == "varchar":
		col.Length = int(length)
	case r[4] == "enum" || r[4] == "set":
		col.Enum = members(r[3])
	case col.Kind == connector.Time:
		col.Scale = int(max(0, count(r[14])))
	default:
		col.Precision, col.Scale = int(max(0, count(r[12]))), int(max(0, count(r[13])))
	}
	return col
}

// kindOf is the kind of a data type, as the catalog names it.
func kindOf(dataType string) connector.Kind {
	switch dataType {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit":
		return connector.Int
	case "decimal":
		return connector.Decimal
	case "float", "double":
		return connector.Float
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return connector.Text
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
		return connector.Bytes
	case "date", "datetime", "timestamp", "time":
		return connector.Time
	case "json":
		return connector.JSON
	case "uuid":
		return connector.UUID
	}
	return connector.Other
}

// caseBlind tells by the collation's name whether comparing ignores case.
func caseBlind(collation string) bool {
	for part := range strings.SplitSeq(collation, "_") {
		if part == "ci" {
			return true
		}
	}
	return false
}

// sqlDefault is the default as SQL: MariaDB stores SQL, MySQL the bare value.
func (c *catalog) sqlDefault(text, extra string) string {
	switch {
	case text == "" || text == "NULL":
		return ""
	case c.s.engine == "mariadb" || strings.Contains(extra, "DEFAULT_GENERATED"):
		return c.s.expression(text)
	}
	return quote(text)
}

var escaped = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`)

// expression is SQL of the catalog as it can be run: MySQL escapes it once more, as if it were to stand in a string.
func (s *store) expression(text string) string {
	if s.engine == "mysql" {
		return escaped.Replace(text)
	}
	return text
}

var member = regexp.MustCompile(`'((?:[^']|'')*)'`)

// members lists what an enum or set may hold.
func members(columnType string) []string {
	var list []string
	for _, m := range member.FindAllStringSubmatch(columnType, -1) {
		list = append(list, strings.ReplaceAll(m[1], "''", "'"))
	}
	return list
}
