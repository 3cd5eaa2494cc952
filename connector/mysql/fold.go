package mysql

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// blanks are the characters that connector.Fold trims.
var blanks = func() (list []string) {
	for _, r := range unicode.White_Space.R16 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			list = append(list, string(c))
		}
	}
	for c := range rune(unicode.MaxLatin1) {
		if unicode.IsSpace(c) && !slices.Contains(list, string(c)) {
			list = append(list, string(c))
		}
	}
	return list
}()

// foldIndex reports whether an index finds a column's values whatever their case.
func foldIndex(t *connector.Table, c *connector.Column) bool {
	return c.FoldEqual && slices.ContainsFunc(t.Indexes, func(i connector.Index) bool {
		return i.Valid && len(i.Columns) > 0 && i.Columns[0] == c.Name
	})
}

// foldCondition delivers at least the cells whose fold is one of the keys, which are folded.
//
// An ASCII fold comes from ASCII text between blanks only. So by index: everything that begins with
// the ASCII beginning of a key, in the index's own case-blindness, or with a blank. Without: lower
// case equality, plus cells with blanks at an end, plus, for other keys, cells beyond ASCII.
func (s *store) foldCondition(m match, keys []connector.Key) string {
	col := m.columns[0]
	c := name(col.Name)
	if m.indexed && !slices.ContainsFunc(keys, func(k connector.Key) bool { return prefix(k) == "" }) {
		parts := make([]string, 0, len(keys)+len(blanks))
		for _, k := range keys {
			parts = append(parts, begins(col, prefix(k)))
		}
		for _, b := range blanks {
			parts = append(parts, begins(col, b))
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	list := make([]string, len(keys))
	beyond := false
	for i, k := range keys {
		list[i] = operand(k[0].S, col)
		beyond = beyond || prefix(k) != k[0].S
	}
	edges := make([]string, len(blanks))
	for i, b := range blanks {
		edges[i] = quote(b)
	}
	text := "CONVERT(" + c + " USING utf8mb4)"
	either := " COLLATE utf8mb4_bin IN (" + strings.Join(edges, ",") + ")"
	condition := "LOWER(" + c + ") IN (" + strings.Join(list, ",") + ") OR LEFT(" + text + ",1)" + either +
		" OR RIGHT(" + text + ",1)" + either
	if beyond {
		condition += " OR LENGTH(" + text + ") <> CHAR_LENGTH(" + text + ")"
	}
	return "(" + condition + ")"
}

// prefix is the ASCII beginning of a folded key.
func prefix(k connector.Key) string {
	s := k[0].S
	if i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		return s[:i]
	}
	return s
}

// begins is LIKE that begins with the text, an index range.
func begins(c *connector.Column, text string) string {
	text = strings.NewReplacer("|", "||", "%", "|%", "_", "|_").Replace(text)
	return name(c.Name) + " LIKE " + operand(text+"%", c) + " ESCAPE '|'"
}
