// Package tcf reads, writes and weighs the TC strings of IAB Europe's Transparency and Consent Framework: version 2.3,
// and 2.0 to 2.2, whose strings are made of the same segments. A string is a core, and behind dots the vendors that
// were disclosed, those that were allowed (until 2.2), and what the publisher asked for itself.
//
// Decode keeps how a string was written: the order of its segments, bit field or ranges, and padding. So Encode of a
// decoded string gives the same bytes, also for those that another encoder would have written otherwise. Segments of
// types that are not known yet are kept as they are; what a text says behind the last field of a known segment is a
// fault, unless it is zero.
//
// Decode and Encode judge form only. Check judges the framework's rules, above all that of 2.3, and the answers of
// ByConsent, ByLegitimateInterest and the others deny everything in a string that breaks one.
//
// Faults name segment and field and never show the string, which is personal data.
package tcf

import (
	"time"

	"github.com/ombudhq/ombud/consent/internal/iab"
	"github.com/ombudhq/ombud/internal/fault"
)

// The parts of a string are those of package iab, which both string formats share.
type (
	// IDs is a set of purposes or special features.
	IDs = iab.IDs
	// Vendors is a set of ids of the Global Vendor List.
	Vendors = iab.Set
	// Range is the vendors from First to Last, both included.
	Range = iab.Range
	// Restriction is a publisher's restriction of one purpose for some vendors.
	Restriction = iab.Restriction
	// RestrictionType says what a publisher has decided.
	RestrictionType = iab.RestrictionType
)

// What a publisher can decide; 3 is undefined, and denies.
const (
	NotAllowed                = iab.NotAllowed
	RequireConsent            = iab.RequireConsent
	RequireLegitimateInterest = iab.RequireLegitimateInterest
)

// NewIDs makes a set of purposes or special features.
func NewIDs(ids ...int) IDs { return iab.NewIDs(ids...) }

// NewVendors makes a set of vendors, 1 to 65535.
func NewVendors(ids ...uint16) Vendors { return iab.NewSet(ids...) }

// VendorsIn makes a set of vendors from ranges, which may overlap.
func VendorsIn(ranges ...Range) Vendors { return iab.SetOf(ranges...) }

// String is one TC string. Its zero value with times and letters set can be encoded.
type String struct {
	Core      Core
	Disclosed *Vendors   // the vendors shown to the user; mandatory since 2.3
	Allowed   *Vendors   // the vendors that may rely on what happened outside of the framework; gone since 2.2
	Publisher *Publisher // what the publisher asked for itself
	written   []iab.Written
}

// Core is the segment that every string begins with.
type Core struct {
	Created                    time.Time // in tenths of a second; whole days since 2.2
	LastUpdated                time.Time
	CMP                        uint16 // of the consent management platform, 12 bits
	CMPVersion                 uint16 // 12 bits
	ConsentScreen              uint8  // 6 bits
	ConsentLanguage            string // two capitals
	VendorListVersion          uint16 // 12 bits
	PolicyVersion              uint8  // up to 3: TCF 2.0 and 2.1; 4: TCF 2.2; 5: TCF 2.3
	ServiceSpecific            bool
	NonStandardTexts           bool
	SpecialFeatureOptIns       IDs // 1 to 12
	PurposesConsent            IDs // 1 to 24
	PurposesLegitimateInterest IDs // transparency given and no objection made
	PurposeOneNotDisclosed     bool
	PublisherCountry           string // two capitals
	VendorConsent              Vendors
	VendorLegitimateInterest   Vendors
	Restrictions               []Restriction
}

// Publisher is what the publisher asked for itself: for the framework's purposes and for its own, numbered from 1.
type Publisher struct {
	Consent                  IDs // 1 to 24
	LegitimateInterest       IDs
	CustomPurposes           uint8 // how many there are, at most 63
	CustomConsent            IDs
	CustomLegitimateInterest IDs
}

// Decode reads a TC string of TCF 2.0 to 2.3. Its fault is of kind Invalid and names every segment that cannot be
// read, with the first field in it that is wrong.
func Decode(text string) (*String, error) {
	bad := fault.New(fault.Invalid, "the TC string cannot be read")
	if len(text) > iab.MaxText {
		return nil, bad.With(fault.Detail{Message: "is longer than any honest one"})
	}
	s := &String{}
	written, details := s.segments().Read(text)
	if len(details) > 0 {
		return nil, bad.With(details...)
	}
	s.written = written
	return s, nil
}

// Encode writes a TC string: a decoded one as it was, where it has not been changed, and a new one in the shortest
// coding, with its segments in the order of their types. Its fault names every segment that cannot be written, with
// the first field in it that is wrong. It does not say whether the string follows the framework's rules; Check does.
func (s *String) Encode() (string, error) {
	text, details := s.copy().segments().Write(s.written)
	if len(details) > 0 {
		return "", fault.New(fault.Invalid, "the TC string cannot be written").With(details...)
	}
	return text, nil
}

// copy is what Encode writes from, so that a string can be encoded by several at once.
func (s *String) copy() *String {
	c := *s
	if c.Publisher != nil {
		p := *c.Publisher
		c.Publisher = &p
	}
	return &c
}

// Unknown counts the segments of types that are not known; they are kept, and mean nothing here.
func (s *String) Unknown() int { return iab.CountUnknown(s.written) }
