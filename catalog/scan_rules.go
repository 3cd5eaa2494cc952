package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

var (
	moneyWords = set(`invoice payment ledger tax vat accounting receipt transaction bill billing refund payout journal bookkeeping payroll payslip voucher
		faktura rechnung factura facture betaling zahlung paiement pago bilag moms mva kvittering regnskap buchung`)
	moneyNot  = set(`method token card rate setting config status type template reminder provider gateway category class`)
	partWords = set(`line item detail row position entry linje posten`)
	logWords  = set(`audit log history trail journal protokoll logg`)
	amounts   = set(`amount total sum gross net vat price cents value belop betrag montant importe fee balance debit credit tax`)
)

// period is how many years bookkeeping or tax law keeps records, by jurisdiction; the longest counts.
var period = map[string]int{"no": 5, "dk": 5, "uk": 6, "gb": 6, "se": 7, "us": 7, "fi": 6, "in": 8, "de": 10, "fr": 10, "it": 10, "es": 6, "nl": 7, "at": 7, "ch": 10}

func isMoney(d *Dataset) bool {
	toks := pii.Tokens(d.Name[strings.LastIndexByte(d.Name, '.')+1:]) // in a schema of billing there are customers too
	hit := false
	for _, t := range toks {
		if moneyNot[singular(t)] {
			return false
		}
		hit = hit || moneyWords[singular(t)]
	}
	return hit
}

func isPart(d *Dataset) bool { return partWords[noun(d.Name)] && len(pii.Tokens(d.Name)) > 1 }

func leadsToPerson(d *Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Direct() && e.Parent.People != nil })
}

// eachLeadsToPerson: not only the rows of one kind do.
func eachLeadsToPerson(d *Dataset) bool {
	return slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Direct() && e.Parent.People != nil && len(e.When()) == 0 })
}

// isLog: a search_history and a medical_history tell of a person, and not of what was done; so does what is called
// nothing but history.
func isLog(d *Dataset) bool {
	told := pii.ByName(d.Name[strings.LastIndexByte(d.Name, '.')+1:]).Category
	if told == pii.Behavioural || told == pii.Health || d.noun == "history" && d.words[0] == d.noun {
		return false
	}
	return !isMark(d.Table) && slices.ContainsFunc(pii.Tokens(d.Name), func(t string) bool { return logWords[singular(t)] })
}

// isMark: a key of several columns and no word beside it, who has read which page, tells nothing that was done.
func isMark(t *connector.Table) bool {
	return len(t.Primary) > 1 && !slices.ContainsFunc(t.Columns, func(c connector.Column) bool {
		return c.Kind != connector.Int && c.Kind != connector.UUID && c.Kind != connector.Time && !slices.Contains(t.Primary, c.Name)
	})
}

func hasAmount(d *Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		return c.Kind != connector.Text && slices.ContainsFunc(pii.Tokens(c.Name), func(t string) bool { return amounts[t] })
	})
}

// isBooked: what its columns hold is a booking or an invoice, whatever it is called.
func isBooked(d *Dataset) bool {
	debit, credit, invoice := false, false, false
	for _, c := range d.Table.Columns {
		toks := pii.Tokens(c.Name)
		debit = debit || slices.Contains(toks, "debit")
		credit = credit || slices.Contains(toks, "credit")
		invoice = invoice || len(toks) == 2 && toks[0] == "invoice" && (numberSuffix[toks[1]] || toks[1] == "date")
	}
	return (debit && credit || invoice) && hasAmount(d)
}

// proposeRules asks where erasure may not, or should not, delete, and says which categories the columns
// of a newly described system hold. One dataset gets one rule at most.
func (s *scan) proposeRules(g *Graph) {
	for _, d := range g.Datasets {
		switch {
		case d.Ignored:
			s.reopen(d)
		case d.Rule != nil || d.People == nil && !d.Personal:
		case s.proposeKeep(d):
		case s.proposeRedact(d):
		default:
			s.proposeCategories(d)
		}
	}
}

