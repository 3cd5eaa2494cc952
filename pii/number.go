package pii

import (
	"net/netip"
	"strings"
)

// window is how far a candidate number is looked at: the longest IBAN written in groups of four.
const window = 46

// number is what stands at a place: its digits and how they are grouped.
type number struct {
	from, to int
	digits   string
	groups   []int  // digits between separators
	seps     string // the separators, one byte each
}

// numberAt judges the digit at i; only one that begins a number counts.
func numberAt(text string, i, done int) Span {
	if s := ibanAt(text, i, done); s.Kind != "" {
		return s
	}
	if i > done && isAlnum(text[i-1]) || i == done && i > 0 && isAlnum(text[i-1]) {
		return Span{}
	}
	if s := ipv4At(text, i); s.Kind != "" {
		return s
	}
	n := readNumber(text, i, done)
	if n.to < len(text) && (isAlnum(text[n.to]) || text[n.to] == '_') {
		if isDNI(n, text) {
			return Span{National, n.from, n.to + 1}
		}
		return Span{}
	}
	switch {
	case isCard(n):
		return Span{Card, n.from, n.to}
	case isNational(n):
		return Span{National, n.from, n.to}
	case isPhone(n, text):
		return Span{Phone, n.from, n.to}
	}
	return Span{}
}

// readNumber takes digits with single separators between them, and a plus or a bracket in front.
func readNumber(text string, i, done int) number {
	n := number{from: i, to: i}
	for n.from > done && i-n.from < 2 && (text[n.from-1] == '+' || text[n.from-1] == '(') {
		n.from--
	}
	var digits [window]byte
	count, group := 0, 0
	sep := byte(0)
	for j := i; j < len(text) && j-i < window && count < 24; j++ {
		b := text[j]
		switch {
		case isDigit(b):
			if sep != 0 {
				n.groups, group = append(n.groups, group), 0
				n.seps += string(sep)
				sep = 0
			}
			digits[count] = b
			count++
			group++
			n.to = j + 1
		case (b == ' ' || b == '(' || b == ')') && (sep == ' ' || sep == ')' || sep == 0 || sep == '-'):
			sep = b
			if b == '(' && j+1 < len(text) && !isDigit(text[j+1]) {
				sep = '!'
			}
		case (b == '-' || b == '.' || b == '/') && (sep == 0 || sep == ' '):
			sep = b
		default:
			j = len(text)
		}
	}
	n.digits = string(digits[:count])
	n.groups = append(n.groups, group)
	return n
}

func isCard(n number) bool {
	d := n.digits
	if len(d) < 13 || len(d) > 19 || d[0] < '2' || d[0] > '6' || strings.Trim(n.seps, " -") != "" || !cardGroups(n.groups) {
		return false
	}
	return strings.Trim(d, d[:1]) != "" && Luhn(d)
}

func cardGroups(g []int) bool {
	if len(g) == 1 {
		return true
	}
	if len(g) == 3 {
		return g[0] == 4 && (g[1] == 6 && (g[2] == 5 || g[2] == 4))
	}
	for i, n := range g {
		if i < len(g)-1 && n != 4 || n > 4 {
			return false
		}
	}
	return true
}

// Luhn checks a card number's last digit. Anything but digits fails.
func Luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		b := digits[len(digits)-1-i]
		if !isDigit(b) {
			return false
		}
		d := int(b - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(digits) > 0 && sum%10 == 0
}

// isNational: a US social security number, a Norwegian birth number, a French social number.
func isNational(n number) bool {
	d := n.digits
	switch {
	case len(d) == 9 && n.seps == "--" && sameGroups(n.groups, 3, 2, 4):
		return d[:3] != "000" && d[:3] != "666" && d[0] != '9' && d[3:5] != "00" && d[5:] != "0000"
	case len(d) == 11 && (len(n.groups) == 1 || sameGroups(n.groups, 6, 5)):
		return isFnr(d)
	case len(d) == 15 && (d[0] == '1' || d[0] == '2') && strings.Trim(n.seps, " ") == "":
		return isNIR(d)
	}
	return false
}

func sameGroups(g []int, want ...int) bool {
	if len(g) != len(want) {
		return false
	}
	for i := range g {
		if g[i] != want[i] {
			return false
		}
	}
	return true
}

