package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

func (t *entry) columns(numbers []int64) []string {
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = t.name(n)
	}
	return names
}

func (r *catalog) constraint(c cells) {
	t := r.tables[string(c[2])]
	if t == nil {
		return
	}
	columns := t.columns(c.list(3))
	switch c.text(1) {
	case "p":
		t.Primary = columns
	case "c":
		t.Checks = append(t.Checks, connector.Check{Name: c.text(0), Expr: c.text(12), Columns: columns})
	case "f":
		r.foreignKey(t, c, columns)
	}
	if !c.is(11) {
		r.remark("not-valid", t.Table, fmt.Sprintf("constraint %s was never checked against the rows that were there", c.text(0)),
			"ALTER TABLE "+qualified(t.Table)+" VALIDATE CONSTRAINT "+quote(c.text(0)))
	}
}

var actions = map[string]connector.Action{"a": connector.NoAction, "r": connector.Restrict, "c": connector.Cascade,
	"n": connector.SetNull, "d": connector.SetDefault}

func (r *catalog) foreignKey(t *entry, c cells, columns []string) {
	parent := r.tables[string(c[4])]
	if parent == nil {
		return // a system table
	}
	t.ForeignKeys = append(t.ForeignKeys, connector.ForeignKey{
		Name: c.text(0), Columns: columns, RefSchema: parent.Schema, RefTable: parent.Name, RefColumns: parent.columns(c.list(5)),
		OnDelete: actions[c.text(6)], OnUpdate: actions[c.text(7)], MatchFull: c.text(8) == "f",
		Deferrable: c.is(9), Deferred: c.is(10), NotValidated: !c.is(11),
	})
}

func (r *catalog) index(c cells) {
	t := r.tables[string(c[0])]
	if t == nil {
		return
	}
	x := connector.Index{Name: c.text(1), Unique: c.is(2), Valid: c.is(4), Partial: c.is(5)}
	expressions := strings.Split(c.text(7), "\x1f")
	plain := true
	for i, n := range c.list(6) {
		name := t.name(n)
		if n == 0 {
			plain = false
			if i == 0 && len(expressions) > 0 {
				name = t.loweredColumn(expressions[0])
				x.Fold = name != ""
			}
		}
		if !c.is(8) {
			name = ""
		}
		x.Columns = append(x.Columns, name)
	}
	t.Indexes = append(t.Indexes, x)
	if x.Unique && !c.is(3) {
		t.Uniques = append(t.Uniques, connector.Unique{Name: x.Name, Columns: x.Columns, Partial: x.Partial || !plain, NotNull: plain})
	}
	if !x.Valid {
		r.remark("invalid-index", t.Table, fmt.Sprintf("index %s failed to build and serves nobody", x.Name), "REINDEX INDEX "+quote(t.Schema)+"."+quote(x.Name))
	}
}

// loweredColumn is the column of an index on lower(column), trimmed or not; "" for another expression.
func (t *entry) loweredColumn(expression string) string {
	m := lowered.FindStringSubmatch(expression)
	if m == nil {
		return ""
	}
	if c := t.Column(unquote(m[1])); c != nil {
		return c.Name
	}
	return ""
}

// lowered reads lower(mail), lower((mail)::text), lower(btrim(mail)) and the index of IndexStatement,
// as PostgreSQL prints them.
var lowered = regexp.MustCompile(`^lower\(+(?:btrim\(+)?("(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)\)*(?:::text)?(?:, E?'[^']*'::text)?\)*(?: COLLATE "C")?\)+$`)

