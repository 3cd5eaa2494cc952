// Package gpp reads and writes the strings of the IAB's Global Privacy Platform: a header that lists sections by their
// ids, and behind tildes the sections, one for each law. It knows every section of the specification: tcfeuv2,
// tcfcav1, uspv1, usnat (versions 1 and 2) and those of the states, which tables describe (layouts.go).
//
// Decode keeps how a string was written (codings, padding, order of subsections), so Encode of a decoded string gives
// the same bytes. Sections of ids or versions that are not known are kept as they are; so are subsections that are
// not known. Such a section answers Unclear, never "did not opt out".
//
// The specification and the IAB's reference library disagree in two places:
//
//   - Vendors of tcfcav1: the library writes them as TCF does, with Fibonacci ranges, instead of as an OptimizedRange.
//     Both are read; a text that both fit and that means two things is a fault. See Canada.
//   - Maryland, Indiana, Kentucky and Rhode Island: the specification puts a header in front of the core that lists the
//     subsections in a coding that has no 0, with 0 for the core. Nobody can write it, and the library leaves it out;
//     so do we. A section that begins with its own id, as that header would, is kept as of an unknown version.
//
// Faults name section, subsection and field and never show the string, which is personal data.
package gpp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/consent/internal/iab"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/fault"
)

// maxSections is far more than there are, and few enough to name each.
const maxSections = 256

// String is one GPP string.
type String struct {
	Sections []Section
	ids      iab.Set // as the header wrote them
	padding  int     // of the header
}

// Section is one section: exactly one of its parts is set, the one that fits its id. A section of an unknown id or
// version is Opaque.
type Section struct {
	ID     ID
	TCF    *tcf.String // tcfeuv2
	Canada *Canada     // tcfcav1
	USP    *USPrivacy  // uspv1
	US     *US         // usnat and the states
	Opaque string
}

// Section gives the section of an id; nil when the string has none.
func (s *String) Section(id ID) *Section {
	for i := range s.Sections {
		if s.Sections[i].ID == id {
			return &s.Sections[i]
		}
	}
	return nil
}

// Decode reads a GPP string. Its fault is of kind Invalid and names everything that cannot be read.
func Decode(text string) (*String, error) {
	bad := fault.New(fault.Invalid, "the GPP string cannot be read")
	if len(text) > iab.MaxText {
		return nil, bad.With(fault.Detail{Message: "is longer than any honest one"})
	}
	parts := strings.Split(text, "~")
	s := &String{}
	padding, detail := iab.Read("header", parts[0], header(&s.ids))
	switch {
	case detail != nil:
		return nil, bad.With(*detail)
	case len(parts) > maxSections:
		return nil, bad.With(fault.Detail{Where: "header.Sections", Message: "lists more sections than any honest string has"})
	case s.ids.Len() != len(parts)-1:
		return nil, bad.With(fault.Detail{Where: "header.Sections", Message: "lists another number of sections than there are"})
	}
	s.padding = padding
	i := 0
	for id := range s.ids.All() {
		i++
		section, details := read(ID(id), parts[i])
		s.Sections = append(s.Sections, section)
		bad = bad.With(details...)
	}
	if len(bad.Details) > 0 {
		return nil, bad
	}
	return s, nil
}

// Encode writes a GPP string, its sections in the order of their ids. Its fault names everything that cannot be
// written.
func (s *String) Encode() (string, error) {
	bad := fault.New(fault.Invalid, "the GPP string cannot be written")
	sections := slices.SortedFunc(slices.Values(s.Sections), func(a, b Section) int { return cmp.Compare(a.ID, b.ID) })
	var ids []uint16
	texts := []string{""}
	for i, section := range sections {
		if i > 0 && sections[i-1].ID == section.ID {
			bad = bad.With(fault.Detail{Where: section.ID.String(), Message: "is there twice"})
		}
		text, details := section.write()
		bad = bad.With(details...)
		ids, texts = append(ids, uint16(section.ID)), append(texts, text)
	}
	set, padding := iab.NewSet(ids...), 0
	if set.Equal(s.ids) {
		set, padding = s.ids, s.padding
	}
	head, detail := iab.Write("header", padding, header(&set))
	if detail != nil {
		bad = bad.With(*detail)
	}
	if len(bad.Details) > 0 {
		return "", bad
	}
	texts[0] = head
	return strings.Join(texts, "~"), nil
}

// header describes the header, whose type tells a GPP string from a TC string.
func header(ids *iab.Set) func(*iab.Coder) {
	return func(c *iab.Coder) {
		c.Const("Type", 6, 3)
		c.Const("Version", 6, 1)
		c.Fibonacci("Sections", ids)
	}
}

func read(id ID, text string) (Section, []fault.Detail) {
	s := Section{ID: id}
	var details []fault.Detail
	switch {
	case !safe(text):
		details = []fault.Detail{{Message: "is empty or has characters that a URL cannot have"}}
	case id == TCFEUv2 && version(text) == 2:
		s.TCF, details = readTCF(text)
	case id == TCFCAv1 && version(text) == 1:
		s.Canada, details = readCanada(text)
	case id == USPv1 && text[0] == '1':
		s.USP, details = readUSP(text)
	default:
		if table := layoutOf(id, int(version(text))); table != nil {
			s.US, details = readUS(table, text)
		} else {
			s.Opaque = text
		}
	}
	return s, in(id, details)
}

func (s Section) write() (string, []fault.Detail) {
	text, details := "", []fault.Detail{{Message: "has no part that fits its id and version"}}
	switch {
	case s.TCF != nil && s.ID == TCFEUv2:
		text, details = writeTCF(s.TCF)
	case s.Canada != nil && s.ID == TCFCAv1:
		text, details = s.Canada.write()
	case s.USP != nil && s.ID == USPv1:
		text, details = s.USP.write()
	case s.US != nil:
		if table := layoutOf(s.ID, s.US.Version); table != nil {
			text, details = s.US.write(table)
		}
	case safe(s.Opaque):
		text, details = s.Opaque, nil
	}
	return text, in(s.ID, details)
}

// version is what sections begin with.
func version(text string) uint64 {
	v, _ := iab.Peek(text, 6)
	return v
}

// safe says whether a section has only characters that the specification allows.
func safe(text string) bool {
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return text != ""
}

// in says which section the details are about.
func in(id ID, details []fault.Detail) []fault.Detail {
	for i := range details {
		details[i].Where = strings.TrimSuffix(id.String()+"."+details[i].Where, ".")
	}
	return details
}

func readTCF(text string) (*tcf.String, []fault.Detail) {
	s, err := tcf.Decode(text)
	return s, detailsOf(err)
}

func writeTCF(s *tcf.String) (string, []fault.Detail) {
	text, err := s.Encode()
	return text, detailsOf(err)
}
