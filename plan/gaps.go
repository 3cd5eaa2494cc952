package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// fillGaps names everything that keeps the result from being complete: what could not be asked,
// what nobody has said is personal or not, what was only guessed, what we may not do.
func (w *walk) fillGaps(p *Plan, groups []*group) {
	add := func(r Remaining) {
		if r.Who == "" {
			r.Who = owner(w.g, r.System)
		}
		p.Gaps = append(p.Gaps, r)
	}
	for _, s := range w.g.Systems {
		w.systemGaps(s, add)
		for _, g := range guesses(s.Config) {
			add(g)
			p.Blocking = append(p.Blocking, fmt.Sprintf("%s.%s: %s; %s", g.System, g.Dataset, g.Why, g.Next))
		}
		for _, g := range w.absent(s) {
			add(g)
			p.Blocking = append(p.Blocking, fmt.Sprintf("%s.%s: %s; %s", g.System, g.Dataset, g.Why, g.Next))
		}
	}
	for _, q := range w.g.Questions {
		add(Remaining{System: q.System, Dataset: q.Dataset, Rows: -1, Code: "question", Why: q.Text, Guess: q.ID,
			Who: "whoever knows the schema", Next: "write a link with as: in ombud.yaml, then plan again"})
	}
	for _, d := range w.g.Datasets {
		datasetGaps(d, add)
	}
	for _, g := range w.gaps {
		add(g)
	}
	if p.Kind == Erasure {
		w.rightGaps(groups, add)
		p.Blocking = append(p.Blocking, w.review...)
	}
	if p.Kind != Erasure {
		p.Blocking = nil
	}
}

func (w *walk) systemGaps(s *catalog.Connection, add func(Remaining)) {
	if s.Err != nil {
		add(Remaining{System: s.Config.ID, Rows: -1, Code: "unreachable", Why: "the system could not be asked: " + publicReason(s.Err), Next: "bring it back, then retry"})
		return
	}
	if s.Schema.Partial {
		add(Remaining{System: s.Config.ID, Rows: -1, Code: "partial-catalog", Why: "this role sees only part of the catalog, so a delete could cascade unseen",
			Next: "grant PROCESS, then plan again"})
	}
}

// guesses are the proposals of scan that nobody has answered.
func guesses(s *catalog.System) []Remaining {
	var out []Remaining
	add := func(m catalog.Mark, dataset, what string) {
		if m.Proposed && !m.Rejected {
			out = append(out, Remaining{System: s.ID, Dataset: dataset, Rows: -1, Code: "proposed", Guess: m.ID, Who: "whoever knows the data",
				Why: "scan guessed " + what + " and nobody has said yes or no", Next: "ombud scan --accept " + m.ID + ", or --reject " + m.ID})
		}
	}
	for _, p := range s.People {
		add(p.Mark, p.Table, "that people enter here")
	}
	for _, l := range s.Links {
		add(l.Mark, strings.TrimSuffix(l.From, "."+l.From[strings.LastIndexByte(l.From, '.')+1:]), fmt.Sprintf("the link %s to %s", l.From, l.To))
	}
	for _, t := range s.Tables {
		what := "what erasure does here"
		if t.Erase == catalog.Keep {
			what = "that a law makes you keep it"
		}
		add(t.Mark, t.Table, what)
	}
	return out
}

// absent is what ombud.yaml speaks of and the store does not have: renamed, dropped, or no table. It
// blocks, for a rule that covers nothing any more would let go what it was to keep.
func (w *walk) absent(s *catalog.Connection) []Remaining {
	if s.Schema == nil || s.Err != nil {
		return nil
	}
	var out []Remaining
	name := func(table, code, what string) {
		out = append(out, Remaining{System: s.Config.ID, Dataset: table, Rows: -1, Code: code, Who: "whoever knows the schema",
			Why: "ombud.yaml names " + what + " that is not there", Next: "correct ombud.yaml, then plan again"})
	}
	for _, p := range s.Config.People {
		if !p.Rejected && w.g.Dataset(s.Config.ID, p.Table) == nil {
			name(p.Table, "table-missing", "a table")
		}
	}
	for _, r := range s.Config.Tables {
		if r.Rejected {
			continue
		}
		d := w.g.Dataset(s.Config.ID, r.Table)
		if d == nil {
			name(r.Table, "table-missing", "a table")
			continue
		}
		for _, c := range slices.Concat(r.Columns, r.Opaque) {
			if d.Table.Column(c) == nil {
				name(r.Table, "column-missing", "column "+c)
			}
		}
	}
	return out
}

