package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

const (
	enough      = 0.99 // share of sampled values that must be found in the parent
	enoughMail  = 0.2  // of addresses: who is not there is nobody's, and harms nobody
	probeValues = 200
	fewProbed   = 3 // values that say nothing by themselves

	severalProbed = 20 // values of a number that refers to an id: the 2nd post of a topic is no post's id
)

// parentKey is a column that rows of a dataset are known by.
type parentKey struct {
	d      *Dataset
	column string
	email  bool
	number bool // no database says that it is a key: an order's number
	alone  bool // a key by a word of its own, which is no other dataset's: idvisit, login
	shared bool // a key by a word that is other datasets' too, and names none of them: entity_id

	stem   []string // of the column's name
	suffix string
}

func keyOf(d *Dataset, column string, email bool) parentKey {
	stem, suffix := splitReference(column)
	return parentKey{d: d, column: column, email: email, stem: stem, suffix: suffix}
}

func isNumbered(column string) bool {
	_, suffix := splitReference(column)
	return numberSuffix[suffix]
}

// match is how well a column fits a parent's key.
type match struct {
	key    parentKey
	home   bool    // in the same system
	near   bool    // a key beside the address leads there
	name   float64 // by the names
	share  float64 // of the distinct values, found there
	rows   float64 // of the rows, for addresses: one that answers everybody is one value in many rows
	probed int
	found  map[string]bool
	guests int // rows whose address is of nobody that their key leads to; see isCopy
}

func (m match) score() float64 {
	s := m.name * m.share
	if m.key.d.People != nil {
		s += 0.1
	}
	if m.home {
		s += 0.05 // before another system's numbers
	}
	if m.near {
		s += 0.1 // who has an account, before the form they once filled in
	}
	if len(m.key.d.In) > 0 {
		s += 0.01 // who others refer to, before a list that knows as many
	}
	return s
}

// turns in which columns are looked at: what is named like a dataset of persons says whose a row is, before
// who acts there (viewer_id beside patient_id), before what only its values tell of, and before addresses.
var turns = []struct {
	mails bool
	least float64 // of what the names must say
}{{false, 0.8}, {false, 0.65}, {false, 0}, {true, 0}}

// proposeLinks finds references that no database declares. The first round looks for people, the later
// ones for datasets that were found to be people's.
func (s *scan) proposeLinks(ctx context.Context, g *Graph, people bool) error {
	keys := s.parentKeys(g, people)
	for _, d := range g.Datasets {
		if d.Ignored || d.People != nil || !d.Table.Rights.Select {
			continue
		}
		if err := s.proposeExtension(ctx, g, d); err != nil {
			return err
		}
		columns := s.servedFirst(d.Table)
		for _, turn := range turns {
			for _, c := range columns {
				if s.isMail(d, c.Name) != turn.mails || !s.mayRefer(d, c) {
					continue
				}
				if err := s.proposeLink(ctx, g, d, c, keys, turn.least); err != nil {
					return err
				}
			}
		}
		if err := s.proposeComposites(ctx, g, d, people); err != nil {
			return err
		}
		if err := s.proposePolymorphic(ctx, g, d); err != nil {
			return err
		}
		if people {
			s.balanceRoles(d)
		}
	}
	return nil
}

// parentKeys lists what can be referred to: people's keys and identities, or the keys of datasets
// with people's rows.
func (s *scan) parentKeys(g *Graph, people bool) []parentKey {
	var out []parentKey
	for _, d := range g.Datasets {
		if d.Ignored || (d.People != nil) != people || !people && (!d.Personal || d.Container) || !d.Table.Rights.Select {
			continue
		}
		var cols []string
		if key := KeyColumn(d.Table); key != "" {
			cols = append(cols, key)
		}
		for _, u := range d.Table.Uniques {
			if len(u.Columns) == 1 && !u.Partial {
				cols = append(cols, u.Columns[0])
			}
		}
		if len(cols) == 0 {
			cols = s.undeclaredKeys(d)
		}
		if d.People != nil {
			for _, id := range d.Known {
				cols = append(cols, id.Column)
			}
		}
		slices.Sort(cols)
		for _, c := range slices.Compact(cols) {
			if d.Table.Column(c) == nil {
				continue // the file names a column that is gone; the plan says so
			}
			k := keyOf(d, c, s.isMail(d, c))
			k.alone, k.shared = isAlone(g, d, c), isShared(g, k)
			out = append(out, k)
		}
		for _, c := range s.numbers(d) {
			if !slices.Contains(cols, c) {
				k := keyOf(d, c, false)
				k.number = true
				out = append(out, k)
			}
		}
	}
	return out
}

// numbers: what is called the dataset's own number, and occurs once among many.
func (s *scan) numbers(d *Dataset) []string {
	return slices.DeleteFunc(s.undeclaredKeys(d), func(c string) bool { return !isNumbered(c) || len(s.profiles[d.Table].sample) < severalProbed })
}

