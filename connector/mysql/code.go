package mysql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

var quotedName = regexp.MustCompile("`((?:[^`]|``)+)`")

func (c *catalog) readChecks() error {
	query := "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS" +
		" WHERE CONSTRAINT_SCHEMA" + c.scope
	if c.s.engine == "mysql" {
		query = "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.TABLE_CONSTRAINTS t" +
			" JOIN information_schema.CHECK_CONSTRAINTS c ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME" +
			" WHERE t.CONSTRAINT_TYPE = 'CHECK' AND t.ENFORCED = 'YES' AND t.TABLE_SCHEMA" + c.scope
	}
	return c.each(query, 4, func(r []string) {
		if t := c.table(r[0], r[1]); t != nil {
			addCheck(t, r[2], c.s.expression(r[3]))
		}
	})
}

// addCheck lists a check with the columns it names. A column that is checked to be a document is one.
func addCheck(t *connector.Table, title, clause string) {
	check := connector.Check{Name: title, Expr: clause}
	for _, m := range quotedName.FindAllStringSubmatch(strip(clause), -1) {
		n := strings.ReplaceAll(m[1], "``", "`")
		if t.Column(n) != nil && !slices.Contains(check.Columns, n) {
			check.Columns = append(check.Columns, n)
		}
	}
	if len(check.Columns) == 1 && strings.EqualFold(strings.ReplaceAll(clause, " ", ""), "json_valid("+name(check.Columns[0])+")") {
		if col := t.Column(check.Columns[0]); col.Type == "longtext" {
			col.Kind, col.Length = connector.JSON, 0
		}
	}
	t.Checks = append(t.Checks, check)
}

func (c *catalog) readTriggers() error {
	return c.each("SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT"+
		" FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA"+c.scope+" ORDER BY 1, 2, 3", 6, func(r []string) {
		if t := c.table(r[0], r[1]); t != nil {
			t.Triggers = append(t.Triggers, connector.Trigger{Name: r[2], Timing: r[3], Event: r[4], Body: r[5], Writes: c.writes(r[0], r[5])})
		}
	})
}

const identifier = "(?:`(?:[^`]|``)+`|[\\w$]+)"

var (
	part    = regexp.MustCompile(identifier)
	writing = regexp.MustCompile(`(?i)\b(?:insert|replace|update)\s+(?:(?:low_priority|delayed|high_priority|ignore)\s+)*(?:into\s+)?(` +
		identifier + `(?:\s*\.\s*` + identifier + `)?)`)
	// These only look like an UPDATE.
	unlike = regexp.MustCompile(`(?i)\bkey\s+update\b|\bfor\s+update\b`)
	// Names, comments and strings in one, so that what comes first decides: "-- don't" opens no string.
	token = regexp.MustCompile("(?s)`(?:[^`]|``)+`|/\\*.*?\\*/|--\\s[^\n]*|#[^\n]*" + `|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"`)
)

// strip removes strings and comments from SQL.
func strip(sql string) string {
	return token.ReplaceAllStringFunc(sql, func(t string) string {
		switch t[0] {
		case '`':
			return t
		case '\'', '"':
			return "''"
		}
		return " "
	})
}

// writes lists the datasets that a trigger's body inserts into or updates.
func (c *catalog) writes(schema, body string) []string {
	bare := unlike.ReplaceAllString(strip(body), " ")
	var list []string
	for _, m := range writing.FindAllStringSubmatch(bare, -1) {
		n := c.dataset(schema, m[1])
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// dataset is the name by which users know what the SQL of an object in a schema names.
func (c *catalog) dataset(schema, reference string) string {
	var parts []string
	for _, m := range part.FindAllString(reference, -1) {
		if strings.HasPrefix(m, "`") {
			m = strings.ReplaceAll(m[1:len(m)-1], "``", "`")
		}
		parts = append(parts, m)
	}
	if len(parts) == 2 {
		schema = parts[0]
	}
	last := parts[len(parts)-1]
	if strings.EqualFold(schema, c.s.name) {
		return last
	}
	return schema + "." + last
}
