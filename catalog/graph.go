package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// Graph is the datasets of all systems and the edges between them, with roles. It is built once per
// catalog state and never changed afterwards.
type Graph struct {
	Systems   []*Connection
	Datasets  []*Dataset
	Edges     []*Edge
	Questions []Question
}

// Dataset is one table (or what another connector calls so) that rows live in. Views and leaves of
// partitions are none: their rows are counted where they are stored.
type Dataset struct {
	System  string
	Name    string // bare in the default schema, else schema.name
	Table   *connector.Table
	Store   connector.Store
	People  *People    // set when a person enters the store here
	Known   []Identity // the columns by which People are known, in the order of kinds; none where People is nil
	Rule    *TableRule
	Ignored bool

	Container bool // holds many people's rows together (store, tenant, account): never owned
	Personal  bool // some of its rows can be a person's
	Mapped    bool // named in the file, ignored, or reached from a people dataset

	noun  string   // what its rows are, by its name
	words []string // of its name, in the singular

	Out []*Edge // edges in which this dataset is the child
	In  []*Edge // edges in which this dataset is the parent

	Lists []*List // its columns whose cells list keys of another dataset
}

// ID is "system.dataset".
func (d *Dataset) ID() string { return d.System + "." + d.Name }

// HoldsPeople reports whether rows of it can be a person's: they lead to one, or only a person's rows refer to them.
func (d *Dataset) HoldsPeople() bool {
	return d.Personal || slices.ContainsFunc(d.In, func(e *Edge) bool { return e.Role == Follow })
}

// Identity is a column that people are known by, and the kind of what stands in it.
type Identity struct{ Kind, Column string }

func (p *People) identities() (out []Identity) {
	if p == nil {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(p.By)) {
		out = append(out, Identity{kind, p.By[kind]})
		for _, column := range p.Also[kind] {
			out = append(out, Identity{kind, column})
		}
	}
	return out
}

// Edge is a reference from a child dataset to a parent.
type Edge struct {
	Child, Parent               *Dataset
	ChildColumns, ParentColumns []string
	Role                        Role
	FK                          *connector.ForeignKey // nil when no database declares it
	Link                        *Link                 // nil when ombud.yaml says nothing of it
	Author                      bool
	// Value is set when the parent column is an identity, compared folded; such an edge never pins.
	Value bool
	Guess string // id of the proposal that made it, while nobody answered
}

// Direct reports whether the edge says by itself whose a row is.
func (e *Edge) Direct() bool {
	return e.Role == Own || e.Role == Co || e.Role == Alias || e.Role == Join
}

// Path is "child.column" as a person reads it.
func (e *Edge) Path() string { return e.Child.Name + "." + strings.Join(e.ChildColumns, "+") }

// When is the discriminator of a polymorphic link, nil for others.
func (e *Edge) When() map[string]string {
	if e.Link == nil {
		return nil
	}
	return e.Link.When
}

// Question is what the rules cannot tell and a person answers once per schema, by a link with a role.
type Question struct {
	System, Dataset string
	ID              string // for scan --accept, "" when only a hand-written link answers it
	As              Role   // what scan proposes; "" is the role that the edge is planned with
	Text            string
}

// Dataset finds a dataset by system and name; nil when there is none.
func (g *Graph) Dataset(system, name string) *Dataset {
	for _, d := range g.Datasets {
		if d.System == system && d.Name == name {
			return d
		}
	}
	return nil
}

func buildGraph(ctx context.Context, cfg *Config, systems []*Connection) (*Graph, error) {
	g := &Graph{Systems: slices.Clone(systems)}
	for i, s := range g.Systems {
		c := *s
		g.Systems[i] = &c
		g.addDatasets(&c)
	}
	g.addForeignKeys()
	for i := range cfg.Systems {
		g.addLinks(&cfg.Systems[i])
	}
	for _, e := range g.Edges {
		e.Child.Out = append(e.Child.Out, e)
		e.Parent.In = append(e.Parent.In, e)
	}
	if err := g.inferRoles(ctx); err != nil {
		return nil, err
	}
	g.markMapped()
	return g, nil
}

func (g *Graph) addDatasets(s *Connection) {
	if s.Schema == nil || s.Err != nil {
		return
	}
	for _, t := range s.Schema.Tables {
		switch t.Kind {
		case connector.Base, connector.Partitioned, connector.Foreign:
		default:
			continue
		}
		g.Datasets = append(g.Datasets, newDataset(s, t))
	}
}

func newDataset(s *Connection, t *connector.Table) *Dataset {
	d := &Dataset{System: s.Config.ID, Name: t.Dataset(), Table: t, Store: s.Store}
	d.noun, d.words = noun(d.Name), singulars(d.Name)
	for i := range s.Config.People {
		p := &s.Config.People[i]
		if p.Table == d.Name && !p.Rejected {
			d.People = p
		}
	}
	for i := range s.Config.Tables {
		r := &s.Config.Tables[i]
		if r.Table == d.Name && !r.Rejected {
			d.Rule = r
		}
	}
	d.Known = d.People.identities()
	d.Ignored = slices.Contains(s.Config.Ignore, d.Name)
	d.Personal = d.People != nil
	return d
}

