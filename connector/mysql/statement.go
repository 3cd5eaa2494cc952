package mysql

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/ombudhq/ombud/connector"
)

// A table's own statement, SHOW CREATE TABLE, tells its foreign keys where information_schema does
// not: whole names, whose column is whose, and the actions also to a role that may only SELECT.
const (
	statedName  = "`(?:[^`]|``)+`"
	statedNames = `\((` + statedName + `(?:, ` + statedName + `)*)\)`
	statedRest  = `((?: ON (?:DELETE|UPDATE) [A-Z ]+)*),?$`
)

var (
	stated = regexp.MustCompile(`^  CONSTRAINT (` + statedName + `) FOREIGN KEY ` + statedNames +
		` REFERENCES (?:(` + statedName + `)\.)?(` + statedName + `) ` + statedNames + statedRest)

	// MariaDB before 10.11.19 does not double a ` in the names of a key. What is read by such lines counts only where
	// information_schema tells of the same columns.
	undoubled = regexp.MustCompile("^  CONSTRAINT (`.+?`) FOREIGN KEY \\((`.+?`)\\) REFERENCES (?:(`.+?`)\\.)?(`.+?`) \\((`.+?`)\\)" + statedRest)

	oneName    = regexp.MustCompile(statedName)
	ruleDelete = regexp.MustCompile(`ON DELETE (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT)`)
	ruleUpdate = regexp.MustCompile(`ON UPDATE (CASCADE|SET NULL|SET DEFAULT|NO ACTION|RESTRICT)`)
)

// statedKeys reads the foreign keys from the table's own statement; none when the role may not see it.
func (c *catalog) statedKeys(t *connector.Table) ([]connector.ForeignKey, error) {
	statement := ""
	err := c.each("SHOW CREATE TABLE "+full(t), 2, func(r []string) { statement = r[1] })
	var denied *driver.MySQLError
	if errors.As(err, &denied) && denied.Number == 1142 {
		return nil, nil
	}
	var keys []connector.ForeignKey
	for line := range strings.Lines(statement) {
		if k, ok := statedKey(strings.TrimSuffix(line, "\n"), t.Schema); ok {
			keys = append(keys, k)
		}
	}
	return keys, err
}

func statedKey(line, schema string) (connector.ForeignKey, bool) {
	m, all := stated.FindStringSubmatch(line), unquotedAll
	if m == nil {
		m, all = undoubled.FindStringSubmatch(line), splitAll
	}
	if m == nil {
		return connector.ForeignKey{}, false
	}
	if m[3] != "" {
		schema = unquoted(m[3])
	}
	return connector.ForeignKey{Name: unquoted(m[1]), Columns: all(m[2]), RefSchema: schema, RefTable: unquoted(m[4]),
		RefColumns: all(m[5]), OnDelete: ruled(ruleDelete, m[6]), OnUpdate: ruled(ruleUpdate, m[6])}, true
}

// splitAll takes names apart in which a ` stands by itself.
func splitAll(list string) []string {
	return strings.Split(list[1:len(list)-1], "`, `")
}

func unquotedAll(list string) []string {
	var out []string
	for _, n := range oneName.FindAllString(list, -1) {
		out = append(out, unquoted(n))
	}
	return out
}

func ruled(pattern *regexp.Regexp, clause string) connector.Action {
	if m := pattern.FindStringSubmatch(clause); m != nil {
		return connector.Action(strings.ToLower(m[1]))
	}
	return connector.Restrict
}

// untangle replaces keys that came mixed by those of the statement, when it tells of the same columns;
// else the table stays closed.
func (c *catalog) untangle(t *connector.Table) error {
	keys, err := c.statedKeys(t)
	if err == nil {
		c.takeKeys(t, keys)
	}
	return err
}

func (c *catalog) takeKeys(t *connector.Table, stated []connector.ForeignKey) {
	if slices.Equal(keyParts(stated), keyParts(t.ForeignKeys)) {
		t.ForeignKeys = stated
		return
	}
	c.unread(t)
}

// keyParts is which column refers to which, whatever key it is part of.
func keyParts(keys []connector.ForeignKey) []string {
	var out []string
	for _, k := range keys {
		for i, column := range k.Columns {
			out = append(out, strings.Join([]string{column, strings.ToLower(k.RefSchema), strings.ToLower(k.RefTable), k.RefColumns[i]}, "\x00"))
		}
	}
	slices.Sort(out)
	return out
}

// readRules reads actions that are still unknown: a role that may only SELECT is not told otherwise.
func (c *catalog) readRules() error {
	for _, t := range c.tables {
		if !slices.ContainsFunc(t.ForeignKeys, unruled) {
			continue
		}
		keys, err := c.statedKeys(t)
		if err != nil {
			return err
		}
		for i := range t.ForeignKeys {
			takeRules(&t.ForeignKeys[i], keys)
		}
		if slices.ContainsFunc(t.ForeignKeys, unruled) {
			c.unread(t)
		}
	}
	return nil
}

func unruled(k connector.ForeignKey) bool { return k.OnDelete == "" }

func takeRules(k *connector.ForeignKey, stated []connector.ForeignKey) {
	for _, s := range stated {
		if unruled(*k) && slices.Equal(s.Columns, k.Columns) && slices.Equal(keyParts([]connector.ForeignKey{s}), keyParts([]connector.ForeignKey{*k})) {
			k.OnDelete, k.OnUpdate = s.OnDelete, s.OnUpdate
		}
	}
}

// unread gives up on a table whose foreign keys cannot be told: nothing of it is read or touched, and
// the catalog counts as seen in part.
func (c *catalog) unread(t *connector.Table) {
	t.ForeignKeys, t.Rights = nil, connector.Rights{}
	c.schema.Partial = true
	c.note("partial-catalog", t, "its foreign keys cannot be told apart or read whole: the role may not see the statement that makes it, or it is not understood",
		"GRANT SELECT ON "+full(t)+" TO "+c.grants.account)
}
