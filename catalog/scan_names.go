package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// What the name of a column says of whom it refers to.

var referenceSuffix = set(`id no nr num number ref reference key code uid uuid guid fk nummer numero pk`)

// splitReference gives a name's words in the singular and the suffix that says it refers.
func splitReference(column string) (stem []string, suffix string) {
	return parted(pii.Tokens(column), "")
}

// readBare reads the name of a column without what all columns of the dataset begin with, as in old programs: pc_pid is a pid. nil where
// they begin with nothing, or with what the dataset holds.
func readBare(d *Dataset, c *connector.Column) *columnName {
	prefix, rest, found := strings.Cut(c.Name, "_")
	if !found || rest == "" || len(d.Table.Columns) < fewestPrefixed || slices.Contains(d.words, singular(strings.ToLower(prefix))) {
		return nil
	}
	others := 0
	for _, o := range d.Table.Columns {
		if !strings.HasPrefix(o.Name, prefix+"_") {
			others++
		}
	}
	if others > 1 { // one may have come later
		return nil
	}
	named := *c
	named.Name = rest
	name := readName(&named)
	return &name
}

const fewestPrefixed = 5

// columnName is the name of a column, read once for all the keys it is held against.
type columnName struct {
	column *connector.Column
	stem   []string
	suffix string
	glued  []string // its words, where only the noun of a dataset can part them: discussionid
	bare   *columnName
}

func readName(c *connector.Column) columnName {
	toks := pii.Tokens(targetID.ReplaceAllString(c.Name, "_id")) // billing_profile__target_id
	r := columnName{column: c}
	r.stem, r.suffix = parted(toks, "")
	if slices.ContainsFunc(toks, glued.MatchString) {
		r.glued = toks
	}
	return r
}

// to reads the name as a reference to what the noun says.
func (r columnName) to(what string) (stem []string, suffix string) {
	if r.glued == nil {
		return r.stem, r.suffix
	}
	return parted(r.glued, what)
}

func parted(toks []string, what string) (stem []string, suffix string) {
	toks = unglue(toks, what)
	if n := len(toks); n > 2 && referenceSuffix[toks[n-2]] && (toks[n-1] == "from" || toks[n-1] == "to") { // user_id_from
		toks = slices.Concat(toks[n-1:], toks[:n-1])
	}
	switch n := len(toks); {
	case n > 0 && referenceSuffix[toks[n-1]]:
		toks, suffix = toks[:n-1], toks[n-1]
	case n > 1 && frontID[toks[0]]: // id_customer, uid_owner
		toks, suffix = toks[1:], toks[0]
	}
	for _, t := range toks {
		stem = append(stem, singular(t))
	}
	return stem, suffix
}

var frontID = set(`id uid uuid`)

var glued = regexp.MustCompile(`^(.+)id(from|to)?$`)

