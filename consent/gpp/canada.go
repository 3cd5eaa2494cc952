package gpp

import (
	"slices"
	"time"

	"github.com/ombudhq/ombud/consent/internal/iab"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/fault"
)

// Canada is tcfcav1, the string of IAB Canada's Transparency and Consent Framework: like the European one, with
// express consent for consent and implied consent for legitimate interest.
type Canada struct {
	Created, LastUpdated         time.Time // whole days
	CMP, CMPVersion              uint16    // 12 bits
	ConsentScreen                uint8     // 6 bits
	ConsentLanguage              string    // two capitals
	VendorListVersion            uint16    // 12 bits
	PolicyVersion                uint8     // 6 bits
	NonStandardStacks            bool
	SpecialFeatureExpressConsent tcf.IDs // 1 to 12
	PurposesExpressConsent       tcf.IDs // 1 to 24
	PurposesImpliedConsent       tcf.IDs
	VendorExpressConsent         tcf.Vendors
	VendorImpliedConsent         tcf.Vendors
	Restrictions                 []tcf.Restriction
	Disclosed                    *tcf.Vendors     // the vendors shown to the user
	Publisher                    *CanadaPublisher // what the publisher asked for itself

	// ReferenceLayout says that vendors are laid out as the IAB's reference library does, and not as the specification
	// says: the highest id, one bit, and then ranges or a bit field. Of some thousand strings, one can be read in both
	// layouts with two meanings; Encode refuses to write it, and the other layout can be chosen.
	ReferenceLayout bool

	written      []iab.Written
	unrestricted bool // written before there were restrictions, so that it has no place for them
}

// CanadaPublisher is what the publisher asked for itself: for the framework's purposes and for its own.
type CanadaPublisher struct {
	ExpressConsent       tcf.IDs // 1 to 24
	ImpliedConsent       tcf.IDs
	CustomPurposes       uint8 // how many there are, at most 63
	CustomExpressConsent tcf.IDs
	CustomImpliedConsent tcf.IDs
}

// readCanada reads the section in both layouts. The wrong one hardly ever fits: what it takes for lengths leaves bits
// over or runs past the end. When it does, it is told by sets that nobody would write like that.
func readCanada(text string) (*Canada, []fault.Detail) {
	specified, bad := (&Canada{}).read(text)
	reference, badToo := (&Canada{ReferenceLayout: true}).read(text)
	switch {
	case badToo != nil:
		return specified, bad
	case bad != nil:
		return reference, nil
	case specified.same(reference), specified.plain() && !reference.plain():
		return specified, nil
	case reference.plain() && !specified.plain():
		return reference, nil
	}
	return nil, []fault.Detail{{Where: "core", Message: "can be read as the specification says and as the reference library writes it, with two meanings"}}
}

// plain says whether all sets of vendors are written as any encoder would write them.
func (v *Canada) plain() bool {
	sets := []tcf.Vendors{v.VendorExpressConsent, v.VendorImpliedConsent}
	if v.Disclosed != nil {
		sets = append(sets, *v.Disclosed)
	}
	for _, r := range v.Restrictions {
		sets = append(sets, r.Vendors)
	}
	return !v.unrestricted && !slices.ContainsFunc(sets, func(s tcf.Vendors) bool { return !s.Plain(true) })
}

func (v *Canada) read(text string) (*Canada, []fault.Detail) {
	written, bad := v.segments().Read(text)
	v.written = written
	return v, bad
}

// write also makes sure that what it writes can be read in one way only.
func (v *Canada) write() (string, []fault.Detail) {
	c := *v
	if c.Publisher != nil {
		p := *c.Publisher
		c.Publisher = &p
	}
	text, bad := c.segments().Write(v.written)
	if bad == nil {
		_, bad = readCanada(text)
	}
	return text, bad
}

