package gpp_test

import (
	"time"

	"github.com/ombudhq/ombud/consent/gpp"
	"github.com/ombudhq/ombud/consent/tcf"
	"pgregory.net/rapid"
)

// usFields are the fields of a section as its specification lists them: the name, and how many numbers it has.
type usFields []struct {
	name  string
	count int
}

// draw draws values for them, of two bits each, but 3, which means nothing.
func (f usFields) draw(t *rapid.T, into map[string][]int) {
	for _, field := range f {
		highest := 2
		if field.name == "Gpc" {
			highest = 1
		}
		least := 0
		if field.name == "MspaCoveredTransaction" || field.name == "MspaVersion" {
			least = 1
		}
		into[field.name] = rapid.SliceOfN(rapid.IntRange(least, highest), field.count, field.count).Draw(t, field.name)
	}
}

func anyVendors(t *rapid.T, label string) tcf.Vendors {
	highest := rapid.SampledFrom([]uint16{1, 30, 800, 3000}).Draw(t, label+" highest")
	id := rapid.Uint16Range(1, highest)
	return tcf.VendorsIn(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tcf.Range {
		first := id.Draw(t, "first")
		return tcf.Range{First: first, Last: min(highest, first+rapid.Uint16Range(0, 9).Draw(t, "more"))}
	}), 0, 12).Draw(t, label)...)
}

func anyIDs(t *rapid.T, label string, n int) tcf.IDs {
	return tcf.IDs(rapid.Uint64Range(0, 1<<n-1).Draw(t, label))
}

func anyTime(t *rapid.T, label string) time.Time {
	return time.UnixMilli(100 * rapid.Int64Range(0, 1<<36-1).Draw(t, label)).UTC()
}

func anyCanada(t *rapid.T) *gpp.Canada {
	twelve := rapid.Uint16Range(0, 1<<12-1)
	six := rapid.Uint8Range(0, 63)
	c := &gpp.Canada{
		Created: anyTime(t, "created"), LastUpdated: anyTime(t, "updated"),
		CMP: twelve.Draw(t, "cmp"), CMPVersion: twelve.Draw(t, "cmp version"), ConsentScreen: six.Draw(t, "screen"),
		ConsentLanguage: rapid.StringMatching("[A-Z]{2}").Draw(t, "language"), VendorListVersion: twelve.Draw(t, "list"),
		PolicyVersion: six.Draw(t, "policy"), NonStandardStacks: rapid.Bool().Draw(t, "stacks"),
		SpecialFeatureExpressConsent: anyIDs(t, "features", 12), PurposesExpressConsent: anyIDs(t, "express", 24),
		PurposesImpliedConsent: anyIDs(t, "implied", 24), VendorExpressConsent: anyVendors(t, "vendors express"),
		VendorImpliedConsent: anyVendors(t, "vendors implied"), ReferenceLayout: rapid.Bool().Draw(t, "reference"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "restrictions") {
		c.Restrictions = append(c.Restrictions, tcf.Restriction{
			Purpose: rapid.Uint8Range(1, 24).Draw(t, "purpose"), Vendors: anyVendors(t, "restricted"),
			Type: tcf.RestrictionType(rapid.Uint8Range(0, 2).Draw(t, "type")),
		})
	}
	if rapid.Bool().Draw(t, "disclosed") {
		v := anyVendors(t, "disclosed vendors")
		c.Disclosed = &v
	}
	if rapid.Bool().Draw(t, "publisher") {
		n := rapid.Uint8Range(0, 63).Draw(t, "custom")
		c.Publisher = &gpp.CanadaPublisher{
			ExpressConsent: anyIDs(t, "p express", 24), ImpliedConsent: anyIDs(t, "p implied", 24), CustomPurposes: n,
			CustomExpressConsent: anyIDs(t, "c express", int(n)), CustomImpliedConsent: anyIDs(t, "c implied", int(n)),
		}
	}
	return c
}

func anyEurope(t *rapid.T) *tcf.String {
	disclosed := anyVendors(t, "europe disclosed")
	return &tcf.String{
		Core: tcf.Core{
			Created: anyTime(t, "created"), LastUpdated: anyTime(t, "updated"), CMP: 300, ConsentLanguage: "EN",
			PolicyVersion: 5, ServiceSpecific: true, PublisherCountry: "DE", PurposesConsent: anyIDs(t, "purposes", 24),
			VendorConsent: anyVendors(t, "europe vendors"),
		},
		Disclosed: &disclosed,
	}
}

func anyUSP(t *rapid.T) *gpp.USPrivacy {
	answer := rapid.SampledFrom([]gpp.Answer{gpp.NotApplicable, gpp.Yes, gpp.No})
	return &gpp.USPrivacy{Notice: answer.Draw(t, "notice"), OptOutSale: answer.Draw(t, "sale"), LSPACovered: answer.Draw(t, "lspa")}
}

func anyString(t *rapid.T) *gpp.String {
	s := &gpp.String{}
	if rapid.Bool().Draw(t, "europe") {
		s.Sections = append(s.Sections, gpp.Section{ID: gpp.TCFEUv2, TCF: anyEurope(t)})
	}
	if rapid.Bool().Draw(t, "canada") {
		s.Sections = append(s.Sections, gpp.Section{ID: gpp.TCFCAv1, Canada: anyCanada(t)})
	}
	if rapid.Bool().Draw(t, "usp") {
		s.Sections = append(s.Sections, gpp.Section{ID: gpp.USPv1, USP: anyUSP(t)})
	}
	for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom(states()), rapid.ID).Draw(t, "states") {
		version := 1
		if id == gpp.USNat {
			version = rapid.IntRange(1, 2).Draw(t, "version")
		}
		table := specified[id.String()+string(rune('0'+version))]
		us := &gpp.US{Version: version, Fields: map[string][]int{}}
		table.core.draw(t, us.Fields)
		if len(table.more) > 0 && rapid.Bool().Draw(t, "more") {
			table.more.draw(t, us.Fields)
		}
		s.Sections = append(s.Sections, gpp.Section{ID: id, US: us})
	}
	return s
}