func (s *scan) proposeKeep(d *Dataset) bool {
	rule := TableRule{Table: d.Name, Erase: Keep, Because: "?", Categories: s.categories(d)}
	m := Mark{ID: "keep:" + d.ID(), Confidence: 0.7}
	switch {
	case d.People != nil || isPart(d) && !leadsToPerson(d):
		return false // a line stays with what it is a line of, unless it is somebody's by itself
	case isMoney(d), isBooked(d):
		m.Reason = "its name speaks of money or tax"
		if hasAmount(d) {
			m.Confidence, m.Reason = 0.9, "its name speaks of money or tax, and it holds amounts"
		}
		if !isMoney(d) {
			m.Confidence, m.Reason = 0.8, "it holds amounts beside what an invoice or a booking has"
		}
		if date := s.dateOf(d); date != "" {
			rule.Until = fmt.Sprintf("%d years after %s", s.years(), date)
			m.Reason += fmt.Sprintf("; law usually asks for %d years", s.years())
		}
	case isLog(d):
		m.Confidence, m.Reason = 0.6, "its name speaks of a log: a record of what was done"
	default:
		return false
	}
	s.propose(Proposal{System: d.System, Rule: &rule}, m)
	return true
}

func (s *scan) years() int {
	longest := 0
	for _, j := range s.cfg.Organization.Jurisdictions {
		country, _, _ := strings.Cut(j, "-")
		longest = max(longest, period[country])
	}
	if longest == 0 {
		return 10
	}
	return longest
}

var dateWords = []string{"issued", "invoice", "booked", "paid", "posted", "transaction", "billed", "date", "created", "at", "on"}

// dateOf finds the day a record was made: the best-named column whose sampled values are dates.
func (s *scan) dateOf(d *Dataset) string {
	best, at := "", len(dateWords)
	for _, c := range d.Table.Columns {
		values := s.profiles[d.Table].some(c.Name, 20)
		dates := 0
		for _, v := range values {
			if _, ok := moment(v); ok {
				dates++
			}
		}
		if dates == 0 && c.Kind != connector.Time || dates < len(values) {
			continue
		}
		for _, t := range pii.Tokens(c.Name) {
			if i := slices.Index(dateWords, t); i >= 0 && i < at {
				best, at = c.Name, i
			}
		}
	}
	return best
}

// conversations are datasets in which people write about themselves and others.
var conversations = set(`message ticket comment note chat post reply mail email letter case conversation thread inquiry request issue answer call transcript
	nachricht notiz kommentar anfrage melding henvendelse mensaje comentario commentaire`)

// proposeRedact: prose shared by several people, or written in a conversation, in which somebody's data
// was seen. Rows of others name people too, so their words are masked; and where the row is the
// person's own, who wrote it goes with all that was written, also where the sample named nobody.
func (s *scan) proposeRedact(d *Dataset) bool {
	several := slices.ContainsFunc(d.Out, func(e *Edge) bool { return e.Role == Co })
	if d.People != nil || !several && !conversations[noun(d.Name)] {
		return false
	}
	var cols, why []string
	for _, c := range d.Table.Columns {
		if found := s.foundIn(d, c.Name); found != "" && IsFreeText(d.Table, c) {
			cols, why = append(cols, c.Name), append(why, c.Name+": "+found)
		}
	}
	if len(cols) == 0 {
		return false
	}
	id := "redact:" + d.ID() + "." + strings.Join(cols, "+")
	for _, c := range d.Table.Columns {
		if class := s.profiles[d.Table].class[c.Name]; (isWhoWrote(class) || class.Kind == pii.FreeText) && !isKeyColumn(d.Table, c.Name) && !slices.Contains(cols, c.Name) {
			cols = append(cols, c.Name)
		}
	}
	s.propose(Proposal{System: d.System, Rule: &TableRule{Table: d.Name, Erase: Redact, Columns: cols, Categories: s.categories(d)}},
		Mark{ID: id, Confidence: 0.7, Reason: strings.Join(why, "; ") + "; they may be others'"})
	return true
}

func isWhoWrote(c pii.Class) bool {
	return (c.Kind == pii.Email || c.Kind == pii.Phone || c.Kind == pii.Name || c.Kind == pii.IP) && c.Confidence >= 0.7
}

