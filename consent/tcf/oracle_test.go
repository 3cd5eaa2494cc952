package tcf_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/testkit/iabtest"
	"pgregory.net/rapid"
)

// seen is what the reference library reads in a string.
type seen struct {
	Text, Error                   string
	Created, Updated              int64 // milliseconds
	Numbers                       []int
	Letters                       string
	Bools                         []bool
	OptIns, Consent, Interest     []int
	VendorConsent, VendorInterest []uint16
	Restrictions                  []seenRestriction
	Disclosed, Allowed            *[]uint16
	Publisher                     *seenPublisher
}

type seenRestriction struct {
	Purpose, Type int
	Vendors       []uint16
}

type seenPublisher struct {
	Consent, Interest             []int
	Custom                        int
	CustomConsent, CustomInterest []int
}

// see says what we read in a string in the same words.
func see(text string, s *tcf.String) seen {
	c := s.Core
	out := seen{
		Text: text, Created: c.Created.UnixMilli(), Updated: c.LastUpdated.UnixMilli(),
		Numbers: []int{int(c.CMP), int(c.CMPVersion), int(c.ConsentScreen), int(c.VendorListVersion), int(c.PolicyVersion)},
		Letters: c.ConsentLanguage + c.PublisherCountry,
		Bools:   []bool{c.ServiceSpecific, c.NonStandardTexts, c.PurposeOneNotDisclosed},
		OptIns:  ids(c.SpecialFeatureOptIns), Consent: ids(c.PurposesConsent), Interest: ids(c.PurposesLegitimateInterest),
		VendorConsent: slices.Collect(c.VendorConsent.All()), VendorInterest: slices.Collect(c.VendorLegitimateInterest.All()),
		Disclosed: list(s.Disclosed), Allowed: list(s.Allowed),
	}
	for _, r := range c.Restrictions {
		if r.Vendors.Len() > 0 { // the library forgets a restriction of nobody
			out.Restrictions = append(out.Restrictions,
				seenRestriction{int(r.Purpose), int(r.Type), slices.Collect(r.Vendors.All())})
		}
	}
	if p := s.Publisher; p != nil {
		out.Publisher = &seenPublisher{ids(p.Consent), ids(p.LegitimateInterest), int(p.CustomPurposes),
			ids(p.CustomConsent), ids(p.CustomLegitimateInterest)}
	}
	return out
}

func ids(s tcf.IDs) []int { return slices.Collect(s.All()) }

func list(v *tcf.Vendors) *[]uint16 {
	if v == nil {
		return nil
	}
	all := slices.Collect(v.All())
	return &all
}

func diff(a, b seen) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b seenRestriction) bool {
		return a.Purpose*4+a.Type < b.Purpose*4+b.Type
	}))
}

// TestReadsWhatTheReferenceWrites: strings of @iabtechlabtcf/core mean the same to us, and are written again to the byte.
func TestReadsWhatTheReferenceWrites(t *testing.T) {
	answers := iabtest.Ask[seen](t, nil, "tcf.mjs", "generate", strconv.Itoa(400), "20260301")
	if len(answers) != 400 {
		t.Fatalf("%d strings, want 400", len(answers))
	}
	for _, want := range answers {
		s, err := tcf.Decode(want.Text)
		if err != nil {
			t.Fatalf("%s: %v", want.Text, err)
		}
		if d := diff(want, see(want.Text, s)); d != "" {
			t.Fatalf("the library reads -, we read +:\n%s", d)
		}
		if again, err := s.Encode(); err != nil || again != want.Text {
			t.Fatalf("written again it is another: %v\n%s\n%s", err, want.Text, again)
		}
	}
}

// TestReferenceReadsWhatWeWrite: our strings mean the same to @iabtechlabtcf/core.
func TestReferenceReadsWhatWeWrite(t *testing.T) {
	var texts []string
	var ours []seen
	for i := range 400 {
		highest := limit(2000)
		if i == 0 {
			highest = 65535 // which takes the library a second
		}
		s := rapid.Custom(highest.tcString).Example(i)
		s.Core.CMP = max(s.Core.CMP, 2) // the library refuses 0 and 1, which the specification does not
		text, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		texts, ours = append(texts, text), append(ours, see(text, s))
	}
	theirs := iabtest.Ask[seen](t, texts, "tcf.mjs", "decode")
	if len(theirs) != len(ours) {
		t.Fatalf("%d answers for %d strings", len(theirs), len(ours))
	}
	for i := range ours {
		if d := diff(theirs[i], ours[i]); d != "" {
			t.Fatalf("the library reads -, we wrote +:\n%s", d)
		}
	}
}
