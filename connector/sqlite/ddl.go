package sqlite

import "strings"

// What the pragmas do not tell stands in the SQL text that SQLite keeps of every CREATE statement:
// CHECK constraints, collations, whether a key is deferrable, what a trigger writes. This file
// splits such text into tokens; SQLite has parsed it before, so it is well-formed.

type tokenKind int

const (
	word   tokenKind = iota // unquoted name or keyword
	quoted                  // "name", [name], `name`
	str                     // 'text'
	punct                   // one other byte, or a number
)

// token is one token; text is a name without its quotes.
type token struct {
	kind     tokenKind
	text     string
	pos, end int // in the SQL text
}

// is reports whether the token is that unquoted keyword or that punctuation.
func (t token) is(s string) bool {
	return (t.kind == word || t.kind == punct) && strings.EqualFold(t.text, s)
}

// name reports whether the token can name something.
func (t token) name() bool { return t.kind == word || t.kind == quoted || t.kind == str }

func tokens(sql string) []token {
	var out []token
	for i := 0; i < len(sql); {
		t := next(sql, i)
		if t.end <= i { // a text that ends within a quote
			break
		}
		i = t.end
		if t.text != "" || t.kind != punct {
			out = append(out, t)
		}
	}
	return out
}

// next reads one token; blanks and comments are punctuation without text.
func next(sql string, i int) token {
	rest := sql[i:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "--"):
		return token{punct, "", i, i + until(rest, "\n")}
	case strings.HasPrefix(rest, "/*"):
		return token{punct, "", i, i + until(rest, "*/")}
	case c == '"' || c == '`' || c == '\'':
		return readQuoted(sql, i, c)
	case c == '[':
		end := i + until(rest, "]")
		return token{quoted, strings.TrimSuffix(sql[i+1:end], "]"), i, end}
	case isBlank(c):
		return token{punct, "", i, i + 1}
	case !isName(c):
		return token{punct, rest[:1], i, i + 1}
	}
	end := i
	for end < len(sql) && isName(sql[end]) {
		end++
	}
	return token{word, sql[i:end], i, end}
}

// until is the length up to and including mark, or all.
func until(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

// readQuoted reads a quoted token, in which the quote is doubled.
func readQuoted(sql string, i int, mark byte) token {
	var b strings.Builder
	kind := quoted
	if mark == '\'' {
		kind = str
	}
	for j := i + 1; j < len(sql); j++ {
		if sql[j] != mark {
			b.WriteByte(sql[j])
			continue
		}
		if j+1 < len(sql) && sql[j+1] == mark {
			b.WriteByte(mark)
			j++
			continue
		}
		return token{kind, b.String(), i, j + 1}
	}
	return token{kind, b.String(), i, len(sql)}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func isName(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// closing is the index of the token that closes the parenthesis at open, or the last token.
func closing(ts []token, open int) int {
	depth := 0
	for i := open; i < len(ts); i++ {
		if ts[i].is("(") {
			depth++
		}
		if ts[i].is(")") {
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(ts) - 1
}

// items splits what stands between the first parenthesis and its end at the commas of that level.
func items(ts []token) [][]token {
	for open, t := range ts {
		if !t.is("(") {
			continue
		}
		var out [][]token
		from, end := open+1, closing(ts, open)
		for i := from; i < end; i++ {
			if ts[i].is("(") {
				i = closing(ts, i)
			} else if ts[i].is(",") {
				out = append(out, ts[from:i])
				from = i + 1
			}
		}
		return append(out, ts[min(from, end):end])
	}
	return nil
}
