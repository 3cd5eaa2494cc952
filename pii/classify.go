package pii

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxValue is how much of one sampled value is read.
const maxValue = 4096

// Holds is what a column's type can hold.
type Holds uint8

// What types hold. Anything tells nothing: documents, arrays, types this package has no word for.
const (
	Anything Holds = iota
	Text
	Number
	Moment
	Flag
	Binary
)

// Content is what the sampled values of a column are, as counts.
type Content struct {
	Values int          // that are not NULL and not empty
	Whole  map[Kind]int // values that are, as a whole, of a kind
	Within map[Kind]int // values that hold one in running text
	Words  float64      // words of a value on average
}

// Read counts what values are.
func Read(samples []string) Content {
	c := Content{Whole: map[Kind]int{}, Within: map[Kind]int{}}
	for _, v := range samples {
		c.Add(v)
	}
	return c
}

// Add counts one more value; c comes from Read. Empty ones do not count.
func (c *Content) Add(value string) {
	text := strings.TrimSpace(value)
	if text == "" {
		return
	}
	if len(text) > maxValue {
		text = text[:maxValue]
	}
	c.Words += (float64(1+strings.Count(text, " ")) - c.Words) / float64(c.Values+1)
	c.Values++
	c.count(text)
}

func (c *Content) count(text string) {
	spans := Find(text)
	if len(spans) == 1 && spans[0].From == 0 && spans[0].To == len(text) {
		c.Whole[spans[0].Kind]++
		return
	}
	switch {
	case len(spans) > 0:
		seen := map[Kind]bool{}
		for _, s := range spans {
			if !seen[s.Kind] {
				seen[s.Kind] = true
				c.Within[s.Kind]++
			}
		}
	case isDigits(strings.NewReplacer(" ", "", "-", "", "+", "", "(", "", ")", "").Replace(text)) && len(text) >= 7 && len(text) <= 20:
		c.Whole[Phone+"?"]++
	case looksLikeName(text):
		c.Whole[Name]++
	case looksLikeStreet(text):
		c.Whole[Postal]++
	case looksLikeToken(text):
		c.Whole[Token]++
	}
}

func (c Content) share(k Kind) float64 {
	if c.Values == 0 {
		return 0
	}
	return float64(c.Whole[k]) / float64(c.Values)
}

var kindNames = map[Kind]string{Email: "e-mail addresses", Phone: "phone numbers", IP: "IP addresses", IBAN: "IBANs",
	Card: "card numbers", National: "national id numbers", Name: "names of people", Postal: "street addresses", Token: "tokens"}

// Plural names a kind in words: "phone numbers".
func (k Kind) Plural() string { return kindNames[k] }

var kindCategories = map[Kind]Category{Email: Contact, Phone: Contact, IP: Technical, IBAN: Financial, Card: Financial, National: Identity}

// strong kinds carry a checksum or a shape that hardly occurs by chance.
var strong = []Kind{Email, IBAN, Card, National, IP, Phone}

// Classify says what a column seems to hold, from its name, sampled values and its type. Without
// samples the name alone speaks.
func Classify(name string, samples []string, holds Holds) Class {
	byName := ByName(name)
	if !fits(byName, holds) {
		byName = Class{}
	}
	if holds == Binary {
		samples = nil
	}
	return combine(name, byName, Read(samples), holds)
}

func combine(name string, byName Class, c Content, holds Holds) Class {
	for _, k := range strong {
		share := c.share(k)
		if share < 0.8 || c.Values < 3 && byName.Kind != k || k == IP && strings.Contains(strings.ToLower(name), "version") {
			continue
		}
		why := fmt.Sprintf("%.0f %% of %d sampled values are %s", 100*share, c.Values, k.Plural())
		if byName.Category == kindCategories[k] {
			return Class{byName.Category, k, 0.99, byName.Reason + ", and " + why}
		}
		return Class{kindCategories[k], k, round(0.95 * share), why}
	}
	names := c.Values >= 3 && c.share(Name) >= 0.6
	switch {
	case byName.Known() && !(names && byName.Category == Communication): // comment_author is no comment
		return doubt(name, byName, c)
	case names && (byName.Known() || isBareName(name)):
		return Class{Identity, Name, round(0.85 * c.share(Name)), fmt.Sprintf("%.0f %% of %d sampled values look like names of people", 100*c.share(Name), c.Values)}
	case holds == Text && c.Words >= 5:
		return running(c)
	}
	return Class{}
}

// running judges prose whose column's name says nothing: it matters when something was found in it.
func running(c Content) Class {
	for _, k := range strong {
		if c.Within[k] > 0 {
			return Class{Communication, FreeText, 0.8, fmt.Sprintf("%d of %d sampled texts hold %s", c.Within[k], c.Values, k.Plural())}
		}
	}
	return Class{}
}

