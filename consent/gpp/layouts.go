package gpp

import (
	"slices"
	"strconv"
)

// ID is the number of a section.
type ID uint16

// The sections of the specification. 1, 3 and 4 are reserved.
const (
	TCFEUv2 ID = 2
	TCFCAv1 ID = 5
	USPv1   ID = 6
	USNat   ID = 7
	USCA    ID = 8
	USVA    ID = 9
	USCO    ID = 10
	USUT    ID = 11
	USCT    ID = 12
	USFL    ID = 13
	USMT    ID = 14
	USOR    ID = 15
	USTX    ID = 16
	USDE    ID = 17
	USIA    ID = 18
	USNE    ID = 19
	USNH    ID = 20
	USNJ    ID = 21
	USTN    ID = 22
	USMN    ID = 23
	USMD    ID = 24
	USIN    ID = 25
	USKY    ID = 26
	USRI    ID = 27
)

var names = map[ID]string{
	TCFEUv2: "tcfeuv2", TCFCAv1: "tcfcav1", USPv1: "uspv1", USNat: "usnat", USCA: "usca", USVA: "usva", USCO: "usco",
	USUT: "usut", USCT: "usct", USFL: "usfl", USMT: "usmt", USOR: "usor", USTX: "ustx", USDE: "usde", USIA: "usia",
	USNE: "usne", USNH: "usnh", USNJ: "usnj", USTN: "ustn", USMN: "usmn", USMD: "usmd", USIN: "usin", USKY: "usky", USRI: "usri",
}

// String is the prefix that the section has in the client side API: "usca".
func (id ID) String() string {
	if name, ok := names[id]; ok {
		return name
	}
	return "section " + strconv.Itoa(int(id))
}

// layout is one version of one section: its core, and the one subsection that it can have behind a dot.
type layout struct {
	id      ID
	version int
	core    []field
	name    string // of the subsection
	more    []field
}

// field is a number or a list of numbers of so many bits each.
type field struct {
	name  string
	bits  int
	count int
	fixed bool // its value is always this
	value int
}

// headerless sections have no version of their own, as the package comment says.
func (id ID) headerless() bool { return id >= USMD && id <= USRI }

func layoutOf(id ID, version int) *layout {
	if id.headerless() && version != int(id) {
		version = 1
	}
	for i := range layouts {
		if layouts[i].id == id && layouts[i].version == version {
			return &layouts[i]
		}
	}
	return nil
}

// two are fields of one number of two bits.
func two(names ...string) []field {
	out := make([]field, len(names))
	for i, name := range names {
		out[i] = field{name: name, bits: 2, count: 1}
	}
	return out
}

func sensitive(count int) []field {
	return []field{{name: "SensitiveDataProcessing", bits: 2, count: count}}
}

func children(count int) []field {
	return []field{{name: "KnownChildSensitiveDataConsents", bits: 2, count: count}}
}

// section is a layout whose core begins with its version and ends with the modes of the Multi-State Privacy Agreement.
func section(id ID, version int, fields ...[]field) layout {
	core := []field{{name: "Version", bits: 6, fixed: true, value: version}}
	core = append(core, slices.Concat(fields...)...)
	core = append(core, two("MspaCoveredTransaction", "MspaOptOutOptionMode", "MspaServiceProviderMode")...)
	return layout{id: id, version: version, core: core}
}

// newSection is a layout of the sections since Maryland, which begin with the agreement and have nothing at the end.
func newSection(id ID, fields ...[]field) layout {
	core := []field{{name: "MspaVersion", bits: 6, count: 1}}
	core = append(core, two("MspaCoveredTransaction", "MspaMode")...)
	return layout{id: id, version: 1, core: append(core, slices.Concat(fields...)...)}
}

func (l layout) withGPC() layout {
	l.name = "gpc"
	l.more = []field{{name: "SubsectionType", bits: 2, fixed: true, value: 1}, {name: "Gpc", bits: 1, count: 1}}
	return l
}

func (l layout) withSensitive() layout {
	l.name, l.more = "sensitiveDataConsents", sensitive(8)
	return l
}

var (
	// choices are what every section since Florida begins with; those before call its first field otherwise.
	choices = two("ProcessingNotice", "SaleOptOutNotice", "TargetedAdvertisingOptOutNotice", "SaleOptOut",
		"TargetedAdvertisingOptOut")
	sharing    = slices.Concat(two("SharingNotice"), choices[1:])
	personal   = two("PersonalDataConsents")
	additional = two("AdditionalDataProcessingConsent")

	national = two("SharingNotice", "SaleOptOutNotice", "SharingOptOutNotice", "TargetedAdvertisingOptOutNotice",
		"SensitiveDataProcessingOptOutNotice", "SensitiveDataLimitUseNotice", "SaleOptOut", "SharingOptOut",
		"TargetedAdvertisingOptOut")
	california = two("SaleOptOutNotice", "SharingOptOutNotice", "SensitiveDataLimitUseNotice", "SaleOptOut", "SharingOptOut")
	utah       = two("SharingNotice", "SaleOptOutNotice", "TargetedAdvertisingOptOutNotice",
		"SensitiveDataProcessingOptOutNotice", "SaleOptOut", "TargetedAdvertisingOptOut")
	iowa = two("ProcessingNotice", "SaleOptOutNotice", "TargetedAdvertisingOptOutNotice", "SensitiveDataOptOutNotice",
		"SaleOptOut", "TargetedAdvertisingOptOut")
)

// layouts are the sections of the United States.
var layouts = []layout{
	section(USNat, 1, national, sensitive(12), children(2), personal).withGPC(),
	section(USNat, 2, national, sensitive(16), children(3), personal).withGPC(),
	section(USCA, 1, california, sensitive(9), children(2), personal).withGPC(),
	section(USVA, 1, sharing, sensitive(8), children(1)),
	section(USCO, 1, sharing, sensitive(7), children(1)).withGPC(),
	section(USUT, 1, utah, sensitive(8), children(1)),
	section(USCT, 1, sharing, sensitive(8), children(3)).withGPC(),
	section(USFL, 1, choices, sensitive(8), children(3), additional),
	section(USMT, 1, sharing, sensitive(8), children(3), additional).withGPC(),
	section(USOR, 1, choices, sensitive(11), children(3), additional).withGPC(),
	section(USTX, 1, choices, sensitive(8), children(1), additional).withGPC(),
	section(USDE, 1, choices, sensitive(9), children(5), additional).withGPC(),
	section(USIA, 1, iowa, sensitive(8), children(1)).withGPC(),
	section(USNE, 1, choices, sensitive(8), children(1), additional).withGPC(),
	section(USNH, 1, choices, sensitive(8), children(3), additional).withGPC(),
	section(USNJ, 1, choices, sensitive(10), children(5), additional).withGPC(),
	section(USTN, 1, choices, sensitive(8), children(1), additional).withGPC(),
	section(USMN, 1, choices, sensitive(8), children(1), additional).withGPC(),
	newSection(USMD, choices, additional).withGPC(),
	newSection(USIN, choices, children(1), additional).withSensitive(),
	newSection(USKY, choices, children(1), additional).withSensitive(),
	newSection(USRI, choices, children(1), additional).withSensitive(),
}
