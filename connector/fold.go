package connector

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold gives the form in which identities are compared: blanks (Unicode white space) at both ends
// removed, every letter case folded on its own. Two identities are the same when their folds are
// equal, in every store and in the engine.
//
// It joins less than it could, because a wrong join reaches another person: "straße" is not
// "strasse", "ä" is not "a", composed is not decomposed, the Turkish dotless and dotted i are not
// "i", and letters outside ASCII are never equal to one within (the Kelvin sign is not "k"). An
// ASCII identity therefore equals only ASCII text between blanks. Bytes that are not UTF-8 stay.
func Fold(s string) string {
	s = strings.TrimSpace(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b.WriteByte(s[i])
		} else {
			b.WriteRune(foldRune(r))
		}
		i += size
	}
	return b.String()
}

// foldRune picks one member of the rune's case orbit, the lower case of the smallest where that is
// a member, so that plain texts fold to what lower() gives in an engine.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return unicode.ToLower(r)
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		if next < utf8.RuneSelf {
			return r
		}
		least = min(least, next)
	}
	lower := unicode.ToLower(least)
	for next := unicode.SimpleFold(least); next != least; next = unicode.SimpleFold(next) {
		if next == lower {
			return lower
		}
	}
	return least
}

// FoldRune folds one letter as Fold does: what matches inside a text is what equals outside it.
func FoldRune(r rune) rune { return foldRune(r) }