// unglue parts what was written as one: userid, relateduserid, useridfrom. Only a noun in front of it makes an
// end in "id" a reference: valid and paid are none.
func unglue(toks []string, what string) []string {
	var out []string
	for _, t := range toks {
		m := glued.FindStringSubmatch(t)
		if m == nil || referenceSuffix[t] {
			out = append(out, t)
			continue
		}
		head := headNoun(m[1], what)
		if head == "" {
			out = append(out, t)
			continue
		}
		for _, part := range []string{m[2], strings.TrimSuffix(m[1], head), head, "id"} {
			if part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// headNoun is the noun that some letters end in: what is asked about, or the longest word for a person or for who did it.
func headNoun(letters, what string) string {
	if len(what) > 3 && strings.HasSuffix(letters, what) {
		return what
	}
	best := ""
	for _, words := range []map[string]bool{personNouns, actorWords} {
		for n := range words {
			if len(n) > max(3, len(best)) && strings.HasSuffix(letters, n) {
				best = n
			}
		}
	}
	return best
}

// keyNameScore is nameScore for keys that are no addresses.
func keyNameScore(r columnName, k parentKey) float64 {
	c, what := r.column, k.d.noun
	stem, suffix := r.to(what)
	switch {
	case k.number && suffix != k.suffix:
		return 0 // an order's reference is no order's id
	case slices.Equal(stem, []string{"whodunnit"}) && k.d.People != nil && accountNouns[what]: // a number in a text, of the library that keeps versions
		return 0.65
	case isShortID(c.Name) && strings.EqualFold(c.Name, k.column):
		return 0.9
	case suffix == "" && len(stem) > 0 && (c.Kind != columnKind(k) || isPlace(stem) || isCount(c)):
		return 0
	case suffix != "" && len(stem) > 0 && slices.Equal(stem, k.stem) && suffix == k.suffix && !k.shared:
		return 0.97
	case suffix == "" && len(stem) > 1 && k.suffix == "" && stem[0] == what && slices.Equal(stem[1:], k.stem):
		return 0.95 // what orders are called, in a column called order name
	case len(stem) == 0:
		return 0
	case k.alone && strings.EqualFold(c.Name, k.column):
		return 0.9 // access.login, where logins are the key of users and of nothing else
	case suffix != "" && len(stem) > 1 && commonTail(stem, k.d.words) == len(stem):
		return 0.95 // order_item_id of order_items, before those of quote_items
	case suffix == "" && len(stem) == 1 && stem[0] == what:
		return 0.85 // orders.customer; of texts only logins are found there, and names are not
	case stem[len(stem)-1] == what && (suffix != "" || len(stem) > 1):
		return 0.9
	case slices.Contains(stem, what) && suffix != "" && !kindNouns[stem[len(stem)-1]]:
		return 0.8
	case k.d.People == nil:
		return 0
	case suffix != "" && (isPersonNoun(stem[len(stem)-1]) || actorWords[stem[len(stem)-1]]) && isWhoActs(k.d):
		if accountNouns[what] && !dealers[stem[len(stem)-1]] {
			return 0.7
		}
		return 0.65
	case !isActor([]string{c.Name}) && !actorWords[stem[len(stem)-1]] || c.Kind != columnKind(k):
		return 0
	case accountNouns[what]:
		return 0.6
	}
	return 0.5
}

// isWhoActs: people of a log or of a form that anybody filled in are known there by an address, and by no key.
func isWhoActs(d *Dataset) bool {
	return isPersonNoun(d.noun) || eitherNouns[d.noun] || len(d.People.By) > 1
}

// isPlace: a sort_order is no order.
func isPlace(stem []string) bool {
	return len(stem) > 1 && stem[len(stem)-1] == "order" && placeWords[stem[len(stem)-2]]
}

var placeWords = set(`sort display menu tab list view print column row field step load item position`)

// isCount: a number called products is how many.
func isCount(c *connector.Column) bool {
	toks := pii.Tokens(c.Name)
	last := toks[len(toks)-1]
	return (c.Kind == connector.Int || c.Kind == connector.Decimal) && singular(last) != last
}

var targetID = regexp.MustCompile(`_+target_id$`)

// kindNouns: an event_type_id is of a type, a user_picture_id of a picture.
var kindNouns = set(`type status state kind category group class level reason picture photo image avatar file document attachment address`)

// accountNouns are who acts in a program, before anybody else whose numbers are alike.
var accountNouns = set(`user account member staff employee admin bruker nutzer benutzer utilisateur usuario`)

var actorWords = set(`author sender receiver payer payee referrer reporter requester creator writer submitter actor performer initiator uploader inviter invitee assignee viewer
	poster commenter voter editor grader observer`)

func columnKind(k parentKey) connector.Kind {
	if c := k.d.Table.Column(k.column); c != nil {
		return c.Kind
	}
	return connector.Null
}

// noun is what a dataset's rows are, in the singular: "shop_customers" gives customer.
func noun(dataset string) string {
	if dot := strings.LastIndexByte(dataset, '.'); dot >= 0 {
		dataset = dataset[dot+1:]
	}
	toks := pii.Tokens(dataset)
	for n := len(toks); n > 1 && isAffix(toks); n = len(toks) {
		toks = toks[:n-1]
		if n > 2 && toks[n-2] == "field" {
			toks = toks[:n-2] // users_field_data
		}
	}
	if len(toks) == 0 {
		return ""
	}
	return singular(toks[len(toks)-1])
}

func isAffix(toks []string) bool {
	last := toks[len(toks)-1]
	return affixes[last] || isMapOf(toks) || strings.Trim(last, "0123456789") == ""
}

var affixes = set(`archive archived old table tbl list data info master record records new tmp backup copy all v entity`)

func singular(w string) string {
	switch {
	case w == "people" || w == "persons":
		return "person"
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches") || strings.HasSuffix(w, "shes"):
		return w[:len(w)-2]
	case w == "kunden" || w == "kunder" || w == "nutzer" || w == "brukere" || w == "ansatte" || w == "medlemmer":
		return map[string]string{"kunden": "kunde", "kunder": "kunde", "nutzer": "nutzer", "brukere": "bruker", "ansatte": "ansatt", "medlemmer": "medlem"}[w]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && len(w) > 3:
		return w[:len(w)-1]
	}
	return w
}
