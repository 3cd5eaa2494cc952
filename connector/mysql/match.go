package mysql

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
)

// form is how a match is asked.
type form int

const (
	byKey  form = iota // equal in the engine, and byte by byte where the kind is text
	byRule             // equal as the column's collation says: a declared foreign key
	byRow              // equal cells with NULL equal to NULL: a whole row as its own address
	byFold             // a superset; connector.Fold decides
	byNull             // IS NULL
)

// match is a connector.Match made ready: names checked, keys converted, sorted, each once.
type match struct {
	form    form
	columns []*connector.Column
	keys    []connector.Key
	folds   map[string]bool // byFold: the keys folded
	indexed bool            // byFold: an index of a ci collation leads with the column
}

// ready checks and converts all conditions. A match that cannot hit makes none true.
func (s *store) ready(t *connector.Table, where []connector.Match) (matches []match, none bool, err error) {
	for _, w := range where {
		m, err := s.readyOne(t, w)
		if err != nil {
			return nil, false, err
		}
		none = none || m.form != byNull && len(m.keys) == 0
		matches = append(matches, m)
	}
	return matches, none, nil
}

func (s *store) readyOne(t *connector.Table, w connector.Match) (match, error) {
	found, err := columns(t, w.Columns)
	if err != nil {
		return match{}, err
	}
	m := match{columns: found, form: formOf(t, w, found)}
	if m.form == byNull {
		return m, nil
	}
	for _, k := range w.Keys {
		if len(k) != len(found) {
			return match{}, fault.New(fault.Invalid, "table %s: a key of %d parts for %d columns", t.Dataset(), len(k), len(found))
		}
		if converted, ok := s.convertKey(k, m); ok {
			m.keys = append(m.keys, converted)
		}
	}
	m.keys = sortKeys(m.keys)
	if m.form == byFold {
		m.indexed = foldIndex(t, found[0])
		m.folds = make(map[string]bool, len(m.keys))
		for _, k := range m.keys {
			m.folds[connector.Fold(k[0].S)] = true
		}
	}
	return m, nil
}

func formOf(t *connector.Table, w connector.Match, found []*connector.Column) form {
	switch {
	case w.Null || len(found) == 0:
		return byNull
	case w.Fold && len(found) == 1 && found[0].Kind == connector.Text:
		return byFold
	case t.Locator.Kind == connector.ByPredicate && slices.Equal(w.Columns, t.Locator.Columns):
		return byRow
	case slices.ContainsFunc(t.ForeignKeys, func(k connector.ForeignKey) bool { return sameSet(k.Columns, w.Columns) }):
		return byRule
	}
	return byKey
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}

// convertKey gives the key in the columns' kinds; false when it can match nothing.
func (s *store) convertKey(k connector.Key, m match) (connector.Key, bool) {
	out := make(connector.Key, len(k))
	for i, v := range k {
		if m.form == byFold {
			out[i] = connector.TextValue(connector.Fold(v.S))
			return out, !v.IsNull()
		}
		var ok bool
		if out[i], ok = s.Convert(v, m.columns[i]); !ok || v.IsNull() && m.form != byRow {
			return nil, false
		}
	}
	return out, true
}

// sortKeys orders keys as an index would visit them, roughly: deletes in order are a third faster.
func sortKeys(keys []connector.Key) []connector.Key {
	slices.SortFunc(keys, compareKeys)
	return slices.CompactFunc(keys, func(a, b connector.Key) bool { return slices.Equal(a, b) })
}

func compareKeys(a, b connector.Key) int {
	for i := range a {
		if d := compareValues(a[i], b[i]); d != 0 {
			return d
		}
	}
	return 0
}

func compareValues(a, b connector.Value) int {
	if a.Kind != connector.Int || b.Kind != connector.Int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.S, b.S))
	}
	x, y := strings.HasPrefix(a.S, "-"), strings.HasPrefix(b.S, "-")
	switch {
	case x && y:
		return cmp.Or(cmp.Compare(len(b.S), len(a.S)), cmp.Compare(b.S, a.S))
	case x:
		return -1
	case y:
		return 1
	}
	return cmp.Or(cmp.Compare(len(a.S), len(b.S)), cmp.Compare(a.S, b.S))
}

// conditions gives WHERE clauses that together cover the matches, with at most size keys of each.
func (s *store) conditions(matches []match, size int) iter.Seq[string] {
	return func(yield func(string) bool) { s.cross(matches, size, nil, yield) }
}

