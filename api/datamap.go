package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ombudhq/ombud/catalog"
)

// DataMap is the systems as they are now, and how their datasets hang together.
type DataMap struct {
	Systems   []MapSystem `json:"systems"`
	Links     []MapLink   `json:"links"`
	Questions []string    `json:"questions" doc:"What only a person can answer"`
}

// MapSystem is one system; Error says why it cannot be asked now.
type MapSystem struct {
	ID        string       `json:"id"`
	Connector string       `json:"connector"`
	Location  string       `json:"location,omitempty"`
	Error     string       `json:"error,omitempty"`
	Datasets  []MapDataset `json:"datasets"`
}

// MapDataset is one dataset.
type MapDataset struct {
	Name     string         `json:"name"`
	People   bool           `json:"people" doc:"A person enters the system here"`
	Personal bool           `json:"personal" doc:"Some rows can be a person's"`
	Mapped   bool           `json:"mapped"`
	Ignored  bool           `json:"ignored"`
	Erase    catalog.Method `json:"erase,omitempty"`
	Because  string         `json:"because,omitempty"`
	Proposed bool           `json:"proposed,omitempty" doc:"Guessed; waits for an answer"`
}

// MapLink is a reference between two datasets.
type MapLink struct {
	From     string       `json:"from" doc:"system.dataset.column"`
	To       string       `json:"to" doc:"system.dataset"`
	Role     catalog.Role `json:"role"`
	Declared bool         `json:"declared" doc:"By the database; else by ombud.yaml"`
	Guess    string       `json:"guess,omitempty" doc:"Id of the guess, for scan --accept"`
}

func (s *server) addDataMap(a huma.API) {
	huma.Register(a, operation("get-data-map", http.MethodGet, "/data-map", "Systems, datasets and links as they are now", 200), s.dataMap)
}

type dataMapOutput struct{ Body DataMap }

func (s *server) dataMap(ctx context.Context, _ *struct{}) (*dataMapOutput, error) {
	g, err := s.Catalog.Refresh(ctx)
	if err != nil {
		return nil, problem(err)
	}
	m := DataMap{Systems: []MapSystem{}, Links: []MapLink{}, Questions: []string{}}
	for _, sys := range g.Systems {
		m.Systems = append(m.Systems, mapSystem(g, sys))
	}
	for _, e := range g.Edges {
		m.Links = append(m.Links, MapLink{From: e.Child.System + "." + e.Path(), To: e.Parent.ID(), Role: e.Role, Declared: e.FK != nil, Guess: e.Guess})
	}
	for _, d := range g.Datasets {
		for _, l := range d.Lists {
			m.Links = append(m.Links, MapLink{From: d.System + "." + l.Path(), To: l.Parent.ID(), Role: catalog.Mention, Guess: l.Guess})
		}
	}
	for _, q := range g.Questions {
		m.Questions = append(m.Questions, q.Text)
	}
	return &dataMapOutput{m}, nil
}

func mapSystem(g *catalog.Graph, c *catalog.Connection) MapSystem {
	out := MapSystem{ID: c.Config.ID, Connector: c.Config.Connector, Location: c.Config.Location, Datasets: []MapDataset{}}
	if c.Err != nil {
		out.Error = c.Err.Error()
	}
	for _, d := range g.Datasets {
		if d.System != c.Config.ID {
			continue
		}
		one := MapDataset{Name: d.Name, People: d.People != nil, Personal: d.HoldsPeople(), Mapped: d.Mapped, Ignored: d.Ignored}
		if d.Rule != nil {
			one.Erase, one.Because, one.Proposed = d.Rule.Erase, d.Rule.Because, d.Rule.Proposed
		}
		out.Datasets = append(out.Datasets, one)
	}
	return out
}
