package tcf

import "github.com/ombudhq/ombud/consent/internal/iab"

// The types of segments, as their first three bits tell; the core has no such bits.
const (
	core = iota
	disclosed
	allowed
	publisher
)

// segments describes the string, in the specification's words.
func (s *String) segments() iab.Segments {
	names := []string{"core", "disclosedVendors", "allowedVendors", "publisherTC"}
	return iab.Segments{
		Names: names,
		Kind: func(_ int, text string) int {
			if kind, ok := iab.Peek(text, 3); ok && int(kind) < len(names) {
				return int(kind)
			}
			return iab.Unknown
		},
		Has: func(kind int) bool {
			return kind == core || kind == disclosed && s.Disclosed != nil || kind == allowed && s.Allowed != nil ||
				kind == publisher && s.Publisher != nil
		},
		Fields: s.fields,
	}
}

func (s *String) fields(kind int, reading bool) func(*iab.Coder) {
	if reading {
		switch kind {
		case disclosed:
			s.Disclosed = &Vendors{}
		case allowed:
			s.Allowed = &Vendors{}
		case publisher:
			s.Publisher = &Publisher{}
		}
	}
	switch kind {
	case disclosed:
		return vendors(disclosed, "DisclosedVendors", s.Disclosed)
	case allowed:
		return vendors(allowed, "AllowedVendors", s.Allowed)
	case publisher:
		return s.Publisher.fields
	}
	return s.Core.fields
}

func (v *Core) fields(c *iab.Coder) {
	c.Const("Version", 6, 2)
	c.Time("Created", &v.Created)
	c.Time("LastUpdated", &v.LastUpdated)
	iab.Uint(c, "CmpId", 12, &v.CMP)
	iab.Uint(c, "CmpVersion", 12, &v.CMPVersion)
	iab.Uint(c, "ConsentScreen", 6, &v.ConsentScreen)
	c.Letters("ConsentLanguage", &v.ConsentLanguage)
	iab.Uint(c, "VendorListVersion", 12, &v.VendorListVersion)
	iab.Uint(c, "TcfPolicyVersion", 6, &v.PolicyVersion)
	c.Bool("IsServiceSpecific", &v.ServiceSpecific)
	c.Bool("UseNonStandardTexts", &v.NonStandardTexts)
	c.IDs("SpecialFeatureOptIns", 12, &v.SpecialFeatureOptIns)
	c.IDs("PurposesConsent", 24, &v.PurposesConsent)
	c.IDs("PurposesLITransparency", 24, &v.PurposesLegitimateInterest)
	c.Bool("PurposeOneTreatment", &v.PurposeOneNotDisclosed)
	c.Letters("PublisherCC", &v.PublisherCountry)
	c.MaxOrRanges("VendorConsent", &v.VendorConsent)
	c.MaxOrRanges("VendorLegitimateInterest", &v.VendorLegitimateInterest)
	c.Restrictions("PubRestrictions", &v.Restrictions, c.Ranges)
}

// vendors describes the segments that list vendors.
func vendors(kind uint64, field string, v *Vendors) func(*iab.Coder) {
	return func(c *iab.Coder) {
		c.Const("SegmentType", 3, kind)
		c.MaxOrRanges(field, v)
	}
}

func (v *Publisher) fields(c *iab.Coder) {
	c.Const("SegmentType", 3, publisher)
	c.IDs("PubPurposesConsent", 24, &v.Consent)
	c.IDs("PubPurposesLITransparency", 24, &v.LegitimateInterest)
	iab.Uint(c, "NumCustomPurposes", 6, &v.CustomPurposes)
	custom := int(v.CustomPurposes)
	c.IDs("CustomPurposesConsent", custom, &v.CustomConsent)
	c.IDs("CustomPurposesLITransparency", custom, &v.CustomLegitimateInterest)
}
