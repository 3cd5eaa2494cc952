package gpp_test

import (
	"testing"

	"github.com/ombudhq/ombud/consent/gpp"
)

// state is a section with some fields, the others zero.
func state(id gpp.ID, fields map[string]int) gpp.Section {
	us := &gpp.US{Version: 1, Fields: map[string][]int{}}
	for _, f := range specified[id.String()+"1"].core {
		us.Fields[f.name] = make([]int, f.count)
	}
	for name, v := range fields {
		us.Fields[name] = []int{v}
	}
	return gpp.Section{ID: id, US: us}
}

func TestAnswersOfASection(t *testing.T) {
	california := state(gpp.USCA, map[string]int{"SaleOptOutNotice": 1, "SaleOptOut": 2, "SharingOptOutNotice": 2, "SharingOptOut": 3})
	virginia := state(gpp.USVA, map[string]int{"SaleOptOut": 1, "TargetedAdvertisingOptOut": 1, "TargetedAdvertisingOptOutNotice": 1})
	browser := state(gpp.USMN, map[string]int{"Gpc": 1})
	quiet := state(gpp.USMD, map[string]int{"Gpc": 0})
	usp := gpp.Section{ID: gpp.USPv1, USP: &gpp.USPrivacy{Notice: gpp.Yes, OptOutSale: gpp.No, LSPACovered: gpp.NotApplicable}}
	unknown := gpp.Section{ID: gpp.USCA, Opaque: "CAAA"}
	europe := gpp.Section{ID: gpp.TCFEUv2, Opaque: "DAAA"}
	for name, c := range map[string]struct{ got, want gpp.Answer }{
		"notice given":                {california.Notice(gpp.Sale), gpp.Yes},
		"notice not given":            {california.Notice(gpp.Sharing), gpp.No},
		"did not opt out":             {california.OptedOut(gpp.Sale), gpp.No},
		"3":                           {california.OptedOut(gpp.Sharing), gpp.Unclear},
		"no such field":               {california.OptedOut(gpp.TargetedAdvertising), gpp.Absent},
		"no such activity":            {california.OptedOut(7), gpp.Absent},
		"opted out":                   {virginia.OptedOut(gpp.Sale), gpp.Yes},
		"not applicable":              {virginia.Notice(gpp.Sale), gpp.NotApplicable},
		"advertising":                 {virginia.OptedOut(gpp.TargetedAdvertising), gpp.Yes},
		"no GPC":                      {virginia.GPC(), gpp.Absent},
		"GPC":                         {browser.GPC(), gpp.Yes},
		"GPC off":                     {quiet.GPC(), gpp.No},
		"US Privacy notice":           {usp.Notice(gpp.Sale), gpp.Yes},
		"US Privacy":                  {usp.OptedOut(gpp.Sale), gpp.No},
		"US Privacy is about sale":    {usp.OptedOut(gpp.Sharing), gpp.Absent},
		"of an unknown version":       {unknown.OptedOut(gpp.Sale), gpp.Unclear},
		"GPC of an unknown version":   {unknown.GPC(), gpp.Unclear},
		"Europe has no sale":          {europe.OptedOut(gpp.Sale), gpp.Absent},
		"notice of unknown version":   {unknown.Notice(gpp.Sale), gpp.Unclear},
		"US Privacy knows of no GPC":  {usp.GPC(), gpp.Absent},
		"notice of something unknown": {california.Notice(9), gpp.Absent},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

// TestAnswersOfAString: the strongest section wins, and GPC stands for an opt-out of everything.
func TestAnswersOfAString(t *testing.T) {
	no := state(gpp.USCA, map[string]int{"SaleOptOut": 2, "SharingOptOut": 2})
	yes := state(gpp.USVA, map[string]int{"SaleOptOut": 1})
	browser := state(gpp.USMN, map[string]int{"SaleOptOut": 2, "Gpc": 1})
	quiet := state(gpp.USMD, map[string]int{"Gpc": 0})
	unknown := gpp.Section{ID: 28, Opaque: "BAAA"}
	for name, c := range map[string]struct {
		sections  []gpp.Section
		sale, gpc gpp.Answer
	}{
		"nothing":             {nil, gpp.Absent, gpp.Absent},
		"no":                  {[]gpp.Section{no}, gpp.No, gpp.Absent},
		"yes beats no":        {[]gpp.Section{no, yes}, gpp.Yes, gpp.Absent},
		"yes beats no before": {[]gpp.Section{yes, no}, gpp.Yes, gpp.Absent},
		"GPC is yes":          {[]gpp.Section{no, browser, quiet}, gpp.Yes, gpp.Yes},
		"unclear beats no":    {[]gpp.Section{no, quiet, unknown}, gpp.Unclear, gpp.Unclear},
		"yes beats unclear":   {[]gpp.Section{unknown, browser}, gpp.Yes, gpp.Yes},
		"not applicable":      {[]gpp.Section{quiet}, gpp.NotApplicable, gpp.No},
	} {
		s := &gpp.String{Sections: c.sections}
		if s.OptedOut(gpp.Sale) != c.sale || s.GPC() != c.gpc {
			t.Errorf("%s: sale %v, GPC %v, want %v, %v", name, s.OptedOut(gpp.Sale), s.GPC(), c.sale, c.gpc)
		}
	}
}
