package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// A look proves what Select and Tx.Do claim, so it shares no writing of SQL with them. It binds all keys
// as rows of VALUES where they use lists, tests every condition again in Go where they leave it to SQLite,
// folds in Go where they fold in SQL, and reads through connections that cannot write.

// lookVariables is how many parameters one statement of a look binds; SQLite takes 32,766.
const lookVariables = 8_000

// lookFolds is how many identities a look searches by index one by one, lookNear how many it does in a list; for
// more it reads the table. lookFew is how many keys are few.
const (
	lookFolds = 50
	lookNear  = 8_000
	lookFew   = 64
)

var errEnough = errors.New("enough rows")

// Look asks like Select, apart from it.
func (s *Store) Look(ctx context.Context, qs []connector.Select, row func(query int, row []connector.Value) error) error {
	if len(qs) < 2 {
		return s.looks(ctx, s.eye, qs, row)
	}
	t, err := s.reading(ctx, s.eye)
	if err != nil {
		return err
	}
	err = s.looks(ctx, t.conn, qs, row)
	if ended := t.Rollback(ctx); err == nil {
		err = ended
	}
	return err
}

func (s *Store) looks(ctx context.Context, r runner, qs []connector.Select, row func(query int, row []connector.Value) error) error {
	ctx, w := s.watch(ctx)
	defer w.end()
	for i, q := range qs {
		l, err := s.newLook(q)
		if err != nil {
			return err
		}
		l.from, l.watch, l.swift = r, w, i > 0 && swift(q)
		l.deliver = func(cells []connector.Value) error { return row(i, cells) }
		if err := l.run(ctx); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	return nil
}

// look is one question.
type look struct {
	s         *Store
	from      runner
	watch     *watch
	swift     bool
	q         connector.Select
	conds     []lookCond
	columns   []string // to read: those asked for, then those of the conditions
	delivered int
	deliver   func(row []connector.Value) error
}

// lookCond is a condition as Go tests it.
type lookCond struct {
	match  connector.Match
	cols   []*connector.Column
	at     int // of its first column among the columns read
	keys   map[string]bool
	tuples [][]connector.Value // cells to bind
}

func (s *Store) newLook(q connector.Select) (*look, error) {
	l := &look{s: s, q: q, columns: slices.Clone(q.Columns)}
	for _, m := range q.Where {
		if len(m.Columns) == 0 || m.Fold && len(m.Columns) != 1 {
			return nil, fmt.Errorf("system %s: a condition on %s has the wrong number of columns", s.system, q.Table.Dataset())
		}
		c := lookCond{match: m, at: len(l.columns), keys: map[string]bool{}}
		for _, name := range m.Columns {
			c.cols = append(c.cols, lookColumn(q.Table, name))
		}
		l.columns = append(l.columns, m.Columns...)
		l.conds = append(l.conds, c)
	}
	for _, name := range l.columns {
		if lookColumn(q.Table, name) == nil {
			return nil, fmt.Errorf("system %s: table %s has no such column", s.system, q.Table.Dataset())
		}
	}
	for i := range l.conds {
		if err := l.conds[i].prepare(); err != nil {
			return nil, fmt.Errorf("system %s: table %s: %w", s.system, q.Table.Dataset(), err)
		}
	}
	return l, nil
}

// lookColumn finds a column by name, or the rowid by which rows are addressed; nil when absent.
func lookColumn(t *connector.Table, name string) *connector.Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	if t.Locator.Kind == connector.ByPhysical && t.Locator.Columns[0] == name {
		return &connector.Column{Name: name, Type: "INTEGER"}
	}
	return nil
}

// prepare lists the cells that the condition accepts.
func (c *lookCond) prepare() error {
	for _, k := range c.match.Keys {
		switch {
		case len(k) != len(c.cols):
			return errors.New("a key has the wrong number of parts")
		case c.match.Fold:
			if !k[0].IsNull() && k[0].Kind != connector.Bytes {
				c.keys[connector.Fold(k[0].S)] = true
			}
		default:
			for _, cells := range lookTuples(c.cols, k) {
				if code := lookCode(cells); !c.keys[code] {
					c.keys[code] = true
					c.tuples = append(c.tuples, cells)
				}
			}
		}
	}
	return nil
}

