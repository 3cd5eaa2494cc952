package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// match is a condition ready to ask: its columns are real and its keys are of their types.
type match struct {
	columns []*connector.Column
	keys    []connector.Key
	null    bool
	fold    bool
	whole   bool // ByPredicate: keys are whole rows, NULL equals NULL
	aside   bool // another condition finds the rows; this one only tests them
}

// manyTested is from how many keys on a test is by their hash: the server goes through an array that it
// does not know when it plans key by key.
const manyTested = 32

// resolve checks a condition against the catalog and converts its keys; those that no cell can
// equal are left out.
func resolve(t *connector.Table, m connector.Match) (match, error) {
	r := match{null: m.Null, fold: m.Fold}
	columns, err := resolveColumns(t, m.Columns)
	if err != nil {
		return r, err
	}
	r.columns = columns
	r.whole = t.Locator.Kind == connector.ByPredicate && slices.Equal(m.Columns, t.Locator.Columns)
	if m.Null {
		return r, nil
	}
	if m.Fold && len(columns) != 1 {
		return r, fmt.Errorf("table %s: folding compares one column, not %d", t.Name, len(columns))
	}
	r.keys = make([]connector.Key, 0, len(m.Keys))
	for _, k := range m.Keys {
		if len(k) != len(columns) {
			return r, fmt.Errorf("table %s: a key of %d parts for %d columns", t.Name, len(k), len(columns))
		}
		if k, ok := r.key(k); ok {
			r.keys = append(r.keys, k)
		}
	}
	return r, nil
}

// key converts one key; false when it matches nothing.
func (m match) key(k connector.Key) (connector.Key, bool) {
	if m.fold {
		return connector.Key{connector.TextValue(connector.Fold(k[0].S))}, !k[0].IsNull() && storable(k[0].S)
	}
	converted := k
	for i, c := range m.columns {
		v, ok := convert(k[i], c)
		if !ok || v.IsNull() && !m.whole {
			return nil, false
		}
		if v == k[i] {
			continue
		}
		if &converted[0] == &k[0] {
			converted = slices.Clone(k)
		}
		converted[i] = v
	}
	return converted, true
}

// empty tells that nothing matches, so nobody needs to ask.
func (m match) empty() bool { return !m.null && len(m.keys) == 0 }

// resolveColumns finds columns by name: those of the catalog and the physical address.
func resolveColumns(t *connector.Table, names []string) ([]*connector.Column, error) {
	columns := make([]*connector.Column, len(names))
	for i, name := range names {
		columns[i] = t.Column(name)
		if columns[i] == nil && t.Locator.Kind == connector.ByPhysical {
			columns[i] = physical(name)
		}
		if columns[i] == nil {
			return nil, fmt.Errorf("table %s has no column %s", t.Name, name)
		}
	}
	return columns, nil
}

// physical gives the columns of a row's place; nil for any other name.
func physical(name string) *connector.Column {
	switch name {
	case "tableoid":
		return &connector.Column{Name: name, Type: "oid", Kind: connector.Int, NotNull: true}
	case "ctid":
		return &connector.Column{Name: name, Type: "tid", Kind: connector.Other, NotNull: true}
	}
	return nil
}

// write adds the condition to a statement whose table is "t".
func (m match) write(s *builder) {
	switch {
	case m.null:
		for i, c := range m.columns {
			s.joint(i, " AND ").add("t.", quote(c.Name), " IS NULL")
		}
	case m.fold:
		m.writeFold(s)
	case m.whole:
		m.writeWhole(s)
	case len(m.columns) == 1:
		m.writeOne(s, m.columns[0])
	default:
		m.writeSeveral(s)
	}
}

func (m match) writeOne(s *builder, c *connector.Column) {
	name, native := keyType(c)
	if m.aside && len(m.keys) > manyTested && native && (c.Kind == connector.Int || c.Kind == connector.UUID) {
		s.add("(", operand(c), " IN (SELECT unnest(", s.param(array(m.keys, 0)), "::", name, "[]))) IS TRUE")
		return
	}
	s.add(operand(c), " ", equals(c), " ANY (", s.param(array(m.keys, 0)), "::", name, "[])")
	if overmatches(c) {
		s.add(" AND t.", quote(c.Name), `::text COLLATE "C" = ANY (`, s.param(array(m.keys, 0)), "::text[])")
	}
}