func (r *catalog) trigger(c cells) {
	t := r.tables[string(c[0])]
	if t == nil {
		return
	}
	if c.is(6) { // the checks of a key, switched off
		r.remark("foreign-keys-off", t.Table, "foreign key checks of "+t.Dataset()+" are switched off",
			"ALTER TABLE "+qualified(t.Table)+" ENABLE TRIGGER ALL")
		return
	}
	timing, event := occasion(c.int(2))
	t.Triggers = append(t.Triggers, connector.Trigger{Name: c.text(1), Timing: timing, Event: event, Body: c.text(4), Disabled: c.text(3) == "D"})
	if body := c.text(4); c.text(5) != "sql" && c.text(5) != "plpgsql" || dynamic.MatchString(body) {
		r.remark("dynamic-trigger", t.Table, fmt.Sprintf("trigger %s runs code that cannot be read from here; it may write elsewhere", c.text(1)), "")
	}
}

// occasion decodes pg_trigger.tgtype.
func occasion(bits int64) (timing, event string) {
	timing = "AFTER"
	if bits&2 != 0 {
		timing = "BEFORE"
	}
	if bits&64 != 0 {
		timing = "INSTEAD OF"
	}
	var events []string
	for _, e := range []struct {
		bit  int64
		name string
	}{{4, "INSERT"}, {8, "DELETE"}, {16, "UPDATE"}, {32, "TRUNCATE"}} {
		if bits&e.bit != 0 {
			events = append(events, e.name)
		}
	}
	return timing, strings.Join(events, " OR ")
}

var (
	dynamic = regexp.MustCompile(`(?i)\bexecute\b`)
	written = regexp.MustCompile(`(?i)\b(?:insert\s+into|update(?:\s+only)?)\s+((?:"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*))?)`)
	part    = regexp.MustCompile(`"(?:[^"]|"")+"|[\pL_][\pL\pN_$]*`)
)

// writes lists the tables that a function's text inserts into or updates. A bare name is looked for
// in the schema of the trigger's table, then in the default one.
func (r *catalog) writes(t *connector.Table, body string) []string {
	var found []string
	for _, m := range written.FindAllStringSubmatch(body, -1) {
		names := part.FindAllString(m[1], 2)
		for i, n := range names {
			names[i] = unquote(n)
		}
		schemas := []string{t.Schema, r.schema.Default}
		if len(names) == 2 {
			schemas, names = names[:1], names[1:]
		}
		for _, schema := range schemas {
			i := slices.IndexFunc(r.schema.Tables, func(x *connector.Table) bool { return x.Schema == schema && x.Name == names[0] })
			if i >= 0 {
				found = append(found, r.schema.Tables[i].Dataset())
				break
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func unquote(name string) string {
	if strings.HasPrefix(name, `"`) {
		return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	return strings.ToLower(name)
}

func (r *catalog) note(c cells) {
	t := r.tables[c.text(1)]
	switch {
	case c.text(0) == "rule" && t != nil:
		r.remark("rule", t.Table, fmt.Sprintf("rule %s rewrites statements on this table", c.text(2)), "")
	case c.text(0) == "publication" && t != nil:
		r.remark("publication", t.Table, fmt.Sprintf("publication %s copies this table to its subscribers", c.text(2)), "")
	case c.text(0) == "publication":
		r.schema.Notes = append(r.schema.Notes, connector.Note{Code: "publication", Message: fmt.Sprintf("publication %s copies all tables to its subscribers", c.text(2))})
	}
}

func (r *catalog) remark(code string, t *connector.Table, message, cure string) {
	n := connector.Note{Code: code, Table: t.Dataset(), Message: message, Cure: cure}
	if !slices.Contains(r.schema.Notes, n) {
		r.schema.Notes = append(r.schema.Notes, n)
	}
}

// ofColumn puts a column in the place of VALUE in a domain's check, as PostgreSQL prints it: in
// capitals, outside quotes.
func ofColumn(expression, column string) string {
	return token.ReplaceAllStringFunc(expression, func(s string) string {
		if s == "VALUE" {
			return quote(column)
		}
		return s
	})
}

var token = regexp.MustCompile(`'(?:[^']|'')*'|"(?:[^"]|"")*"|[\pL_][\pL\pN_$]*`)
