package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// lookAtOnce is how many keys one statement of a look carries.
const lookAtOnce = 2000

// Look answers what Select answers by other SQL, on another connection: keys are rows of a typed
// table value, values are hexadecimal, and equality beyond the engine's is decided here, not there.
func (s *store) Look(ctx context.Context, qs []connector.Select, row func(int, []connector.Value) error) error {
	for i, q := range qs {
		l, err := s.newLook(q)
		if err != nil {
			return s.fault("looking", err)
		}
		err = l.run(ctx, func(r []connector.Value) error {
			if err := row(i, r); err != nil {
				return caller{err}
			}
			return nil
		})
		if err := s.outcome("looking", err); err != nil {
			return err
		}
	}
	return nil
}

// look is one question: asked columns, then those that decide.
type look struct {
	s       *store
	q       connector.Select
	matches []match
	columns []*connector.Column
	decide  []decision
	never   bool
}

// decision says which delivered cells must be in a set.
type decision struct {
	from, to int
	fold     bool
	allowed  map[string]bool
}

func (s *store) newLook(q connector.Select) (*look, error) {
	l := &look{s: s, q: q}
	var err error
	if l.columns, err = columns(q.Table, q.Columns); err != nil {
		return nil, err
	}
	if l.matches, l.never, err = s.ready(q.Table, q.Where); err != nil {
		return nil, err
	}
	for _, m := range l.matches {
		if m.form != byKey && m.form != byFold && m.form != byRow {
			continue
		}
		d := decision{from: len(l.columns), fold: m.form == byFold, allowed: map[string]bool{}}
		l.columns = append(l.columns, m.columns...)
		d.to = len(l.columns)
		for _, k := range m.keys {
			d.allowed[k.Encode()] = true
		}
		l.decide = append(l.decide, d)
	}
	return l, nil
}

func (d decision) holds(row []connector.Value) bool {
	key := connector.Key(row[d.from:d.to])
	if d.fold {
		if key[0].IsNull() {
			return false
		}
		key = connector.Key{connector.TextValue(connector.Fold(key[0].S))}
	}
	return d.allowed[key.Encode()]
}

