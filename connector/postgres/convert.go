package postgres

import (
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

// Convert turns a value into one of the column's kind, in the server's own writing. See connector.Store.
func (s *store) Convert(v connector.Value, c *connector.Column) (connector.Value, bool) {
	return convert(v, c)
}

func convert(v connector.Value, c *connector.Column) (connector.Value, bool) {
	if v.IsNull() {
		return v, true
	}
	if c.Kind == connector.Bytes {
		ok := v.Kind == connector.Bytes || v.Kind == connector.Text
		return connector.Value{Kind: connector.Bytes, S: v.S}, ok
	}
	if !storable(v.S) {
		return connector.Value{}, false
	}
	text, ok := v.S, true
	switch c.Kind {
	case connector.Text:
		text, ok = toText(v, c)
	case connector.Int:
		text, ok = toInt(v, c)
	case connector.Decimal:
		text, ok = toDecimal(v, c)
	case connector.Float:
		text, ok = toFloat(v, c)
	case connector.Bool:
		text, ok = toBool(v)
	case connector.UUID:
		text, ok = toUUID(v)
	case connector.Time:
		text, ok = toTime(v, c)
	case connector.JSON:
		ok = json.Valid([]byte(v.S)) && (base(c) == "json" || !strings.Contains(v.S, `\u0000`))
	case connector.Other:
		text, ok = toOther(v, c)
	}
	if !ok {
		return connector.Value{}, false
	}
	return connector.Value{Kind: c.Kind, S: text}, true
}

func toText(v connector.Value, c *connector.Column) (string, bool) {
	if len(c.Enum) > 0 {
		return v.S, slices.Contains(c.Enum, v.S)
	}
	if c.Length == 0 || len(v.S) <= c.Length && base(c) != "character" {
		return v.S, true
	}
	if base(c) != "character" {
		return v.S, utf8.RuneCountInString(v.S) <= c.Length
	}
	s := strings.TrimRight(v.S, " ")
	missing := c.Length - utf8.RuneCountInString(s)
	return s + strings.Repeat(" ", max(0, missing)), missing >= 0
}

// toInt wants canonical digits: "012", "12.0" or " 12" are no integers unless they come as a number.
func toInt(v connector.Value, c *connector.Column) (string, bool) {
	s := v.S
	if v.Kind == connector.Decimal || v.Kind == connector.Float {
		if whole, fraction, cut := strings.Cut(s, "."); cut && strings.Trim(fraction, "0") == "" {
			s = whole
		}
	}
	bits := 64
	switch base(c) {
	case "oid":
		n, err := strconv.ParseUint(s, 10, 32)
		return s, err == nil && strconv.FormatUint(n, 10) == s
	case "smallint":
		bits = 16
	case "integer":
		bits = 32
	}
	_, err := strconv.ParseInt(s, 10, bits)
	return s, err == nil && (isNumber(v.Kind) || v.Kind == connector.Text) && canonical(s)
}

// canonical: digits that are a number have one writing: no sign but a minus, no zero ahead.
func canonical(number string) bool {
	digits := strings.TrimPrefix(number, "-")
	return number == "0" || digits != "" && digits[0] >= '1' && digits[0] <= '9'
}

func isNumber(k connector.Kind) bool {
	return k == connector.Int || k == connector.Decimal || k == connector.Float
}

// toDecimal gives a number the column's scale, when it loses nothing.
func toDecimal(v connector.Value, c *connector.Column) (string, bool) {
	s := v.S
	if !isNumber(v.Kind) && v.Kind != connector.Text {
		return s, false
	}
	if v.Kind == connector.Decimal && (s == "NaN" || s == "Infinity" || s == "-Infinity") {
		return s, true
	}
	if v.Kind == connector.Float {
		if r, ok := new(big.Rat).SetString(s); ok && strings.ContainsAny(s, "e") {
			s = strings.TrimRight(strings.TrimRight(r.FloatString(400), "0"), ".")
		}
	}
	whole, fraction, dot := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if !digits(whole) || len(whole) > 1 && whole[0] == '0' || dot && !digits(fraction) {
		return s, false
	}
	if c.Precision == 0 || c.Scale < 0 {
		return s, true
	}
	kept := strings.TrimRight(fraction, "0")
	if len(kept) > c.Scale || len(whole) > max(1, c.Precision-c.Scale) {
		return s, false
	}
	sign := s[:len(s)-len(strings.TrimPrefix(s, "-"))]
	if c.Scale > 0 {
		whole += "." + kept + strings.Repeat("0", c.Scale-len(kept))
	}
	return sign + whole, true
}

func digits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func toFloat(v connector.Value, c *connector.Column) (string, bool) {
	if !isNumber(v.Kind) && v.Kind != connector.Text || v.Kind != connector.Float && strings.ContainsAny(v.S, "xX_iInN") {
		return "", false
	}
	f, err := strconv.ParseFloat(v.S, floatBits(c))
	if err != nil {
		return "", false
	}
	if n, err := strconv.ParseInt(v.S, 10, 64); err == nil && int64(f) != n {
		return "", false
	}
	return strconv.FormatFloat(f, 'g', -1, floatBits(c)), true
}

func toBool(v connector.Value) (string, bool) {
	switch v.S {
	case "true", "false":
		return v.S, true
	case "1", "0":
		return strconv.FormatBool(v.S == "1"), v.Kind == connector.Int
	}
	return "", false
}

func toUUID(v connector.Value) (string, bool) {
	s := strings.ToLower(v.S)
	plain := s
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		plain = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(plain) != 32 || strings.Trim(plain, "0123456789abcdef") != "" {
		return "", false
	}
	return plain[:8] + "-" + plain[8:12] + "-" + plain[12:16] + "-" + plain[16:20] + "-" + plain[20:], true
}

// instants are the writings of a moment that are understood, most exact first.
var instants = []string{
	"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04Z07:00", "2006-01-02 15:04", "2006-01-02",
}

func toTime(v connector.Value, c *connector.Column) (string, bool) {
	if v.Kind != connector.Time && v.Kind != connector.Text {
		return "", false
	}
	if strings.HasSuffix(v.S, "infinity") || strings.HasSuffix(v.S, " BC") || strings.Index(v.S, "-") > 4 {
		return v.S, v.Kind == connector.Time // as the server wrote it
	}
	switch base(c) {
	case "interval", "time with time zone":
		return v.S, true // compared as text
	case "time without time zone":
		t, err := time.Parse("15:04:05.999999999", v.S)
		return t.Format("15:04:05.999999"), err == nil && t.Nanosecond()%1000 == 0
	}
	for _, layout := range instants {
		if t, err := time.Parse(layout, v.S); err == nil && t.Nanosecond()%1000 == 0 {
			return writeInstant(t, base(c))
		}
	}
	return "", false
}

func writeInstant(t time.Time, name string) (string, bool) {
	_, offset := t.Zone()
	switch name {
	case "date":
		return t.Format("2006-01-02"), offset == 0 && t.Equal(t.Truncate(24*time.Hour))
	case "timestamp with time zone":
		return t.UTC().Format("2006-01-02 15:04:05.999999") + "+00", true
	}
	return t.Format("2006-01-02 15:04:05.999999"), offset == 0
}

func toOther(v connector.Value, c *connector.Column) (string, bool) {
	switch base(c) {
	case "inet":
		if p, err := netip.ParsePrefix(v.S); err == nil && p.Bits() < p.Addr().BitLen() {
			return p.String(), true
		} else if err == nil {
			return p.Addr().String(), true
		}
		a, err := netip.ParseAddr(v.S)
		return a.String(), err == nil && a.Zone() == ""
	case "cidr":
		p, err := netip.ParsePrefix(v.S)
		return p.String(), err == nil && p == p.Masked()
	case "macaddr", "macaddr8":
		m, err := net.ParseMAC(v.S)
		return m.String(), err == nil && len(m) == map[string]int{"macaddr": 6, "macaddr8": 8}[base(c)]
	case "tid":
		block, line, ok := strings.Cut(strings.Trim(v.S, "()"), ",")
		return v.S, ok && digits(block) && digits(line)
	}
	return v.S, true
}
