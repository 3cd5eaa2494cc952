package gpp

import (
	"slices"

	"github.com/ombudhq/ombud/consent/internal/iab"
	"github.com/ombudhq/ombud/internal/fault"
)

// US is usnat or the section of a state.
type US struct {
	Version int // 1 but for usnat, which also has 2; the sections of Maryland and later have no other
	// Fields are the values by the specification's names, but for those that never differ (Version, SubsectionType). A
	// single number is a list of one. 0 means not applicable; of notices and opt-outs, 1 is yes and 2 no; of consents, 1
	// is no and 2 yes, though first editions of some sections had that the other way round; 3 means nothing and is kept.
	// A subsection is there when its fields are: "Gpc", or in Indiana, Kentucky and Rhode Island
	// "SensitiveDataProcessing".
	Fields  map[string][]int
	written []iab.Written
}

// Int gives the single number of a field; false when the section does not have it.
func (u *US) Int(field string) (int, bool) {
	if v := u.Fields[field]; len(v) == 1 {
		return v[0], true
	}
	return 0, false
}

func readUS(table *layout, text string) (*US, []fault.Detail) {
	u := &US{Version: table.version, Fields: map[string][]int{}}
	written, details := u.segments(table).Read(text)
	u.written = written
	return u, details
}

func (u *US) write(table *layout) (string, []fault.Detail) {
	text, details := u.segments(table).Write(u.written)
	known := 0
	for _, f := range slices.Concat(table.core, table.more) {
		if u.Fields[f.name] != nil && !f.fixed {
			known++
		}
	}
	if known < len(u.Fields) {
		details = append(details, fault.Detail{Where: "Fields", Message: "has a name that the section does not have"})
	}
	return text, details
}

func (u *US) segments(table *layout) iab.Segments {
	return iab.Segments{
		Names: []string{"core", table.name},
		Kind: func(i int, text string) int {
			switch {
			case len(table.more) == 0:
			case !table.more[0].fixed && i == 1:
				return 1
			case table.more[0].fixed:
				if v, ok := iab.Peek(text, table.more[0].bits); ok && int(v) == table.more[0].value {
					return 1
				}
			}
			return iab.Unknown
		},
		Has: func(kind int) bool {
			return kind == 0 || slices.ContainsFunc(table.more, func(f field) bool { return u.Fields[f.name] != nil })
		},
		Fields: func(kind int, _ bool) func(*iab.Coder) {
			if kind == 1 {
				return func(c *iab.Coder) { u.fields(c, table.more) }
			}
			return func(c *iab.Coder) { u.fields(c, table.core) }
		},
	}
}

func (u *US) fields(c *iab.Coder, table []field) {
	for _, f := range table {
		switch {
		case f.fixed:
			c.Const(f.name, f.bits, uint64(f.value))
		case c.Reading():
			values := make([]int, f.count)
			for i := range values {
				values[i] = int(c.Bits(f.name, f.bits, 0))
			}
			u.Fields[f.name] = values
		case len(u.Fields[f.name]) != f.count:
			c.Fail(f.name, "has another number of values than the section has places for")
		default:
			for _, v := range u.Fields[f.name] {
				c.Bits(f.name, f.bits, uint64(v))
			}
		}
	}
}
