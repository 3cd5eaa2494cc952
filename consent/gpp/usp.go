package gpp

import (
	"errors"
	"strings"

	"github.com/ombudhq/ombud/internal/fault"
)

// USPrivacy is uspv1, the US Privacy string: four characters. Its answers are NotApplicable, Yes or No.
type USPrivacy struct {
	Notice      Answer // was notice of the sale and of the right to opt out given?
	OptOutSale  Answer // was the sale opted out of?
	LSPACovered Answer // is it a transaction under the Limited Service Provider Agreement?
}

const uspLetters = "-YN" // of NotApplicable, Yes and No

func (p *USPrivacy) fields() []struct {
	name string
	v    *Answer
} {
	return []struct {
		name string
		v    *Answer
	}{{"Notice", &p.Notice}, {"OptOutSale", &p.OptOutSale}, {"LspaCovered", &p.LSPACovered}}
}

func readUSP(text string) (*USPrivacy, []fault.Detail) {
	p := &USPrivacy{}
	if len(text) != 4 {
		return p, []fault.Detail{{Message: "is not of four characters"}}
	}
	var bad []fault.Detail
	for i, f := range p.fields() {
		at := strings.IndexByte(uspLetters, text[i+1])
		if at < 0 {
			bad = append(bad, fault.Detail{Where: f.name, Message: "is not Y, N or -"})
		}
		*f.v = NotApplicable + Answer(at)
	}
	return p, bad
}

func (p *USPrivacy) write() (string, []fault.Detail) {
	text, bad := "1", []fault.Detail(nil)
	for _, f := range p.fields() {
		if *f.v < NotApplicable || *f.v > No {
			bad = append(bad, fault.Detail{Where: f.name, Message: "is not yes, no or not applicable"})
			continue
		}
		text += uspLetters[*f.v-NotApplicable : *f.v-NotApplicable+1]
	}
	return text, bad
}

// detailsOf gives what a fault of another package names.
func detailsOf(err error) []fault.Detail {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f) && len(f.Details) > 0:
		return f.Details
	}
	return []fault.Detail{{Message: err.Error()}}
}
