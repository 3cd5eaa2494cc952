package console

import (
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/purpose"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

// everything is what a form says for a withdrawal of all.
const everything = "*"

// acts are the forms for what a person says to us by mail or phone.
func (v *visit) acts(c *chosenBy) g.Node {
	if !v.may(access.ConsentWrite) {
		return nil
	}
	s := view.Section{ID: "acts", Title: "Write down what they say", Note: g.Text("by mail or on the phone; it holds from the answer on")}
	if len(c.ids) == 0 {
		return s.With(h.P(g.Text("Nothing can be written down: nothing leads to this person any more.")))
	}
	return s.With(view.Fold("They take back a yes", v.withdrawForm(c)), view.Fold("They object, or want their data restricted", v.limitForm(c)))
}

func (v *visit) withdrawForm(c *chosenBy) g.Node {
	choices := [][2]string{{"", "Choose"}}
	for _, p := range c.holds {
		if p.rule.Basis == purpose.Consent {
			choices = append(choices, [2]string{p.rule.ID, purposeName(&p.rule.Purpose)})
		}
	}
	choices = append(choices, [2]string{everything, "Everything they ever said yes to"})
	return view.Form("/people/"+c.id+"/withdraw", v.token,
		view.Field{ID: "withdraw", Name: "purpose", Label: "What do they take back?", Required: true}.Select("", choices...),
		view.Field{ID: "withdraw-reason", Name: "reason", Label: "What they said", Hint: "May stay empty: nobody needs a reason to say no (GDPR Art. 7(3))."}.Text(""),
		view.Actions(view.Button("", "Withdraw their yes")))
}

// withdraw ends what the person takes back.
func (v *visit) withdraw() error {
	s, err := v.someone()
	if err != nil {
		return err
	}
	in := consent.WithdrawInput{Subject: s.ids, Purpose: v.r.PostForm.Get("purpose"), Reason: strings.TrimSpace(v.r.PostForm.Get("reason")), Actor: v.Actor}
	if in.Purpose == everything {
		in.Purpose, in.All = "", true
	}
	if in.Purpose == "" && !in.All {
		return fault.New(fault.Invalid, "the form names nothing to take back; nothing was changed").Then("Go back and choose what they take back.")
	}
	if _, err := v.Consents.Withdraw(v.r.Context(), in); err != nil {
		return err
	}
	return v.seeOther("/people/" + s.id)
}

func (v *visit) limitForm(c *chosenBy) g.Node {
	choices := [][2]string{{"", "Choose"}}
	for _, f := range factChoices() {
		choices = append(choices, [2]string{string(f.kind) + "/" + f.of, view.Upper(f.word)})
	}
	return view.Form("/people/"+c.id+"/limit", v.token,
		view.Field{ID: "limit", Name: "ground", Label: "What do they say?", Required: true}.Select("", choices...),
		h.FieldSet(h.Class("field mt"), h.Legend(g.Text("Against which purposes?")), h.P(h.Class("hint"), g.Text("Tick none, and it stops all that it is about.")),
			g.Map(c.holds, func(p answered) g.Node {
				return h.Label(h.Class("opt"), h.Input(h.Type("checkbox"), h.Name("purpose"), h.Value(p.rule.ID)), h.Span(g.Text(purposeName(&p.rule.Purpose))))
			})),
		view.Field{ID: "limit-until", Name: "until", Label: "Until", Hint: "A day, or empty: until it is lifted."}.Input(h.Type("date")),
		view.Field{ID: "limit-because", Name: "because", Label: "In their words", Hint: "Kept sealed."}.Text(""),
		view.Actions(view.Button("", "Limit the use of their data")))
}

// limit records a restriction or an objection.
func (v *visit) limit() error {
	s, err := v.someone()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	kind, of, _ := strings.Cut(form.Get("ground"), "/")
	if !slices.ContainsFunc(factChoices(), func(f factChoice) bool { return string(f.kind) == kind && f.of == of }) {
		return fault.New(fault.Invalid, "the form does not say what they object to; nothing was changed").Then("Go back and choose what they say.")
	}
	in := subject.FactInput{Kind: subject.FactKind(kind), Type: of, Purposes: form["purpose"], Because: strings.TrimSpace(form.Get("because")), Actor: v.Actor}
	if day := form.Get("until"); day != "" {
		if in.Until, err = time.ParseInLocation(time.DateOnly, day, v.time.In); err != nil {
			return fault.New(fault.Invalid, "the day it ends is no date; nothing was changed").Then("Write it as 2026-12-31.")
		}
	}
	if _, _, err := v.Consents.AddFact(v.r.Context(), s.ids, in); err != nil {
		return err
	}
	return v.seeOther("/people/" + s.id)
}

// factKind is the kind of what an entry tells of.
func factKind(entry string) subject.FactKind {
	kind, _, _ := strings.Cut(entry, ".")
	return subject.FactKind(kind)
}