// same says whether two readings of one text mean the same; only the vendors can differ.
func (v *Canada) same(w *Canada) bool {
	if !v.VendorExpressConsent.Equal(w.VendorExpressConsent) || !v.VendorImpliedConsent.Equal(w.VendorImpliedConsent) ||
		v.Disclosed != nil && !v.Disclosed.Equal(*w.Disclosed) || len(v.Restrictions) != len(w.Restrictions) {
		return false
	}
	for i, r := range v.Restrictions {
		if o := w.Restrictions[i]; r.Purpose != o.Purpose || r.Type != o.Type || !r.Vendors.Equal(o.Vendors) {
			return false
		}
	}
	return true
}

// The types of segments, as their first three bits tell; the core has no such bits.
const (
	canadaCore      = 0
	canadaDisclosed = 1
	canadaPublisher = 3
)

func (v *Canada) segments() iab.Segments {
	names := []string{"core", "disclosedVendors", "", "publisherPurposes"}
	return iab.Segments{
		Names: names,
		Kind: func(_ int, text string) int {
			if kind, ok := iab.Peek(text, 3); ok && int(kind) < len(names) && names[kind] != "" {
				return int(kind)
			}
			return iab.Unknown
		},
		Has: func(kind int) bool {
			return kind == canadaCore || kind == canadaDisclosed && v.Disclosed != nil || kind == canadaPublisher && v.Publisher != nil
		},
		Fields: v.fields,
	}
}

func (v *Canada) fields(kind int, reading bool) func(*iab.Coder) {
	switch {
	case kind == canadaDisclosed && reading:
		v.Disclosed = &tcf.Vendors{}
	case kind == canadaPublisher && reading:
		v.Publisher = &CanadaPublisher{}
	}
	switch kind {
	case canadaDisclosed:
		return v.disclosed
	case canadaPublisher:
		return v.Publisher.fields
	}
	return v.core
}

func (v *Canada) core(c *iab.Coder) {
	c.Const("Version", 6, 1)
	c.Time("Created", &v.Created)
	c.Time("LastUpdated", &v.LastUpdated)
	iab.Uint(c, "CmpId", 12, &v.CMP)
	iab.Uint(c, "CmpVersion", 12, &v.CMPVersion)
	iab.Uint(c, "ConsentScreen", 6, &v.ConsentScreen)
	c.Letters("ConsentLanguage", &v.ConsentLanguage)
	iab.Uint(c, "VendorListVersion", 12, &v.VendorListVersion)
	iab.Uint(c, "TcfPolicyVersion", 6, &v.PolicyVersion)
	c.Bool("UseNonStandardStacks", &v.NonStandardStacks)
	c.IDs("SpecialFeatureExpressConsent", 12, &v.SpecialFeatureExpressConsent)
	c.IDs("PurposesExpressConsent", 24, &v.PurposesExpressConsent)
	c.IDs("PurposesImpliedConsent", 24, &v.PurposesImpliedConsent)
	vendors := v.vendors(c)
	vendors("VendorExpressConsent", &v.VendorExpressConsent)
	vendors("VendorImpliedConsent", &v.VendorImpliedConsent)
	if c.Reading() {
		v.unrestricted = !c.More(12)
	}
	if !v.unrestricted || len(v.Restrictions) > 0 {
		c.Restrictions("PubRestrictions", &v.Restrictions, vendors)
	}
}

// vendors is how lists of vendors are written.
func (v *Canada) vendors(c *iab.Coder) func(field string, s *tcf.Vendors) {
	if v.ReferenceLayout {
		return c.MaxOrFibonacci
	}
	return c.Optimized
}

func (v *Canada) disclosed(c *iab.Coder) {
	c.Const("SubsectionType", 3, canadaDisclosed)
	v.vendors(c)("DisclosedVendors", v.Disclosed)
}

func (p *CanadaPublisher) fields(c *iab.Coder) {
	c.Const("SubsectionType", 3, canadaPublisher)
	c.IDs("PubPurposesExpressConsent", 24, &p.ExpressConsent)
	c.IDs("PubPurposesImpliedConsent", 24, &p.ImpliedConsent)
	iab.Uint(c, "NumCustomPurposes", 6, &p.CustomPurposes)
	c.IDs("CustomPurposesExpressConsent", int(p.CustomPurposes), &p.CustomExpressConsent)
	c.IDs("CustomPurposesImpliedConsent", int(p.CustomPurposes), &p.CustomImpliedConsent)
}