// lookTuples multiplies out the forms of a key's parts.
func lookTuples(cols []*connector.Column, k connector.Key) [][]connector.Value {
	if len(k) == 0 {
		return [][]connector.Value{{}}
	}
	var out [][]connector.Value
	for _, first := range forms(k[0], cols[0]) {
		for _, rest := range lookTuples(cols[1:], k[1:]) {
			out = append(out, append([]connector.Value{first}, rest...))
		}
	}
	return out
}

// lookCode is a tuple as a map key. A number is one whether SQLite keeps it as an integer or not.
func lookCode(cells []connector.Value) string {
	var b []byte
	for _, v := range cells {
		kind := v.Kind
		if kind == connector.Float {
			kind = connector.Int
		}
		b = append(binary.AppendUvarint(append(b, byte(kind)), uint64(len(v.S))), v.S...)
	}
	return string(b)
}

// accepts tests one condition on the row read; only names the keys of the statement at hand, nil all of them.
func (c *lookCond) accepts(row []connector.Value, only map[string]bool) bool {
	cells := row[c.at : c.at+len(c.cols)]
	switch {
	case c.match.Null:
		return !slices.ContainsFunc(cells, func(v connector.Value) bool { return !v.IsNull() })
	case c.match.Fold:
		return !cells[0].IsNull() && cells[0].Kind != connector.Bytes && c.keys[connector.Fold(cells[0].S)]
	case only != nil:
		return only[lookCode(cells)]
	}
	return c.keys[lookCode(cells)]
}

// run reads by the keys of one condition, in as many statements as they need, or the whole table.
func (l *look) run(ctx context.Context) error {
	driver := -1
	for i, c := range l.conds {
		if !c.match.Null && len(c.keys) == 0 {
			return nil
		}
		few := len(c.tuples)*len(c.cols) <= lookVariables || !l.q.Sorted
		if len(c.tuples) > 0 && few && (driver < 0 || len(c.tuples) < len(l.conds[driver].tuples)) {
			driver = i
		}
	}
	if driver < 0 {
		return l.read(ctx, -1, nil)
	}
	c := l.conds[driver]
	for chunk := range slices.Chunk(c.tuples, max(lookVariables/len(c.cols), 1)) {
		if err := l.read(ctx, driver, chunk); err != nil {
			return err
		}
	}
	return nil
}

// read runs one statement: the rows that the driving condition may accept, every condition tested
// again. A row is delivered by the statement that binds its own key, whatever collations join.
func (l *look) read(ctx context.Context, driver int, chunk [][]connector.Value) error {
	text, args := l.text(driver, chunk)
	var only map[string]bool
	if driver >= 0 && len(chunk) < len(l.conds[driver].tuples) {
		only = map[string]bool{}
		for _, cells := range chunk {
			only[lookCode(cells)] = true
		}
	}
	return l.s.watched(ctx, l.watch, l.from, statement{text: text, args: args, swift: l.swift}, func(row []connector.Value) error {
		for i := range l.conds {
			var keys map[string]bool
			if i == driver {
				keys = only
			}
			if !l.conds[i].accepts(row, keys) {
				return nil
			}
		}
		if err := l.deliver(row[:len(l.q.Columns):len(l.q.Columns)]); err != nil {
			return err
		}
		if l.delivered++; l.delivered == l.q.Limit {
			return errEnough
		}
		return nil
	})
}

