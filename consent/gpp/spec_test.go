package gpp_test

import (
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/consent/gpp"
)

// transcript has the fields of each section in the words of its specification, after the version; behind | those of
// the subsection.
const transcript = `
usnat1 SharingNotice SaleOptOutNotice SharingOptOutNotice TargetedAdvertisingOptOutNotice SensitiveDataProcessingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*12 KnownChildSensitiveDataConsents*2 PersonalDataConsents MSPA | Gpc
usnat2 SharingNotice SaleOptOutNotice SharingOptOutNotice TargetedAdvertisingOptOutNotice SensitiveDataProcessingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*16 KnownChildSensitiveDataConsents*3 PersonalDataConsents MSPA | Gpc
usca1 SaleOptOutNotice SharingOptOutNotice SensitiveDataLimitUseNotice SaleOptOut SharingOptOut SensitiveDataProcessing*9 KnownChildSensitiveDataConsents*2 PersonalDataConsents MSPA | Gpc
usva1 SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents MSPA
usco1 SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*7 KnownChildSensitiveDataConsents MSPA | Gpc
usut1 SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SensitiveDataProcessingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents MSPA
usct1 SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents*3 MSPA | Gpc
usfl1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents*3 AdditionalDataProcessingConsent MSPA
usmt1 SharingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents*3 AdditionalDataProcessingConsent MSPA | Gpc
usor1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*11 KnownChildSensitiveDataConsents*3 AdditionalDataProcessingConsent MSPA | Gpc
ustx1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents AdditionalDataProcessingConsent MSPA | Gpc
usde1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*9 KnownChildSensitiveDataConsents*5 AdditionalDataProcessingConsent MSPA | Gpc
usia1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SensitiveDataOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents MSPA | Gpc
usne1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents AdditionalDataProcessingConsent MSPA | Gpc
usnh1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents*3 AdditionalDataProcessingConsent MSPA | Gpc
usnj1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*10 KnownChildSensitiveDataConsents*5 AdditionalDataProcessingConsent MSPA | Gpc
ustn1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents AdditionalDataProcessingConsent MSPA | Gpc
usmn1 ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut SensitiveDataProcessing*8 KnownChildSensitiveDataConsents AdditionalDataProcessingConsent MSPA | Gpc
usmd1 MspaVersion MspaCoveredTransaction MspaMode ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut AdditionalDataProcessingConsent | Gpc
usin1 MspaVersion MspaCoveredTransaction MspaMode ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut KnownChildSensitiveDataConsents AdditionalDataProcessingConsent | SensitiveDataProcessing*8
usky1 MspaVersion MspaCoveredTransaction MspaMode ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut KnownChildSensitiveDataConsents AdditionalDataProcessingConsent | SensitiveDataProcessing*8
usri1 MspaVersion MspaCoveredTransaction MspaMode ProcessingNotice SaleOptOutNotice TargetedAdvertisingOptOutNotice SaleOptOut TargetedAdvertisingOptOut KnownChildSensitiveDataConsents AdditionalDataProcessingConsent | SensitiveDataProcessing*8
`

type table struct{ core, more usFields }

// specified is the transcript by section and version.
var specified = func() map[string]table {
	out := map[string]table{}
	for line := range strings.Lines(strings.TrimSpace(transcript)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		core, more, _ := strings.Cut(rest, "|")
		core = strings.ReplaceAll(core, " MSPA", " MspaCoveredTransaction MspaOptOutOptionMode MspaServiceProviderMode")
		out[name] = table{fieldsOf(core), fieldsOf(more)}
	}
	return out
}()

func fieldsOf(text string) usFields {
	var out usFields
	for _, word := range strings.Fields(text) {
		name, count, many := strings.Cut(word, "*")
		n := 1
		if many {
			n, _ = strconv.Atoi(count)
		}
		out = append(out, struct {
			name  string
			count int
		}{name, n})
	}
	return out
}

// states are the ids of the sections of the United States.
func states() []gpp.ID {
	var out []gpp.ID
	for id := gpp.USNat; id <= gpp.USRI; id++ {
		out = append(out, id)
	}
	return out
}
