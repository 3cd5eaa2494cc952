package consent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ombudhq/ombud/consent/gpp"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/fault"
)

// signals refuses strings of the advertising frameworks that cannot be read: kept as they are, they would prove nothing.
func (a *admission) signals() {
	if a.in.TCF != "" {
		_, err := tcf.Decode(a.in.TCF)
		a.unreadable("tcf", err)
	}
	if a.in.GPP != "" {
		_, err := gpp.Decode(a.in.GPP)
		a.unreadable("gpp", err)
	}
}

func (a *admission) unreadable(where string, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return
	}
	var why []string
	for _, d := range f.Details {
		why = append(why, strings.TrimSpace(d.Where+" "+d.Message))
	}
	a.bad(where, "%s: %s", f.Message, strings.Join(why, "; "))
}

// summary says in short what the strings of a consent say; "" where there are none.
func summary(tcString, gppString string) string {
	var out []string
	if s, err := tcf.Decode(tcString); tcString != "" && err == nil {
		out = append(out, summaryTCF(s))
	}
	if s, err := gpp.Decode(gppString); gppString != "" && err == nil {
		out = append(out, summaryGPP(s))
	}
	return strings.Join(out, "; ")
}

func summaryTCF(s *tcf.String) string {
	text := fmt.Sprintf("TCF of %s, policy %d: consent to purposes %s, %d vendors; legitimate interest for purposes %s, %d vendors",
		s.Core.LastUpdated.Format(time.DateOnly), s.Core.PolicyVersion, numbers(s.Core.PurposesConsent), s.Core.VendorConsent.Len(),
		numbers(s.Core.PurposesLegitimateInterest), s.Core.VendorLegitimateInterest.Len())
	if s.Check() != nil {
		text += "; it breaks rules of the framework and allows nothing"
	}
	return text
}

// numbers are those of a set of purposes, "none" for the empty one.
func numbers(ids tcf.IDs) string {
	var out []string
	for id := range ids.All() {
		out = append(out, strconv.Itoa(id))
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, " ")
}

func summaryGPP(s *gpp.String) string {
	var sections []string
	for _, one := range s.Sections {
		sections = append(sections, one.ID.String())
	}
	text := "GPP with " + strings.Join(sections, ", ")
	for _, a := range []struct {
		activity gpp.Activity
		name     string
	}{{gpp.Sale, "sale"}, {gpp.Sharing, "sharing"}, {gpp.TargetedAdvertising, "targeted advertising"}} {
		if answer := s.OptedOut(a.activity); answer != gpp.Absent {
			text += fmt.Sprintf("; opted out of %s: %s", a.name, answer)
		}
	}
	if answer := s.GPC(); answer != gpp.Absent {
		text += fmt.Sprintf("; GPC: %s", answer)
	}
	return text
}