// writeSeveral compares tuples. A physical address also gets its ctids alone: that is a scan by
// place, which the tuple would not be.
func (m match) writeSeveral(s *builder) {
	if m.columns[len(m.columns)-1].Type == "tid" {
		s.add("t.ctid = ANY (", s.param(array(m.keys, len(m.columns)-1)), "::tid[]) AND ")
	}
	s.add("(")
	for i, c := range m.columns {
		s.joint(i, ", ").add(tuplePart(c))
	}
	s.add(") IN (SELECT * FROM unnest(")
	for i, c := range m.columns {
		s.joint(i, ", ").add(s.param(array(m.keys, i)), "::", tupleType(c), "[]")
	}
	s.add("))")
}

// tuplePart is a column as it stands in a tuple; exactly as text where its own equality is not
// exact or has no plain operator.
func tuplePart(c *connector.Column) string {
	if overmatches(c) {
		return "t." + quote(c.Name) + `::text COLLATE "C"`
	}
	return operand(c)
}

func tupleType(c *connector.Column) string {
	if overmatches(c) {
		return "text"
	}
	name, _ := keyType(c)
	return name
}

// writeWhole compares whole rows, NULL with NULL.
func (m match) writeWhole(s *builder) {
	s.add("EXISTS (SELECT FROM unnest(")
	for i := range m.columns {
		s.joint(i, ", ").add(s.param(array(m.keys, i)), "::", tupleType(m.columns[i]), "[]")
	}
	s.add(") AS k(")
	for i := range m.columns {
		s.joint(i, ", ").add("k", number(i))
	}
	s.add(") WHERE ")
	for i, c := range m.columns {
		s.joint(i, " AND ").add(tuplePart(c), " IS NOT DISTINCT FROM k.k", number(i))
	}
	s.add(")")
}

// blanks is what connector.Fold trims, as an SQL literal.
const blanks = `U&' \0009\000A\000B\000C\000D\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000'`

// folded is connector.Fold for texts of ASCII between blanks. An index on it serves every folded
// search: see IndexStatement.
func folded(text string) string { return `lower(btrim(` + text + `, ` + blanks + `) COLLATE "C")` }

// writeFold delivers every cell whose fold is a key, and perhaps others: an ASCII fold comes from
// ASCII text between blanks only, and any other fold from text beyond ASCII of as many characters.
func (m match) writeFold(s *builder) {
	text := "t." + quote(m.columns[0].Name) + "::text"
	var plain []connector.Key
	var lengths []int
	for _, k := range m.keys {
		if isASCII(k[0].S) {
			plain = append(plain, k)
		} else {
			lengths = append(lengths, utf8.RuneCountInString(k[0].S))
		}
	}
	s.add("(", folded(text), " = ANY (", s.param(array(plain, 0)), "::text[])")
	if len(lengths) > 0 {
		slices.Sort(lengths)
		s.add(" OR octet_length(", text, ") <> char_length(", text, ") AND char_length(btrim(", text, ", ", blanks, ")) = ANY (",
			s.param(intArray(slices.Compact(lengths))), "::integer[])")
	}
	s.add(")")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// order sorts keys and drops repeated ones, so that chunks are disjoint and near each other.
func order(keys []connector.Key) []connector.Key {
	compare := func(a, b connector.Key) int {
		for i := range a {
			if a[i].Kind == connector.Int && len(a[i].S) != len(b[i].S) {
				return cmp.Compare(len(a[i].S), len(b[i].S))
			}
			if n := cmp.Or(cmp.Compare(a[i].S, b[i].S), cmp.Compare(a[i].Kind, b[i].Kind)); n != 0 {
				return n
			}
		}
		return 0
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compare)
	return slices.CompactFunc(keys, func(a, b connector.Key) bool { return compare(a, b) == 0 })
}
