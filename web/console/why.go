package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/web/console/view"
)

// whyAsked are the addresses that a justification may be asked for, and the thing that it is about.
var whyAsked = regexp.MustCompile(`^(/(?:people|requests)/[A-Za-z0-9_-]{1,64})(?:/[A-Za-z0-9_/-]{1,128})?$`)

// about is the one thing that a justification holds for: a person, or a request; "" for any other address.
func about(path string) string {
	if m := whyAsked.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	return ""
}

// knowWhy lets the call carry the justification that was written for what it is about.
func (v *visit) knowWhy() {
	call := v.caller.Call()
	if call.Justification != "" {
		return
	}
	if call.Justification = v.Accounts.WhyOf(v.caller, about(v.r.URL.Path)); call.Justification == "" {
		return
	}
	v.caller = v.caller.Calling(call)
	v.r = v.r.WithContext(ledger.Because(access.With(v.r.Context(), v.caller), call.Justification))
}

// judged asks the policies, and leads to where a page that wants a justification gets it.
func (v *visit) judged(need access.Permission) (turned bool, err error) {
	what := v.of.Asked(access.With(v.r.Context(), v.caller), v.r.PathValue(v.of.Wildcard), need, v.About)
	err = access.AllowedOn(v.caller, need, what)
	if err == nil || v.r.Method != http.MethodGet || about(v.r.URL.Path) == "" || access.Wants(v.caller, need, what) != access.WantsWhy {
		return false, err
	}
	return true, v.seeOther(whyAddress(v.r.URL.Path))
}

// withWhy asks the policies again about a form that brings its own justification, where that alone was missing.
func (v *visit) withWhy(need access.Permission, denied error) error {
	if need == begun || need == anybody || v.stage() != access.SignedIn {
		return denied
	}
	what := v.of.Asked(access.With(v.r.Context(), v.caller), v.r.PathValue(v.of.Wildcard), need, v.About)
	if access.Wants(v.caller, need, what) != access.WantsWhy || v.checkForm() != nil {
		return denied
	}
	call := v.caller.Call()
	if call.Justification = access.Justification(v.r.PostForm.Get("because")); call.Justification == "" {
		return denied
	}
	v.caller = v.caller.Calling(call)
	v.r = v.r.WithContext(ledger.Because(access.With(v.r.Context(), v.caller), call.Justification))
	return access.AllowedOn(v.caller, need, what)
}

func whyAddress(path string) string { return "/why?about=" + url.QueryEscape(path) }

// why asks for a justification.
func (v *visit) why() error { return v.whyPage(http.StatusOK, v.r.URL.Query().Get("about"), "", nil) }

func (v *visit) whyPage(status int, to, because string, faults []view.Fault) error {
	if about(to) == "" {
		return fault.New(fault.NotFound, "nothing here asks for a justification")
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	return v.show(status, v.shell("", "Say why", d, nil,
		view.Head("Say why you look at this.", "It holds for 15 minutes and for this alone. It is sealed into the log, beside what you looked at; auditors read it.", nil), view.Faults(faults...),
		h.Div(h.Class("sec first"), view.Form("/why", v.token, view.Hidden("about", to),
			view.Field{ID: "because", Name: "because", Label: "Why", Required: true, Hint: "What you are asked to do, and by whom. No names, no addresses."}.Text(because),
			view.Actions(view.Button("main-act", "Go on"))))))
}

func (v *visit) giveWhy() error {
	to, because := v.r.PostForm.Get("about"), strings.TrimSpace(v.r.PostForm.Get("because"))
	if about(to) == "" {
		return fault.New(fault.NotFound, "nothing here asks for a justification")
	}
	if err := v.Accounts.Justify(v.r.Context(), v.caller, about(to), because); err != nil {
		return mend(err, "because", func(status int, faults []view.Fault) error { return v.whyPage(status, to, because, faults) })
	}
	return v.seeOther(to)
}

// revealing offers to see what is masked: at once to whoever has said why.
func (v *visit) revealing(s *someone) g.Node {
	at := "/people/" + s.id
	switch {
	case len(s.ids) == 0:
		return nil
	case v.may(access.ValueReveal):
		return view.Form(at+"/reveal", v.token, view.Actions(view.Button("sm", "Show the values")))
	case access.Wants(v.caller, access.ValueReveal, access.ValueReveal.On("")) == access.WantsWhy && v.caller.Session != "":
		return view.Actions(view.Link("sm", whyAddress(at), "Say why, to see the values"))
	}
	return nil
}

// reveal shows the identities of a person as they are, this once.
func (v *visit) reveal() error {
	s, err := v.someone()
	if err != nil {
		return err
	}
	var kinds []string
	facts := []view.Fact{}
	for _, i := range s.ids {
		kinds = append(kinds, i.Kind)
		facts = append(facts, view.Fact{Name: kindName(i.Kind), Is: h.Code(g.Text(i.Value))})
	}
	if err := v.Ledger.Looked(v.r.Context(), v.Actor, s.id, "revealed: "+strings.Join(kinds, ", "), kinds...); err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, v.shell(roomPeople, "Revealed", d, []view.Crumb{{Name: "People", Href: roomPeople}, {Name: "One person", Href: "/people/" + s.id}, {Name: "Revealed"}},
		view.Head("This is who they are.", "You see it once. That you did, and why, is in the log.", nil),
		h.Div(h.Class("sec first"), view.Facts(facts...)), view.Actions(view.Link("", "/people/"+s.id, "Back, masked"))))
}
