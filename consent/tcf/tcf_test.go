package tcf_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ombudhq/ombud/consent/tcf"
	"github.com/ombudhq/ombud/internal/fault"
	"pgregory.net/rapid"
)

// equal compares what two strings say, not how they are written.
var equal = cmp.Options{cmpopts.IgnoreUnexported(tcf.String{}), cmpopts.EquateEmpty()}

// printed are strings that specifications, or documents of the IAB, print.
var printed = []string{
	"CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA",
	"COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA",
	"COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw",
	"COw4XqLOw4XqLAAAAAENAXCAAAAAAAAAAAAAAAAAAAAA.IFukWSQgAIQwgI0QEByFAAAAeIAACAIgSAAQAIAgEQACEABAAAgAQFAEAIAAAGBAAgAAAAQAIFAAMCQAAgAAQiRAEQAAAAANAAIAAggAIYQFAAARmggBC3ZCYzU2yIA.QFukWSQgAIQwgI0QEByFAAAAeIAACAIgSAAQAIAgEQACEABAAAgAQFAEAIAAAGBAAgAAAAQAIFAAMCQAAgAAQiRAEQAAAAANAAIAAggAIYQFAAARmggBC3ZCYzU2yIA.YAAAAAAAAAAAAAAAAAA",
}

func TestPrintedStrings(t *testing.T) {
	for _, text := range printed {
		s, err := tcf.Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again, err := s.Encode(); err != nil || again != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	s, _ := tcf.Decode(printed[1])
	want := tcf.Core{
		Created: s.Core.Created, LastUpdated: s.Core.LastUpdated, CMP: 27, ConsentLanguage: "EN", VendorListVersion: 15,
		PolicyVersion: 2, PurposesConsent: tcf.NewIDs(1, 2, 3), PublisherCountry: "AA",
		VendorConsent: tcf.NewVendors(2, 6, 8), VendorLegitimateInterest: tcf.NewVendors(2, 6, 8),
	}
	if d := cmp.Diff(want, s.Core); d != "" {
		t.Error(d)
	}
}

// TestRoundTrip: what is encoded is decoded as the same, and encoded again to the same bytes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := limit(65535).tcString(t)
		text, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := tcf.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, equal); d != "" {
			t.Fatal(d)
		}
		if again, err := got.Encode(); err != nil || again != text {
			t.Fatalf("%s became %s, %v", text, again, err)
		}
	})
}

// FuzzDecode: no text makes a panic, a readable one is written again to the byte, and no fault shows the text.
func FuzzDecode(f *testing.F) {
	for _, text := range printed {
		f.Add(text)
	}
	f.Add(overlapping)
	f.Add(printed[0] + ".gAAA.4A")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := tcf.Decode(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || len(text) > 40 && strings.Contains(err.Error(), text) {
				t.Fatalf("not a fault that may be shown: %v", err)
			}
			return
		}
		again, err := s.Encode()
		if err != nil || again != text {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
		second, err := tcf.Decode(again)
		if err != nil || !cmp.Equal(s, second, equal) {
			t.Fatalf("%q means something else the second time: %v", text, err)
		}
		s.ByConsent(1, 1)
	})
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// written makes a segment of bits, spaces left out.
func written(bits string) string {
	bits = strings.ReplaceAll(bits, " ", "")
	bits += strings.Repeat("0", (6-len(bits)%6)%6)
	var b strings.Builder
	for ; bits != ""; bits = bits[6:] {
		v, _ := strconv.ParseUint(bits[:6], 2, 8)
		b.WriteByte(alphabet[v])
	}
	return b.String()
}

// coreWith is the first printed core with these bits from its vendors on.
func coreWith(bits string) string {
	var head strings.Builder
	for _, c := range printed[0][:36] {
		fmt.Fprintf(&head, "%06b", strings.IndexRune(alphabet, c))
	}
	return written(head.String()[:213] + bits)
}

const (
	one, two, three = "0000000000000001", "0000000000000010", "0000000000000011"
	none            = "0000000000000000 0"
	noRestrictions  = "000000000000"
)

// overlapping has the vendors 1 to 3 as ranges that overlap and are out of order, of at most 7, and much padding.
var overlapping = coreWith("0000000000000111 1 000000000011"+"0"+three+"1"+one+two+"1"+two+two+none+noRestrictions) + "AAAAAAAAA"

// TestOtherWaysToWriteIt: what we would have written otherwise means the same, and stays as it was.
func TestOtherWaysToWriteIt(t *testing.T) {
	s, err := tcf.Decode(overlapping)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Core.VendorConsent.Ranges(); !slices.Equal(got, []tcf.Range{{First: 1, Last: 3}}) {
		t.Errorf("vendors %v", got)
	}
	fresh := &tcf.String{Core: s.Core}
	fresh.Core.VendorConsent = tcf.VendorsIn(s.Core.VendorConsent.Ranges()...)
	for _, c := range []struct {
		s    *tcf.String
		same bool
	}{{s, true}, {fresh, false}} {
		if text, err := c.s.Encode(); err != nil || (text == overlapping) != c.same {
			t.Errorf("written as %s, %v", text, err)
		}
	}
}