// isFnr checks a Norwegian birth number: a day, a month, and two digits modulo 11.
func isFnr(d string) bool {
	day, month := (int(d[0]-'0')*10+int(d[1]-'0'))%40, (int(d[2]-'0')*10+int(d[3]-'0'))%40
	if day < 1 || day > 31 || month < 1 || month > 12 {
		return false
	}
	return mod11(d, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1) && mod11(d, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
}

func mod11(d string, weights ...int) bool {
	sum := 0
	for i, w := range weights {
		sum += w * int(d[i]-'0')
	}
	return sum%11 == 0
}

// isNIR checks a French social number: 13 digits and 97 minus their remainder.
func isNIR(d string) bool {
	var n uint64
	for _, b := range []byte(d[:13]) {
		n = n*10 + uint64(b-'0')
	}
	month := int(d[3]-'0')*10 + int(d[4]-'0')
	return month >= 1 && month <= 12 && 97-n%97 == uint64(d[13]-'0')*10+uint64(d[14]-'0')
}

// isDNI checks a Spanish identity number, whose letter follows the eight digits.
func isDNI(n number, text string) bool {
	if len(n.digits) != 8 || len(n.groups) != 1 || n.to+1 < len(text) && isAlnum(text[n.to+1]) {
		return false
	}
	v := 0
	for _, b := range []byte(n.digits) {
		v = v*10 + int(b-'0')
	}
	return "TRWAGMYFPDXBNJZSQVHLCKE"[v%23] == text[n.to]
}

// isPhone takes international numbers, and national ones only when they are grouped as such.
func isPhone(n number, text string) bool {
	d := n.digits
	if strings.ContainsRune(n.seps, '!') || sameDigit(d) {
		return false
	}
	if n.from < n.to && text[n.from] == '+' || strings.HasPrefix(text[n.from:n.to], "(+") {
		return len(d) >= 8 && len(d) <= 15 && d[0] != '0'
	}
	if strings.HasPrefix(d, "00") && len(d) >= 10 && len(d) <= 17 && d[2] != '0' && n.groups[0] != 2 {
		return true
	}
	bracket := text[n.from] == '('
	g := n.groups
	switch {
	case sameGroups(g, 3, 3, 4) && (bracket || n.seps == "--" || n.seps == ".." || n.seps == "  "):
		return d[0] >= '2' && d[3] >= '2'
	case sameGroups(g, 2, 2, 2, 2) && n.seps == "   ", sameGroups(g, 3, 2, 3) && n.seps == "  ":
		return d[0] >= '2'
	case sameGroups(g, 2, 2, 2, 2, 2) && (n.seps == "    " || n.seps == "...."):
		return d[0] == '0' && d[1] != '0'
	case sameGroups(g, 3, 3, 3) && n.seps == "  ":
		return d[0] == '6' || d[0] == '7' || d[0] == '9'
	case d[0] == '0' && len(d) >= 9 && len(d) <= 12 && d[1] != '0':
		return len(g) >= 2 && len(g) <= 4 && g[0] >= 3 && strings.Trim(n.seps, " -/)") == "" || bracket
	}
	return false
}

func sameDigit(d string) bool { return len(d) == 0 || strings.Trim(d, d[:1]) == "" }

func ipv4At(text string, i int) Span {
	if i > 1 && text[i-1] == '.' && isDigit(text[i-2]) {
		return Span{}
	}
	j, parts := i, 0
	for parts < 4 {
		v, k := 0, j
		for k < len(text) && isDigit(text[k]) && k-j < 4 {
			v = v*10 + int(text[k]-'0')
			k++
		}
		if k == j || k-j > 3 || v > 255 || k-j > 1 && text[j] == '0' {
			return Span{}
		}
		parts++
		if j = k; parts == 4 {
			break
		}
		if j >= len(text) || text[j] != '.' {
			return Span{}
		}
		j++
	}
	if j < len(text) && (isAlnum(text[j]) || text[j] == '.' && j+1 < len(text) && isDigit(text[j+1])) {
		return Span{}
	}
	return Span{IP, i, j}
}

// ipv6At reads the hexadecimal groups around the colon at i. Three colons are asked for, so that
// times and words of code are none.
func ipv6At(text string, i, done int) Span {
	from := i
	for from > done && i-from < 4 && isHex(text[from-1]) {
		from--
	}
	to, colons := i, 0
	for to < len(text) && to-from < 45 && (isHex(text[to]) || text[to] == ':' || text[to] == '.') {
		if text[to] == ':' {
			colons++
		}
		to++
	}
	for to > from && (text[to-1] == '.' || text[to-1] == ':' && (to < 2 || text[to-2] != ':')) {
		to--
	}
	if colons < 3 || from > 0 && isAlnum(text[from-1]) || to < len(text) && isAlnum(text[to]) {
		return Span{}
	}
	if a, err := netip.ParseAddr(text[from:to]); err != nil || !a.Is6() {
		return Span{}
	}
	return Span{IP, from, to}
}

func isHex(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' }

// ibanAt reads an IBAN whose check digits begin at i, so that two letters stand before it.
func ibanAt(text string, i, done int) Span {
	from := i - 2
	if from < done || i+1 >= len(text) || !isLetter(text[from]) || !isLetter(text[from+1]) || !isDigit(text[i+1]) {
		return Span{}
	}
	if from > 0 && isAlnum(text[from-1]) {
		return Span{}
	}
	var compact [36]byte
	n, good := 0, 0
	for j := from; j < len(text) && j-from < window && n < 34; j++ {
		b := text[j]
		if isAlnum(b) {
			if b >= 'a' {
				b -= 'a' - 'A'
			}
			compact[n] = b
			n++
			ends := j+1 == len(text) || !isAlnum(text[j+1])
			if ends && n == ibanLength(string(compact[:2])) && IBANValid(string(compact[:n])) {
				good = j + 1
			}
			continue
		}
		if b != ' ' && b != '-' || j > 0 && !isAlnum(text[j-1]) {
			break
		}
	}
	if good == 0 {
		return Span{}
	}
	return Span{IBAN, from, good}
}

// ibanLengths is the registry of ISO 13616. Without a length to hold it against, one in a hundred of any digests would be an account.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22,
	"CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22,
	"GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30,
	"KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
	"MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
	"RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26,
	"UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// ibanLength is how long a country's IBAN is; 0 where there is none.
func ibanLength(country string) int { return ibanLengths[country] }

// IBANValid checks an IBAN in upper case without blanks: its length and its remainder modulo 97.
func IBANValid(s string) bool {
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rem := 0
	for i := range len(s) {
		b := s[(i+4)%len(s)]
		switch {
		case isDigit(b):
			rem = (rem*10 + int(b-'0')) % 97
		case b >= 'A' && b <= 'Z':
			rem = (rem*100 + int(b-'A') + 10) % 97
		default:
			return false
		}
	}
	return rem == 1
}
