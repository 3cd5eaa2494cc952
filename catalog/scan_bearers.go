package catalog

import (
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proposeBearers finds where people enter who are known nowhere else: a form that anybody may fill in, a log of visits. Its
// rows bear an address each, hang on nobody, and one person may have many of them. It tells whether there is any.
func (s *scan) proposeBearers(g *Graph) bool {
	before := len(s.f.Proposals)
	for _, d := range g.Datasets {
		if d.Ignored || d.People != nil || d.Personal || d.Container || d.Rule != nil || organisationNouns[d.noun] || isOrganisation(d) ||
			slices.ContainsFunc(d.In, func(e *Edge) bool { return e.Role == Follow }) {
			continue // somebody's, or many people's, or a part of somebody's row
		}
		if column := s.bearer(d); column != "" {
			s.propose(Proposal{System: d.System, People: &People{Table: d.Name, By: map[string]string{"email": column}}},
				Mark{ID: "people:" + d.ID(), Confidence: 0.65, Reason: column + " holds e-mail addresses, many people's, and nothing else says whose a row is"})
		}
	}
	return len(s.f.Proposals) > before
}

// bearer is the one column of many people's addresses; none where several are, of whom one wrote to the other.
func (s *scan) bearer(d *Dataset) string {
	found, p := "", s.profiles[d.Table]
	for _, c := range d.Table.Columns {
		if p.class[c.Name].Kind != pii.Email || c.Kind != connector.Text {
			continue
		}
		if found != "" {
			return ""
		}
		found = c.Name
	}
	if class := p.class[found]; class.Confidence < 0.8 || isReference(d.Table, found) || linked(d, found) || len(p.some(found, severalProbed)) < severalProbed {
		return ""
	}
	return found
}
