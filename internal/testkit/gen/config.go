package gen

import (
	"fmt"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/internal/testkit/model"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/subject"
)

// Config is what ombud.yaml says of the company. Every role that does not follow by itself is written.
func (c *Company) Config(dsn map[string]string) *catalog.Config {
	cfg := &catalog.Config{Organization: catalog.Organization{Name: "Generated"}}
	for _, id := range c.Systems {
		cfg.Systems = append(cfg.Systems, c.system(id, dsn[id]))
	}
	return cfg
}

func (c *Company) system(id, dsn string) catalog.System {
	connector := c.Engine
	if connector == MariaDB {
		connector = "mysql"
	}
	s := catalog.System{ID: id, Connector: connector, DSN: dsn}
	for _, t := range c.Tables {
		if t.System != id {
			continue
		}
		if t.People != nil {
			s.People = append(s.People, catalog.People{Table: t.Name, By: t.People})
		}
		if t.Ignored {
			s.Ignore = append(s.Ignore, t.Name)
		}
		if r := rule(t); r.Erase != "" || len(r.Categories) > 0 {
			s.Tables = append(s.Tables, r)
		}
		for _, e := range t.Edges {
			if !e.Implicit {
				s.Links = append(s.Links, link(t, e))
			}
		}
	}
	return s
}

func rule(t *model.Table) catalog.TableRule {
	r := catalog.TableRule{Table: t.Name, Erase: catalog.Method(t.Rule.Erase), Columns: t.Rule.Columns}
	if r.Erase == catalog.Keep {
		r.Because = "a law that was made up"
	}
	for _, c := range t.Columns {
		if c.Category != "" {
			if r.Categories == nil {
				r.Categories = map[string]string{}
			}
			r.Categories[c.Name] = c.Category
		}
	}
	if t.Rule.After != "" {
		r.Until = fmt.Sprintf("%d years after %s", t.Rule.Years, t.Rule.After)
	}
	return r
}

func link(t *model.Table, e *model.Edge) catalog.Link {
	last := len(e.Columns) - 1
	to := e.To.Name + "." + e.ToColumns[last]
	if e.To.System != t.System {
		to = e.To.System + "." + to
	}
	return catalog.Link{From: t.Name + "." + e.Columns[last], To: to, As: catalog.Role(e.Role), Author: e.Author, When: e.When}
}

// Ask is the company's question in the words of package plan. Several rows may be one person's; token
// is how holds find them.
func (c *Company) Ask(request string, kind plan.Kind, token func(kind, value string) string) plan.Question {
	q := plan.Question{Request: request, Kind: kind}
	p := plan.Person{Same: true}
	for _, id := range c.Question.Identities {
		p.Identities = append(p.Identities, subject.Identity{Kind: id.Kind, Value: id.Value})
	}
	q.People = append(q.People, p)
	for i, h := range c.Question.Holds {
		q.Holds = append(q.Holds, subject.Hold{ID: fmt.Sprintf("hld_%d", i), System: h.System, Dataset: h.Dataset, Because: "a case",
			Token: token(c.Question.Identities[0].Kind, c.Question.Identities[0].Value)})
	}
	return q
}
