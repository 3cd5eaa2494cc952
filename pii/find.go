package pii

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a piece of text that a validator accepted; From and To are byte offsets.
type Span struct {
	Kind     Kind
	From, To int
}

// Find gives the e-mail addresses, phone numbers, IP addresses, IBANs, cards and national ids in a
// text, in order and without overlaps. A UUID holds none of them: among many, the digits of some
// pass every check. It reads the text once; each candidate looks at a bounded
// window, so the time is linear whatever the text is.
func Find(text string) []Span {
	var out []Span
	done := 0 // end of the last span
	for i := 0; i < len(text); i++ {
		var s Span
		switch b := text[i]; {
		case isUUIDAt(text, i) && i >= done:
			i += uuidLength - 1
			continue
		case b == '@':
			s = emailAt(text, i, done)
		case isDigit(b) && i >= done:
			s = numberAt(text, i, done)
		case b == ':' && i >= done:
			s = ipv6At(text, i, done)
		default:
			continue
		}
		if s.Kind == "" {
			continue
		}
		for len(out) > 0 && out[len(out)-1].To > s.From {
			out = out[:len(out)-1] // a number that turned out to be part of an address
		}
		out = append(out, s)
		done = s.To
		i = max(i, s.To-1)
	}
	return out
}

// uuidLength counts the characters of the usual form, 8-4-4-4-12 hexadecimal digits.
const uuidLength = 36

// IsUUID tells whether a text is a UUID in its usual form, of any version, in either case.
func IsUUID(text string) bool { return len(text) == uuidLength && isUUIDAt(text, 0) }

// IsRandom tells whether a text is a word that a program made up to tell rows apart: a UUID, or letters and digits so mixed
// that nobody is called so (ULID, cuid, hexadecimal ObjectId). What is not sure to be is not.
func IsRandom(text string) bool {
	if IsUUID(text) {
		return true
	}
	changes := 0
	for i := range len(text) {
		if !isAlnum(text[i]) {
			return false
		}
		if i > 0 && isDigit(text[i]) != isDigit(text[i-1]) {
			changes++
		}
	}
	return len(text) >= 16 && 4*changes >= len(text)
}

// isUUIDAt tells whether a UUID stands at i, joined to no other word.
func isUUIDAt(text string, i int) bool {
	if i+uuidLength > len(text) || text[i+8] != '-' || i > 0 && isAlnum(text[i-1]) {
		return false
	}
	for j, b := range []byte(text[i : i+uuidLength]) {
		switch {
		case j == 8 || j == 13 || j == 18 || j == 23:
			if b != '-' {
				return false
			}
		case !isDigit(b) && (b|0x20 < 'a' || b|0x20 > 'f'):
			return false
		}
	}
	return i+uuidLength == len(text) || !isAlnum(text[i+uuidLength])
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

func isAlnum(b byte) bool { return isDigit(b) || isLetter(b) }

const (
	maxLocal  = 64
	maxDomain = 253
)

// emailAt reads the address around the @ at i; its local part begins at done or later, or within the
// number that ended there.
func emailAt(text string, i, done int) Span {
	from := localStart(text, i)
	if from < done && !isNumberOnly(text, from, done) {
		from = done
	}
	to := domainEnd(text, i+1)
	if from == i || to == i+1 {
		return Span{}
	}
	return Span{Email, from, to}
}

func isNumberOnly(text string, from, to int) bool {
	for i := from; i < to; i++ {
		if text[i] == '@' {
			return false
		}
	}
	return true
}

func localStart(text string, at int) int {
	if at > 1 && text[at-1] == '"' {
		for j := at - 2; j >= 0 && j >= at-maxLocal && text[j] != '\n'; j-- {
			if text[j] == '"' && (j == 0 || text[j-1] != '\\') {
				if strings.IndexFunc(text[j:at], func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0 {
					return at // what parts two strings of JSON: "from": "@ida.nordmann"
				}
				return j
			}
		}
		return at
	}
	from := at
	for from > 0 && at-from < maxLocal {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if !isLocalRune(r) {
			break
		}
		from -= size
	}
	for from < at && !isAlnum(text[from]) && text[from] < 0x80 && text[from] != '_' {
		from++ // no address begins with a mark
	}
	if text[at-min(1, at)] == '.' {
		return at
	}
	return from
}

func isLocalRune(r rune) bool {
	switch {
	case r == utf8.RuneError:
		return false
	case r < 0x80:
		b := byte(r)
		return isAlnum(b) || b == '.' || b == '_' || b == '-' || b == '+' || b == '%' || b == '\'' || b == '!' || b == '#' || b == '$' || b == '&' || b == '*' || b == '/' || b == '^' || b == '~'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// domainEnd reads labels separated by dots; it needs two, and a last one of letters. It gives from
// when there is no domain.
func domainEnd(text string, from int) int {
	good, label, letters := from, from, true
	dots := 0
	i := from
	for i < len(text) && i-from < maxDomain {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '.':
			if i == label || text[i-1] == '-' {
				return good
			}
			dots++
			label, letters = i+1, true
		case r < 0x80 && isLetter(byte(r)), r >= 0x80 && r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r)):
		case r < 0x80 && (isDigit(byte(r)) || r == '-'):
			letters = letters && false
			if i == label && r == '-' {
				return good
			}
		default:
			return good
		}
		i += size
		if dots > 0 && i-label >= 2 && (letters || isPunycode(text[label:i])) && r != '-' {
			good = i
		}
	}
	return good
}

func isPunycode(label string) bool { return len(label) > 4 && label[:4] == "xn--" }
