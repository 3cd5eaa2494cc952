package console

import (
	"net/http"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// banners stand above every page: what waits for a reviewer, and that the glass is broken.
func (v *visit) banners(room string) []g.Node {
	var out []g.Node
	if v.caller.Session != "" && v.caller.Elevated {
		until, _ := v.Accounts.ElevatedUntil(v.caller)
		out = append(out, view.Note(view.Late, "You broke the glass.", "It ends "+v.time.Moment(until)+". What you look at is written down, and another person reviews it.", ""))
	}
	if n := v.Accounts.OpenAlarms(); n > 0 && room != roomAlarms && v.may(access.AlarmReview) {
		out = append(out, view.Note(view.Late, view.Upper(view.Count(int64(n), "alarm waits", "alarms wait"))+" for a review.", "Another person has to look at what happened; it stands under Alarms.", ""))
	}
	return out
}

// alarmWords say what an alarm is about.
var alarmWords = map[access.AlarmKind]string{
	access.AlarmElevation: "broke the glass", access.AlarmAccount: "has a new account", access.AlarmRole: "has other roles", access.AlarmLink: "was given a new setup link",
	access.AlarmReset: "was reset, and given a setup link", access.AlarmFactor: "set up a second factor through a setup link",
	access.AlarmDownloads: "takes more packages and exports away than one person may",
	access.AlarmWitness:   "A witness does not cosign what the log holds",
}

// alarms lists what another person must look at, open ones first.
func (v *visit) alarms() error { return v.alarmsPage(http.StatusOK, nil) }

func (v *visit) alarmsPage(status int, faults []view.Fault) error {
	all, err := v.Accounts.Alarms(v.r.Context(), v.caller, true)
	if err != nil {
		return err
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	var open, done []g.Node
	for _, one := range all {
		if one.Reviewed == nil {
			open = append(open, v.openAlarm(one))
		} else {
			done = append(done, view.Row(g.Text(v.time.Moment(one.Began)), view.Text("What", v.alarmSentence(one)), view.Text("Reviewed", v.time.Moment(*one.Reviewed)+" by "+v.me(one.Reviewer)), view.Text("Found", found(one))))
		}
	}
	body := g.Node(h.Div(h.Class("stackv"), g.Group(open)))
	if len(open) == 0 {
		body = view.Empty("Nothing waits for a review.", "When somebody breaks the glass, or an account, a role, a setup link or a factor could make somebody another, it stands here until another person says what they found.")
	}
	return v.show(status, v.shell(roomAlarms, "Alarms", d, nil,
		view.Head(view.Spelled(int64(len(open)), "alarm waits", "alarms wait")+" for a review.", "Nobody reviews what they did themself, or what is about them.", nil), view.Faults(faults...),
		view.Section{ID: "open", Title: "Open", First: true}.With(body),
		g.If(len(done) > 0, view.Section{ID: "done", Title: "Reviewed"}.With(view.Table("stack", "Reviewed alarms", []view.Column{{Name: "When"}, {Name: "What"}, {Name: "Reviewed"}, {Name: "Found"}}, view.Rows(done...))))))
}

func found(one access.Alarm) string {
	if one.Words == nil {
		return ""
	}
	return one.Words.Found
}

func (v *visit) alarmSentence(one access.Alarm) string {
	if one.Kind == access.AlarmDownloads {
		return v.me(one.Actor) + " " + alarmWords[one.Kind] + "."
	}
	if one.Account == "" {
		return alarmWords[one.Kind] + "."
	}
	out := v.me("account:"+one.Account) + " " + alarmWords[one.Kind]
	if one.Actor != "account:"+one.Account {
		out += ", by " + v.me(one.Actor)
	}
	return out + "."
}

// said is why an alarm was raised, in the words of whoever raised it.
func said(one access.Alarm) string {
	if one.Account == "" {
		return view.Upper(one.Words.Why) + "."
	}
	return "They said: “" + one.Words.Why + "”"
}

func (v *visit) openAlarm(one access.Alarm) g.Node {
	goes := one.Kind == access.AlarmElevation && one.Ended == nil
	until := ""
	if goes && one.Until != nil {
		until = "It goes on until " + v.time.Moment(*one.Until) + "."
	}
	out := []g.Node{h.Class("panel"), h.Aria("labelledby", one.ID), h.H3(h.ID(one.ID), g.Text(v.alarmSentence(one))),
		h.P(h.Class("hint"), g.Text(v.time.Moment(one.Began)+". "+until))}
	if one.Words != nil && one.Words.Why != "" {
		out = append(out, h.P(h.Class("mt"), g.Text(said(one))))
	}
	mine := one.Actor == v.caller.Actor || "account:"+one.Account == v.caller.Actor
	if v.may(access.AlarmReview) && !mine {
		at := "/alarms/" + one.ID
		if goes {
			out = append(out, view.Form(at+"/end", v.token, view.Actions(view.Button("sm", "End it now"))))
		} else {
			out = append(out, view.Form(at+"/review", v.token, view.Field{ID: "found-" + one.ID, Name: "found", Label: "What you found", Required: true}.Text(""), view.Actions(view.Button("sm", "Close it with this"))))
		}
	}
	return h.Section(out...)
}

func (v *visit) reviewAlarm() error {
	_, err := v.Accounts.Review(v.r.Context(), v.r.PathValue("id"), v.r.PostForm.Get("found"), v.caller)
	if fault.KindOf(err) == fault.Invalid {
		faults := faultsOf(err, "")
		for i := range faults {
			faults[i].Field = "found-" + v.r.PathValue("id")
		}
		return v.alarmsPage(fault.HTTPStatus(err), faults)
	}
	if err != nil {
		return err
	}
	return v.seeOther(roomAlarms)
}

func (v *visit) endElevation() error {
	if err := v.Accounts.StopElevation(v.r.Context(), v.r.PathValue("id"), v.caller); err != nil {
		return err
	}
	return v.seeOther(roomAlarms)
}

// glass offers to break it, to whoever may.
func (v *visit) glass() g.Node {
	section := view.Section{ID: "glass", Title: "Emergency"}
	switch {
	case !v.may(access.ElevationTake):
		return nil
	case v.caller.Elevated:
		return section.With(h.P(g.Text("You broke the glass.")), view.Form("/account/elevate/end", v.token, view.Actions(view.Button("", "End it now"))))
	}
	return section.With(view.Fold("Break the glass", view.Form("/account/elevate", v.token,
		h.P(h.Class("hint"), g.Text("For half an hour you may do what an emergency asks for. An alarm is raised at once, all you look at is written down, and another person reviews it.")),
		view.Field{ID: "because", Name: "because", Label: "What the emergency is", Required: true}.Text(""),
		view.Actions(view.Button("", "Break the glass")))))
}

func (v *visit) elevate() error {
	if _, err := v.Accounts.Elevate(v.r.Context(), v.caller, v.r.PostForm.Get("because"), 30*time.Minute); err != nil {
		return mend(err, "because", v.accountPage)
	}
	return v.seeOther("/account#glass")
}

func (v *visit) endOwnElevation() error {
	err := v.Accounts.EndOwnElevation(v.r.Context(), v.caller)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return v.seeOther("/account#glass")
}
