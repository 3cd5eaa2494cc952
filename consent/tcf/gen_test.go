package tcf_test

import (
	"time"

	"github.com/ombudhq/ombud/consent/tcf"
	"pgregory.net/rapid"
)

// limit is the highest vendor that a generator draws.
type limit uint16

// vendors draws sets of all shapes: empty, few, dense, runs, up to the highest id.
func (l limit) vendors(t *rapid.T, label string) tcf.Vendors {
	highest := rapid.SampledFrom([]uint16{1, 30, 800, uint16(l)}).Draw(t, label+" highest")
	id := rapid.Uint16Range(1, highest)
	ranges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tcf.Range {
		first := id.Draw(t, "first")
		if rapid.Bool().Draw(t, "single") {
			return tcf.Range{First: first, Last: first}
		}
		return tcf.Range{First: first, Last: rapid.Uint16Range(first, highest).Draw(t, "last")}
	}), 0, 12)
	return tcf.VendorsIn(ranges.Draw(t, label)...)
}

func anyIDs(t *rapid.T, label string, n int) tcf.IDs {
	return tcf.IDs(rapid.Uint64Range(0, 1<<n-1).Draw(t, label))
}

func anyTime(t *rapid.T, label string) time.Time {
	return time.UnixMilli(100 * rapid.Int64Range(0, 1<<36-1).Draw(t, label)).UTC()
}

func (l limit) core(t *rapid.T) tcf.Core {
	twelve := rapid.Uint16Range(0, 1<<12-1)
	six := rapid.Uint8Range(0, 63)
	letters := rapid.StringMatching("[A-Z]{2}")
	return tcf.Core{
		Created: anyTime(t, "created"), LastUpdated: anyTime(t, "updated"),
		CMP: twelve.Draw(t, "cmp"), CMPVersion: twelve.Draw(t, "cmp version"), ConsentScreen: six.Draw(t, "screen"),
		ConsentLanguage: letters.Draw(t, "language"), VendorListVersion: twelve.Draw(t, "list"),
		PolicyVersion: six.Draw(t, "policy"), ServiceSpecific: rapid.Bool().Draw(t, "service"),
		NonStandardTexts: rapid.Bool().Draw(t, "texts"), SpecialFeatureOptIns: anyIDs(t, "features", 12),
		PurposesConsent: anyIDs(t, "consent", 24), PurposesLegitimateInterest: anyIDs(t, "interest", 24),
		PurposeOneNotDisclosed: rapid.Bool().Draw(t, "one"), PublisherCountry: letters.Draw(t, "country"),
		VendorConsent: l.vendors(t, "vendors"), VendorLegitimateInterest: l.vendors(t, "vendors by interest"),
		Restrictions: rapid.SliceOfNDistinct(rapid.Custom(l.restriction), 0, 4, func(r tcf.Restriction) [2]uint8 {
			return [2]uint8{r.Purpose, uint8(r.Type)}
		}).Draw(t, "restrictions"),
	}
}

func (l limit) restriction(t *rapid.T) tcf.Restriction {
	return tcf.Restriction{
		Purpose: rapid.Uint8Range(1, 24).Draw(t, "purpose"),
		Type:    tcf.RestrictionType(rapid.Uint8Range(0, 2).Draw(t, "type")),
		Vendors: l.vendors(t, "restricted"),
	}
}

func (l limit) tcString(t *rapid.T) *tcf.String {
	s := &tcf.String{Core: l.core(t)}
	if rapid.Bool().Draw(t, "disclosed") {
		v := l.vendors(t, "disclosed vendors")
		s.Disclosed = &v
	}
	if rapid.Bool().Draw(t, "allowed") {
		v := l.vendors(t, "allowed vendors")
		s.Allowed = &v
	}
	if rapid.Bool().Draw(t, "publisher") {
		n := rapid.Uint8Range(0, 63).Draw(t, "custom")
		s.Publisher = &tcf.Publisher{
			Consent: anyIDs(t, "p consent", 24), LegitimateInterest: anyIDs(t, "p interest", 24), CustomPurposes: n,
			CustomConsent: anyIDs(t, "c consent", int(n)), CustomLegitimateInterest: anyIDs(t, "c interest", int(n)),
		}
	}
	return s
}
