package request

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// appendJSON writes a cell with its type. Bytes, and text that is not UTF-8, become {"base64": "…"},
// so that nothing is lost; numbers JSON cannot hold (NaN, infinity) become text.
func appendJSON(b []byte, v connector.Value) []byte {
	switch v.Kind {
	case connector.Null:
		return append(b, "null"...)
	case connector.Int, connector.Decimal, connector.Float:
		if isJSONNumber(v.S) {
			return append(b, v.S...)
		}
	case connector.Bool:
		if v.S == "true" || v.S == "false" {
			return append(b, v.S...)
		}
	case connector.JSON:
		if json.Valid([]byte(v.S)) {
			return append(b, v.S...)
		}
	case connector.Bytes:
		return appendBase64(b, v.S)
	}
	if !utf8.ValidString(v.S) {
		return appendBase64(b, v.S)
	}
	return appendString(b, v.S)
}

func appendBase64(b []byte, s string) []byte {
	b = append(b, `{"base64":"`...)
	b = base64.StdEncoding.AppendEncode(b, []byte(s))
	return append(b, `"}`...)
}

const hexDigits = "0123456789abcdef"

// appendString writes valid UTF-8 as a JSON string. The characters that could end a script element or
// a line are escaped, so the data may be pasted into a page.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i, r := range s {
		if r >= ' ' && r != '"' && r != '\\' && r != '<' && r != 0x7f && r != '\u2028' && r != '\u2029' {
			continue
		}
		b = append(b, s[from:i]...)
		b = appendEscape(b, r)
		from = i + utf8.RuneLen(r)
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// isJSONNumber follows RFC 8259: no plus sign, no leading zero, digits on both sides of the point.
func isJSONNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, s := digits(s)
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		var fraction string
		if fraction, s = digits(rest); fraction == "" {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		exponent, rest := digits(strings.TrimLeft(s[1:], "+-"))
		return exponent != "" && rest == "" && len(s)-1-len(exponent) <= 1
	}
	return s == ""
}

func digits(s string) (run, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

// appendCSV writes a cell as RFC 4180 has it. NULL is nothing, every other cell is quoted, so that an
// empty text differs from NULL and no separator of any country opens a second cell.
func appendCSV(b []byte, v connector.Value) []byte {
	if v.IsNull() {
		return b
	}
	s := v.S
	if v.Kind == connector.Bytes || !utf8.ValidString(s) {
		s = "base64:" + base64.StdEncoding.EncodeToString([]byte(s))
	}
	return appendQuoted(b, s)
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	if startsFormula(s) {
		b = append(b, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		b = append(append(b, s[:i]...), '"', '"')
		s = s[i+1:]
	}
	return append(append(b, s...), '"')
}

// startsFormula tells the cells that a spreadsheet might compute: those whose first visible character
// is = + - or @, also in full width, and those that begin with a tab or a line break.
func startsFormula(s string) bool {
	if s == "" {
		return false
	}
	if strings.IndexByte("\t\r\n", s[0]) >= 0 {
		return true
	}
	s = strings.TrimLeft(s, " \u00a0\u3000\ufeff\u200b\u200c\u200d\u2060\t\r\n\v\f\x00")
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("=+-@＝＋－＠﹢﹣﹦﹫−", r) && s != ""
}

// appendText writes a name or text as a JSON string; bytes that are not UTF-8 become the replacement
// character, which only names of the strangest columns hold.
func appendText(b []byte, s string) []byte { return appendString(b, strings.ToValidUTF8(s, "\ufffd")) }
