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
	"strings"
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
	written   []segment  // as it was read
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

// kind is the type of a segment, as its first three bits tell.
type kind uint64

const (
	core      kind = 0
	disclosed kind = 1
	allowed   kind = 2
	publisher kind = 3
	kinds          = 4
)

// segment is how one segment was written.
type segment struct {
	kind    kind
	padding int
	text    string // of a type that is not known
}

// Decode reads a TC string of TCF 2.0 to 2.3. Its fault is of kind Invalid and names every segment that cannot be
// read, with the first field in it that is wrong.
func Decode(text string) (*String, error) {
	bad := fault.New(fault.Invalid, "the TC string cannot be read")
	if len(text) > iab.MaxText {
		return nil, bad.With(fault.Detail{Message: "is longer than any honest one"})
	}
	s := &String{}
	for i, part := range strings.Split(text, ".") {
		if detail := s.read(i, part); detail != nil {
			bad = bad.With(*detail)
		}
	}
	if len(bad.Details) > 0 {
		return nil, bad
	}
	return s, nil
}

func (s *String) read(i int, text string) *fault.Detail {
	seg := segment{kind: core}
	if i > 0 {
		if text == "" {
			return &fault.Detail{Where: "segment", Message: "is empty"}
		}
		first, ok := iab.Peek(text, 3)
		if !ok {
			return &fault.Detail{Where: "segment", Message: "is not base64url"}
		}
		seg.kind = kind(first)
	}
	if i > 0 && (seg.kind == core || seg.kind < kinds && s.has(seg.kind)) {
		return &fault.Detail{Where: names[seg.kind], Message: "is there twice"}
	}
	var detail *fault.Detail
	if seg.kind < kinds {
		s.make(seg.kind)
		seg.padding, detail = iab.Read(names[seg.kind], text, s.fields(seg.kind))
	} else {
		seg.text = text
	}
	s.written = append(s.written, seg)
	return detail
}

// Encode writes a TC string: a decoded one as it was, where it has not been changed, and a new one in the shortest
// coding, with its segments in the order of their types. Its fault names every field that cannot be written. It does
// not say whether the string follows the framework's rules; Check does.
func (s *String) Encode() (string, error) {
	bad := fault.New(fault.Invalid, "the TC string cannot be written")
	var texts []string
	for _, seg := range s.order() {
		text, detail := seg.text, (*fault.Detail)(nil)
		if seg.kind < kinds {
			text, detail = iab.Write(names[seg.kind], seg.padding, s.copy().fields(seg.kind))
		}
		if texts = append(texts, text); detail != nil {
			bad = bad.With(*detail)
		}
	}
	if len(bad.Details) > 0 {
		return "", bad
	}
	return strings.Join(texts, "."), nil
}

// order lists the segments to write: those that were read and are still there, then those that are new.
func (s *String) order() []segment {
	var out []segment
	var done [kinds]bool
	for _, seg := range s.written {
		if seg.kind >= kinds || s.has(seg.kind) {
			out = append(out, seg)
		}
		if seg.kind < kinds {
			done[seg.kind] = true
		}
	}
	for k := range kind(kinds) {
		if !done[k] && s.has(k) {
			out = append(out, segment{kind: k})
		}
	}
	return out
}

// Unknown counts the segments of types that are not known; they are kept, and mean nothing here.
func (s *String) Unknown() int {
	n := 0
	for _, seg := range s.written {
		if seg.kind >= kinds {
			n++
		}
	}
	return n
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

func (s *String) has(k kind) bool {
	switch k {
	case disclosed:
		return s.Disclosed != nil
	case allowed:
		return s.Allowed != nil
	case publisher:
		return s.Publisher != nil
	default:
		return k == core
	}
}

func (s *String) make(k kind) {
	switch k {
	case disclosed:
		s.Disclosed = &Vendors{}
	case allowed:
		s.Allowed = &Vendors{}
	case publisher:
		s.Publisher = &Publisher{}
	}
}
