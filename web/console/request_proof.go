package console

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/web/console/view"
)

// proofSection is what a run did and what looking again found: what remains first.
func (v *visit) proofSection(d *dossier) g.Node {
	note := "read again by code that shares nothing with the code that acts"
	if d.Kind == plan.Access {
		note = "what was found, and what could not be read"
	}
	return view.Section{ID: "proof", Title: "Proof", First: true, Note: g.Text(note)}.With(
		proofTable(d), proofDetails(d), v.receiptFacts(d))
}

func proofTable(d *dossier) g.Node {
	var rows []g.Node
	for _, r := range left(d.Request) {
		rows = append(rows, remainingRow(r))
	}
	for _, s := range sums(d) {
		rows = append(rows, s.row(d.Kind))
	}
	if len(rows) == 0 {
		return h.P(view.Badge(view.OK, "none left"), g.Text(" Every system was searched; there was nothing to do."))
	}
	columns := []view.Column{{Name: "Where"}, {Name: "Planned", Right: true}, {Name: "Done", Right: true}, {Name: "Proven", Right: true}, {Name: "Result"}, {Name: "Who acts, when"}}
	return view.Table("stack dense", "Proof by system", columns, view.Rows(rows...))
}

func remainingRow(r plan.Remaining) g.Node {
	rows := rowsOf(r)
	return view.Row(g.Text(strings.Trim(r.System+"."+r.Dataset, ".")),
		view.Figure("Rows", rows), view.Figure("Done", "0"), view.Figure("Proven", "?"),
		view.Act(view.Badge(view.Late, gapWord(r.Code))),
		view.Cell("Next", h.Span(g.Text(view.Upper(r.Why)+". "), h.B(g.Text(who(r.Who))), g.Text(": "+r.Next))))
}

// sum of what was done in one system, kept rows apart.
type sum struct {
	system                 string
	kept                   bool
	open                   bool // something of the system remains
	planned, acted, proven int64
}

func sums(d *dossier) []sum {
	var out []sum
	find := func(system string, kept bool) *sum {
		for i := range out {
			if out[i].system == system && out[i].kept == kept {
				return &out[i]
			}
		}
		out = append(out, sum{system: system, kept: kept})
		return &out[len(out)-1]
	}
	open := map[string]bool{}
	for _, r := range left(d.Request) {
		open[r.System] = true
	}
	for _, x := range d.Outcome.Done {
		if x.Method == plan.NameOnly {
			continue
		}
		s := find(x.System, x.Method == catalog.Keep && d.Kind == plan.Erasure)
		s.open = open[x.System]
		s.planned += x.Planned
		s.acted += x.Acted
		s.proven += x.Verified
	}
	return out
}

func (s sum) row(kind plan.Kind) g.Node {
	name, badge := s.system, view.Badge(view.OK, "none left")
	switch {
	case s.kept:
		name, badge = s.system+", kept", view.Badge(view.Keep, "stays")
	case s.open:
		badge = view.Badge(view.Soon, "not all proven")
	case kind == plan.Access:
		badge = view.Badge(view.OK, "all read")
	case s.proven < s.planned:
		badge = view.Badge(view.Soon, "not all proven")
	}
	return view.Row(g.Text(name), view.Figure("Planned", view.Number(s.planned)), view.Figure("Done", view.Number(s.acted)),
		view.Figure("Proven", view.Number(s.proven)), view.Act(badge), view.Act())
}

// proofDetails are each dataset, and how each system was looked into again.
func proofDetails(d *dossier) g.Node {
	var rows []g.Node
	for _, x := range d.Outcome.Done {
		sign, word := signOf(d.Kind, x.Method)
		rows = append(rows, view.Row(g.Text(x.System+"."+x.Dataset), view.Act(view.Verb(sign, word)),
			view.Figure("Planned", view.Number(x.Planned)), view.Figure("Found", view.Number(x.Found)), view.Figure("Done", view.Number(x.Acted)), view.Figure("Proven", view.Number(x.Verified))))
	}
	var notes []g.Node
	for _, p := range d.Outcome.Proof {
		notes = append(notes, lookedAgain(p))
	}
	for _, c := range coverages(d.Outcome.Proof) {
		notes = append(notes, h.P(h.Class("small quiet mt"), g.Text("Swept: "+c+".")))
	}
	if len(rows)+len(notes) == 0 {
		return nil
	}
	columns := []view.Column{{Name: "Dataset"}, {Name: "Method"}, {Name: "Planned", Right: true}, {Name: "Found", Right: true}, {Name: "Done", Right: true}, {Name: "Proven", Right: true}}
	return h.Div(h.Class("mt"), view.Fold("Each dataset, and how it was looked at again",
		g.If(len(rows) > 0, view.Table("stack dense", "Proof by dataset", columns, view.Rows(rows...))), h.Div(append([]g.Node{h.Class("mt")}, notes...)...)))
}

// coverages are what was swept, each said once.
func coverages(proof []plan.Proof) (out []string) {
	for _, p := range proof {
		if p.Coverage != "" && !slices.Contains(out, p.Coverage) {
			out = append(out, p.Coverage)
		}
	}
	return out
}

