// Package law is law as data: dated, cited rules. Code asks what holds at a moment in a jurisdiction; no deadline,
// threshold or list of states stands in code anywhere else.
package law

import "time"

// Signal is a law under which an opt-out signal of a browser must be obeyed.
type Signal struct {
	Jurisdiction string // "us-ca"
	Citation     string
	From         string   // YYYY-MM-DD
	Uses         []string // of a purpose, that the signal stops
}

var soldOrTargeted = []string{"sale", "targeted_advertising"}

// signals are the twelve states that bind businesses to Global Privacy Control or a universal opt-out mechanism.
var signals = []Signal{
	{"us-ca", "11 CCR § 7025", "2023-03-29", []string{"sale", "sharing", "targeted_advertising"}},
	{"us-co", "C.R.S. § 6-1-1306(1)(a)(IV)", "2024-07-01", soldOrTargeted},
	{"us-ct", "Conn. Gen. Stat. § 42-520(e)", "2025-01-01", soldOrTargeted},
	{"us-tx", "Tex. Bus. & Com. Code § 541.055(e)", "2025-01-01", soldOrTargeted},
	{"us-mt", "Mont. Code § 30-14-2812", "2025-01-01", soldOrTargeted},
	{"us-ne", "Neb. Rev. Stat. § 87-1109", "2025-01-01", soldOrTargeted},
	{"us-nh", "N.H. RSA 507-H:6", "2025-01-01", soldOrTargeted},
	{"us-nj", "N.J.S.A. 56:8-166.11", "2025-07-15", soldOrTargeted},
	{"us-mn", "Minn. Stat. § 325M.14", "2025-07-31", soldOrTargeted},
	{"us-md", "Md. Code, Com. Law § 14-4707", "2025-10-01", soldOrTargeted},
	{"us-de", "6 Del. C. § 12D-106(e)", "2026-01-01", soldOrTargeted},
	{"us-or", "ORS 646A.578(5)", "2026-01-01", soldOrTargeted},
}

// SignalUses are the uses that an opt-out signal stops on a day for a company that answers to these jurisdictions, and
// the law that says so of each.
func SignalUses(jurisdictions []string, day time.Time) map[string]string {
	out := map[string]string{}
	for _, j := range jurisdictions {
		for _, s := range signals {
			from, err := time.Parse(time.DateOnly, s.From)
			if err != nil || s.Jurisdiction != j || day.Before(from) {
				continue
			}
			for _, use := range s.Uses {
				if out[use] == "" {
					out[use] = s.Citation
				}
			}
		}
	}
	return out
}

// european are the places where GDPR, in the Union's form, the EEA's or the United Kingdom's, says what consent is.
var european = map[string]bool{
	"eu": true, "eea": true, "uk": true, "gb": true, "at": true, "be": true, "bg": true, "hr": true, "cy": true, "cz": true, "dk": true, "ee": true,
	"fi": true, "fr": true, "de": true, "gr": true, "hu": true, "ie": true, "it": true, "lv": true, "lt": true, "lu": true, "mt": true, "nl": true,
	"pl": true, "pt": true, "ro": true, "sk": true, "si": true, "es": true, "se": true, "no": true, "is": true, "li": true,
}

// NeedsClearAct tells whether consent is a clear affirmative act (Art. 4(11) GDPR): implied or pre-ticked is none. It is
// asked of a company that names no jurisdiction too, for the stricter rule harms nobody.
func NeedsClearAct(jurisdictions []string) bool {
	for _, j := range jurisdictions {
		if european[j] {
			return true
		}
	}
	return len(jurisdictions) == 0
}