func (g *Graph) addForeignKeys() {
	byTable := map[*connector.Table]*Dataset{}
	for _, d := range g.Datasets {
		byTable[d.Table] = d
	}
	for _, s := range g.Systems {
		if s.Schema == nil || s.Err != nil {
			continue
		}
		named := map[[2]string]*connector.Table{} // as nearly every key names them
		for _, t := range s.Schema.Tables {
			named[[2]string{t.Schema, t.Name}] = t
		}
		for _, t := range s.Schema.Tables {
			child := byTable[t]
			if child == nil {
				continue
			}
			for i := range t.ForeignKeys {
				fk := &t.ForeignKeys[i]
				to := named[[2]string{fk.RefSchema, fk.RefTable}]
				if to == nil {
					to = s.Schema.Resolve(*fk)
				}
				if parent := byTable[to]; parent != nil {
					g.Edges = append(g.Edges, &Edge{Child: child, Parent: parent, ChildColumns: fk.Columns, ParentColumns: fk.RefColumns, FK: fk})
				}
			}
		}
	}
}

// addLinks lets ombud.yaml say the role of a declared key, or adds an edge no database declares.
func (g *Graph) addLinks(s *System) {
	for i := range s.Links {
		l := &s.Links[i]
		if l.Rejected {
			continue
		}
		if g.addList(s, l) {
			continue
		}
		child, ccols := g.endpoint(s.ID, l.From)
		parent, pcols := g.endpoint(s.ID, l.To)
		if child == nil || parent == nil || len(ccols) != len(pcols) {
			g.danglingLink(s, l)
			continue
		}
		g.addLink(l, child, parent, ccols, pcols)
	}
}

func (g *Graph) addLink(l *Link, child, parent *Dataset, ccols, pcols []string) {
	role := l.As
	if role == "" {
		role = Own
	}
	guess := ""
	if l.Proposed {
		guess = l.ID
	}
	for _, e := range g.Edges {
		if e.Child == child && e.Parent == parent && len(l.When) == 0 && isEndpoint(e, ccols, pcols) {
			e.Role, e.Link, e.Author, e.Guess = role, l, l.Author, guess
			return
		}
	}
	g.Edges = append(g.Edges, &Edge{
		Child: child, Parent: parent, ChildColumns: ccols, ParentColumns: pcols,
		Role: role, Link: l, Author: l.Author, Guess: guess, Value: len(pcols) == 1 && isIdentity(parent, pcols[0]),
	})
}

// isEndpoint also takes a link that names one column of a composite key: it speaks of the whole key.
func isEndpoint(e *Edge, ccols, pcols []string) bool {
	if e.FK == nil || len(ccols) > 1 && len(ccols) != len(e.ChildColumns) {
		return false
	}
	for i, c := range ccols {
		at := slices.Index(e.ChildColumns, c)
		if at < 0 || e.ParentColumns[at] != pcols[i] {
			return false
		}
	}
	return true
}

func isIdentity(d *Dataset, column string) bool {
	if d.People == nil {
		return false
	}
	c := d.Table.Column(column)
	if c == nil || c.Kind != connector.Text || slices.Contains(d.Table.Primary, column) {
		return false
	}
	return slices.ContainsFunc(d.Known, func(id Identity) bool { return id.Column == column })
}

// endpoint resolves "dataset.column", "dataset.first+second" for a key of several columns, or either with a
// system in front; nil when there is no such dataset or column.
func (g *Graph) endpoint(system, ref string) (*Dataset, []string) {
	dot := strings.LastIndexByte(ref, '.')
	if dot < 0 {
		return nil, nil
	}
	name, column := ref[:dot], ref[dot+1:]
	if d := g.Dataset(system, name); d != nil {
		if columns := columnsOf(d.Table, column); columns != nil {
			return d, columns
		}
	}
	if other, rest, ok := strings.Cut(name, "."); ok {
		if d := g.Dataset(other, rest); d != nil {
			if columns := columnsOf(d.Table, column); columns != nil {
				return d, columns
			}
		}
	}
	return nil, nil
}

// columnsOf: a name may hold a plus of its own, so the whole of it comes first.
func columnsOf(t *connector.Table, names string) []string {
	if t.Column(names) != nil {
		return []string{names}
	}
	columns := strings.Split(names, "+")
	if slices.ContainsFunc(columns, func(c string) bool { return t.Column(c) == nil }) {
		return nil
	}
	return columns
}

// danglingLink asks about a link whose end is not there: a renamed column, or a system that is down.
func (g *Graph) danglingLink(s *System, l *Link) {
	for _, c := range g.Systems {
		if c.Err != nil {
			return // named as unreachable already
		}
	}
	g.Questions = append(g.Questions, Question{System: s.ID, Dataset: strings.TrimSuffix(l.From, "."+lastPart(l.From)),
		Text: fmt.Sprintf("the link from %s to %s names a table or column that is not there", l.From, l.To)})
}

func lastPart(ref string) string { return ref[strings.LastIndexByte(ref, '.')+1:] }

// markMapped walks from people datasets to everything below them, and from there up to parents,
// but not down again from a parent: what hangs on a look-up table is not thereby known.
func (g *Graph) markMapped() {
	var down func(d *Dataset)
	below := map[*Dataset]bool{}
	down = func(d *Dataset) {
		if below[d] {
			return
		}
		below[d] = true
		for _, e := range d.In {
			down(e.Child)
		}
	}
	for _, d := range g.Datasets {
		if d.People != nil {
			down(d)
		}
	}
	var up func(d *Dataset)
	up = func(d *Dataset) {
		if d.Mapped {
			return
		}
		d.Mapped = true
		for _, e := range d.Out {
			up(e.Parent)
		}
	}
	for d := range below {
		up(d)
	}
	for _, d := range g.Datasets {
		if d.Ignored || d.Rule != nil || named(d) {
			d.Mapped = true
		}
	}
}

func named(d *Dataset) bool {
	for _, e := range append(slices.Clone(d.Out), d.In...) {
		if e.Link != nil {
			return true
		}
	}
	return d.People != nil || len(d.Lists) > 0
}
