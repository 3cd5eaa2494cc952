package catalog

import (
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

var personNouns = set(`customer user member person client contact subscriber employee patient student lead guest visitor donor volunteer applicant candidate
	passenger resident citizen driver rider player buyer seller attendee participant recipient registrant teacher staff pupil parent guardian worker contractor
	account profile kunde bruker ansatt medlem abonnent mitarbeiter nutzer mitglied utilisateur employe membre abonne cliente usuario empleado miembro traveler
	traveller author borrower reader shopper learner clerk rep agent owner holder signup subject party`)

func isPersonNoun(w string) bool { return personNouns[w] }

// organisations have addresses and phones and are no persons.
var organisationNouns = set(`company supplier vendor store shop warehouse organisation organization merchant brand publisher department carrier location
	office branch firm business agency shipper manufacturer provider factory school hospital clinic pharmacy laboratory insurer facility bank lieferant firma leverandor proveedor fournisseur country city`)

// eitherNouns are what businesses call whom they deal with, persons and firms in one dataset.
var eitherNouns = set(`partner counterparty`)

// firmNoun is what firms and tenants are called too: that it has a name does not make it a person.
const firmNoun = "account"

// isPerson: a row has the name of one, by the name of the dataset.
func isPerson(g *Graph, d *Dataset) bool {
	return isPersonNoun(noun(d.Name)) && noun(d.Name) != firmNoun && !isListOf(g, d)
}

// isMapOf: a user_mapping gives each user the key that all else names them by.
func isMapOf(words []string) bool {
	n := len(words)
	return n > 1 && mapWords[words[n-1]] && isPersonNoun(singular(words[n-2]))
}

var mapWords = set(`map mapping`)

// isListOf: beside contacts, a contact_list is a list of them, and no contact.
func isListOf(g *Graph, d *Dataset) bool {
	last := len(d.words) - 1
	return last > 0 && d.words[last] == "list" && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o.System == d.System && slices.Equal(o.words, d.words[:last])
	})
}

// candidate is a dataset that could be one of persons.
type candidate struct {
	d          *Dataset
	by         map[string]string
	confidence float64
	reasons    []string
}

// proposePeople finds the datasets where a person enters: an identity that is (almost) one's own, in a
// dataset that says it is of persons, that others refer to, or that is nothing but addresses.
func (s *scan) proposePeople() {
	taken := takenKinds(s.base)
	for _, d := range s.base.Datasets {
		if d.Ignored || d.People != nil || d.Mapped && !onlyGuessed(d) {
			continue
		}
		c := s.candidate(d)
		if c == nil {
			continue
		}
		if s.addKeys(c, taken); len(c.by) == 0 {
			continue // persons, and nothing to know one by
		}
		people := &People{Table: d.Name, By: c.by}
		if further := s.profiles[d.Table].furtherAddresses(c.by["email"]); len(further) > 0 {
			people.alsoBy("email", further...)
			c.reasons = append(c.reasons, strings.Join(further, " and ")+" too, for whom have one")
		}
		s.propose(Proposal{System: d.System, People: people},
			Mark{ID: "people:" + d.ID(), Confidence: c.confidence, Reason: strings.Join(c.reasons, "; ")})
	}
}

// takenKinds says where each kind of identity of a key was first used.
func takenKinds(g *Graph) map[string]string {
	taken := map[string]string{}
	for _, d := range g.Datasets {
		if d.People != nil {
			for kind := range d.People.By {
				taken[kind] = d.ID()
			}
		}
	}
	return taken
}

// onlyGuessed: the dataset counts as known only through guesses or its own rule, so it may still be proposed.
func onlyGuessed(d *Dataset) bool {
	return d.Rule == nil && !slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Direct() }) && d.Personal
}

func (s *scan) candidate(d *Dataset) *candidate {
	p, what := s.profiles[d.Table], noun(d.Name)
	email := p.identity(d, pii.Email)
	if organisationNouns[what] || isMoney(d) || what == firmNoun && !p.namesPeople() && !signsIn(d.Table) && (email == "" || s.isManys(d)) {
		return nil
	}
	c := &candidate{d: d, by: map[string]string{}, confidence: 0.6}
	phone := p.identity(d, pii.Phone)
	switch {
	case email != "":
		c.by["email"] = email
		c.reasons = append(c.reasons, email+" holds e-mail addresses, hardly one of them twice")
	case phone != "" && isPersonNoun(what):
		c.by["phone"] = phone
		c.reasons = append(c.reasons, phone+" holds phone numbers, hardly one of them twice")
	case !isPersonNoun(what) || !p.namesPeople() && (!signsIn(d.Table) || namesAccount(d)):
		return nil
	}
	unique := email != "" && isUnique(d.Table, []string{email})
	referred := slices.ContainsFunc(d.In, func(e *Edge) bool { return e.Child != d })
	bare := email != "" && s.isBareList(d)
	switch {
	case isPersonNoun(what) && !s.dependsOnPerson(d, email):
	case bare:
	case (unique || email != "" && eitherNouns[what]) && referred && p.namesPeople():
	default:
		return nil
	}
	c.weigh(what, unique, referred, bare, p.namesPeople())
	return c
}