func (s *store) cross(matches []match, size int, done []string, yield func(string) bool) bool {
	if len(matches) == 0 {
		if len(done) == 0 {
			return yield("")
		}
		return yield(" WHERE " + strings.Join(done, " AND "))
	}
	m := matches[0]
	if m.form == byNull {
		return s.cross(matches[1:], size, append(done, isNull(m)), yield)
	}
	if m.form == byFold && !m.indexed {
		size = max(size, len(m.keys)) // one scan serves all, two scans would deliver a row twice
	}
	if size <= atOnce { // an answer in one order, or of one scan, is not divided
		size = portion(m.keys, size)
	}
	for part := range slices.Chunk(m.keys, size) {
		if !s.cross(matches[1:], size, append(done[:len(done):len(done)], s.condition(m, part)), yield) {
			return false
		}
	}
	return true
}

// portion is how many keys fit one statement: the server takes 16 MiB unless told otherwise, and a
// text is written up to five times as long.
func portion(keys []connector.Key, size int) int {
	longest := 1
	for _, k := range keys {
		n := 0
		for _, v := range k {
			n += len(v.S)
		}
		longest = max(longest, n)
	}
	return max(1, min(size, 2<<20/longest))
}

// condition is one match with some of its keys.
func (s *store) condition(m match, keys []connector.Key) string {
	switch m.form {
	case byFold:
		return s.foldCondition(m, keys)
	case byRow:
		return s.rowCondition(m, keys)
	case byNull:
		return isNull(m)
	case byRule:
		return s.in(m, keys, false, "")
	}
	if !slices.ContainsFunc(m.columns, collated) {
		return s.in(m, keys, false, "")
	}
	return s.in(m, keys, false, "") + " AND " + s.in(m, keys, true, "")
}

// collated tells that the engine's equality may be wider than that of bytes.
func collated(c *connector.Column) bool { return c.Collation != "" && c.Kind != connector.UUID }

// in is columns IN (keys); exact compares the bytes of collated columns instead of
// their collation. The alias, with its dot, goes before the columns.
func (s *store) in(m match, keys []connector.Key, exact bool, alias string) string {
	left := make([]string, len(m.columns))
	for i, c := range m.columns {
		left[i] = alias + name(c.Name)
		if exact && collated(c) {
			left[i] = asBytes(c)
		}
	}
	var b strings.Builder
	b.WriteString(tuple(left) + " IN (")
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		right := make([]string, len(k))
		for j, v := range k {
			switch c := m.columns[j]; {
			case !collated(c):
				right[j] = s.literal(v, c)
			case exact:
				right[j] = binary(v.S)
			default:
				right[j] = operand(v.S, c)
			}
		}
		b.WriteString(tuple(right))
	}
	b.WriteByte(')')
	return b.String()
}

// operand is a text to compare with a column. In another character set than the connection's it is
// carried over: the engine refuses to, for what that set lacks. Such a character becomes "?", whose
// hits fail the comparison of bytes.
func operand(text string, c *connector.Column) string {
	charset, _, _ := strings.Cut(c.Collation, "_")
	if charset == "utf8mb4" || !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return quote(text)
	}
	return "CONVERT(" + quote(text) + " USING " + charset + ") COLLATE " + c.Collation
}

func tuple(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// asBytes is a text column as the bytes of its UTF-8.
func asBytes(c *connector.Column) string {
	if strings.HasPrefix(c.Collation, "utf8mb4_") {
		return "CAST(" + name(c.Name) + " AS BINARY)"
	}
	return "CAST(CONVERT(" + name(c.Name) + " USING utf8mb4) AS BINARY)"
}

// rowCondition finds whole rows: there is no index to help, so every cell is compared exactly.
func (s *store) rowCondition(m match, keys []connector.Key) string {
	rows := make([]string, len(keys))
	for i, k := range keys {
		rows[i] = "(" + s.rowEqual(m.columns, k) + ")"
	}
	return "(" + strings.Join(rows, " OR ") + ")"
}

func (s *store) rowEqual(list []*connector.Column, k connector.Key) string {
	parts := make([]string, len(list))
	for i, c := range list {
		switch {
		case k[i].IsNull():
			parts[i] = name(c.Name) + " IS NULL"
		case spatial(c):
			parts[i] = "ST_AsText(" + name(c.Name) + ") = " + quote(k[i].S)
		case collated(c):
			parts[i] = asBytes(c) + " = " + binary(k[i].S)
		default:
			parts[i] = name(c.Name) + " = " + s.literal(k[i], c)
		}
	}
	return strings.Join(parts, " AND ")
}

func isNull(m match) string {
	parts := make([]string, len(m.columns))
	for i, c := range m.columns {
		parts[i] = name(c.Name) + " IS NULL"
	}
	if len(parts) == 0 {
		return "TRUE"
	}
	return strings.Join(parts, " AND ")
}
