package gpp_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ombudhq/ombud/consent/gpp"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/testkit/iabtest"
	"pgregory.net/rapid"
)

// seen is what the reference library reads in a string: by section and field, as lists of numbers.
type seen struct {
	Text, Error string
	Sections    map[string]map[string][]int
}

// see says what we read in the same words.
func see(text string, s *gpp.String) seen {
	out := seen{Text: text, Sections: map[string]map[string][]int{}}
	for _, section := range s.Sections {
		var fields map[string][]int
		switch {
		case section.US != nil:
			fields = seeUS(section)
		case section.USP != nil:
			letters := map[gpp.Answer]int{gpp.NotApplicable: '-', gpp.Yes: 'Y', gpp.No: 'N'}
			fields = map[string][]int{"Version": {1}, "Notice": {letters[section.USP.Notice]},
				"OptOutSale": {letters[section.USP.OptOutSale]}, "LspaCovered": {letters[section.USP.LSPACovered]}}
		case section.Canada != nil:
			fields = seeCanada(section.Canada)
		case section.TCF != nil:
			fields = map[string][]int{"CmpId": {int(section.TCF.Core.CMP)}, "PolicyVersion": {int(section.TCF.Core.PolicyVersion)},
				"PurposeConsents": slices.Collect(section.TCF.Core.PurposesConsent.All()),
				"VendorConsents":  ids(section.TCF.Core.VendorConsent), "VendorsDisclosed": ids(*section.TCF.Disclosed)}
		}
		out.Sections[section.ID.String()] = fields
	}
	return out
}

func seeUS(section gpp.Section) map[string][]int {
	fields := map[string][]int{}
	if section.ID < gpp.USMD {
		fields["Version"] = []int{section.US.Version}
	}
	for name, values := range section.US.Fields {
		fields[name] = values
	}
	return fields
}

func seeCanada(c *gpp.Canada) map[string][]int {
	stacks := 0
	if c.NonStandardStacks {
		stacks = 1
	}
	fields := map[string][]int{
		"Version": {1}, "Created": {int(c.Created.UnixMilli())}, "LastUpdated": {int(c.LastUpdated.UnixMilli())},
		"CmpId": {int(c.CMP)}, "CmpVersion": {int(c.CMPVersion)}, "ConsentScreen": {int(c.ConsentScreen)},
		"ConsentLanguage": {int(c.ConsentLanguage[0]), int(c.ConsentLanguage[1])}, "VendorListVersion": {int(c.VendorListVersion)},
		"TcfPolicyVersion": {int(c.PolicyVersion)}, "UseNonStandardStacks": {stacks},
		"SpecialFeatureExpressConsent": slices.Collect(c.SpecialFeatureExpressConsent.All()),
		"PurposesExpressConsent":       slices.Collect(c.PurposesExpressConsent.All()),
		"PurposesImpliedConsent":       slices.Collect(c.PurposesImpliedConsent.All()),
		"VendorExpressConsent":         ids(c.VendorExpressConsent), "VendorImpliedConsent": ids(c.VendorImpliedConsent),
		"PubRestrictions": {},
	}
	for _, r := range c.Restrictions {
		fields["PubRestrictions"] = append(fields["PubRestrictions"], append([]int{int(r.Purpose), int(r.Type)}, ids(r.Vendors)...)...)
	}
	if c.Disclosed != nil {
		fields["DisclosedVendors"] = ids(*c.Disclosed)
	}
	p := c.Publisher
	if p == nil {
		p = &gpp.CanadaPublisher{} // the library does not tell one from the other
	}
	fields["PubPurposesExpressConsent"] = slices.Collect(p.ExpressConsent.All())
	fields["PubPurposesImpliedConsent"] = slices.Collect(p.ImpliedConsent.All())
	fields["NumCustomPurposes"] = []int{int(p.CustomPurposes)}
	fields["CustomPurposesExpressConsent"] = slices.Collect(p.CustomExpressConsent.All())
	fields["CustomPurposesImpliedConsent"] = slices.Collect(p.CustomImpliedConsent.All())
	return fields
}

func ids(v tcf.Vendors) []int {
	var out []int
	for id := range v.All() {
		out = append(out, int(id))
	}
	return out
}

// diff compares; of tcfeuv2, which the tests of consent/tcf compare in full, only what we name.
func diff(theirs, ours seen) string {
	for name := range theirs.Sections["tcfeuv2"] {
		if _, named := ours.Sections["tcfeuv2"][name]; !named {
			delete(theirs.Sections["tcfeuv2"], name)
		}
	}
	return cmp.Diff(theirs, ours, cmpopts.EquateEmpty())
}

// TestReadsWhatTheReferenceWrites: strings of @iabgpp/cmpapi mean the same to us, and are written again to the byte.
func TestReadsWhatTheReferenceWrites(t *testing.T) {
	answers := iabtest.Ask[seen](t, nil, "gpp.mjs", "generate", "300", "20261121")
	if len(answers) != 300 {
		t.Fatalf("%d strings, want 300", len(answers))
	}
	sections := map[string]int{}
	for _, want := range answers {
		s, err := gpp.Decode(want.Text)
		if err != nil {
			t.Fatalf("%s: %v", want.Text, err)
		}
		if d := diff(want, see(want.Text, s)); d != "" {
			t.Fatalf("%s: the library reads -, we read +:\n%s", want.Text, d)
		}
		if again, err := s.Encode(); err != nil || again != want.Text {
			t.Fatalf("written again it is another: %v\n%s\n%s", err, want.Text, again)
		}
		for name := range want.Sections {
			sections[name]++
		}
	}
	if len(sections) != 24 {
		t.Errorf("only the sections %v", sections)
	}
}

// TestReferenceReadsWhatWeWrite: our strings mean the same to @iabgpp/cmpapi, but for what it gets wrong.
func TestReferenceReadsWhatWeWrite(t *testing.T) {
	var texts []string
	var ours []seen
	for i := range 300 {
		s := rapid.Custom(anyString).Example(i)
		for _, section := range s.Sections {
			if section.Canada != nil {
				section.Canada.ReferenceLayout = true // it does not read the specification's
			}
		}
		text, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		texts, ours = append(texts, text), append(ours, see(text, s))
	}
	theirs := iabtest.Ask[seen](t, texts, "gpp.mjs", "decode")
	if len(theirs) != len(ours) {
		t.Fatalf("%d answers for %d strings", len(theirs), len(ours))
	}
	for i := range ours {
		if d := diff(theirs[i], ours[i]); d != "" {
			t.Fatalf("%s: the library reads -, we wrote +:\n%s", texts[i], d)
		}
	}
}
