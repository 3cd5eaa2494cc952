package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/connector"
)

// What the name of a column says of other datasets than the one it is held against.

// isAnothers: by the names alone it is seen that something else is meant.
func isAnothers(g *Graph, d *Dataset, r columnName, k parentKey) bool {
	return ofWhole(g, d, r, k) || ofNamesake(g, r, k) || ofSister(g, d, k) || ofItself(d, r, k) || ofAnyPart(d, r, k) || besideKey(r, k)
}

// namedElsewhere: another dataset of the system has exactly this name for its key, and numbers of the two are easily alike.
func namedElsewhere(g *Graph, d *Dataset, column string, but *Dataset) bool {
	_, suffix := splitReference(column)
	return suffix != "" && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o != d && o != but && o.System == d.System && strings.EqualFold(KeyColumn(o.Table), column)
	})
}

// isAlone: a dataset's key has a name that says what it is of, and no other dataset of the system has it for its key.
func isAlone(g *Graph, d *Dataset, column string) bool {
	return KeyColumn(d.Table) == column && !referenceSuffix[strings.ToLower(column)] && !anyNames[strings.ToLower(column)] &&
		!slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
			return o != d && o.System == d.System && strings.EqualFold(KeyColumn(o.Table), column)
		})
}

// isShared: other datasets of the system have a key of the same name, which is no word for what this one holds, nor for a person.
func isShared(g *Graph, k parentKey) bool {
	if n := len(k.stem) - 1; n < 0 || k.stem[n] == k.d.noun || isPersonNoun(k.stem[n]) {
		return false
	}
	return slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o != k.d && o.System == k.d.System && strings.EqualFold(KeyColumn(o.Table), k.column)
	})
}

var anyNames = set(`name title type kind value slug date day time language lang locale position rank status country currency version`)

// speaksOf: the name is that of another dataset, word for word: a question_attempt_id is of no quiz_attempts.
func speaksOf(g *Graph, r columnName, k parentKey) bool {
	stem, _ := r.to(k.d.noun)
	return len(stem) > 1 && commonTail(stem, k.d.words) < len(stem) && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o.System == k.d.System && commonTail(stem, o.words) == len(stem)
	})
}

// ofNamesake: beside products, a product_id is of no ordered products.
func ofNamesake(g *Graph, r columnName, k parentKey) bool {
	stem, _ := r.to(k.d.noun)
	return k.d.People == nil && slices.Equal(stem, []string{k.d.noun}) && k.d.words[len(k.d.words)-1] == k.d.noun && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o.System == k.d.System && o.noun == k.d.noun && len(o.words) < len(k.d.words) && KeyColumn(o.Table) != "" && !areSisters(o, k.d)
	})
}

// ofItself: the item_id that is the key of stock_items is a number of its own, and of no other items.
func ofItself(d *Dataset, r columnName, k parentKey) bool {
	return k.d.People == nil && KeyColumn(d.Table) == r.column.Name && len(r.stem) > 0 && strings.HasSuffix(d.noun, r.stem[len(r.stem)-1])
}

// ofAnyPart: an item_id is of order items where it is said of orders; in a log it may be of anything.
func ofAnyPart(d *Dataset, r columnName, k parentKey) bool {
	n := len(k.d.words) - 1
	return partWords[k.d.noun] && n > 0 && slices.Equal(r.stem, []string{k.d.noun}) && !slices.Contains(d.words, k.d.words[n-1])
}

// besideKey: forms have a form_id that is not their key, so what is called form_id elsewhere means that, or nothing that can be told.
func besideKey(r columnName, k parentKey) bool {
	c := k.d.Table.Column(r.column.Name)
	return c != nil && c.Name != k.column && r.suffix != "" && len(r.stem) > 0
}