// doubt lowers what a name says when the values say otherwise.
func doubt(name string, byName Class, c Content) Class {
	switch byName.Kind {
	case Email, IP, IBAN:
	default:
		return byName
	}
	if toks := Tokens(name); byName.Kind == Email && toks[len(toks)-1] == "id" && c.Values > 0 && c.Whole[Email]+c.Within[Email] == 0 {
		return Class{} // in India an address; here the number of a letter
	}
	if c.Values >= 5 && c.share(byName.Kind) < 0.2 {
		byName.Confidence = round(byName.Confidence / 2)
		byName.Reason += fmt.Sprintf(", but only %.0f %% of %d sampled values are %s", 100*c.share(byName.Kind), c.Values, byName.Kind.Plural())
	}
	return byName
}

func round(f float64) float64 { return float64(int(f*100+0.5)) / 100 }

func isBareName(name string) bool {
	toks := Tokens(name)
	return len(toks) > 0 && toks[len(toks)-1] == "name" && !ByName(name).Known() && !inVocabulary(name)
}

func inVocabulary(name string) bool {
	toks := Tokens(name)
	_, ok := dictionary[strings.Join(toks, "")]
	return ok && len(toks) > 1
}

// fits reports whether a column's type can hold what its name says: a flag called email is no address.
func fits(c Class, holds Holds) bool {
	switch holds {
	case Flag:
		return c.Category.Special() || c.Category == Marketing || c.Category == Criminal
	case Moment:
		return c.Kind == Birth || c.Category == Usage || c.Category.Special() || c.Category == Marketing
	case Number:
		switch c.Kind {
		case Email, IP, IBAN, Name, FreeText, Secret:
			return false
		}
		return c.Category != Communication
	}
	return true
}

// looksLikeName: two to four capitalised words of letters, one of them a common given name.
func looksLikeName(s string) bool {
	ws := strings.Fields(s)
	if len(ws) < 2 || len(ws) > 4 || len(s) > 60 {
		return false
	}
	known := false
	for _, w := range ws {
		first, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(first) || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '\'' && r != '.' }) {
			return false
		}
		known = known || givenNames[plain(w)]
	}
	return known
}

var streetWords = words(`street st road rd avenue ave lane ln drive dr way boulevard blvd court square strasse str weg platz gasse allee gate gata gt vei veien
	plass alle rue avenue chemin place calle avenida plaza paseo via`)

// looksLikeStreet: a number and a word for a road.
func looksLikeStreet(s string) bool {
	if len(s) > 120 || !strings.ContainsAny(s, "0123456789") {
		return false
	}
	for _, t := range Tokens(s) {
		if streetWords[t] || len(t) > 6 && (strings.HasSuffix(t, "strasse") || strings.HasSuffix(t, "gata") || strings.HasSuffix(t, "gate") || strings.HasSuffix(t, "veien") || strings.HasSuffix(t, "straat")) {
			return true
		}
	}
	return false
}

// looksLikeToken: one long word of mixed letters and digits.
func looksLikeToken(s string) bool {
	if len(s) < 24 || strings.ContainsAny(s, " \n\t@/:") {
		return false
	}
	digits := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			digits++
		}
	}
	return digits >= 4 && digits < len(s)
}

var givenNames = words(`anna emma ida nora sofie sofia ingrid kari liv marit astrid hanne silje maria eva lena lisa julia laura sara sarah hannah marie katharina sabine petra
	monika claudia susanne heike ursula brigitte karin andrea stefanie nicole martina ola per lars jan erik ole kjell knut svein thomas hans geir tor morten bjorn henrik magnus jonas
	jakob lukas emil oskar noah oliver william elias filip peter michael andreas stefan christian martin markus daniel alexander wolfgang klaus juergen jurgen dieter uwe frank matthias
	sebastian tobias florian felix paul leon maximilian james john robert david richard joseph charles christopher matthew anthony mark donald steven andrew kenneth george joshua kevin
	brian edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel mary patricia jennifer linda elizabeth barbara
	susan jessica karen nancy betty margaret sandra ashley kimberly emily donna michelle carol amanda dorothy melissa deborah stephanie rebecca sharon cynthia kathleen amy angela
	jean pierre michel philippe alain nicolas bernard patrick nathalie isabelle sylvie catherine francoise valerie christine sophie camille julie chloe lea manon lucas hugo louis
	jose antonio juan manuel francisco luis miguel angel carlos jesus javier pedro alejandro carmen josefa isabel dolores pilar teresa rosa lucia cristina elena marta paula
	olivia amelia isla ava mia isabella grace freya emilie thea leah maja frida amalie ella jenny helene camilla linn marte mette berit anne inger solveig randi grete bente wenche`)
