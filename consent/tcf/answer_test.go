package tcf_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/fault"
)

// asked is a string of TCF 2.3 in which vendors 1 to 9 were disclosed, 1 to 5 have consent and 1 to 6 legitimate
// interest, for the purposes 1, 2 and 7, and 2, 3, 7 and 8.
func asked() *tcf.String {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	disclosed := tcf.VendorsIn(tcf.Range{First: 1, Last: 9})
	return &tcf.String{
		Core: tcf.Core{
			Created: day, LastUpdated: day, ConsentLanguage: "EN", PublisherCountry: "DE", PolicyVersion: 5, ServiceSpecific: true,
			SpecialFeatureOptIns: tcf.NewIDs(1),
			PurposesConsent:      tcf.NewIDs(1, 2, 7), PurposesLegitimateInterest: tcf.NewIDs(1, 2, 3, 7, 8),
			VendorConsent:            tcf.VendorsIn(tcf.Range{First: 1, Last: 5}, tcf.Range{First: 10, Last: 10}),
			VendorLegitimateInterest: tcf.VendorsIn(tcf.Range{First: 1, Last: 6}, tcf.Range{First: 10, Last: 10}),
			Restrictions: []tcf.Restriction{
				{Purpose: 2, Type: tcf.NotAllowed, Vendors: tcf.NewVendors(2)},
				{Purpose: 2, Type: tcf.RequireConsent, Vendors: tcf.NewVendors(3)},
				{Purpose: 7, Type: tcf.RequireLegitimateInterest, Vendors: tcf.NewVendors(4)},
				{Purpose: 7, Type: 3, Vendors: tcf.NewVendors(5)},
			},
		},
		Disclosed: &disclosed,
	}
}

func TestByConsentAndByLegitimateInterest(t *testing.T) {
	for _, c := range []struct {
		vendor            uint16
		purpose           int
		consent, interest bool
	}{
		{1, 1, true, false},   // purpose 1 needs consent
		{1, 2, true, true},    //
		{1, 3, false, false},  // 3 to 6 need consent since 2.2
		{1, 8, false, true},   //
		{1, 0, false, false},  // no purpose
		{1, 25, false, false}, //
		{2, 2, false, false},  // the publisher forbids it
		{2, 7, true, true},    // but only that
		{3, 2, true, false},   // only by consent
		{4, 7, false, true},   // only by legitimate interest
		{5, 7, false, false},  // undefined
		{6, 2, false, true},   // no consent to the vendor
		{7, 2, false, false},  // disclosed, and nothing else
		{10, 2, false, false}, // consent, but not disclosed
		{0, 2, false, false},  // no vendor
	} {
		if got := asked().ByConsent(c.vendor, c.purpose); got.Allowed != c.consent || got.Reason == "" {
			t.Errorf("vendor %d, purpose %d, consent: %v", c.vendor, c.purpose, got)
		}
		if got := asked().ByLegitimateInterest(c.vendor, c.purpose); got.Allowed != c.interest || got.Reason == "" {
			t.Errorf("vendor %d, purpose %d, legitimate interest: %v", c.vendor, c.purpose, got)
		}
	}
}

func TestMayPursue(t *testing.T) {
	consent := tcf.Declared{Consent: tcf.NewIDs(1, 2, 7)}
	interest := tcf.Declared{LegitimateInterest: tcf.NewIDs(2, 7)}
	flexible := func(d tcf.Declared) tcf.Declared { d.Flexible = tcf.NewIDs(2, 7); return d }
	for _, c := range []struct {
		vendor   uint16
		purpose  int
		declared tcf.Declared
		want     bool
	}{
		{1, 1, consent, true},
		{1, 8, consent, false},            // not declared
		{3, 2, consent, true},             // consent is required and declared
		{3, 2, interest, false},           // consent is required, not declared, and the vendor is not flexible
		{3, 2, flexible(interest), true},  // but this one is
		{4, 7, consent, false},            // legitimate interest is required
		{4, 7, flexible(consent), true},   //
		{6, 2, flexible(consent), false},  // nothing is required, so what is declared counts
		{6, 2, flexible(interest), true},  //
		{2, 2, flexible(interest), false}, // forbidden
		{5, 7, flexible(interest), false}, // undefined
	} {
		if got := asked().MayPursue(c.vendor, c.purpose, c.declared); got.Allowed != c.want {
			t.Errorf("vendor %d, purpose %d, %+v: %v", c.vendor, c.purpose, c.declared, got)
		}
	}
}

func TestSpecials(t *testing.T) {
	s := asked()
	if !s.SpecialFeature(9, 1).Allowed || s.SpecialFeature(9, 2).Allowed || s.SpecialFeature(10, 1).Allowed {
		t.Error("special features need an opt-in and disclosure")
	}
	if !s.SpecialPurposes(9).Allowed || s.SpecialPurposes(10).Allowed {
		t.Error("special purposes need disclosure")
	}
	s.Disclosed, s.Core.PolicyVersion, s.Core.LastUpdated = nil, 4, s.Core.LastUpdated.Add(-time.Hour)
	s.Core.Created = s.Core.LastUpdated
	if !s.SpecialFeature(10, 1).Allowed || s.SpecialPurposes(9).Allowed {
		t.Error("a string of 2.2 without disclosed vendors")
	}
}

// TestCheck: a string that breaks a rule says which, and allows nothing.
func TestCheck(t *testing.T) {
	if err := asked().Check(); err != nil {
		t.Fatal(err)
	}
	old := asked()
	old.Disclosed, old.Core.PolicyVersion = nil, 4
	old.Core.LastUpdated = old.Core.LastUpdated.Add(-time.Second)
	old.Core.Created = old.Core.LastUpdated
	if err := old.Check(); err != nil || !old.ByConsent(1, 2).Allowed || !old.ByConsent(10, 2).Allowed {
		t.Error("until 28 February 2026 the disclosed vendors may be missing:", err)
	}
	for where, spoil := range map[string]func(*tcf.String){
		"disclosedVendors":       func(s *tcf.String) { s.Disclosed, s.Core.PolicyVersion = nil, 4 },
		"core.IsServiceSpecific": func(s *tcf.String) { s.Core.ServiceSpecific = false },
		"core.LastUpdated":       func(s *tcf.String) { s.Core.Created = s.Core.Created.Add(time.Hour) },
	} {
		s := asked()
		spoil(s)
		var f *fault.Error
		if err := s.Check(); !errors.As(err, &f) || len(f.Details) != 1 || f.Details[0].Where != where {
			t.Errorf("%s: %v", where, err)
		}
		if s.ByConsent(1, 2).Allowed || s.ByLegitimateInterest(1, 2).Allowed || s.SpecialFeature(1, 1).Allowed || s.SpecialPurposes(1).Allowed {
			t.Errorf("%s: something is allowed", where)
		}
	}
	policy := asked()
	policy.Disclosed = nil
	policy.Core.Created = time.Time{}.AddDate(2000, 0, 0)
	policy.Core.LastUpdated = policy.Core.Created
	if policy.Check() == nil {
		t.Error("policy version 5 without disclosed vendors")
	}
	silent := asked()
	silent.Core.PurposeOneNotDisclosed = true
	if silent.ByConsent(1, 1).Allowed || !silent.ByConsent(1, 2).Allowed {
		t.Error("consent to purpose 1, which was not disclosed")
	}
}
