package pii

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tokens splits a name at separators, at camel-case humps and between letters and digits, lower-cased
// and without accents: "customerEMail_2" gives customer, e, mail, 2.
func Tokens(name string) []string {
	var out []string
	var before rune
	from := 0
	cut := func(to int) {
		if from < to {
			out = append(out, plain(name[from:to]))
		}
		from = to
	}
	for i, r := range name {
		_, size := utf8.DecodeRuneInString(name[i:])
		after, _ := utf8.DecodeRuneInString(name[i+size:])
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			from = i + size
		case i > 0 && unicode.IsDigit(r) != unicode.IsDigit(before):
			cut(i)
		case unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsUpper(before) && unicode.IsLower(after)):
			cut(i)
		}
		before = r
	}
	cut(len(name))
	return out
}

var unaccent = strings.NewReplacer("ä", "a", "á", "a", "à", "a", "â", "a", "ã", "a", "å", "a", "æ", "ae", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ï", "i", "î", "i", "ñ", "n", "ö", "o", "ó", "o", "ô", "o", "ø", "o", "õ", "o", "œ", "oe", "ß", "ss", "ü", "u", "ú", "u", "ù", "u", "û", "u")

func plain(s string) string {
	s = strings.ToLower(s)
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return s
	}
	return unaccent.Replace(s)
}

// about: a name that ends so speaks about the thing before it, and does not hold it.
var about = words(`count counts total verified confirmed enabled disabled active status type kind template templates sent
	format provider required valid validated bounced bounces flag limit version changed updated created
	at on until expires expiry expired attempts failed field label font size width height color colour length
	html css class icon order position sort rank index key idx seq enum group schema table column min max avg
	queue job worker server host port rate interval timeout path dir folder file`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// ByName classifies a column by its name alone.
func ByName(name string) Class {
	toks := Tokens(name)
	e, at, n := longest(toks)
	if n == 0 || e.Category == "" {
		return Class{}
	}
	rest := toks[at+n:]
	for len(rest) > 0 && isDigits(rest[len(rest)-1]) {
		rest = rest[:len(rest)-1] // address_2 is an address
	}
	if len(rest) > 0 && (about[rest[len(rest)-1]] || slices.Contains(rest, "id") && e.Category != Account && e.Category != Technical) {
		return Class{}
	}
	return Class{e.Category, e.Kind, e.confidence, "its name says " + strings.Join(toks[at:at+n], " ")}
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// longest finds the longest phrase of the dictionary in the tokens, the last one among equals: in a
// name the head comes last.
func longest(toks []string) (best entry, at, n int) {
	for size := min(4, len(toks)); size > 0; size-- {
		for i := len(toks) - size; i >= 0; i-- {
			if e, ok := dictionary[strings.Join(toks[i:i+size], "")]; ok {
				return e, i, size
			}
		}
	}
	return entry{}, 0, 0
}

// Business reports whether a name ends in a word that is a fact of business and not of a person:
// status, currency, sku and so on. Such columns keep their value when a row is anonymised.
func Business(name string) bool {
	toks := Tokens(name)
	return len(toks) > 0 && business[toks[len(toks)-1]] && !ByName(name).Known()
}

var business = words(`status state type kind currency country locale lang language sku method unit units code codes level tier plan
	category priority channel version format mode stage role slug timezone tz valuta wahrung land landkode pays moneda pais estado statut
	size color colour brand product variant warehouse carrier reason result outcome visibility scope source provider
	checksum mime encoding etag bucket region at on date`)

// TypeLike reports whether a name ends in a word for a closed set of values, never prose.
func TypeLike(name string) bool {
	toks := Tokens(name)
	return len(toks) > 0 && typeLike[toks[len(toks)-1]]
}

var typeLike = words(`type kind status state code codes currency locale lang language country method unit category priority channel
	mode stage role slug sku timezone tz version format hash uuid guid id ref url uri path email phone iban ip token key number no nr
	name firstname lastname surname street city zip postcode date time at gender mime checksum`)
