package app

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/catalog"
)

// about tells policies of the company what ombud.yaml and the requests say of a thing: a request lies where the systems of
// its plan are, and its owner is who took it in; a purpose lies where its systems are; anything else where any system is.
// Several places, or several jurisdictions, stand with a blank between them.
func (a *App) about(p *Parts) access.About {
	return func(ctx context.Context, kind, id string, what access.Resource) access.Resource {
		cfg := p.Catalog.Config()
		var systems []string
		switch kind {
		case "request":
			if r, err := p.Requests.Get(ctx, id); err == nil {
				if what.Owner = r.Actor; r.Plan != nil {
					for _, s := range r.Plan.Systems {
						systems = append(systems, s.ID)
					}
				}
			}
		case "purpose":
			if rule, ok := a.Purposes.Now().Rule(id); ok {
				systems = rule.Systems
			}
		}
		what.Place, what.Jurisdiction = placesOf(cfg, systems), strings.Join(cfg.Organization.Jurisdictions, " ")
		return what
	}
}

// placesOf are the places of some systems, or of all when none is named; each once, in order.
func placesOf(cfg *catalog.Config, systems []string) string {
	var out []string
	for _, s := range cfg.Systems {
		if s.Location != "" && (len(systems) == 0 || slices.Contains(systems, s.ID)) {
			out = append(out, s.Location)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}
