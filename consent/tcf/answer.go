package tcf

import (
	"time"

	"github.com/ombudhq/ombud/internal/fault"
)

// Policy versions that changed what a string must say.
const (
	policy22 = 4
	policy23 = 5
)

// Answer says whether something is allowed by a string, and why (not).
type Answer struct {
	Allowed bool
	Reason  string
}

func deny(reason string) Answer { return Answer{Reason: reason} }

// Declared is what a vendor declares of itself in the Global Vendor List: its purposes by consent, by legitimate
// interest, and those of either in which it is flexible.
type Declared struct{ Consent, LegitimateInterest, Flexible IDs }

// Check is nil when the string follows the framework's rules, else a fault of kind Invalid that names each rule that
// is broken. Such a string allows nothing.
func (s *String) Check() error {
	bad := fault.New(fault.Invalid, "the TC string breaks rules of the framework")
	for _, r := range []struct {
		broken         bool
		where, message string
	}{
		{s.mustDisclose() && s.Disclosed == nil, "disclosedVendors",
			"is missing, which TCF 2.3 demands of strings made or updated after 28 February 2026"},
		{!s.Core.ServiceSpecific, "core.IsServiceSpecific", "is 0, but strings for all services are gone since 2021"},
		{s.Core.LastUpdated.Before(s.Core.Created), "core.LastUpdated", "is before Created"},
	} {
		if r.broken {
			bad = bad.With(fault.Detail{Where: r.where, Message: r.message})
		}
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// mustDisclose says whether the string is one of TCF 2.3: by its policy version or by its date.
func (s *String) mustDisclose() bool {
	return s.Core.PolicyVersion >= policy23 ||
		!s.Core.LastUpdated.Before(time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC))
}

// vendor says whether the string is in order and the vendor was shown to the user. Strings before 2.3 need not say
// who was; when they do, it counts.
func (s *String) vendor(vendor uint16) Answer {
	switch {
	case s.Check() != nil:
		return deny("the string breaks rules of the framework")
	case s.Disclosed != nil && !s.Disclosed.Has(vendor):
		return deny("the vendor was not disclosed")
	}
	return Answer{Allowed: true, Reason: "the vendor was disclosed"}
}

// ByConsent says whether a vendor may pursue a purpose on the basis of consent.
func (s *String) ByConsent(vendor uint16, purpose int) Answer {
	a := s.vendor(vendor)
	switch {
	case !a.Allowed:
		return a
	case s.restricted(vendor, purpose, RequireConsent):
		return deny("the publisher does not allow it")
	case !s.Core.PurposesConsent.Has(purpose) || purpose == 1 && s.Core.PurposeOneNotDisclosed:
		return deny("no consent to the purpose")
	case !s.Core.VendorConsent.Has(vendor):
		return deny("no consent to the vendor")
	}
	return Answer{Allowed: true, Reason: "consent to the purpose and the vendor"}
}

// ByLegitimateInterest says whether a vendor may pursue a purpose on the basis of legitimate interest: whether the
// user was told and has not objected. Purpose 1 never has this basis, and 3 to 6 not since 2.2.
func (s *String) ByLegitimateInterest(vendor uint16, purpose int) Answer {
	a := s.vendor(vendor)
	switch {
	case !a.Allowed:
		return a
	case purpose == 1 || purpose >= 3 && purpose <= 6 && s.Core.PolicyVersion >= policy22:
		return deny("the purpose needs consent")
	case s.restricted(vendor, purpose, RequireLegitimateInterest):
		return deny("the publisher does not allow it")
	case !s.Core.PurposesLegitimateInterest.Has(purpose):
		return deny("no transparency for the purpose, or an objection to it")
	case !s.Core.VendorLegitimateInterest.Has(vendor):
		return deny("no transparency for the vendor, or an objection to it")
	}
	return Answer{Allowed: true, Reason: "legitimate interest, and no objection"}
}

// restricted says whether the publisher restricts the purpose for the vendor in any way but the one that fits.
func (s *String) restricted(vendor uint16, purpose int, fits RestrictionType) bool {
	for _, r := range s.Core.Restrictions {
		if int(r.Purpose) == purpose && r.Type != fits && r.Vendors.Has(vendor) {
			return true
		}
	}
	return false
}

// MayPursue says whether a vendor may pursue a purpose on the basis that it declares for it, or, where it is flexible,
// on the one that the publisher requires.
func (s *String) MayPursue(vendor uint16, purpose int, declared Declared) Answer {
	consent := declared.Consent.Has(purpose)
	if !consent && !declared.LegitimateInterest.Has(purpose) {
		return deny("the vendor does not declare the purpose")
	}
	if declared.Flexible.Has(purpose) {
		for _, r := range s.Core.Restrictions {
			if int(r.Purpose) == purpose && r.Vendors.Has(vendor) {
				consent = r.Type != RequireLegitimateInterest
			}
		}
	}
	if consent {
		return s.ByConsent(vendor, purpose)
	}
	return s.ByLegitimateInterest(vendor, purpose)
}

// SpecialFeature says whether a vendor may use a special feature: the user has opted in, and the vendor was disclosed.
// Whether the vendor declares the feature is in the Global Vendor List.
func (s *String) SpecialFeature(vendor uint16, feature int) Answer {
	a := s.vendor(vendor)
	switch {
	case !a.Allowed:
		return a
	case !s.Core.SpecialFeatureOptIns.Has(feature):
		return deny("no opt-in to the special feature")
	}
	return Answer{Allowed: true, Reason: "opt-in to the special feature"}
}

// SpecialPurposes says whether a vendor may pursue its special purposes, which need no choice but disclosure. A string
// before 2.3 that does not list whom it disclosed cannot show that, so the answer is no.
func (s *String) SpecialPurposes(vendor uint16) Answer {
	if s.Disclosed == nil {
		return deny("the string does not say who was disclosed")
	}
	return s.vendor(vendor)
}