// ofSister: where the same tables stand once for each site, year or tenant, told apart by a number, what hangs on wp_2_posts is
// named with a 2 too.
func ofSister(g *Graph, d *Dataset, k parentKey) bool {
	_, number := unnumbered(k.d)
	_, own := unnumbered(d)
	return !slices.Equal(number, own) && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		if o.System != k.d.System || !areSisters(o, k.d) {
			return false
		}
		_, theirs := unnumbered(o)
		return slices.Equal(theirs, own)
	})
}

// areSisters: nothing but a number tells the names of the two apart.
func areSisters(a, b *Dataset) bool {
	as, _ := unnumbered(a)
	bs, _ := unnumbered(b)
	return a != b && slices.Equal(as, bs)
}

// unnumbered parts the words of a dataset's name from the numbers in it.
func unnumbered(d *Dataset) (words, numbers []string) {
	for _, w := range d.words {
		if isDigits(w) {
			numbers = append(numbers, w)
		} else {
			words = append(words, w)
		}
	}
	return words, numbers
}

// isCalled: the last word of the name is that of another dataset: where there are actors, a rev_actor is one of them, and no user.
func isCalled(g *Graph, d *Dataset, r columnName, k parentKey) bool {
	stem, _ := r.to(k.d.noun)
	return len(stem) > 0 && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		return o != d && o != k.d && o.System == d.System && o.noun == stem[len(stem)-1] && k.d.noun != o.noun
	})
}

// ofWhole: the name is that of another dataset of which this one is named as a part: in form_entry_values an entry_id is of
// form_entry and of no thread_entry.
func ofWhole(g *Graph, d *Dataset, r columnName, k parentKey) bool {
	return len(r.stem) > 0 && r.suffix != "" && slices.ContainsFunc(g.Datasets, func(o *Dataset) bool {
		n := len(o.words)
		return o != d && o != k.d && o.System == d.System && n > 1 && n < len(d.words) && slices.Equal(d.words[:n], o.words) && commonTail(r.stem, o.words) == len(r.stem)
	})
}

// isOwnKey: all values are keys of the dataset itself, of the message that is answered.
func (s *scan) isOwnKey(ctx context.Context, d *Dataset, c *connector.Column) (bool, error) {
	key := KeyColumn(d.Table)
	if key == "" {
		return false, nil
	}
	m := match{key: keyOf(d, key, false)}
	if err := s.probe(ctx, d, c, &m); err != nil {
		return false, ctx.Err() // what cannot be compared is not guessed
	}
	return m.probed > 0 && m.share >= enough, nil
}

// dealers are words for who deals with somebody: a person or a firm, a customer or a user.
var dealers = set(`payer payee sender recipient receiver buyer seller giver taker owner holder client customer contractor donor party borrower account`)

// mayBeOthers: the name says that somebody deals, and not who, and firms or other people have the same numbers. Who writes is no firm.
func (s *scan) mayBeOthers(ctx context.Context, g *Graph, d *Dataset, r columnName, m *match) (bool, error) {
	if m.name >= 0.8 || m.key.d.People == nil || len(r.stem) == 0 || !dealers[r.stem[len(r.stem)-1]] {
		return false, nil
	}
	for _, o := range g.Datasets {
		firm := (organisationNouns[o.noun] || isOrganisation(o)) && !conversations[d.noun]
		key := KeyColumn(o.Table)
		if o == d || o == m.key.d || o.Ignored || o.System != d.System || key == "" || !o.Table.Rights.Select || !firm && (o.People == nil || areOne(o, m.key.d)) {
			continue
		}
		other := match{key: keyOf(o, key, false)}
		if err := s.probe(ctx, d, r.column, &other); ctx.Err() != nil {
			return false, ctx.Err()
		} else if err == nil && other.probed > 0 && other.share >= enough {
			return true, nil
		}
	}
	return false, nil
}

// areOne: what is known by the key of the other is the same person.
func areOne(a, b *Dataset) bool {
	within := func(a, b *Dataset) bool {
		return slices.ContainsFunc(a.Out, func(e *Edge) bool {
			return e.Parent == b && (e.Role == Alias || sameSet(a.Table.Primary, e.ChildColumns))
		})
	}
	return within(a, b) || within(b, a)
}
