// Package purpose is the register of what a company processes personal data for: each purpose with its basis and the
// conditions of it, its categories, the fields it needs and why, the words people are shown, and how long a consent lasts.
//
// Purposes come from ombud.yaml, or from the API where the file does not name them. A change writes one ledger entry with
// the purposes as they are then, so that any answer of the past can be explained by what held then. A consent covers what
// a purpose was when it was given: a category that came later is not covered (Set.Rule, Since).
package purpose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Basis of a purpose, Art. 6(1) GDPR.
type Basis string

// The six.
const (
	Consent             Basis = "consent"
	Contract            Basis = "contract"
	LegalObligation     Basis = "legal_obligation"
	VitalInterests      Basis = "vital_interests"
	PublicTask          Basis = "public_task"
	LegitimateInterests Basis = "legitimate_interests"
)

// Uses that law treats apart.
const (
	DirectMarketing     = "direct_marketing" // the objection is absolute: Art. 21(2), (3)
	Sale                = "sale"             // CCPA
	Sharing             = "sharing"          // CCPA
	TargetedAdvertising = "targeted_advertising"
	LegalClaims         = "legal_claims" // goes on under restriction: Art. 18(2)
)

// Purpose is one of them, as its register holds it.
type Purpose struct {
	ID          string   `json:"id" required:"false" doc:"Where it is written: as in the address"`
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	Basis       Basis    `json:"basis"`
	Because     string   `json:"because,omitempty" doc:"The condition of the basis: the law, the mandate, why it is necessary"`
	LIA         *LIA     `json:"lia,omitempty"`
	Categories  []string `json:"categories,omitempty"`
	Explicit    bool     `json:"explicit,omitempty" doc:"Only explicit consent counts (Art. 9(2)(a))"`
	Fields      []Field  `json:"fields,omitempty"`
	Uses        []string `json:"uses,omitempty"`
	Systems     []string `json:"systems,omitempty"`
	Retention   string   `json:"retention,omitempty"`
	Recipients  []string `json:"recipients,omitempty"`
	Notices     []Notice `json:"notices,omitempty"`
	Expires     string   `json:"expires,omitempty" doc:"N days, months or years after the consent, or never; default 12 months"`
	DoubleOptIn bool     `json:"double_opt_in,omitempty"`
	Reconsent   string   `json:"reconsent,omitempty" doc:"The notice version from which older consents do not count; versions are listed oldest first"`
	Review      string   `json:"review,omitempty"`
	// OnWithdrawal says what becomes of the data when a consent is withdrawn.
	OnWithdrawal string `json:"on_withdrawal,omitempty" enum:"erase,keep" doc:"erase, by default: an erasure is opened for what no other purpose needs; keep: nothing is"`
}

// What becomes of the data of a purpose whose consent is withdrawn.
const (
	EraseData = "erase" // what no other purpose needs; also where nothing is said
	KeepData  = "keep"
)

// LIA is a legitimate-interests assessment.
type LIA struct {
	Assessed string `json:"assessed"`
	Outcome  string `json:"outcome" enum:"proceed,proceed_with_safeguards,do_not_proceed"`
	Review   string `json:"review" doc:"YYYY-MM-DD; from then on it is no longer valid"`
	By       string `json:"by,omitempty"`
	File     string `json:"file,omitempty"`
}

// Field that the purpose may see, and why.
type Field struct {
	Name     string `json:"name"`
	Because  string `json:"because"`
	Required bool   `json:"required,omitempty"`
}

// Notice is what people are shown, in one version and language.
type Notice struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Language   string `json:"language,omitempty"`
	Text       string `json:"text,omitempty"`
	File       string `json:"file,omitempty"`
	Superseded bool   `json:"superseded,omitempty"`
}

// DefaultExpiry is how long a consent lasts where its purpose says nothing.
const DefaultExpiry = "12 months"

// Never is the expiry of a consent that has none.
const Never = "never"

// Ends is when a consent given at that moment ends; the zero time when never. Months are calendar months: one given on
// the 31st ends on the last day of a shorter month.
func (p *Purpose) Ends(given time.Time) (time.Time, error) {
	text := p.Expires
	if text == "" {
		text = DefaultExpiry
	}
	if text == Never {
		return time.Time{}, nil
	}
	text = strings.TrimSpace(text)
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.Atoi(text[:digits])
	if err != nil || n <= 0 {
		return time.Time{}, fmt.Errorf("purpose %s: %q is no period", p.ID, text)
	}
	unit, _, _ := strings.Cut(strings.TrimSpace(text[digits:]), " ")
	switch unit {
	case "day", "days":
		return given.AddDate(0, 0, n), nil
	case "month", "months":
		return addMonths(given, n), nil
	case "year", "years":
		return addMonths(given, 12*n), nil
	}
	return time.Time{}, fmt.Errorf("purpose %s: %q is no period", p.ID, text)
}

func addMonths(t time.Time, n int) time.Time {
	day := t.Day()
	first := t.AddDate(0, n, 1-day)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}

// Assessed tells whether the purpose may lean on legitimate interests at that moment: an assessment that says so and is
// not due for review.
func (p *Purpose) Assessed(now time.Time) bool {
	if p.LIA == nil || p.LIA.Outcome != "proceed" && p.LIA.Outcome != "proceed_with_safeguards" {
		return false
	}
	from, err := time.Parse(time.DateOnly, p.LIA.Assessed)
	if err != nil || now.Before(from) {
		return false
	}
	review, err := time.Parse(time.DateOnly, p.LIA.Review)
	return err == nil && now.Before(review)
}

// Is tells whether law treats the purpose as this use.
func (p *Purpose) Is(use string) bool { return slices.Contains(p.Uses, use) }

// Notice finds the words of a notice. Without a language the only one of that id and version is meant.
func (p *Purpose) Notice(id, version, language string) (found Notice, only bool) {
	for _, n := range p.Notices {
		if n.ID != id || n.Version != version || n.Language != language && language != "" {
			continue
		}
		if only {
			return Notice{}, false
		}
		found, only = n, true
	}
	return found, only
}

// Speaks tells whether there is such a version of a notice, in whatever language.
func (p *Purpose) Speaks(id, version string) bool {
	return slices.ContainsFunc(p.Notices, func(n Notice) bool { return n.ID == id && n.Version == version })
}

// Outdates tells whether consents to a version of the notice no longer count: it is listed before the one from which they do.
func (p *Purpose) Outdates(version string) bool {
	for _, n := range p.Notices {
		if p.Reconsent == "" || n.Version == p.Reconsent {
			return false
		}
		if n.Version == version {
			return true
		}
	}
	return false
}

// FieldNames are the fields it may see.
func (p *Purpose) FieldNames() []string {
	names := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		names[i] = f.Name
	}
	return names
}
