package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// proposePolymorphic: a word beside a key says which dataset the key is of. Each word that names one of
// people's gets a link of its own when the keys beside it are there.
func (s *scan) proposePolymorphic(ctx context.Context, g *Graph, d *Dataset) error {
	for _, p := range typedKeys(d.Table) {
		read, err := s.keysByKind(ctx, d, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue // what cannot be read is not guessed
		}
		names := s.kindNames(d, p.kind)
		for _, kind := range read.kinds {
			least, parent := 1, namedParent(g, d.System, names(kind))
			if parent == nil {
				least, parent = severalProbed, initialParent(g, d, p.id, names(kind))
			}
			if parent == nil {
				parent = actingParent(g, d.System, names(kind))
			}
			if parent == nil || parent == d || len(read.ids[kind]) < least {
				continue
			}
			if err := s.proposeWhen(ctx, g, d, p, kind, read.ids[kind], parent); err != nil {
				return err
			}
		}
	}
	return nil
}

// kindRows are read for the words of a column of kinds: a kind that came late is not in the sample.
const (
	kindRows  = 200_000
	mostKinds = 200 // more than these is no column of kinds
)

// typedKeysRead are the words of a column in the order they were met, and some of the keys beside each.
type typedKeysRead struct {
	kinds []connector.Value
	ids   map[connector.Value][]connector.Value
}

// keysByKind reads them, once for all rounds.
func (s *scan) keysByKind(ctx context.Context, d *Dataset, p typedKey) (*typedKeysRead, error) {
	place := d.ID() + "." + p.id
	if read := s.typed[place]; read != nil {
		return read, nil
	}
	read := &typedKeysRead{ids: map[connector.Value][]connector.Value{}}
	err := d.Store.Select(ctx, []connector.Select{{Table: d.Table, Columns: []string{p.kind, p.id}, Limit: kindRows}}, func(_ int, row []connector.Value) error {
		kind, id := row[0], row[1]
		if kind.IsNull() || id.IsNull() {
			return nil
		}
		have, met := read.ids[kind]
		if !met && len(read.kinds) == mostKinds {
			return nil
		}
		if !met {
			read.kinds = append(read.kinds, kind)
		}
		if len(have) < probeValues && !slices.Contains(have, id) {
			read.ids[kind] = append(have, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.typed[place] = read
	return read, nil
}

// kindNames gives the word for a value of a column of kinds: itself, or what the register that the
// column refers to has beside it ("auth" and "user" in Django's).
func (s *scan) kindNames(d *Dataset, column string) func(connector.Value) string {
	for _, e := range d.Out {
		if e.FK == nil || !slices.Equal(e.ChildColumns, []string{column}) {
			continue
		}
		p := s.profiles[e.Parent.Table]
		key := slices.Index(p.columns, e.ParentColumns[0])
		return func(v connector.Value) string {
			for _, row := range p.sample {
				if key >= 0 && row[key] == v {
					return wordsOf(e.Parent.Table, p.columns, row)
				}
			}
			return ""
		}
	}
	return func(v connector.Value) string { return v.S }
}

func wordsOf(t *connector.Table, columns []string, row []connector.Value) string {
	var out []string
	for i, v := range row {
		if t.Column(columns[i]).Kind == connector.Text {
			out = append(out, v.S)
		}
	}
	return strings.Join(out, ".")
}

// namedParent finds the people's dataset that a word names: the more of its last words are the
// dataset's, the surer (sale.order is sale_order before it is order). Two that fit alike are none, nor is one that is nobody's:
// an AccountUser is of account_users, and no user.
func namedParent(g *Graph, system, kind string) *Dataset {
	words := singulars(kind)
	var best *Dataset
	most, tie := 0, false
	for _, d := range g.Datasets {
		if d.System != system || len(d.Table.Primary) != 1 {
			continue
		}
		n := 2 * commonTail(words, singulars(d.Name))
		if n > 0 && n == 2*len(singulars(d.Name)) {
			n++ // nothing of the dataset's name is left unsaid
		}
		if n > 0 && n == most {
			tie = true
		}
		if n > most {
			best, most, tie = d, n, false
		}
	}
	if best == nil || tie || best.People == nil && !best.Personal {
		return nil
	}
	return best
}

// initialParent finds the people's dataset that a single letter stands for, where only one begins with it: T for tickets. A
// part of another, as user_accounts are of users, has no letter, and no key that is called after a dataset is one of several's.
func initialParent(g *Graph, d *Dataset, column, kind string) *Dataset {
	stem, _ := splitReference(column)
	if len(kind) != 1 || slices.ContainsFunc(g.Datasets, func(o *Dataset) bool { return o.System == d.System && len(stem) > 0 && o.noun == stem[len(stem)-1] }) {
		return nil
	}
	var found *Dataset
	for _, o := range g.Datasets {
		if o == d || o.System != d.System || o.People == nil && !o.Personal || len(o.Table.Primary) != 1 || !strings.HasPrefix(o.noun, strings.ToLower(kind)) || isNamedAfter(g, o) {
			continue
		}
		if found != nil {
			return nil
		}
		found = o
	}
	return found
}

// actingParent finds who acts in a program, where a word for such is no dataset's name: principals and actors are users.
func actingParent(g *Graph, system, kind string) *Dataset {
	words := singulars(kind)
	if len(words) == 0 || !actingKinds[words[len(words)-1]] && !isPersonNoun(words[len(words)-1]) {
		return nil
	}
	var found *Dataset
	for _, d := range g.Datasets {
		switch {
		case d.System != system:
		case commonTail(words, d.words) > 0 || found != nil && d.People != nil && accountNouns[d.noun]:
			return nil
		case d.People != nil && accountNouns[d.noun] && len(d.Table.Primary) == 1:
			found = d
		}
	}
	return found
}

var actingKinds = set(`principal actor identity login author`)

// isNamedAfter: the name is that of another dataset, and something more.
func isNamedAfter(g *Graph, d *Dataset) bool {
	return slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o.System == d.System && len(o.words) < len(d.words) && slices.Equal(d.words[:len(o.words)], o.words)
	})
}

func singulars(name string) []string {
	toks := pii.Tokens(name)
	for i, t := range toks {
		toks[i] = singular(t)
	}
	return toks
}

func commonTail(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func (s *scan) proposeWhen(ctx context.Context, g *Graph, d *Dataset, pr typedKey, kind connector.Value, ids []connector.Value, parent *Dataset) error {
	m := match{key: keyOf(parent, parent.Table.Primary[0], false), name: 0.9}
	if err := s.probeValues(ctx, ids, &m); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil || m.probed == 0 || m.share < enough {
		return nil
	}
	as := Own
	if parent.People == nil && (eachLeadsToPerson(d) || s.proposedDirect(g, d)) {
		as = Context // each row is somebody's already
	}
	s.propose(Proposal{System: d.System, Link: &Link{From: d.Name + "." + pr.id, To: parent.Name + "." + m.key.column, As: as, When: map[string]string{pr.kind: kind.S}}},
		Mark{ID: "link:" + d.ID() + "." + pr.id + ":" + kindID(kind.S), Confidence: m.confidence(), Reason: fmt.Sprintf("where %s says %s, %s", pr.kind, kind.S, m.reason())})
	return nil
}

// kindID is a word of the data as part of a guess's id: "App\Models\User" is app_models_user.
func kindID(kind string) string { return strings.Join(pii.Tokens(kind), "_") }
