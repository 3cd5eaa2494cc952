package mysql

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ombudhq/ombud/connector"
)

var (
	integer = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	day     = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	instant = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}(?::?\d{2})?)?$`)
	span    = regexp.MustCompile(`^(-?\d{2,3}:\d{2}:\d{2})(\.\d{1,9})?$`)
	hyphens = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// Convert turns a value into one of the column's kind. Text becomes a number only in canonical form:
// "012" is not 12, since a column of texts may hold both. NULL is of every kind.
func (s *store) Convert(v connector.Value, c *connector.Column) (connector.Value, bool) {
	if v.IsNull() {
		return v, true
	}
	text, ok := "", false
	switch c.Kind {
	case connector.Int:
		text, ok = toInt(v, c)
	case connector.Decimal:
		text, ok = toDecimal(v, c)
	case connector.Float:
		text, ok = toFloat(v, c)
	case connector.Bytes:
		text, ok = toBytes(v, c)
	case connector.Time:
		text, ok = toTime(v, c)
	case connector.UUID:
		text, ok = toUUID(v)
	case connector.JSON:
		text, ok = v.S, v.Kind != connector.Bytes && json.Valid([]byte(v.S))
	default:
		text, ok = toText(v, c)
	}
	if !ok {
		return connector.Value{}, false
	}
	return connector.Value{Kind: c.Kind, S: text}, true
}

func toText(v connector.Value, c *connector.Column) (string, bool) {
	if !utf8.ValidString(v.S) || c.Length > 0 && utf8.RuneCountInString(v.S) > c.Length {
		return "", false
	}
	if base(c) == "enum" && !slices.Contains(c.Enum, v.S) {
		return "", false
	}
	return v.S, true
}

// ranges are the bits of the integer types.
var ranges = map[string]uint{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}

func toInt(v connector.Value, c *connector.Column) (string, bool) {
	text := v.S
	switch v.Kind {
	case connector.Bool:
		text = map[string]string{"true": "1", "false": "0"}[v.S]
	case connector.Decimal:
		text = strings.TrimRight(v.S, "0")
		if !strings.HasSuffix(text, ".") {
			text = v.S
		}
		text = strings.TrimSuffix(text, ".")
	case connector.Float:
		f, err := strconv.ParseFloat(v.S, 64)
		if err != nil || f < -1<<53 || f > 1<<53 {
			return "", false
		}
		text = strconv.FormatFloat(f, 'f', -1, 64)
	case connector.Bytes:
		return "", false
	}
	if !integer.MatchString(text) {
		return "", false
	}
	n, ok := new(big.Int).SetString(text, 10)
	return text, ok && fits(n, c)
}

func fits(n *big.Int, c *connector.Column) bool {
	switch t := base(c); t {
	case "year":
		return n.Sign() == 0 || n.IsInt64() && n.Int64() >= 1901 && n.Int64() <= 2155
	case "bit":
		return n.Sign() >= 0 && n.BitLen() <= c.Precision
	default:
		bits := ranges[t]
		if c.Unsigned {
			return n.Sign() >= 0 && n.BitLen() <= int(bits)
		}
		limit := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return n.Cmp(limit) < 0 && n.Cmp(limit.Neg(limit)) >= 0
	}
}

// toDecimal pads or cuts zeros to the column's scale, as the engine writes them.
func toDecimal(v connector.Value, c *connector.Column) (string, bool) {
	if v.Kind == connector.Bytes || !decimal.MatchString(v.S) {
		return "", false
	}
	whole, fraction, _ := strings.Cut(v.S, ".")
	fraction = strings.TrimRight(fraction, "0")
	digits := len(strings.TrimLeft(whole, "-0"))
	if len(fraction) > c.Scale || digits > c.Precision-c.Scale || c.Unsigned && whole[0] == '-' {
		return "", false
	}
	if c.Scale > 0 {
		whole += "." + fraction + strings.Repeat("0", c.Scale-len(fraction))
	}
	if strings.Trim(whole, "-0.") == "" {
		whole = strings.TrimPrefix(whole, "-")
	}
	return whole, true
}

func toFloat(v connector.Value, c *connector.Column) (string, bool) {
	switch v.Kind {
	case connector.Int, connector.Decimal, connector.Float, connector.Text:
		if strings.ContainsAny(v.S, "xXpP_nN+ ") && v.Kind == connector.Text {
			return "", false
		}
		f, err := strconv.ParseFloat(v.S, floatBits(c))
		return strconv.FormatFloat(f, 'g', -1, floatBits(c)), err == nil
	}
	return "", false
}

func toBytes(v connector.Value, c *connector.Column) (string, bool) {
	isUUID := v.Kind == connector.UUID || c.Bytes == 16 && v.Kind == connector.Text && hyphens.MatchString(v.S)
	if isUUID && c.Bytes == 16 {
		b, err := hex.DecodeString(strings.ReplaceAll(v.S, "-", ""))
		return string(b), err == nil
	}
	if c.Bytes > 0 && len(v.S) > c.Bytes || base(c) == "binary" && len(v.S) != c.Bytes {
		return "", false
	}
	return v.S, true
}

func toUUID(v connector.Value) (string, bool) {
	text := v.S
	if v.Kind == connector.Bytes && len(text) == 16 {
		h := hex.EncodeToString([]byte(text))
		text = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	}
	return strings.ToLower(text), hyphens.MatchString(text)
}

func toTime(v connector.Value, c *connector.Column) (string, bool) {
	if v.Kind != connector.Text && v.Kind != connector.Time {
		return "", false
	}
	switch base(c) {
	case "date":
		return toDate(v.S)
	case "time":
		m := span.FindStringSubmatch(v.S)
		if m == nil {
			return "", false
		}
		return withFraction(m[1], m[2], c)
	default:
		return toInstant(v.S, c)
	}
}

// plausible accepts real days and the engine's zero dates.
func plausible(d string) bool {
	if _, err := time.Parse(time.DateOnly, d); err == nil {
		return true
	}
	return d == "0000-00-00" || strings.HasSuffix(d, "-00")
}

func toDate(text string) (string, bool) {
	if m := instant.FindStringSubmatch(text); m != nil && m[2] == "00:00:00" && strings.Trim(m[3], ".0") == "" && m[4] == "" {
		text = m[1]
	}
	return text, day.MatchString(text) && plausible(text)
}

// toInstant writes date and time as the engine does; a given zone is carried to UTC, which is the session's.
func toInstant(text string, c *connector.Column) (string, bool) {
	if day.MatchString(text) {
		text += " 00:00:00"
	}
	m := instant.FindStringSubmatch(text)
	if m == nil || !plausible(m[1]) {
		return "", false
	}
	moment := m[1] + " " + m[2]
	if _, err := time.Parse(time.TimeOnly, m[2]); err != nil {
		return "", false
	}
	if m[4] != "" && m[4] != "Z" {
		at, err := time.Parse("2006-01-02 15:04:05-0700", moment+(strings.ReplaceAll(m[4], ":", "") + "00")[:5])
		if err != nil {
			return "", false
		}
		moment = at.UTC().Format(time.DateTime)
	}
	return withFraction(moment, m[3], c)
}

// withFraction gives the seconds as many digits as the column's type has: Scale holds them.
func withFraction(text, fraction string, c *connector.Column) (string, bool) {
	digits := strings.TrimRight(strings.TrimPrefix(fraction, "."), "0")
	if len(digits) > c.Scale {
		return "", false
	}
	if c.Scale > 0 {
		text += "." + digits + strings.Repeat("0", c.Scale-len(digits))
	}
	return text, true
}
