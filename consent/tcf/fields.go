package tcf

import "github.com/ombudhq/ombud/consent/internal/iab"

// names are the segments as the specification calls them.
var names = [kinds]string{"core", "disclosedVendors", "allowedVendors", "publisherTC"}

// fields describes a segment, for reading and for writing.
func (s *String) fields(k kind) func(*iab.Coder) {
	switch k {
	case disclosed:
		return vendors(disclosed, "DisclosedVendors", s.Disclosed)
	case allowed:
		return vendors(allowed, "AllowedVendors", s.Allowed)
	case publisher:
		return s.Publisher.fields
	default:
		return s.Core.fields
	}
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
func vendors(k kind, field string, v *Vendors) func(*iab.Coder) {
	return func(c *iab.Coder) {
		c.Const("SegmentType", 3, uint64(k))
		c.MaxOrRanges(field, v)
	}
}

func (v *Publisher) fields(c *iab.Coder) {
	c.Const("SegmentType", 3, uint64(publisher))
	c.IDs("PubPurposesConsent", 24, &v.Consent)
	c.IDs("PubPurposesLITransparency", 24, &v.LegitimateInterest)
	iab.Uint(c, "NumCustomPurposes", 6, &v.CustomPurposes)
	custom := int(v.CustomPurposes)
	c.IDs("CustomPurposesConsent", custom, &v.CustomConsent)
	c.IDs("CustomPurposesLITransparency", custom, &v.CustomLegitimateInterest)
}
