package console

import (
	"net/http"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/web/console/view"
)

const roomPseudonyms = "/pseudonyms"

func (v *visit) peopleTabs(here string) g.Node {
	return v.tabs("People", here, view.Room{Href: roomPeople, Name: "Find a person"}, view.Room{Href: roomPseudonyms, Name: "Pseudonyms"})
}

// pseudonyms is who wanted to know whom a pseudonym stands for, and where that is asked.
func (v *visit) pseudonyms() error { return v.pseudonymsPage(http.StatusOK, nil) }

func (v *visit) pseudonymsPage(status int, faults []view.Fault) error {
	all, err := v.Pseudonyms.Resolutions(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	waiting := 0
	for _, r := range all {
		if r.Approved == nil && r.Shown == nil {
			waiting++
		}
	}
	return v.inRoom(status, roomPeople, "Pseudonyms", view.Head(view.Spelled(int64(waiting), "question waits", "questions wait")+" for a second person.",
		"Who a pseudonym stands for is shown once, to who asked, when another person has approved it. Each step is in the audit log, with its reason.", nil),
		v.peopleTabs(roomPseudonyms), view.Faults(faults...),
		view.Section{ID: "list", Title: "Asked", First: true}.With(v.resolutionTable(all)),
		view.Section{ID: "ask", Title: "Ask who one is"}.With(v.askForm()))
}

func (v *visit) resolutionTable(all []subject.Resolution) g.Node {
	if len(all) == 0 {
		return view.Empty("Nobody has asked who a pseudonym is.", "A pseudonym stands for a person in one place, such as analytics. Whoever must know the person asks here, and says why.")
	}
	var rows []g.Node
	for _, r := range all {
		rows = append(rows, view.Row(h.Span(h.Class("path"), g.Text(r.Pseudonym)), view.Cell("Asked", g.Text(v.time.Moment(r.Asked)), why("by "+v.me(r.AskedBy))),
			view.Text("Why", r.Because), view.Cell("Standing", v.resolutionBadge(r)), view.Act(v.resolutionAct(r))))
	}
	return view.Table("stack", "Questions about pseudonyms", []view.Column{{Name: "Pseudonym"}, {Name: "Asked"}, {Name: "Why"}, {Name: "Standing"}, {Name: "Act", Hidden: true}}, view.Rows(rows...))
}

func (v *visit) resolutionBadge(r subject.Resolution) g.Node {
	switch {
	case r.Shown != nil:
		return g.Group{view.Badge(view.Idle, "shown"), why(v.time.Moment(*r.Shown))}
	case r.Approved != nil:
		return g.Group{view.Badge(view.OK, "approved"), why("by " + v.me(r.ApprovedBy))}
	case r.AskedBy == v.caller.Actor:
		return view.Badge(view.Wait, "second person")
	}
	return view.Badge(view.You, "to approve")
}

// resolutionAct is what the visitor can do: who asked looks, and another approves.
func (v *visit) resolutionAct(r subject.Resolution) g.Node {
	at := roomPseudonyms + "/" + r.ID
	alone := v.caller.Role == access.Local
	switch mine := r.AskedBy == v.caller.Actor; {
	case r.Shown != nil:
		return nil
	case mine && (r.Approved != nil || alone):
		return view.Form(at+"/reveal", v.token, view.Hidden("because", r.Because), view.Button("sm", "Show who it is", h.Aria("label", "Show who "+r.Pseudonym+" is")))
	case mine || r.Approved != nil:
		return nil
	}
	return view.Fold("Approve", view.Form(at+"/approve", v.token,
		view.Field{ID: "because-" + r.ID, Name: "because", Label: "Why you approve", Required: true}.Input(h.Type("text"), h.AutoComplete("off"), h.MinLength("8"), h.MaxLength("1000")),
		view.Button("sm", "Approve", h.Aria("label", "Approve that "+r.Pseudonym+" is shown to who asked"))))
}

func (v *visit) askForm() g.Node {
	return view.Form(roomPseudonyms, v.token,
		view.Field{ID: "pseudonym", Name: "pseudonym", Label: "Pseudonym", Required: true, Hint: "It begins with psn_."}.
			Input(h.Type("text"), h.AutoComplete("off"), g.Attr("spellcheck", "false"), g.Attr("autocapitalize", "none"), h.MaxLength("64")),
		view.Field{ID: "because", Name: "because", Label: "Why", Required: true, Hint: "What you are asked to do, and by whom. No names, no addresses. Auditors read it."}.
			Input(h.Type("text"), h.AutoComplete("off"), h.MinLength("8"), h.MaxLength("1000")),
		view.Actions(view.Button("main-act", "Ask")))
}

func (v *visit) askPseudonym() error {
	form := v.r.PostForm
	if _, err := v.Pseudonyms.Ask(v.r.Context(), v.caller, strings.TrimSpace(form.Get("pseudonym")), form.Get("because")); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return v.pseudonymsPage(http.StatusNotFound, faultsOf(err, "pseudonym"))
		}
		return mend(err, "pseudonym", v.pseudonymsPage)
	}
	return v.seeOther(roomPseudonyms)
}

func (v *visit) approvePseudonym() error {
	if _, err := v.Pseudonyms.Approve(v.r.Context(), v.caller, v.r.PathValue("id")); err != nil {
		return err
	}
	return v.seeOther(roomPseudonyms)
}

// showPseudonym shows who one is, this once.
func (v *visit) showPseudonym() error {
	ids, err := v.Pseudonyms.Reveal(v.r.Context(), v.caller, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	facts := []view.Fact{}
	for _, i := range ids {
		facts = append(facts, view.Fact{Name: kindName(i.Kind), Is: h.Code(g.Text(i.Value))})
	}
	return v.inRoom(http.StatusOK, roomPeople, "Revealed", view.Head("This is who the pseudonym stands for.", "You see it once. That you did, and why, is in the log.", nil), v.peopleTabs(""),
		h.Div(h.Class("sec first"), view.Facts(facts...)), view.Actions(view.Link("", roomPseudonyms, "Back to the pseudonyms")))
}
