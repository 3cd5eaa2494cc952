package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

const (
	defaultSamples = 500
	proseRows      = 20_000    // of prose so many are looked through: what it holds is rare in it
	exactCount     = 1_000_000 // a table that the engine takes for larger is not counted, its estimate stands
)

// Scan reads every reachable system: its datasets, a sample of their rows, and what both suggest. It
// changes nothing. Declared keys are facts and are not proposed; what is proposed beyond them
// errs on the side of asking less: a name alone is not enough where values can be looked at.
func Scan(ctx context.Context, c *Catalog, o ScanOptions) (*Findings, error) {
	g, err := c.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	s := &scan{cfg: c.Config(), samples: o.Samples, base: g, profiles: map[*connector.Table]*profile{}, typed: map[string]*typedKeysRead{}}
	if s.samples <= 0 {
		s.samples = defaultSamples
	}
	s.f = &Findings{Config: s.cfg, Systems: []SystemFinding{}, Datasets: []DatasetFinding{}, Proposals: []Proposal{}, Surprises: []Surprise{}, Unmapped: []Surprise{}}
	s.readSystems()
	for _, d := range g.Datasets {
		if err := s.readDataset(ctx, d); err != nil {
			return nil, err
		}
	}
	if err := s.guess(ctx); err != nil {
		return nil, err
	}
	s.keepOpen()
	return s.f, nil
}

// scan is one run. Each round of guesses is put into a copy of the configuration and the graph is
// built anew, so that roles are judged by the same rules as everywhere.
type scan struct {
	cfg      *Config
	samples  int
	base     *Graph
	profiles map[*connector.Table]*profile
	typed    map[string]*typedKeysRead // by "system.dataset.column" of the key
	f        *Findings
}

// profile is what was seen of one dataset.
type profile struct {
	rows    int64
	columns []string
	sample  [][]connector.Value
	values  map[string][]connector.Value // not NULL, per column
	class   map[string]pii.Class
	content map[string]pii.Content
}