// text writes the statement: names quoted with backticks, keys as rows of VALUES.
func (l *look) text(driver int, chunk [][]connector.Value) (string, []any) {
	tick := func(names []string, prefix string) string {
		out := make([]string, len(names))
		for i, n := range names {
			out[i] = prefix + "x.`" + strings.ReplaceAll(n, "`", "``") + "`"
		}
		return strings.Join(out, ",")
	}
	text := "SELECT " + tick(l.columns, "+") + " FROM main.`" + strings.ReplaceAll(l.q.Table.Name, "`", "``") + "` AS x"
	var args []any
	if driver >= 0 {
		c := l.conds[driver]
		row := ",(" + strings.TrimPrefix(strings.Repeat(",?", len(c.cols)), ",") + ")"
		size := lookSize(len(chunk))
		text += " WHERE (" + tick(c.match.Columns, "") + ") IN (VALUES " + strings.Repeat(row, size)[1:] + ")"
		for i := range size {
			for _, v := range chunk[min(i, len(chunk)-1)] {
				args = append(args, encode(v))
			}
		}
	}
	if driver < 0 {
		var near string
		if near, args = l.near(); near != "" {
			text += " WHERE " + near
		}
	}
	if key := l.q.Table.Locator; l.q.Sorted && (key.Kind == connector.ByPrimary || key.Kind == connector.ByUnique) {
		text += " ORDER BY " + tick(key.Columns, "")
	}
	return text, args
}

// lookSize is how many rows of VALUES stand for so many keys: of a few, the last stands there again until
// they are a power of two, so that the next look finds its statement compiled.
func lookSize(keys int) int {
	size := 1
	for size < keys && size < lookFew {
		size *= 2
	}
	return max(size, keys)
}

// near bounds the cells in which identities of plain ASCII can stand, where an index without case
// serves the column: equal up to blanks, which may be of any script and come first. Which of them are
// equal is for accepts to say.
func (l *look) near() (string, []any) {
	for _, c := range l.conds {
		by := ""
		if c.match.Fold && len(c.keys) <= lookNear {
			by = lookFolded(l.q.Table, c.cols[0], "x")
		}
		if by == "" || !plainKeys(c.keys) {
			continue
		}
		text, args := "("+by+" < '!' OR "+by+" > (SELECT ?)", []any{"\x7f"}
		if len(c.keys) > lookFolds {
			if rowid(l.q.Table) == "" {
				continue
			}
			for key := range c.keys {
				args = append(args, key, key+"!", key+"\u0080", key+"\xff")
			}
			return text + " OR " + l.nearMany(c) + ")", args
		}
		for key := range c.keys { // a bound that is no plain parameter lets SQLite keep its plan
			text += strings.Repeat(" OR "+by+" BETWEEN (SELECT ?) AND (SELECT ?)", 2)
			args = append(args, key, key+"!", key+"\u0080", key+"\xff")
		}
		return text + ")", args
	}
	return "", nil
}

// nearMany finds the rows whose cells lie in one of many ranges, two of which are of one identity.
func (l *look) nearMany(c lookCond) string {
	tick := func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
	row := tick(rowid(l.q.Table))
	ranges := strings.Repeat(",(?,?)", 2*len(c.keys))[1:]
	return "x." + row + " IN (SELECT y." + row + " FROM (VALUES " + ranges + ") AS k CROSS JOIN main." + tick(l.q.Table.Name) +
		" AS y WHERE " + lookFolded(l.q.Table, c.cols[0], "y") + " BETWEEN k.column1 AND k.column2)"
}

// lookFolded is by what an index on the column is ordered without case, "" where there is none.
func lookFolded(t *connector.Table, c *connector.Column, row string) string {
	name := row + ".`" + strings.ReplaceAll(c.Name, "`", "``") + "`"
	switch {
	case !slices.ContainsFunc(t.Indexes, func(x connector.Index) bool { return x.Fold && !x.Partial && x.Columns[0] == c.Name }):
		return ""
	case c.FoldEqual:
		return name
	}
	return "lower(" + name + ")"
}

func plainKeys(keys map[string]bool) bool {
	for k := range keys {
		if strings.ContainsFunc(k, func(r rune) bool { return r == 0 || r >= 0x80 }) {
			return false
		}
	}
	return true
}