// isManys: several persons with addresses of their own have the same one, so it is a firm, or a tenant.
func (s *scan) isManys(d *Dataset) bool {
	return slices.ContainsFunc(s.base.Datasets, func(o *Dataset) bool {
		p := s.profiles[o.Table]
		return o != d && o.System == d.System && isPerson(s.base, o) && p.identity(o, pii.Email) != "" && slices.ContainsFunc(o.Table.Columns, func(c connector.Column) bool {
			stem, suffix := splitReference(c.Name)
			return suffix != "" && len(stem) > 0 && stem[len(stem)-1] == d.noun && p.distinct(c.Name) > 0 && p.distinct(c.Name) < 1
		})
	})
}

func (c *candidate) weigh(what string, unique, referred, bare, named bool) {
	add := func(when bool, by float64, reason string) {
		if when {
			c.confidence += by
			c.reasons = append(c.reasons, reason)
		}
	}
	add(isPersonNoun(what), 0.15, article(what)+" "+what+" is a person")
	add(bare, 0.2, "it is a bare list of addresses")
	add(eitherNouns[what], 0.1, article(what)+" "+what+" is a person or a firm")
	add(unique, 0.1, "the database says each is there once")
	add(referred, 0.1, "other datasets refer to it")
	add(named, 0.05, "it holds names or dates of birth")
	add(signsIn(c.d.Table), 0.05, "who it lists has a password")
}

func article(noun string) string {
	if strings.IndexAny(noun, "aeio") == 0 { // a user
		return "an"
	}
	return "a"
}

var secretWords = set(`password passwd pass pwd passphrase passord passwort`)

// signsIn: the dataset lists who signs in with a password of theirs.
func signsIn(t *connector.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c connector.Column) bool {
		return slices.ContainsFunc(pii.Tokens(c.Name), func(w string) bool { return secretWords[w] })
	})
}

// identity finds the column of a kind whose values are (almost) each somebody's own.
func (p *profile) identity(d *Dataset, kind pii.Kind) string {
	best, at := "", 0.0
	for _, c := range d.Table.Columns {
		class := p.class[c.Name]
		if class.Kind != kind || class.Confidence < 0.8 || isReference(d.Table, c.Name) {
			continue
		}
		score := p.distinct(c.Name)
		if isUnique(d.Table, []string{c.Name}) {
			score = 2
		}
		filled := len(p.sample) == 0 || float64(len(p.values[c.Name])) >= 0.5*float64(len(p.sample))
		if len(p.values[c.Name]) < 5 {
			score = max(score, 0.95) // too few to judge; the name stands
		}
		if filled && score >= 0.9 && score > at {
			best, at = c.Name, score
		}
	}
	return best
}

func (p *profile) namesPeople() bool {
	for _, class := range p.class {
		if class.Kind == pii.Name && class.Confidence >= 0.6 || class.Kind == pii.Birth || class.Kind == pii.National {
			return true
		}
	}
	return false
}

// namesAccount: a column says whose account the row is a part of: user_id in user_accounts.
func namesAccount(d *Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		stem, suffix := splitReference(c.Name)
		return suffix != "" && len(stem) > 0 && accountNouns[stem[len(stem)-1]] && stem[len(stem)-1] != noun(d.Name)
	})
}

// dependsOnPerson: a dataset without an address of its own whose key leads to a dataset of persons is
// a part of that person (profile.user_id); not where a row may lead to nobody, and else to one of its own: a
// patient who may have an account.
func (s *scan) dependsOnPerson(d *Dataset, email string) bool {
	if email != "" && (isUnique(d.Table, []string{email}) || acts(d)) {
		return false
	}
	if email == "" && (s.hasKeyOfAccount(d) || s.hasKeyOfAnother(d) || s.comesAgain(d)) {
		return true
	}
	return slices.ContainsFunc(d.Out, func(e *Edge) bool {
		return e.Parent != d && e.FK != nil && isPersonNoun(noun(e.Parent.Name)) && (!isActor(e.ChildColumns) && !isWriter(e.ChildColumns[0]) || isWithin(d.Table.Primary, e.ChildColumns)) &&
			!(nullable(d.Table, e.ChildColumns) && isUnique(d.Table, e.ChildColumns))
	})
}

