package sqlite

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// affinity is what a column does to values that are stored in it.
type affinity int

const (
	affNone affinity = iota
	affText
	affInteger // also NUMERIC: they differ in CAST only
	affReal
)

// affinityOf follows "Determination Of Column Affinity" of the SQLite manual.
func affinityOf(declared string) affinity {
	t := strings.ToUpper(declared)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(t, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("INT"):
		return affInteger
	case has("CHAR", "CLOB", "TEXT"):
		return affText
	case t == "" || has("BLOB"):
		return affNone
	case has("REAL", "FLOA", "DOUB"):
		return affReal
	}
	return affInteger
}

// kindOf reads a declared type as people mean it; cells keep their own class all the same.
func kindOf(declared string) connector.Kind {
	t := strings.ToUpper(declared)
	for _, k := range []struct {
		word string
		kind connector.Kind
	}{
		{"BOOL", connector.Bool}, {"JSON", connector.JSON}, {"UUID", connector.UUID}, {"GUID", connector.UUID},
		{"DATE", connector.Time}, {"TIME", connector.Time},
	} {
		if strings.Contains(t, k.word) {
			return k.kind
		}
	}
	switch affinityOf(declared) {
	case affText:
		return connector.Text
	case affReal:
		return connector.Float
	case affNone:
		if t == "" {
			return connector.Other
		}
		return connector.Bytes
	}
	if strings.Contains(t, "INT") {
		return connector.Int
	}
	if strings.Contains(t, "DEC") || strings.Contains(t, "NUM") || strings.Contains(t, "MONEY") {
		return connector.Decimal
	}
	return connector.Other
}

// Convert gives the cell that the column would hold for a value, exactly. Columns of numbers take
// canonical numbers only; columns without an affinity take everything as it is.
func (s *Store) Convert(v connector.Value, c *connector.Column) (connector.Value, bool) {
	got, ok := cellFor(v, c)
	if !ok || !numeric(c.Kind) {
		return got, ok
	}
	switch got.Kind {
	case connector.Null, connector.Int:
		return got, true
	case connector.Float:
		return got, c.Kind != connector.Int || v.Kind == connector.Float
	}
	return connector.Value{}, false
}

func numeric(k connector.Kind) bool {
	return k == connector.Int || k == connector.Float || k == connector.Decimal || k == connector.Bool
}

// cellFor is Convert without a view on what belongs into the column: 'abc' in an INTEGER column is
// a cell that SQLite can hold and a key can find.
func cellFor(v connector.Value, c *connector.Column) (connector.Value, bool) {
	v = own(v)
	if v.IsNull() || v.Kind == connector.Bytes {
		return v, true
	}
	switch columnAffinity(c) {
	case affText:
		return connector.TextValue(v.S), true
	case affInteger:
		return number(v)
	case affReal:
		n, ok := number(v)
		if ok && n.Kind == connector.Int {
			f, err := strconv.ParseFloat(n.S, 64)
			return connector.Value{Kind: connector.Float, S: formatFloat(f)}, err == nil && integral(f, n.S)
		}
		return n, ok
	}
	return v, true
}

// columnAffinity takes ANY for no affinity. That is so in STRICT tables; elsewhere, where it is
// NUMERIC, the more forms of a key that it tries cannot exist.
func columnAffinity(c *connector.Column) affinity {
	if strings.EqualFold(c.Type, "ANY") {
		return affNone
	}
	return affinityOf(c.Type)
}

// own gives a value of another engine the class it has here.
func own(v connector.Value) connector.Value {
	switch v.Kind {
	case connector.Null, connector.Text, connector.Int, connector.Float, connector.Bytes:
		return v
	case connector.Bool:
		if v.S == "true" {
			return connector.IntValue(1)
		}
		return connector.IntValue(0)
	case connector.Decimal:
		return connector.Value{Kind: connector.Decimal, S: v.S}
	}
	return connector.TextValue(v.S)
}

// looksNumeric is what an affinity for numbers would change: then only the number can be a cell.
var looksNumeric = regexp.MustCompile(`^[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\v\f\r]*$`)

// number gives the cell of a number column: text stays text where it is no number at all, and is no
// cell where the column would have changed it ("012", "12.0").
func number(v connector.Value) (connector.Value, bool) {
	switch v.Kind {
	case connector.Int:
		_, err := strconv.ParseInt(v.S, 10, 64)
		return v, err == nil
	case connector.Float:
		if f, err := strconv.ParseFloat(v.S, 64); err == nil && f > -1<<53 && f < 1<<53 && f == float64(int64(f)) {
			return connector.IntValue(int64(f)), true
		}
		return v, true
	}
	text := v.S
	if v.Kind == connector.Decimal {
		text = trimZeros(text)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return connector.IntValue(n), strconv.FormatInt(n, 10) == text
	}
	if !looksNumeric.MatchString(text) {
		return connector.TextValue(v.S), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != text && formatFloat(f) != text || strings.Trim(text, "+-0123456789") == "" {
		return connector.Value{}, false
	}
	return connector.Value{Kind: connector.Float, S: formatFloat(f)}, true
}

// trimZeros writes a decimal without trailing zeros: "12.50" and "12.5" are one number.
func trimZeros(s string) string {
	if strings.Contains(s, ".") && !strings.ContainsAny(s, "eE") {
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func integral(f float64, s string) bool { return strconv.FormatFloat(f, 'f', -1, 64) == s }

// forms are the cells that a key equals in a column: one, or where the column keeps whatever class
// was written, the number and its text.
func forms(v connector.Value, c *connector.Column) []connector.Value {
	cell, ok := cellFor(v, c)
	if !ok || cell.IsNull() {
		return nil
	}
	if columnAffinity(c) != affNone || cell.Kind == connector.Bytes {
		return []connector.Value{cell}
	}
	both := []connector.Value{connector.TextValue(cell.S)}
	if n, ok := number(cell); ok && n.Kind != connector.Text {
		both = append(both, n)
		if n.Kind == connector.Int && len(n.S) < 16 {
			both = append(both, connector.Value{Kind: connector.Float, S: formatFloat(float64(whole(n)))})
		}
	}
	return both
}
