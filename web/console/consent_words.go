package console

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

func purposeAddress(id string) string { return "/consent/purposes/" + url.PathEscape(id) }

// purposeName is how people call it.
func purposeName(p *purpose.Purpose) string {
	if p.Name != "" {
		return p.Name
	}
	return view.Upper(strings.NewReplacer("_", " ", "-", " ").Replace(p.ID))
}

// called names a purpose by its id, also one that is no longer declared.
func (v *visit) called(id string) string {
	if rule, ok := v.Purposes.Now().Known(id); ok {
		return purposeName(&rule.Purpose)
	}
	return id
}

func (v *visit) calledAll(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = v.called(id)
	}
	return strings.Join(names, ", ")
}

func basisWord(b purpose.Basis) string {
	switch b {
	case purpose.LegalObligation:
		return "law"
	case purpose.VitalInterests:
		return "vital interests"
	case purpose.PublicTask:
		return "public task"
	case purpose.LegitimateInterests:
		return "legitimate interest"
	}
	return string(b)
}

// articleOf a basis in the GDPR.
func articleOf(b purpose.Basis) string {
	letters := map[purpose.Basis]string{purpose.Consent: "a", purpose.Contract: "b", purpose.LegalObligation: "c", purpose.VitalInterests: "d",
		purpose.PublicTask: "e", purpose.LegitimateInterests: "f"}
	return "GDPR Art. 6(1)(" + letters[b] + ")"
}

// noticeWord sums up what people are shown: the newest version, and in how many languages.
func noticeWord(rule *purpose.Rule) string {
	version, languages := "", []string{}
	for _, n := range rule.Notices {
		if n.Superseded {
			continue
		}
		if n.Version != version {
			version, languages = n.Version, nil
		}
		if n.Language != "" && !slices.Contains(languages, n.Language) {
			languages = append(languages, n.Language)
		}
	}
	switch {
	case version == "":
		return "none"
	case len(languages) == 0:
		return "v" + version
	case len(languages) == 1:
		return "v" + version + ", " + languages[0] + " only"
	}
	return fmt.Sprintf("v%s, %d languages", version, len(languages))
}

// factWord says what a restriction or an objection is, in the words of the law.
func factWord(kind subject.FactKind, of string) string {
	for _, f := range factChoices() {
		if f.kind == kind && f.of == of {
			return f.word
		}
	}
	return of
}

// factChoice is one ground on which use of data is limited.
type factChoice struct {
	kind     subject.FactKind
	of, word string
}

func factChoices() []factChoice {
	return []factChoice{
		{subject.Objection, "direct_marketing", "objects to direct marketing (Art. 21(2))"},
		{subject.Objection, "legitimate_interests", "objects to a legitimate interest (Art. 21(1))"},
		{subject.Objection, "public_task", "objects to a public task (Art. 21(1))"},
		{subject.Objection, "research", "objects to research (Art. 21(6))"},
		{subject.Objection, "statistics", "objects to statistics (Art. 21(6))"},
		{subject.Objection, "opt_out", "opts out of sale and sharing (CCPA)"},
		{subject.Restriction, "accuracy_dispute", "disputes that the data is right (Art. 18(1)(a))"},
		{subject.Restriction, "unlawful_processing", "wants unlawful data kept, not used (Art. 18(1)(b))"},
		{subject.Restriction, "legal_claims", "needs the data for a claim (Art. 18(1)(c))"},
		{subject.Restriction, "objection_pending", "awaits the answer to an objection (Art. 18(1)(d))"},
	}
}

// span writes how long something took or has lasted.
func span(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return view.Count(int64(d.Hours()/24), "day")
}