// undeclaredKeys: id, or the dataset's own noun with no or id, when no sampled value occurs twice.
func (s *scan) undeclaredKeys(d *Dataset) []string {
	var out []string
	for _, c := range d.Table.Columns {
		stem, suffix := splitReference(c.Name)
		own := suffix != "" && (len(stem) == 0 || stem[len(stem)-1] == noun(d.Name))
		if p := s.profiles[d.Table]; own && len(p.sample) > 1 && len(p.values[c.Name]) == len(p.sample) && p.distinct(c.Name) == 1 {
			out = append(out, c.Name)
		}
	}
	return out
}

// mayRefer: a column that could hold a key, of which no database and no file says what it is.
func (s *scan) mayRefer(d *Dataset, c *connector.Column) bool {
	switch c.Kind {
	case connector.Text, connector.Int, connector.UUID, connector.Decimal:
	default:
		if !isShortBinary(c) {
			return false
		}
	}
	if c.Generated || isReference(d.Table, c.Name) || linked(d, c.Name) || KeyColumn(d.Table) == c.Name && (strings.EqualFold(c.Name, "id") || d.Personal) {
		return false
	}
	return !slices.ContainsFunc(typedKeys(d.Table), func(p typedKey) bool { return p.id == c.Name })
}

func (s *scan) proposeLink(ctx context.Context, g *Graph, d *Dataset, c *connector.Column, keys []parentKey, least float64) error {
	if s.proposed("link:" + d.ID() + "." + c.Name) {
		return nil
	}
	var best *match
	name := readName(c)
	name.bare = readBare(d, c)
	taken := 0.0 // by what the database says, the other way round: an order's address refers to the order
	for _, k := range keys {
		if k.d != d && !k.email && refersTo(k.d, d) {
			taken = max(taken, s.nameScore(d, name, k))
		}
	}
	for _, k := range keys {
		if k.d == d || refersTo(k.d, d) || k.d.People == nil && k.d.System != d.System {
			continue
		}
		m := match{key: k, home: k.d.System == d.System, name: s.nameScore(d, name, k), near: k.email && len(s.waysTo(g, d, k.d)) > 0}
		if m.name < least || m.name <= taken || isAnothers(g, d, name, k) || !k.email && (speaksOf(g, name, k) || m.name < 0.9 && isCalled(g, d, name, k)) || m.name < 0.9 && (namedElsewhere(g, d, c.Name, k.d) || KeyColumn(d.Table) == c.Name) {
			continue
		}
		if err := s.probe(ctx, d, c, &m); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			continue // what cannot be compared is not guessed
		}
		if m.probed == 1 && !isPersonNoun(k.d.noun) && len(s.profiles[d.Table].values[c.Name]) >= severalProbed {
			continue // a mailbox that all mail came from
		}
		if m.convinces(d, c.Name) && (best == nil || m.score() > best.score()) {
			best = &m
		}
	}
	if best != nil && name.suffix != "" && slices.Equal(name.stem, []string{"parent"}) && best.key.d.noun != "parent" {
		own, err := s.isOwnKey(ctx, d, c)
		if own || err != nil {
			return err
		}
	}
	if best == nil {
		guests, err := s.ofGuests(ctx, g, d, c, keys)
		if guests != nil {
			s.addLinkProposal(g, d, c, guests)
		}
		return err
	}
	if best.probed == 0 && best.key.d.People == nil && len(s.profiles[d.Table].sample) > 0 && !d.Personal && !s.proposedOwner(d) {
		return nil // no row refers to any, so that whose they are stays open
	}
	if others, err := s.mayBeOthers(ctx, g, d, name, best); others || err != nil {
		return err
	}
	copied, err := s.isCopy(ctx, g, d, c, best)
	if err != nil || copied {
		return err
	}
	s.addLinkProposal(g, d, c, best)
	return nil
}

func refersTo(child, parent *Dataset) bool {
	return slices.ContainsFunc(child.Out, func(e *Edge) bool { return e.Parent == parent })
}

// nameScore says how much the names speak for a reference; 0 is not at all.
func (s *scan) nameScore(d *Dataset, r columnName, k parentKey) float64 {
	c := r.column
	mail := s.isMail(d, c.Name)
	if mail || k.email {
		if mail && k.email {
			return 0.95
		}
		return 0
	}
	said := keyNameScore(r, k)
	if r.bare != nil {
		said = max(said, keyNameScore(*r.bare, k))
	}
	return max(said, fieldScore(d, c, k), s.uuidScore(d, c, k), s.loginScore(d, c, k))
}