// acts: who signs in there is named by what they made, whichever person is behind.
func acts(d *Dataset) bool {
	return accountNouns[noun(d.Name)] && signsIn(d.Table) && slices.ContainsFunc(d.In, func(e *Edge) bool {
		return e.Child != d && (isWriter(e.ChildColumns[0]) || isActor(e.ChildColumns))
	})
}

// hasKeyOfAccount: a column beside the dataset's own key is called like the key of those who have accounts, in letters that
// are no words: uid.
func (s *scan) hasKeyOfAccount(d *Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		return isShortID(c.Name) && KeyColumn(d.Table) != c.Name && slices.ContainsFunc(s.base.Datasets, func(o *Dataset) bool {
			return o != d && o.System == d.System && accountNouns[noun(o.Name)] && strings.EqualFold(KeyColumn(o.Table), c.Name)
		})
	})
}

// hasKeyOfAnother: a user profile whose key is the user_id that is the key of users is a part of them.
func (s *scan) hasKeyOfAnother(d *Dataset) bool {
	key := KeyColumn(d.Table)
	stem, suffix := splitReference(key)
	return suffix != "" && len(stem) > 0 && stem[len(stem)-1] != d.noun && slices.ContainsFunc(s.base.Datasets, func(o *Dataset) bool {
		return o != d && o.System == d.System && o.noun == stem[len(stem)-1] && isPersonNoun(o.noun) && strings.EqualFold(KeyColumn(o.Table), key)
	})
}

// comesAgain: the recipients of each letter are members, who are there as often as they got one.
func (s *scan) comesAgain(d *Dataset) bool {
	p := s.profiles[d.Table]
	again := slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		return p.class[c.Name].Kind == pii.Email && len(p.values[c.Name]) > 0 && p.distinct(c.Name) < 0.5
	})
	return again && slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		stem, suffix := splitReference(c.Name)
		return suffix != "" && len(stem) == 1 && stem[0] != d.noun && slices.ContainsFunc(s.base.Datasets, func(o *Dataset) bool {
			return o.System == d.System && o.noun == stem[0] && isPersonNoun(o.noun)
		})
	})
}

// isWithin: a row is known by whose it is, and something more.
func isWithin(key, columns []string) bool {
	return len(columns) < len(key) && !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(key, c) })
}

// isBareList: few columns, an address, no prose, and no keys to or from anything.
func (s *scan) isBareList(d *Dataset) bool {
	if len(d.Table.Columns) > 6 || len(d.Out) > 0 || len(d.In) > 0 || len(typedKeys(d.Table)) > 0 {
		return false
	}
	for _, c := range d.Table.Columns {
		if class := s.profiles[d.Table].class[c.Name]; class.Kind == pii.FreeText {
			return false
		}
		if s.profiles[d.Table].content[c.Name].Words > 4 {
			return false
		}
		if toks := pii.Tokens(c.Name); len(toks) > 0 && prose[toks[len(toks)-1]] {
			return false
		}
		if stem, suffix := splitReference(c.Name); suffix != "" && len(stem) > 0 && accountNouns[stem[len(stem)-1]] {
			return false // user_id: it hangs on a user, whatever declares it
		}
	}
	return true
}

var prose = set(`subject body text message content description note notes comment title`)

// addKeys names the keys by which people are known: the primary key, and a number of their own. The
// same word in two systems could mean two series of numbers, so the second carries its system's name.
func (s *scan) addKeys(c *candidate, taken map[string]string) {
	t, what := c.d.Table, noun(c.d.Name)
	if !isPersonNoun(what) && !eitherNouns[what] {
		return
	}
	add := func(kind, column string) {
		if at := taken[kind]; at != "" && at != c.d.ID() {
			kind = c.d.System + "_" + kind
		}
		if taken[kind] != "" || c.by[kind] != "" {
			return
		}
		for _, used := range c.by {
			if used == column {
				return
			}
		}
		taken[kind], c.by[kind] = c.d.ID(), column
	}
	if key := KeyColumn(t); key != "" {
		add(what, key)
	}
	for _, col := range t.Columns {
		toks := pii.Tokens(col.Name)
		if len(toks) > 1 && numberSuffix[toks[len(toks)-1]] && singular(toks[len(toks)-2]) == what && isUnique(t, []string{col.Name}) {
			add(strings.Join(toks, "_"), col.Name)
		}
	}
}

var numberSuffix = set(`no nr num number code ref reference nummer numero`)

// values of a column that occur, once each, up to limit.
func (p *profile) some(column string, limit int) []connector.Value {
	seen := map[connector.Value]bool{}
	var out []connector.Value
	for _, v := range p.values[column] {
		if strings.TrimSpace(v.S) == "" || seen[v] {
			continue
		}
		seen[v] = true
		if out = append(out, v); len(out) == limit {
			break
		}
	}
	return out
}