// foundIn says what running text of a column was seen to hold; "" when nothing.
func (s *scan) foundIn(d *Dataset, column string) string {
	c := s.profiles[d.Table].content[column]
	var found []string
	for _, k := range []pii.Kind{pii.Card, pii.IBAN, pii.National, pii.Email, pii.Phone, pii.IP} {
		if n := c.Within[k]; n > 0 {
			found = append(found, fmt.Sprintf("%d with %s", n, k.Plural()))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprintf("of %d texts, %s", c.Values, strings.Join(found, ", "))
}

// categories of a dataset's columns, keys and references left out.
func (s *scan) categories(d *Dataset) map[string]string {
	out := map[string]string{}
	for _, c := range d.Table.Columns {
		class := s.profiles[d.Table].class[c.Name]
		if class.Known() && class.Confidence >= 0.7 && !isReference(d.Table, c.Name) && !linked(d, c.Name) && !slices.Contains(d.Table.Primary, c.Name) {
			out[c.Name] = string(class.Category)
		}
	}
	return out
}

// proposeCategories speaks only of systems of which the file says nothing yet: a file that a person
// wrote is an answer already.
func (s *scan) proposeCategories(d *Dataset) {
	sys := s.cfg.system(d.System)
	if sys == nil || len(sys.People)+len(sys.Links)+len(sys.Tables) > 0 {
		return
	}
	cats := s.categories(d)
	if len(cats) == 0 {
		return
	}
	lowest := 1.0
	for column := range cats {
		lowest = min(lowest, s.profiles[d.Table].class[column].Confidence)
	}
	s.propose(Proposal{System: d.System, Rule: &TableRule{Table: d.Name, Categories: cats}},
		Mark{ID: "categories:" + d.ID(), Confidence: lowest, Reason: "names and sampled values of its columns"})
}

// reopen asks again about an ignored dataset in which personal data is found.
func (s *scan) reopen(d *Dataset) {
	var found []string
	cats := map[string]string{}
	for _, c := range d.Table.Columns {
		class := s.profiles[d.Table].class[c.Name]
		within := s.foundIn(d, c.Name)
		switch {
		case class.Known() && (class.Confidence >= 0.85 || class.Kind == pii.FreeText && within != "") && len(s.profiles[d.Table].values[c.Name]) > 0 && class.Kind != pii.Name || isSureName(class):
			found = append(found, c.Name+" ("+class.Reason+")")
			cats[c.Name] = string(class.Category)
		case within != "":
			found = append(found, c.Name+" ("+within+")")
			cats[c.Name] = string(pii.Communication)
		}
	}
	if len(found) == 0 {
		return
	}
	text := "it is ignored, yet it seems to hold personal data: " + strings.Join(found[:min(3, len(found))], ", ")
	s.f.Surprises = append(s.f.Surprises, Surprise{d.System, d.Name, text})
	s.propose(Proposal{System: d.System, Rule: &TableRule{Table: d.Name, Categories: cats}}, Mark{ID: "reopen:" + d.ID(), Confidence: 0.8, Reason: text})
}

func isSureName(c pii.Class) bool { return c.Kind == pii.Name && c.Confidence >= 0.85 }

// findSurprises names what nobody would look for where it is.
func (s *scan) findSurprises(g *Graph) {
	add := func(d *Dataset, format string, args ...any) {
		s.f.Surprises = append(s.f.Surprises, Surprise{d.System, d.Name, fmt.Sprintf(format, args...)})
	}
	for _, d := range g.Datasets {
		if d.Ignored {
			continue
		}
		for _, c := range d.Table.Columns {
			class := s.profiles[d.Table].class[c.Name]
			if found := s.foundIn(d, c.Name); found != "" {
				add(d, "%s: %s", c.Name, found)
			}
			if class.Category.Special() || class.Category == pii.Criminal {
				add(d, "%s seems to hold data of a special category: %s (%s)", c.Name, class.Category, class.Reason)
			}
			if (class.Kind == pii.Card || class.Kind == pii.IBAN || class.Kind == pii.National) && s.profiles[d.Table].content[c.Name].Whole[class.Kind] > 0 {
				add(d, "%s holds %s in plain text", c.Name, class.Kind.Plural())
			}
		}
	}
}

// findUnmapped names datasets with text or identities that hang on no person.
func (s *scan) findUnmapped(g *Graph) {
	for _, d := range g.Datasets {
		if d.Mapped {
			continue
		}
		var what []string
		for _, c := range d.Table.Columns {
			class := s.profiles[d.Table].class[c.Name]
			if class.Known() {
				what = append(what, c.Name+" ("+string(class.Category)+")")
			} else if IsFreeText(d.Table, c) {
				what = append(what, c.Name+" (text)")
			}
		}
		if len(what) > 0 {
			s.f.Unmapped = append(s.f.Unmapped, Surprise{d.System, d.Name, "holds " + strings.Join(what[:min(4, len(what))], ", ")})
		}
	}
}
