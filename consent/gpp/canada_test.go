package gpp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ombudhq/ombud/consent/gpp"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/testkit/iabtest"
)

func canada(reference bool) *gpp.String {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	disclosed := tcf.NewVendors(3, 9, 40)
	return &gpp.String{Sections: []gpp.Section{{ID: gpp.TCFCAv1, Canada: &gpp.Canada{
		Created: day, LastUpdated: day, CMP: 30, ConsentLanguage: "FR", VendorExpressConsent: tcf.NewVendors(3, 5, 6, 7, 8),
		VendorImpliedConsent: tcf.NewVendors(1, 90), Disclosed: &disclosed, ReferenceLayout: reference,
	}}}}
}

// TestCanadaLayouts: vendors are read as the specification lays them out, and as the reference library does.
func TestCanadaLayouts(t *testing.T) {
	texts := map[bool]string{}
	for _, reference := range []bool{false, true} {
		text, err := canada(reference).Encode()
		if err != nil {
			t.Fatal(err)
		}
		texts[reference] = text
		got, err := gpp.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(canada(reference), got, equal); d != "" || got.Sections[0].Canada.ReferenceLayout != reference {
			t.Error(d)
		}
	}
	if texts[false] == texts[true] {
		t.Error("both layouts are the same")
	}
}

// TestCanadaTwoMeanings: what both layouts can mean, and anybody would write so, is a fault and never written.
func TestCanadaTwoMeanings(t *testing.T) {
	// The library: a bit field of 16 with the vendors 15 and 16, and the range 18 to 25. The specification: a bit field
	// of 32, which takes what was the highest vendor of the second list, and then the same range.
	fixed := "000001" + strings.Repeat("0", 36+36+12+12+6+12+12+6+1+12+24+24)
	text := head(t, gpp.TCFCAv1) + "~" + bits(fixed+
		"0000000000010000 0 0000000000000011"+"0000000000011001 1 000000000001 1 0001011 01011"+"000000000000")
	if s, err := gpp.Decode(text); err == nil || !strings.Contains(err.Error(), "two meanings") {
		t.Errorf("%v, %+v", err, s)
	}
	s := canada(true)
	c := s.Sections[0].Canada
	c.VendorExpressConsent, c.VendorImpliedConsent = tcf.NewVendors(15, 16), tcf.VendorsIn(tcf.Range{First: 18, Last: 25})
	c.Disclosed = nil
	if text, err := s.Encode(); err == nil {
		t.Error(text)
	}
	c.ReferenceLayout = false
	if text, err := s.Encode(); err != nil {
		t.Error(text, err)
	}
}

// TestCanadaBeforeRestrictions: strings from before there were publisher restrictions stay as they were.
func TestCanadaBeforeRestrictions(t *testing.T) {
	fixed := "000001" + strings.Repeat("0", 36+36+12+12+6+12+12+6+1+12+24+24)
	text := head(t, gpp.TCFCAv1) + "~" + bits(fixed+"0 0000000000000011 101"+"0 0000000000000001 1")
	s, err := gpp.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Sections[0].Canada
	if !c.VendorExpressConsent.Equal(tcf.NewVendors(1, 3)) || !c.VendorImpliedConsent.Equal(tcf.NewVendors(1)) || c.Restrictions != nil {
		t.Errorf("%+v", c)
	}
	if again, err := s.Encode(); err != nil || again != text {
		t.Errorf("%s became %s, %v", text, again, err)
	}
}

// TestWhereTheReferenceIsWrong lists what @iabgpp/cmpapi 3.2.0 reads otherwise than the specification says, and why we
// do not follow it. When a newer version agrees, its line goes.
func TestWhereTheReferenceIsWrong(t *testing.T) {
	specified, err := canada(false).Encode()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{
		specified, // vendors as OptimizedRange: the library expects 16 bits that the specification does not have
	}
	for i, answer := range iabtest.Ask[seen](t, texts, "gpp.mjs", "decode") {
		ours, err := gpp.Decode(texts[i])
		if err == nil && diff(answer, see(texts[i], ours)) == "" || err != nil && answer.Error != "" {
			t.Errorf("%s: the library agrees", texts[i])
		}
	}
}

// bits makes a segment of bits, spaces left out.
func bits(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text = strings.ReplaceAll(text, " ", "")
	text += strings.Repeat("0", (6-len(text)%6)%6)
	var b strings.Builder
	for ; text != ""; text = text[6:] {
		v := 0
		for _, c := range text[:6] {
			v = v<<1 | int(c-'0')
		}
		b.WriteByte(alphabet[v])
	}
	return b.String()
}