func lookedAgain(p plan.Proof) g.Node {
	at := p.At
	if t, err := time.Parse(time.RFC3339, p.At); err == nil {
		at = t.UTC().Format("2 Jan 2006, 15:04:05 MST")
	}
	text := fmt.Sprintf("Looked again on %s: %s read, %s still leading to the person, %s of text swept.", at, view.Count(p.Keys, "planned row"), view.Count(p.Closure, "row"), view.Size(p.Swept))
	sign := view.OK
	if p.Closure > 0 {
		sign = view.Late
	}
	return g.Group{view.Note(sign, p.System+" ("+p.Engine+").", text, ""),
		g.If(len(p.Means) > 0, h.Ul(h.Class("list small quiet"), g.Map(p.Means, func(m string) g.Node { return h.Li(g.Text(view.Upper(m))) })))}
}

func (v *visit) receiptFacts(d *dossier) g.Node {
	if d.Receipt == nil {
		return nil
	}
	var opening g.Node
	if d.Receipt.Opening != "" {
		opening = h.A(h.Href(address(d.Request)+"/opening"), h.Download(""), g.Text("Download what opens it"))
		opening = g.Group{opening, g.Text(", for the person alone: it lets them show that the receipt is theirs")}
	}
	verify := "ombud verify receipt " + filepath.Base(d.Receipt.File)
	if d.Kind == plan.Erasure {
		verify = "ombud verify erasure " + d.Ref
	}
	return h.Div(h.Class("mt"), view.Facts(
		view.Fact{Name: "Receipt", Is: g.Group{view.Hash(d.Receipt.SHA256), g.Text(" "), h.A(h.Href(address(d.Request)+"/receipt"), h.Download(""), g.Text("Download the receipt"))}},
		view.Fact{Name: "Opening", Is: opening},
		view.Fact{Name: "In the audit log", Is: h.A(h.Href("#story"), g.Text(entriesWord(d.Entries)))},
		view.Fact{Name: "Check it yourself", Is: h.Code(g.Text(verify))}))
}

func entriesWord(ids []int64) string {
	switch len(ids) {
	case 0:
		return "no entry"
	case 1:
		return "entry " + view.Number(ids[0])
	}
	return fmt.Sprintf("%s, %s to %s", view.Count(int64(len(ids)), "entry", "entries"), view.Number(ids[0]), view.Number(ids[len(ids)-1]))
}

// keptSection says what stays, why and until when.
func keptSection(d *dossier) g.Node {
	if len(d.Outcome.Kept) == 0 || d.Kind != plan.Erasure {
		return nil
	}
	var rows []g.Node
	for _, k := range d.Outcome.Kept {
		place := k.System + "." + k.Dataset
		if len(k.Fields) > 0 {
			place += " (" + strings.Join(k.Fields, ", ") + ")"
		}
		rows = append(rows, view.Row(g.Text(place), view.Figure("Rows", view.Number(k.Rows)),
			view.Text("Because", view.Upper(k.Because)), view.Text("Until", later(date(k.Until), "no end named"))))
	}
	return view.Section{ID: "kept", Title: "What stays, and why", Note: g.Text("the person is told this too")}.With(
		view.Table("stack", "What stays", []view.Column{{Name: "Dataset"}, {Name: "Rows", Right: true}, {Name: "Because"}, {Name: "Until"}}, view.Rows(rows...)))
}

// packageSection is an access's answer: the file, and what is held back from it.
func (v *visit) packageSection(d *dossier) g.Node {
	if d.Package == nil {
		return nil
	}
	p := d.Package
	parts := []g.Node{
		view.Facts(
			view.Fact{Name: "File", Is: g.Group{h.Code(g.Text(d.Ref + ".zip")), g.Text(" " + view.Size(p.Size) + ", " + view.Count(p.Rows, "row") + " in " + view.Count(int64(p.Files), "file"))}},
			view.Fact{Name: "SHA-256", Is: view.Hash(p.SHA256)},
			view.Fact{Name: "Hand over", Is: g.Text("to the person only, by a way you know to be theirs; it opens with a page they can read")}),
		packageLink(d),
	}
	if len(d.Outcome.Held) > 0 && !p.Reviewed {
		parts = append(parts, v.held(d))
	}
	return view.Section{ID: "package", Title: "The package", Note: g.Text("a ZIP with a page to read, JSON, CSV and a signed list")}.With(parts...)
}

// packageLink leads to the file, where it lies with us.
func packageLink(d *dossier) g.Node {
	if !d.packed {
		return h.P(g.Text("The file is not here: whoever ran the request named another place for it, or it was moved."))
	}
	class := "main-act"
	if d.Who == you {
		class = ""
	}
	return view.Actions(h.A(h.Class("btn "+class), h.Href(address(d.Request)+"/package"), h.Download(""), g.Text("Download "+d.Ref+".zip")))
}

func (v *visit) held(d *dossier) g.Node {
	var notes []g.Node
	for _, x := range d.Outcome.Held {
		notes = append(notes, view.Note(view.Soon, fmt.Sprintf("%s.%s.%s: %s held back.", x.System, x.Dataset, x.Field, view.Count(x.Rows, "text")), view.Upper(x.Why)+".", ""))
	}
	if d.State == request.Complete && d.Who == you {
		notes = append(notes, view.Form(address(d.Request)+"/release", v.token,
			h.P(h.Class("mt"), g.Text("Read these texts where they lie. If nothing in them wrongs somebody else, ship them; that is recorded as yours.")),
			view.Actions(view.Button("main-act", "Ship the package with these texts"))))
	}
	return h.Div(append([]g.Node{h.Class("mt")}, notes...)...)
}
