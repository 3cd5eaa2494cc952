package purpose

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/pii"
)

var (
	idShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	periodShape = regexp.MustCompile(`^(never|[1-9]\d{0,3} (day|month|year)s?)$`)
	aliases     = map[Basis]Basis{"user_consent": Consent, "contract_necessary": Contract, "legal_obligations": LegalObligation,
		"vital_interest": VitalInterests, "legitimate_interest": LegitimateInterests}
	bases    = []Basis{Consent, Contract, LegalObligation, VitalInterests, PublicTask, LegitimateInterests}
	outcomes = []string{"proceed", "proceed_with_safeguards", "do_not_proceed"}
)

// check names every fault of a purpose that came over the API; ombud.yaml is checked where it is read.
func (p *Purpose) check() error {
	var faults []fault.Detail
	bad := func(where, format string, args ...any) {
		faults = append(faults, fault.Detail{Where: where, Message: fmt.Sprintf(format, args...)})
	}
	if a, ok := aliases[p.Basis]; ok {
		p.Basis = a
	}
	if !idShape.MatchString(p.ID) {
		bad("id", "letters, digits, _ and -, at most 63")
	}
	if !slices.Contains(bases, p.Basis) {
		bad("basis", "one of: consent, contract, legal_obligation, vital_interests, public_task, legitimate_interests")
	}
	for i, c := range p.Categories {
		if !slices.Contains(pii.Categories(), c) {
			bad(fmt.Sprintf("categories/%d", i), "no such category")
		}
	}
	if p.Expires != "" && !periodShape.MatchString(p.Expires) {
		bad("expires", "N days, N months, N years, or never")
	}
	if w := p.OnWithdrawal; w != "" && (w != EraseData && w != KeepData || p.Basis != Consent) {
		bad("on_withdrawal", "erase or keep, for a purpose by consent")
	}
	p.checkLIA(bad)
	for i, f := range p.Fields {
		if f.Name == "" || f.Because == "" {
			bad(fmt.Sprintf("fields/%d", i), "a field has a name and a reason")
		}
	}
	for i, n := range p.Notices {
		if n.ID == "" || n.Version == "" {
			bad(fmt.Sprintf("notices/%d", i), "a notice has an id and a version")
		}
	}
	if p.Reconsent != "" && !slices.ContainsFunc(p.Notices, func(n Notice) bool { return n.Version == p.Reconsent }) {
		bad("reconsent", "no notice has this version")
	}
	if len(faults) > 0 {
		return fault.New(fault.Invalid, "the purpose has %d faults", len(faults)).With(faults...)
	}
	return nil
}

func (p *Purpose) checkLIA(bad func(where, format string, args ...any)) {
	if p.LIA == nil {
		return
	}
	if p.Basis != LegitimateInterests {
		bad("lia", "it belongs to legitimate_interests")
	}
	for where, day := range map[string]string{"lia/assessed": p.LIA.Assessed, "lia/review": p.LIA.Review} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			bad(where, "a date, YYYY-MM-DD")
		}
	}
	if !slices.Contains(outcomes, p.LIA.Outcome) {
		bad("lia/outcome", "proceed, proceed_with_safeguards or do_not_proceed")
	}
}