// TestUnknownSegments are kept where they are.
func TestUnknownSegments(t *testing.T) {
	text := printed[0] + ".gAAA.YAAAAAAAAAA.-_-_"
	s, err := tcf.Decode(text)
	if err != nil || s.Unknown() != 2 || s.Publisher == nil {
		t.Fatal(err, s)
	}
	disclosed := tcf.NewVendors(1)
	s.Publisher, s.Disclosed = nil, &disclosed
	if got, err := s.Encode(); err != nil || got != printed[0]+".gAAA.-_-_."+written("001"+one+"0 1") {
		t.Errorf("%s, %v", got, err)
	}
}

// TestFaults name every segment with the field in it that is wrong.
func TestFaults(t *testing.T) {
	behind := printed[0] + "."
	for text, wheres := range map[string][]string{
		"":                  {"core"},
		"CPXx+":             {"core"},
		"CPXx":              {"core.Created"},
		"BPXxRfAPXxRfA":     {"core.Version"},
		coreWith(""):        {"core.VendorConsent.MaxVendorId"},
		coreWith(three):     {"core.VendorLegitimateInterest.MaxVendorId"},
		coreWith("1" + one): {"core.VendorConsent.NumEntries"},
		coreWith(strings.Repeat("1", 16) + "0 1"):                     {"core.VendorConsent.BitField"},
		coreWith(none + none + "000000000001 000010 00 111111111111"): {"core.PubRestrictions.StartOrOnlyVendorId"},
		coreWith(none + none + "111111111111"):                        {"core.PubRestrictions.PurposeId"},
		printed[0] + "AB":                                             {"core"},
		behind + "IAAA.IAAA":                                          {"disclosedVendors"},
		behind + printed[0]:                                           {"core"},
		behind:                                                        {"segment"},
		behind + "!":                                                  {"segment"},
		behind + "IAAZ.YA":                                            {"disclosedVendors.DisclosedVendors.NumEntries", "publisherTC.PubPurposesConsent"},
		behind + written("001"+one+"1 000000000001 0"+two):            {"disclosedVendors.DisclosedVendors.MaxVendorId"},
		behind + written("001"+one+"1 000000000001 0"+none):           {"disclosedVendors.DisclosedVendors.StartOrOnlyVendorId"},
		behind + written("010"+two+"1 000000000001 1"+two+one):        {"allowedVendors.AllowedVendors.EndVendorId"},
		strings.Repeat("A", 1+256<<10):                                {""},
	} {
		_, err := tcf.Decode(text)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid {
			t.Errorf("%.80s: %v", text, err)
			continue
		}
		var got []string
		for _, d := range f.Details {
			got = append(got, d.Where)
		}
		if !slices.Equal(got, wheres) {
			t.Errorf("%.80s: %v at %q, want %q", text, err, got, wheres)
		}
	}
}

// TestEncodeRefuses what has no place in a string, and names every segment.
func TestEncodeRefuses(t *testing.T) {
	good := func() *tcf.String {
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		return &tcf.String{Core: tcf.Core{Created: day, LastUpdated: day, ConsentLanguage: "EN", PublisherCountry: "DE"}}
	}
	if _, err := good().Encode(); err != nil {
		t.Fatal(err)
	}
	for where, spoil := range map[string]func(*tcf.String){
		"core.CmpId":                              func(s *tcf.String) { s.Core.CMP = 1 << 12 },
		"core.Created":                            func(s *tcf.String) { s.Core.Created = s.Core.Created.Add(time.Millisecond) },
		"core.LastUpdated":                        func(s *tcf.String) { s.Core.LastUpdated = time.Time{} },
		"core.ConsentLanguage":                    func(s *tcf.String) { s.Core.ConsentLanguage = "en" },
		"core.PublisherCC":                        func(s *tcf.String) { s.Core.PublisherCountry = "" },
		"core.PurposesConsent":                    func(s *tcf.String) { s.Core.PurposesConsent = tcf.NewIDs(25) },
		"core.PubRestrictions.RestrictionType":    func(s *tcf.String) { s.Core.Restrictions = []tcf.Restriction{{Type: 4}} },
		"core.PubRestrictions.NumEntries":         func(s *tcf.String) { s.Core.Restrictions = []tcf.Restriction{{Vendors: odd()}} },
		"publisherTC.CustomPurposesConsent":       func(s *tcf.String) { s.Publisher = &tcf.Publisher{CustomConsent: tcf.NewIDs(1)} },
		"core.PubRestrictions.NumPubRestrictions": func(s *tcf.String) { s.Core.Restrictions = make([]tcf.Restriction, 4096) },
	} {
		s := good()
		spoil(s)
		if text, err := s.Encode(); err == nil || text != "" || !strings.Contains(err.Error(), "\n  "+where+": ") {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// odd are more vendors than a list has entries for.
func odd() tcf.Vendors {
	var ids []uint16
	for id := uint16(1); id < 8200; id += 2 {
		ids = append(ids, id)
	}
	return tcf.NewVendors(ids...)
}
