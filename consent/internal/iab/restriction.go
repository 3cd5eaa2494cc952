package iab

// RestrictionType says what a publisher has decided.
type RestrictionType uint8

const (
	NotAllowed                RestrictionType = 0 // the purpose is not to be pursued, whatever the vendor declares
	RequireConsent            RestrictionType = 1 // only by consent
	RequireLegitimateInterest RestrictionType = 2 // only by legitimate interest
)

// Restriction is a publisher's restriction of one purpose for some vendors.
type Restriction struct {
	Purpose uint8 // 1 to 63
	Type    RestrictionType
	Vendors Set
}

// Restrictions is a counted list of restrictions, whose vendors are written by set.
func (c *Coder) Restrictions(field string, list *[]Restriction, set func(field string, s *Set)) {
	if len(*list) > maxEntries {
		c.Fail(field+".NumPubRestrictions", "is more than 4095")
		return
	}
	n := int(c.Bits(field+".NumPubRestrictions", 12, uint64(len(*list))))
	if c.Reading() {
		*list = nil
	}
	for i := 0; i < n && c.OK(); i++ {
		var r Restriction
		if c.writing {
			r = (*list)[i]
		}
		Uint(c, field+".PurposeId", 6, &r.Purpose)
		Uint(c, field+".RestrictionType", 2, &r.Type)
		if set(field, &r.Vendors); c.Reading() && c.OK() {
			*list = append(*list, r)
		}
	}
}