func datasetGaps(d *catalog.Dataset, add func(Remaining)) {
	if d.Ignored {
		return
	}
	r := Remaining{System: d.System, Dataset: d.Name, Rows: -1}
	if !d.Mapped && holdsText(d) {
		r.Code, r.Why, r.Who, r.Next = "unmapped", "nobody has said whether it holds personal data", "whoever knows the data", "ombud scan, then name it in ombud.yaml or ignore it"
		add(r)
		return
	}
	if !d.Mapped {
		return
	}
	if d.Table.RowSecurity {
		r.Code, r.Why, r.Next = "row-security", "row-level security hides rows from this role", "give the role BYPASSRLS, then plan again"
		add(r)
	} else if !d.Table.Rights.Select {
		r.Code, r.Why, r.Next = "right-missing", "the role may not read it", "grant SELECT on it, then plan again"
		add(r)
	}
}

func holdsText(d *catalog.Dataset) bool {
	return slices.ContainsFunc(d.Table.Columns, func(c connector.Column) bool {
		switch c.Kind {
		case connector.Text, connector.JSON, connector.Array, connector.Bytes, connector.Other:
			return len(c.Enum) == 0
		}
		return false
	})
}

// rightGaps: what the plan wants to do and the role may not, and where deleting leaves old versions.
func (w *walk) rightGaps(groups []*group, add func(Remaining)) {
	for _, g := range groups {
		m, t := g.decision.method, g.d.Table
		r := Remaining{System: g.d.System, Dataset: g.d.Name, Rows: g.step.Rows}
		switch {
		case g.stuck > 0:
			r.Rows, r.Code, r.Why, r.Next = g.stuck, "personal-key", "others refer to it by what identifies the person, and not every reference can be given another key", "keep fewer rows that refer to it, or give it a key of its own, then plan again"
		case g.decision.keyStays:
			r.Code, r.Why, r.Next = "personal-key", "its key is of what was asked for, and a key cannot be emptied", "give the table a key of its own, then plan again"
		case m == catalog.Keep:
			continue
		case removes(m) && !t.Rights.Delete:
			r.Code, r.Why, r.Next = "right-missing", "the role may not delete there", "grant DELETE on it, then plan again"
		case len(g.decision.fields) > 0 && !t.Rights.Update:
			r.Code, r.Why, r.Next = "right-missing", "the role may not change it", "grant UPDATE on it, then plan again"
		case t.Versioned && !t.Rights.DeleteHistory:
			r.Code, r.Why, r.Next = "history", "old versions of the rows stay", "grant DELETE HISTORY on it, then plan again"
		case t.Kind == connector.Foreign && removes(m) && !t.Rights.Delete:
			r.Code, r.Why, r.Next = "read-only", "the foreign table cannot be written", "map the server it comes from as a system"
		default:
			continue
		}
		add(r)
	}
	for _, g := range groups {
		w.triggerGaps(g, add)
	}
}

// triggerGaps: a trigger that writes the old row elsewhere makes that table part of the plan, or a gap.
func (w *walk) triggerGaps(g *group, add func(Remaining)) {
	if g.decision.method == catalog.Keep {
		return
	}
	for _, tr := range g.d.Table.Triggers {
		if tr.Disabled {
			continue
		}
		for _, name := range tr.Writes {
			if t := w.g.Dataset(g.d.System, name); t != nil && t != g.d && !inPlan(t) {
				add(Remaining{System: g.d.System, Dataset: name, Rows: -1, Code: "history",
					Why: fmt.Sprintf("trigger %s on %s writes there what it sees", tr.Name, g.d.Name), Next: "name it in ombud.yaml, with a link to the person, or ignore it"})
			}
		}
	}
}

// inPlan: rows there can be a person's, so the walk reaches them and the proof reads them.
func inPlan(d *catalog.Dataset) bool { return d.Personal || d.Ignored }
