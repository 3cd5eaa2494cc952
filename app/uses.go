package app

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
)

// uses tells what the purposes named needed, and which purposes still need data of these people: those that may go on now, as
// a decision has it. A consent that stands is such a ground too, also for a purpose that is named: it ends by a withdrawal.
func (a *App) uses(people []plan.Person, names []string) (ended, going []plan.Use, err error) {
	set := a.Purposes.Now()
	unknown := fault.New(fault.Invalid, "an erasure cannot be limited like this")
	for _, name := range names {
		rule, ok := set.Known(name)
		if !ok {
			unknown = unknown.With(fault.Detail{Where: "purposes", Message: fmt.Sprintf("there is no purpose %q", name)})
			continue
		}
		ended = append(ended, useOf(rule, rule.Categories))
	}
	if len(unknown.Details) > 0 {
		return nil, nil, unknown
	}
	for i, p := range people {
		theirs, err := a.usesOf(p, names)
		if err != nil {
			return nil, nil, err
		}
		if i > 0 && !reflect.DeepEqual(theirs, going) {
			return nil, nil, fault.New(fault.Invalid, "different purposes need data of these people").Then("Take a request in for each of them.")
		}
		going = theirs
	}
	return ended, going, nil
}

// called is the name that stands for who has all these identities; "" for nobody.
func (a *App) called(ids []subject.Identity) string {
	return a.Consents.Substitute(a.Consents.Find(ids...).Person())
}

func (a *App) usesOf(p plan.Person, ended []string) ([]plan.Use, error) {
	h := a.Consents.Find(p.Identities...)
	var out []plan.Use
	for _, rule := range a.Purposes.Now().All() {
		if slices.Contains(ended, rule.ID) && rule.Basis != purpose.Consent {
			continue
		}
		var needed []string
		for _, c := range rule.Categories {
			v := a.Consents.Decide(h, rule.ID, c, false)
			if v.Reason == consent.TwoPeople {
				return nil, fault.New(fault.Conflict, "these identities belong to two people").Then("Give those of one person only.")
			}
			if v.Allowed || v.Reason == consent.IsRestricted { // what is restricted is neither used nor erased: Art. 18(2)
				needed = append(needed, c)
			}
		}
		if len(needed) > 0 || len(rule.Categories) == 0 && rule.Basis != purpose.Consent {
			out = append(out, useOf(rule, needed))
		}
	}
	return out, nil
}

func useOf(rule *purpose.Rule, categories []string) plan.Use {
	return plan.Use{Purpose: rule.ID, Why: string(rule.Basis), Categories: categories, Systems: rule.Systems}
}