func (s *scan) guess(ctx context.Context) error {
	s.proposePeople()
	g, err := s.reach(ctx)
	for err == nil && s.proposeBearers(g) {
		g, err = s.reach(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.proposeLists(ctx, g); err != nil {
		return err
	}
	for before := -1; before < len(s.f.Proposals); { // what is followed may lead on
		before = len(s.f.Proposals)
		if s.proposeRoles(g); len(s.f.Proposals) > before {
			if g, err = s.graph(ctx); err != nil {
				return err
			}
		}
	}
	s.proposeRules(g)
	s.findSurprises(g)
	s.findUnmapped(g)
	return nil
}

// reach goes from the people found so far to all that hangs on them, and gives the graph with it.
func (s *scan) reach(ctx context.Context) (*Graph, error) {
	g, err := s.graph(ctx)
	if err != nil {
		return nil, err
	}
	s.proposeFaces(g)
	s.proposeSelves(g)
	if err := s.proposeSameLogins(ctx, g); err != nil {
		return nil, err
	}
	if err := s.proposeAddressBooks(ctx, g); err != nil {
		return nil, err
	}
	if g, err = s.graph(ctx); err != nil {
		return nil, err
	}
	if err := s.proposeAliases(ctx, g); err != nil {
		return nil, err
	}
	for round := 0; round < 4; round++ {
		before := len(s.f.Proposals)
		if err := s.proposeLinks(ctx, g, round == 0); err != nil {
			return nil, err
		}
		s.proposeFaced(g)
		if round > 0 && len(s.f.Proposals) == before {
			break
		}
		if g, err = s.graph(ctx); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// graph is the graph as it would be with everything proposed so far.
func (s *scan) graph(ctx context.Context) (*Graph, error) {
	cfg := *s.cfg
	cfg.Systems = slices.Clone(s.cfg.Systems)
	for i := range cfg.Systems {
		sys := &cfg.Systems[i]
		sys.People, sys.Links, sys.Tables = slices.Clone(sys.People), slices.Clone(sys.Links), slices.Clone(sys.Tables)
		for _, p := range s.f.Proposals {
			switch {
			case p.System != sys.ID:
			case p.People != nil:
				sys.People = append(sys.People, *p.People)
			case p.Link != nil:
				sys.Links = append(sys.Links, *p.Link)
			default:
				sys.Tables = append(sys.Tables, *p.Rule)
			}
		}
	}
	var conns []*Connection
	for _, c := range s.base.Systems {
		copied := *c
		copied.Config = cfg.system(c.Config.ID)
		conns = append(conns, &copied)
	}
	return buildGraph(ctx, &cfg, conns)
}

// propose adds a guess unless the file speaks of it, or this run proposed the same.
func (s *scan) propose(p Proposal, m Mark) {
	m.Proposed, m.Confidence = true, float64(int(min(m.Confidence, 0.99)*100+0.5))/100
	p.ID, p.Confidence, p.Reason = m.ID, m.Confidence, m.Reason
	switch {
	case p.People != nil:
		p.People.Mark = m
	case p.Link != nil:
		p.Link.Mark = m
	default:
		p.Rule.Mark = m
	}
	if sys := s.cfg.system(p.System); sys == nil || p.spokenOf(sys) {
		return
	}
	if !s.proposed(p.ID) {
		s.f.Proposals = append(s.f.Proposals, p)
	}
}

func (s *scan) proposed(id string) bool {
	return slices.ContainsFunc(s.f.Proposals, func(x Proposal) bool { return x.ID == id })
}

// keepOpen lists the guesses that stand in the file unanswered in front of the new ones.
func (s *scan) keepOpen() {
	var open []Proposal
	for _, g := range s.cfg.guesses() {
		if !g.mark.Proposed || g.mark.Rejected {
			continue
		}
		p := Proposal{System: g.system.ID, ID: g.mark.ID, Confidence: g.mark.Confidence, Reason: g.mark.Reason}
		switch g.list {
		case "people":
			p.People = &g.system.People[g.index]
		case "links":
			p.Link = &g.system.Links[g.index]
		default:
			p.Rule = g.rule
		}
		open = append(open, p)
	}
	s.f.Proposals = append(open, s.f.Proposals...)
}

func (s *scan) readSystems() {
	for _, c := range s.base.Systems {
		f := SystemFinding{ID: c.Config.ID}
		if c.Err != nil {
			f.Problem = c.Err.Error()
		} else if c.Schema != nil {
			f.Engine = c.Schema.Engine
			for _, d := range s.base.Datasets {
				if d.System == c.Config.ID {
					f.Datasets++
				}
			}
		}
		s.f.Systems = append(s.f.Systems, f)
	}
}

// readDataset samples one dataset and classifies its columns. What cannot be read is said, and no error.
func (s *scan) readDataset(ctx context.Context, d *Dataset) error {
	f := DatasetFinding{System: d.System, Name: d.Name, Rows: -1, Ignored: d.Ignored}
	p := &profile{rows: d.Table.Rows, values: map[string][]connector.Value{}, class: map[string]pii.Class{}, content: map[string]pii.Content{}}
	s.profiles[d.Table] = p
	if !d.Table.Rights.Select {
		f.Problem = "this role may not read it"
	} else if err := p.read(ctx, d, s.samples); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.Problem = "it could not be read"
	}
	f.Rows = p.rows
	for i := range d.Table.Columns {
		c := &d.Table.Columns[i]
		class := p.classify(c, isPerson(s.base, d))
		p.class[c.Name], p.content[c.Name] = class, p.contentOf(c)
		if f.Problem == "" && IsFreeText(d.Table, *c) && p.content[c.Name].Words >= 3 {
			if err := p.readProse(ctx, d, c.Name); err != nil {
				return err
			}
		}
		if class.Known() {
			f.Columns = append(f.Columns, ColumnFinding{c.Name, class.Category, class.Kind, class.Confidence, class.Reason})
		}
	}
	s.f.Datasets = append(s.f.Datasets, f)
	return nil
}

func (p *profile) read(ctx context.Context, d *Dataset, limit int) error {
	for _, c := range d.Table.Columns {
		if c.Kind != connector.Bytes || isShortBinary(&c) || isReference(d.Table, c.Name) {
			p.columns = append(p.columns, c.Name)
		}
	}
	if len(p.columns) == 0 {
		return nil
	}
	rows, err := d.Store.Sample(ctx, d.Table, p.columns, limit)
	if err != nil {
		return err
	}
	p.sample = rows
	for _, row := range rows {
		for i, v := range row {
			if !v.IsNull() {
				p.values[p.columns[i]] = append(p.values[p.columns[i]], v)
			}
		}
	}
	if d.Table.Rows >= exactCount {
		return nil
	}
	n, err := d.Store.Count(ctx, []connector.Select{{Table: d.Table}})
	if err == nil && len(n) == 1 {
		p.rows = n[0]
	}
	return err
}

// isShortBinary: keys are written as bytes too, mostly UUIDs.
func isShortBinary(c *connector.Column) bool {
	return c.Kind == connector.Bytes && c.Bytes > 0 && c.Bytes <= 32
}

// readProse looks through running text beyond the sample, keeping nothing but counts.
func (p *profile) readProse(ctx context.Context, d *Dataset, column string) error {
	content := pii.Read(nil)
	err := d.Store.Select(ctx, []connector.Select{{Table: d.Table, Columns: []string{column}, Limit: proseRows}}, func(_ int, row []connector.Value) error {
		content.Add(row[0].S)
		return nil
	})
	if err == nil {
		p.content[column] = content
	}
	return ctx.Err() // else the sample's counts stand
}

// contentOf counts what a column's values are. The digits of a measure are nobody's card, and bytes are no words.
func (p *profile) contentOf(c *connector.Column) pii.Content {
	if c.Kind == connector.Float || c.Kind == connector.Bytes {
		return pii.Read(nil)
	}
	return pii.Read(texts(p.values[c.Name]))
}

// classify judges a column; a bare "name" is a person's in a dataset of persons.
func (p *profile) classify(c *connector.Column, person bool) pii.Class {
	var seen []string
	if c.Kind != connector.Bytes {
		seen = texts(p.values[c.Name])
	}
	class := pii.Classify(c.Name, seen, holds(c.Kind))
	if !class.Known() && c.Kind == connector.Text && person && isName(c.Name) {
		return pii.Class{Category: pii.Identity, Kind: pii.Name, Confidence: 0.9, Reason: "its name says name, in a dataset of persons"}
	}
	return class
}

func isName(column string) bool {
	toks := pii.Tokens(column)
	return len(toks) == 1 && toks[0] == "name"
}

func texts(values []connector.Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.S
	}
	return out
}

func holds(k connector.Kind) pii.Holds {
	switch k {
	case connector.Text:
		return pii.Text
	case connector.Int, connector.Decimal, connector.Float:
		return pii.Number
	case connector.Time:
		return pii.Moment
	case connector.Bool:
		return pii.Flag
	case connector.Bytes:
		return pii.Binary
	}
	return pii.Anything
}

// distinct is the share of a column's sampled values that occur once, counting equal ones once.
func (p *profile) distinct(column string) float64 {
	vs := p.values[column]
	if len(vs) == 0 {
		return 0
	}
	seen := map[connector.Value]bool{}
	for _, v := range vs {
		seen[v] = true
	}
	return float64(len(seen)) / float64(len(vs))
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
