package console

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// isoDate is a date as the product's own texts write it.
var isoDate = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)

// plainDates writes the dates in a text as people do.
func (v *visit) plainDates(s string) string {
	return isoDate.ReplaceAllStringFunc(s, func(iso string) string {
		t, err := time.ParseInLocation(time.DateOnly, iso, v.time.In)
		if err != nil {
			return iso
		}
		return v.time.Short(t)
	})
}

// address of a request's page: its reference, never anything of the person.
func address(r *request.Request) string { return "/requests/" + r.Ref }

func kindWord(k plan.Kind) string {
	switch k {
	case plan.Access:
		return "Access"
	case plan.Erasure:
		return "Erasure"
	}
	return view.Upper(string(k))
}

// unknown is what a hint at a person is once nobody knows any more.
const unknown = "····"

// name calls a request by what it is and whom it is about, as far as may be shown.
func name(r *request.Request) string {
	switch {
	case r.People > 1:
		return fmt.Sprintf("%s for %s", kindWord(r.Kind), view.Count(int64(r.People), "person", "people"))
	case r.Masked == unknown || r.Masked == "":
		return kindWord(r.Kind) + " " + r.Ref
	}
	return kindWord(r.Kind) + " for " + r.Masked
}

// title is name with the hidden part set apart.
func title(r *request.Request) g.Node { return view.Masked(name(r)) }

// state of a request as a badge.
func state(r *request.Request) g.Node {
	switch r.State {
	case request.Awaiting:
		switch {
		case r.Plan != nil && len(r.Plan.Blocking) > 0:
			return view.Badge(view.You, "questions to answer")
		case r.Kind == plan.Access:
			return view.Badge(view.You, "ready to run")
		case len(r.Approvals) > 0:
			return view.Badge(view.Wait, "second approval")
		}
		return view.Badge(view.You, "plan to approve")
	case request.Running:
		return view.Badge(view.Wait, "running")
	case request.Complete:
		if r.Who == you {
			return view.Badge(view.You, "text to review")
		}
		return view.Badge(view.OK, "complete")
	case request.Incomplete:
		return view.Badge(view.Soon, "incomplete")
	case request.Failed:
		return view.Badge(view.Late, "failed")
	case request.Refused:
		return view.Badge(view.Idle, "refused")
	}
	return view.Badge(view.Idle, strings.ReplaceAll(string(r.State), "_", " "))
}

// doWord is what the button that leads to a request says.
func doWord(r *request.Request) string {
	switch {
	case r.State == request.Awaiting && r.Plan != nil && len(r.Plan.Blocking) > 0:
		return "Answer"
	case r.State == request.Awaiting && r.Kind == plan.Access:
		return "Run"
	case r.State == request.Awaiting:
		return "Review plan"
	case r.State == request.Complete:
		return "Review text"
	case r.State == request.Failed:
		return "See why"
	}
	return "See what remains"
}

// signOf a method: what it does to a row, and the class of its share in a bar.
func signOf(kind plan.Kind, m catalog.Method) (view.Sign, string) {
	switch {
	case m == plan.NameOnly:
		return view.Keep, "name only"
	case kind == plan.Access:
		return view.Keep, "copy"
	}
	switch m {
	case catalog.Delete, catalog.Shred:
		return view.Delete, string(m)
	case catalog.Keep:
		return view.Keep, string(m)
	case catalog.Anonymise, catalog.Nullify, catalog.Redact, catalog.Pseudonymise:
		return view.Alter, string(m)
	}
	return view.Gap, string(m)
}

// gapWord says of a gap what kind it is, beside its place.
func gapWord(code string) string {
	switch code {
	case "unreachable", "unreadable", "right-missing", "row-security", "partial-catalog":
		return "not reached"
	case "proposed", "question", "review":
		return "unanswered"
	case "unmapped", "history", "opaque":
		return "not known"
	}
	return "left"
}

// unreachable counts the systems that did not answer.
func unreachable(gaps []plan.Remaining) int {
	var systems []string
	for _, r := range gaps {
		if r.Code == "unreachable" && !slices.Contains(systems, r.System) {
			systems = append(systems, r.System)
		}
	}
	return len(systems)
}

// left is everything an outcome names as not proven, residues first.
func left(r *request.Request) []plan.Remaining {
	if r.Outcome == nil {
		return nil
	}
	return slices.Concat(r.Outcome.Remaining, r.Outcome.Gaps)
}

// who reads "you" and "Ombud" at the beginning of a line.
func who(name string) string { return view.Upper(name) }
