package pii

import "strings"

// HoldsCard tells whether a valid payment card number stands in a text: the digits of one of the brands, of its length, whose
// last digit is right, written as one or in groups with blanks, dashes, dots or no-break spaces between, or slashes behind groups as cards have them. It may be joined to
// a word ("visa4111…"), but not to further digits, to one letter or to what may be hexadecimal: then it is part of something else,
// as is what follows a plus, a phone number, and what makes an IBAN with the letters before it.
func HoldsCard(text string) bool {
	_, _, ok := cardIn(text, 0)
	return ok
}

// MaskCards leaves the last four digits of each card number in a text.
func MaskCards(text string) string {
	var out strings.Builder
	at := 0
	for {
		from, to, ok := cardIn(text, at)
		if !ok {
			break
		}
		digits := onlyDigits(text[from:to])
		out.WriteString(text[at:from] + strings.Repeat("•", len(digits)-4) + digits[len(digits)-4:])
		at = to
	}
	if at == 0 {
		return text
	}
	return out.String() + text[at:]
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// shortestCard and longestCard are how many digits a card number has.
const shortestCard, longestCard = 13, 19

// cardIn finds the first card number from a place on.
func cardIn(text string, at int) (from, to int, ok bool) {
	for i := at; i+shortestCard <= len(text); i++ {
		if !isDigit(text[i]) {
			continue
		}
		if i == 0 || isBorder(text[i-1]) || i == at || wordEnds(text[at:i]) {
			if to := cardAt(text, i); to > 0 && !makesIBAN(text[at:i], text[i:to]) {
				return i, to, true
			}
		}
		for i+1 < len(text) && isDigit(text[i+1]) { // inside a run of digits none begins
			i++
		}
	}
	return 0, 0, false
}

// isBorder tells whether a number may begin or end beside a byte.
func isBorder(b byte) bool { return !isAlnum(b) && b != '_' && b != '+' }

// makesIBAN tells whether digits are an account's with the country before them.
func makesIBAN(before, digits string) bool {
	return len(before) >= 2 && IBANValid(strings.ToUpper(before[len(before)-2:])+onlyDigits(digits))
}

// wordEnds tells whether a text ends with a word of letters, behind a border, that is not hexadecimal.
func wordEnds(text string) bool {
	from := len(text)
	for from > 0 && isAlnum(text[from-1]) && !isDigit(text[from-1]) {
		from--
	}
	return (from == 0 || isBorder(text[from-1])) && !isHexadecimal(text[from:])
}

// wordBegins is wordEnds for the beginning of a text.
func wordBegins(text string) bool {
	to := 0
	for to < len(text) && isAlnum(text[to]) && !isDigit(text[to]) {
		to++
	}
	return (to == len(text) || isBorder(text[to])) && !isHexadecimal(text[:to])
}

func isHexadecimal(word string) bool {
	return len(word) < 2 || strings.Trim(word, "abcdefABCDEF") == ""
}

// cardAt gives where the longest card number that begins at i ends, 0 when none does.
func cardAt(text string, i int) (end int) {
	var digits [longestCard]byte
	n, group := 0, 0 // digits, and those since the last separator
	for j := i; j < len(text); {
		switch width := separator(text[j:]); {
		case isDigit(text[j]):
			if n == longestCard {
				return end
			}
			digits[n] = text[j]
			n++
			group++
			j++
			ends := j == len(text) || !isDigit(text[j]) && (isBorder(text[j]) || wordBegins(text[j:]))
			if n >= shortestCard && ends && isCardNumber(string(digits[:n])) {
				end = j
			}
		case width > 0 && j+width < len(text) && isDigit(text[j+width]) && (text[j] != '/' || group == 4 || group == 6):
			j += width
			group = 0
		default:
			return end
		}
	}
	return end
}

// separator is how many bytes one between groups of digits takes, 0 when there is none.
func separator(text string) int {
	switch text[0] {
	case ' ', '-', '.', '/':
		return 1
	}
	for _, s := range []string{"\u00a0", "\u202f", "\u2009", "\u2011"} {
		if strings.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// brand is the first digits of a brand's numbers, from and to, and the lengths they have.
type brand struct {
	from, to string
	lengths  string // one byte each, 'd' for 13 to 'j' for 19
}

// brands are those whose numbers are told apart by their beginning.
var brands = []brand{
	{"4", "4", "dgj"}, {"51", "55", "g"}, {"2221", "2720", "g"}, {"34", "34", "f"}, {"37", "37", "f"},
	{"300", "305", "e"}, {"309", "309", "e"}, {"36", "36", "e"}, {"38", "39", "e"}, {"3528", "3589", "ghij"},
	{"6011", "6011", "ghij"}, {"622126", "622925", "ghij"}, {"644", "649", "ghij"}, {"65", "65", "ghij"}, {"62", "62", "ghij"},
	{"5018", "5018", "ghij"}, {"5020", "5020", "ghij"}, {"5038", "5038", "ghij"}, {"5893", "5893", "ghij"}, {"6304", "6304", "ghij"},
	{"6759", "6759", "ghij"}, {"6761", "6763", "ghij"}, {"9792", "9792", "g"}, {"2200", "2204", "ghij"}, {"60", "60", "g"}, {"81", "82", "g"}, {"508", "508", "g"},
}

func isCardNumber(digits string) bool {
	length := byte('d' + len(digits) - shortestCard)
	for _, b := range brands {
		if first := digits[:len(b.from)]; first >= b.from && first <= b.to && strings.IndexByte(b.lengths, length) >= 0 {
			return Luhn(digits)
		}
	}
	return false
}