// isMail: the column holds addresses; that a sender could have one is not enough where the values are none.
func (s *scan) isMail(d *Dataset, column string) bool {
	class := s.profiles[d.Table].class[column]
	return class.Kind == pii.Email && class.Confidence >= 0.5
}

// uuidScore: a UUID is made once. Where it stands again, it means what it meant, whatever its column is called.
func (s *scan) uuidScore(d *Dataset, c *connector.Column, k parentKey) float64 {
	if len(s.profiles[d.Table].values[c.Name]) > 0 && s.holdsUUIDs(d, c.Name) && s.holdsUUIDs(k.d, k.column) {
		return 0.6
	}
	return 0
}

// loginScore: where one word after the other is somebody's login, the column speaks of them, whatever it is called.
func (s *scan) loginScore(d *Dataset, c *connector.Column, k parentKey) float64 {
	p := s.profiles[d.Table]
	if k.d.People == nil || c.Kind != connector.Text || columnKind(k) != connector.Text || p.content[c.Name].Words > 1 || len(p.some(c.Name, severalProbed)) < severalProbed {
		return 0
	}
	return 0.6
}

func (s *scan) holdsUUIDs(d *Dataset, column string) bool {
	return !slices.ContainsFunc(s.profiles[d.Table].values[column], func(v connector.Value) bool { return !pii.IsUUID(v.S) })
}

// probe asks the parent's store how many of the column's sampled values it knows.
func (s *scan) probe(ctx context.Context, d *Dataset, c *connector.Column, m *match) error {
	p := s.profiles[d.Table]
	probed := p.some(c.Name, probeValues)
	if err := s.probeValues(ctx, probed, m); err != nil || !m.key.email {
		return err
	}
	known, all := 0, 0
	for _, v := range p.values[c.Name] {
		if slices.Contains(probed, v) {
			all++
			if m.found[connector.Fold(v.S)] {
				known++
			}
		}
	}
	m.rows = float64(known) / float64(max(all, 1))
	return nil
}

func (s *scan) probeValues(ctx context.Context, values []connector.Value, m *match) error {
	parent := m.key.d
	column := parent.Table.Column(m.key.column)
	var keys []connector.Key
	asked := map[string]bool{}
	for _, v := range values {
		if v.S == "0" {
			continue // where a number must be, and nobody is meant
		}
		if m.key.email {
			v.S = connector.Fold(v.S)
		}
		if converted, ok := parent.Store.Convert(v, column); ok && !asked[converted.S] {
			asked[converted.S] = true
			keys = append(keys, connector.Key{converted})
		} else if !ok {
			m.probed++
		}
	}
	m.probed += len(keys)
	if m.probed == 0 || len(keys) == 0 {
		return nil
	}
	m.found = map[string]bool{}
	err := parent.Store.Select(ctx, []connector.Select{{Table: parent.Table, Columns: []string{m.key.column},
		Where: []connector.Match{{Columns: []string{m.key.column}, Keys: keys, Fold: m.key.email}}}},
		func(_ int, row []connector.Value) error {
			v := row[0].S
			if m.key.email {
				v = connector.Fold(v)
			}
			m.found[v] = true
			return nil
		})
	if err != nil {
		return fmt.Errorf("looking for values of %s: %w", parent.ID(), err)
	}
	m.share = float64(len(m.found)) / float64(m.probed)
	return nil
}

// convinces: nearly all values are there; some, for addresses; or there are none to look at and the
// names are plain.
func (m match) convinces(d *Dataset, column string) bool {
	stem, suffix := splitReference(column)
	switch {
	case m.probed == 0:
		return m.name >= 0.9 && suffix != "" && m.key.d.System == d.System && !m.key.email && (m.key.d.People != nil || m.name > 0.9 || slices.Equal(stem, singulars(m.key.d.Name)))
	case m.probed < fewProbed && m.name < 0.9, numberSuffix[suffix] && m.probed < severalProbed && !isNumbered(m.key.column):
		return false // any small number is somewhere
	case m.key.email:
		return m.share >= enoughMail && m.share*float64(m.probed) >= min(3, float64(m.probed))
	}
	return m.share >= enough
}

func (m match) confidence() float64 {
	if m.probed == 0 {
		return 0.5
	}
	few := 0.0
	if m.probed < 20 {
		few = 0.1
	}
	return 0.5*m.name + 0.48*m.share - few
}

func (m match) reason() string {
	target := m.key.d.ID() + "." + m.key.column
	if m.probed == 0 {
		return "its name speaks of " + target + "; there are no values to compare"
	}
	if m.guests > 0 {
		return fmt.Sprintf("%.0f %% of %d sampled values are in %s; %d of the sampled rows have nothing else that says whose they are", 100*m.share, m.probed, target, m.guests)
	}
	return fmt.Sprintf("%.0f %% of %d sampled values are in %s", 100*m.share, m.probed, target)
}
