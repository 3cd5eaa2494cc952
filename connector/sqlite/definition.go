package sqlite

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// definition is what only the text of a CREATE TABLE tells.
type definition struct {
	collations map[string]string // by lower-case column
	checks     []check
	references []reference // in the order of the text
}

type check struct {
	name, expr string
	names      []string // that occur in the expression
}

type reference struct {
	name                 string
	deferrable, deferred bool
}

// define reads a CREATE TABLE. Most have none of the words that tell more than the pragmas do.
func define(sql string) definition {
	d := definition{collations: map[string]string{}}
	text := strings.ToUpper(sql)
	if !slices.ContainsFunc([]string{"CHECK", "COLLATE", "CONSTRAINT", "DEFERR"}, func(w string) bool { return strings.Contains(text, w) }) {
		return d
	}
	ts := tokens(sql)
	for _, item := range items(ts) {
		d.read(sql, item)
	}
	return d
}

// read takes one column definition or table constraint; SQLite allows several of the latter
// without commas, which is no matter here.
func (d *definition) read(sql string, item []token) {
	if len(item) == 0 {
		return
	}
	column := item[0].text
	if item[0].kind == word && slices.ContainsFunc([]string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}, item[0].is) {
		column = ""
	}
	var constraint string
	for i := 0; i < len(item); i++ {
		t := item[i]
		following := i+1 < len(item)
		switch {
		case t.is("CONSTRAINT") && following && (i > 0 || column == ""):
			i++
			constraint = item[i].text
		case t.is("CHECK") && following && item[i+1].is("("):
			end := closing(item, i+1)
			if item[end].is(")") {
				d.check(constraint, sql, item[i+1:end+1])
			}
			constraint, i = "", end
		case t.is("REFERENCES") && i > 0:
			d.references = append(d.references, reference{name: constraint})
			constraint = ""
		case t.is("DEFERRABLE") && len(d.references) > 0 && i > 0:
			d.references[len(d.references)-1].deferrable = !item[i-1].is("NOT")
		case t.is("DEFERRED") && len(d.references) > 0 && i > 0 && item[i-1].is("INITIALLY"):
			r := &d.references[len(d.references)-1]
			r.deferred = r.deferrable
		case t.is("COLLATE") && following && column != "" && i > 0:
			d.collations[strings.ToLower(column)] = strings.ToUpper(item[i+1].text)
		case t.is("("):
			i = closing(item, i)
		}
	}
}

// check takes the tokens of a CHECK with its parentheses.
func (d *definition) check(name, sql string, ts []token) {
	c := check{name: name, expr: strings.TrimSpace(sql[ts[0].end:ts[len(ts)-1].pos])}
	for _, t := range ts {
		if t.kind == word || t.kind == quoted {
			c.names = append(c.names, t.text)
		}
	}
	d.checks = append(d.checks, c)
}

// apply gives the table what its text tells.
func (d definition) apply(t *connector.Table) {
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Collation = d.collations[strings.ToLower(c.Name)]
		c.FoldEqual = c.Collation == "NOCASE"
	}
	for _, c := range d.checks {
		out := connector.Check{Name: c.name, Expr: c.expr}
		for _, column := range t.Columns {
			if slices.ContainsFunc(c.names, func(n string) bool { return strings.EqualFold(n, column.Name) }) {
				out.Columns = append(out.Columns, column.Name)
			}
		}
		t.Checks = append(t.Checks, out)
	}
	// The pragma lists keys from the last declared to the first.
	for i := range t.ForeignKeys {
		if at := len(t.ForeignKeys) - 1 - i; len(d.references) == len(t.ForeignKeys) {
			r := d.references[at]
			t.ForeignKeys[i].Name, t.ForeignKeys[i].Deferrable, t.ForeignKeys[i].Deferred = r.name, r.deferrable, r.deferred
		}
	}
	slices.Reverse(t.ForeignKeys)
}

// readTrigger reads a CREATE TRIGGER.
func readTrigger(name, sql string) connector.Trigger {
	g := connector.Trigger{Name: name, Timing: "BEFORE", Body: sql}
	ts := tokens(sql)
	begin := slices.IndexFunc(ts, func(t token) bool { return t.is("BEGIN") })
	if begin < 0 {
		return g
	}
	for i, t := range ts[:begin] {
		switch {
		case g.Event == "" && (t.is("AFTER") || t.is("BEFORE")):
			g.Timing = strings.ToUpper(t.text)
		case g.Event == "" && t.is("INSTEAD"):
			g.Timing = "INSTEAD OF"
		case g.Event == "" && i > 2 && (t.is("DELETE") || t.is("INSERT") || t.is("UPDATE")):
			g.Event = strings.ToUpper(t.text)
		}
	}
	g.Writes = writes(ts[begin:])
	return g
}

// writes lists the tables that a trigger's body inserts into or updates.
func writes(ts []token) []string {
	var out []string
	for i, t := range ts {
		var at int
		switch {
		case t.is("INTO"):
			at = i + 1
		case t.is("UPDATE"):
			if at = i + 1; at+1 < len(ts) && ts[at].is("OR") {
				at += 2
			}
		}
		if at == 0 || at >= len(ts) || !ts[at].name() || ts[at].is("SET") {
			continue
		}
		if at+2 < len(ts) && ts[at+1].is(".") {
			at += 2
		}
		if !slices.Contains(out, ts[at].text) {
			out = append(out, ts[at].text)
		}
	}
	return out
}

// fullText is a virtual table for full-text search.
type fullText struct {
	name    string
	content string // table that holds the text; "" when it holds its own or none
}

// readFullText reads a CREATE VIRTUAL TABLE; false when it is not for full-text search.
func readFullText(name, sql string) (fullText, bool) {
	ts := tokens(sql)
	using := slices.IndexFunc(ts, func(t token) bool { return t.is("USING") })
	if using < 0 || using+1 >= len(ts) || !strings.HasPrefix(strings.ToLower(ts[using+1].text), "fts") {
		return fullText{}, false
	}
	f := fullText{name: name}
	for _, arg := range items(ts[using:]) {
		if len(arg) >= 3 && arg[0].is("content") && arg[1].is("=") {
			f.content = arg[2].text
		}
	}
	return f, true
}
