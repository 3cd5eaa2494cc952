package console

import (
	"errors"
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/web/console/view"
)

// nothing answers for an address that is none of ours.
func (v *visit) nothing() error {
	return fault.New(fault.NotFound, "nothing is here").Then("The rooms are on the left. An address of a request is /requests/ and its reference, like R-2026-0001.")
}

// foreign answers a form that another site sent.
func (v *visit) foreign() error {
	return fault.New(fault.Denied, "another site sent this; nothing was changed").Then("If it was you, open Ombud itself and do it there.")
}

// Refused answers a browser that is not let in, before any page knows who that is: a sentence, what to do, and nothing of the company.
func Refused(w http.ResponseWriter, status int, sentence, next string) error {
	Secure(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	f := fault.New(fault.Denied, "%s", sentence).Then("%s", next)
	return view.Shell{Title: http.StatusText(status), Asset: embedded().address, Alone: true, Body: faultPage(f, status)}.Render(w)
}

// fail shows a fault as a page: what happened, what was changed, what to do. What is no fault stays on our side.
func (v *visit) fail(err error) {
	status := fault.HTTPStatus(err)
	if after := fault.RetryAfter(err); after != "" {
		v.w.Header().Set("Retry-After", after)
	}
	f := &fault.Error{Message: "something went wrong on our side", Next: "The log says more. Nothing that was answered before is lost; load the page again."}
	if !errors.As(err, &f) || fault.KindOf(err) == fault.Internal {
		v.Failed(err)
	}
	page := view.Shell{Title: http.StatusText(status), Asset: v.assets.address, Alone: true, Body: append(faultPage(f, status), view.Actions(view.Link("", "/sign-in", "Sign in")))}
	if v.stage() == access.SignedIn {
		page = v.shell("", http.StatusText(status), nil, nil, append(faultPage(f, status), view.Actions(view.Link("", "/", "Home")))...)
	}
	if err := v.show(status, page); err != nil {
		v.Failed(err)
	}
}

func faultPage(f *fault.Error, status int) []g.Node {
	out := []g.Node{view.Head(view.Upper(f.Message)+".", f.Next, nil)}
	if len(f.Details) > 0 {
		out = append(out, h.Ul(h.Class("stackv"), g.Map(f.Details, func(d fault.Detail) g.Node {
			return h.Li(view.Note(view.Gap, d.Where, d.Message, ""))
		})))
	}
	return append(out, h.P(h.Class("quiet small mt"), g.Textf("%d %s", status, http.StatusText(status))))
}
