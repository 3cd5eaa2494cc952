package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// What a person's row refers to is mostly what many share: a store, a country. But it may be a part of the
// row that is kept apart, an address or a document: then nobody's erasure would be whole without it. The
// two look the same in a schema, so where the other dataset's columns speak of persons, the data decide:
// hardly any row there is referred to twice. Such an edge is followed, and asked about. Of a handful of rows nobody can tell:
// where a person's row refers to such a dataset, and none of its rows is shared as yet, that is asked, and nothing followed.

// followSample is how many references are looked at, followFewest how many say anything.
const (
	followSample = 2000
	followFewest = 10
)

// inferFollow asks about the edges without a role that lead from datasets of persons, or from datasets
// that hold a person's rows, to what seems to be a part of those.
func (g *Graph) inferFollow(ctx context.Context, from func(*Dataset) bool) error {
	for _, e := range g.Edges {
		if e.Role != "" && e.Role != Lookup || e.Link != nil || e.FK == nil || !from(e.Child) || !e.Child.Table.Rights.Select || !mayBePart(e.Parent) || g.denied(e) {
			continue
		}
		n, distinct, err := references(ctx, e)
		switch {
		case err != nil:
			return err
		case distinct >= followFewest && n < 2*distinct:
			e.Role = Follow
			g.ask(e.Child, e, "leads to what is personal there, and hardly two rows share one")
		case n > 0 && distinct < followFewest && n == distinct && e.Child.People != nil:
			g.Questions = append(g.Questions, Question{System: e.Child.System, Dataset: e.Child.Name, ID: "link:" + e.Child.System + "." + e.Path(), As: Follow,
				Text: fmt.Sprintf("%s to %s: it leads to what looks personal there, and too few rows do to tell whether each is one person's; nothing there is touched until a link says so", e.Path(), e.Parent.Name)})
		}
	}
	return nil
}

func isPeople(d *Dataset) bool { return d.People != nil }

func isPersonal(d *Dataset) bool { return d.People == nil && d.Personal && !d.Container }

// mayBePart: it is nobody's dataset yet, and its columns say that it holds somebody's data, or files.
func mayBePart(d *Dataset) bool {
	if d.People != nil || d.Personal || d.Container || d.Ignored || !d.Table.Rights.Select || isOrganisation(d) || organisationNouns[noun(d.Name)] && noun(d.Name) != "location" {
		return false
	}
	n := 0
	for _, c := range d.Table.Columns {
		if c.Kind == connector.Bytes || fileNouns[noun(d.Name)] || slices.ContainsFunc(pii.Tokens(c.Name), func(t string) bool { return fileWords[t] }) {
			return true
		}
		switch class := pii.Classify(c.Name, nil, holds(c.Kind)); class.Kind {
		case pii.Email, pii.Phone, pii.National, pii.Birth, pii.IBAN, pii.Card:
			return true
		case pii.FreeText:
		default:
			if class.Known() && (class.Category == pii.Contact || class.Category == pii.Identity) {
				n++
			}
		}
	}
	return n > 1
}

var (
	fileNouns = set(`file document upload attachment photo image media blob scan`)
	fileWords = set(`filename mime blob`)
)

// denied: a person said no to the guess.
func (g *Graph) denied(e *Edge) bool {
	return slices.ContainsFunc(g.Systems, func(s *Connection) bool {
		return s.Config.ID == e.Child.System && slices.ContainsFunc(s.Config.Links, func(l Link) bool {
			return l.Rejected && l.ID == "link:"+e.Child.System+"."+e.Path()
		})
	})
}

// references counts rows that refer to something there, and to how much. A sample of many rows meets few of what
// they share, so what the engine counts has a say first: then none is counted.
func references(ctx context.Context, e *Edge) (n, distinct int, err error) {
	if child, parent := e.Child.Table.Rows, e.Parent.Table.Rows; parent > 0 && child >= 2*parent {
		return 0, 0, nil
	}
	rows, err := e.Child.Store.Sample(ctx, e.Child.Table, e.ChildColumns, followSample)
	if err != nil {
		return 0, 0, fmt.Errorf("sampling %s: %w", e.Child.ID(), err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if k := connector.Key(r); !k.HasNull() {
			seen[k.Encode()] = true
			n++
		}
	}
	return n, len(seen), nil
}