func (l *look) run(ctx context.Context, row func([]connector.Value) error) error {
	if l.never {
		return nil
	}
	left := l.q.Limit
	err := l.parts(nil, func(chosen [][]connector.Key) error {
		return l.s.stream(ctx, l.s.proof, l.statement(chosen), l.columns, func(values []connector.Value) error {
			for _, d := range l.decide {
				if !d.holds(values) {
					return nil
				}
			}
			if err := row(values[:len(l.q.Columns)]); err != nil {
				return err
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// parts visits every combination of key portions, one portion per match.
func (l *look) parts(chosen [][]connector.Key, visit func([][]connector.Key) error) error {
	if len(chosen) == len(l.matches) {
		return visit(chosen)
	}
	m := l.matches[len(chosen)]
	portions := [][]connector.Key{m.keys}
	if m.form == byKey || m.form == byRule {
		portions = slices.Collect(slices.Chunk(m.keys, lookAtOnce))
	}
	for _, p := range portions {
		if err := l.parts(append(chosen[:len(chosen):len(chosen)], p), visit); err != nil {
			return err
		}
	}
	return nil
}

// statement reads the table under its alias t, with one table value per match.
func (l *look) statement(chosen [][]connector.Key) string {
	var with, where, read []string
	for i, m := range l.matches {
		switch m.form {
		case byNull:
			for _, c := range m.columns {
				where = append(where, "ISNULL("+at(c)+")")
			}
		case byFold:
			where = append(where, pattern(m.columns[0], chosen[i]))
		default:
			table := fmt.Sprintf("k%d", i)
			with = append(with, l.values(table, m.columns, chosen[i]))
			where = append(where, among(table, m))
		}
	}
	for _, c := range l.columns {
		read = append(read, seen(c))
	}
	text := "SELECT " + strings.Join(read, ", ") + " FROM " + ident(l.q.Table.Schema) + "." + ident(l.q.Table.Name) + " AS t"
	if len(with) > 0 {
		text = "WITH " + strings.Join(with, ", ") + " " + text
	}
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return text
}

// among asks whether the row is in the table value; whole rows compare NULL with NULL.
func among(table string, m match) string {
	var left, right, same []string
	for i, c := range m.columns {
		left = append(left, at(c))
		right = append(right, fmt.Sprintf("c%d", i))
		same = append(same, fmt.Sprintf("%s.c%d <=> %s", table, i, seen(c)))
	}
	if m.form == byRow {
		return "EXISTS (SELECT 1 FROM " + table + " WHERE " + strings.Join(same, " AND ") + ")"
	}
	return "(" + strings.Join(left, ", ") + ") IN (SELECT " + strings.Join(right, ", ") + " FROM " + table + ")"
}

// values is a table value: k0 (c0, c1) AS (VALUES (…), (…)).
func (l *look) values(table string, list []*connector.Column, keys []connector.Key) string {
	head := make([]string, len(list))
	for i := range list {
		head[i] = fmt.Sprintf("c%d", i)
	}
	open := "("
	if l.s.engine == "mysql" {
		open = "ROW("
	}
	rows := make([]string, len(keys))
	for i, k := range keys {
		typed := make([]string, len(k))
		for j, v := range k {
			typed[j] = l.typed(v, list[j])
		}
		rows[i] = open + strings.Join(typed, ", ") + ")"
	}
	return table + " (" + strings.Join(head, ", ") + ") AS (VALUES " + strings.Join(rows, ", ") + ")"
}

// typed writes a value as one of the column's own type.
func (l *look) typed(v connector.Value, c *connector.Column) string {
	bytes := "X'" + hex.EncodeToString([]byte(v.S)) + "'"
	text := "CONVERT(" + bytes + " USING utf8mb4)"
	switch {
	case v.IsNull():
		return "NULL"
	case c.Kind == connector.Bytes:
		return bytes
	case c.Kind == connector.Int && strings.HasPrefix(v.S, "-"):
		return "CAST(" + v.S + " AS SIGNED)"
	case c.Kind == connector.Int:
		return "CAST(" + v.S + " AS UNSIGNED)"
	case c.Kind == connector.Decimal:
		return fmt.Sprintf("CAST(%s AS DECIMAL(%d,%d))", v.S, max(1, c.Precision), c.Scale)
	case c.Kind == connector.Float:
		return float(v.S, c)
	case c.Kind == connector.Time && strings.HasPrefix(c.Type, "date") && !strings.HasPrefix(c.Type, "datetime"):
		return "CAST(" + text + " AS DATE)"
	case c.Kind == connector.Time && strings.HasPrefix(c.Type, "time") && !strings.HasPrefix(c.Type, "timestamp"):
		return "CAST(" + text + " AS TIME(6))"
	case c.Kind == connector.Time:
		return "CAST(" + text + " AS DATETIME(6))"
	case c.Kind == connector.UUID:
		return "CAST(" + text + " AS UUID)"
	case c.Kind == connector.JSON && l.s.engine == "mysql": // MariaDB keeps documents as text
		return "CAST(" + text + " AS JSON)"
	case c.Collation == "":
		return text
	}
	charset, _, _ := strings.Cut(c.Collation, "_")
	return "CONVERT(" + text + " USING " + charset + ") COLLATE " + c.Collation
}

// pattern scans for cells that hold a key, whatever the case: a superset of the folded equal.
func pattern(c *connector.Column, keys []connector.Key) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		if k[0].S == "" {
			return at(c) + " IS NOT NULL"
		}
		list[i] = escape(k[0].S)
	}
	expression := "(?i)" + strings.Join(list, "|")
	return "CONVERT(" + at(c) + " USING utf8mb4) REGEXP CONVERT(X'" + hex.EncodeToString([]byte(expression)) + "' USING utf8mb4)"
}

// escape makes every ASCII character that is no letter or digit stand for itself, and one beyond the basic plane for any:
// MariaDB before 10.6 puts a question mark for those, in the expression too.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r > 0xffff:
			r = '.'
		case r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func ident(n string) string { return "`" + strings.ReplaceAll(n, "`", "``") + "`" }

func at(c *connector.Column) string { return "t." + ident(c.Name) }

// seen reads a cell in full precision.
func seen(c *connector.Column) string {
	if spatial(c) {
		return "ST_AsText(" + at(c) + ")"
	}
	if strings.HasPrefix(c.Type, "float") {
		return "(" + at(c) + " + 0e0)"
	}
	return at(c)
}
