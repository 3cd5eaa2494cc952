package plan

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/pii"
)

// What is no identity may lead to a person all the same: the number that a payment provider knows a customer by, in a table
// that nothing joins to them. So the sweep looks for what rows of the person held and hold no more as well, where that is
// distinctive by its make, or by the word of the database. What others hold in the same column, or are themselves known by, was
// never the person's alone.

const (
	watchFormer connector.Verb = "former" // set: a column; rows: what it held, folded; breaks: it is UNIQUE; expect: how many more there were
	watchOwned  connector.Verb = "owned"  // set: a column; rows: former values; expect: in how many kept cells each stands
)

// mostFormer bounds what is looked for beside identities; how much more there was stands in the proof.
const mostFormer = 500

// formerPlace is a column that the values stood in.
type formerPlace struct {
	system, dataset, column string
	unique                  bool
}

// formers are values that rows of the people held and hold no more, folded.
type formers struct {
	from   map[string]formerPlace // by value
	missed int64
}

func (f *formers) add(at formerPlace, value string) {
	if _, known := f.from[value]; known || value == "" {
		return
	}
	if len(f.from) >= mostFormer {
		f.missed++
		return
	}
	if f.from == nil {
		f.from = map[string]formerPlace{}
	}
	f.from[value] = at
}

// note adds what a row loses in a column, where that is distinctive.
func (f *formers) note(d *catalog.Dataset, column string, old connector.Value) {
	at := formerPlace{d.System, d.Name, column, identifying(d.Table, column)}
	if c := d.Table.Column(column); c != nil && mayTell(d, c) && distinctive(old.S, at.unique) {
		f.add(at, connector.Fold(old.S))
	}
}

// mayTell: a column of words that are neither an identity of one person alone, which is looked for anyway, nor a name or a reference.
func mayTell(d *catalog.Dataset, c *connector.Column) bool {
	if c.Kind != connector.Text && c.Kind != connector.UUID || len(c.Enum) > 0 || c.Generated || c.Length > 0 && c.Length < minFormer {
		return false
	}
	return !(isBy(d, c.Name) && identifying(d.Table, c.Name)) && !refers(d, c.Name) && !slices.Contains(nameColumns(d), c.Name)
}

// formerColumns of a dataset of people are read with its rows, those that go included.
func formerColumns(d *catalog.Dataset) []string {
	var out []string
	for i := range d.Table.Columns {
		if c := &d.Table.Columns[i]; mayTell(d, c) && pii.ByName(c.Name).Kind != pii.FreeText {
			out = append(out, c.Name)
		}
	}
	return out
}

const (
	minFormer = 8  // shorter words are anybody's
	madeWord  = 14 // from here on a mixed word behind a prefix was made up by a program
)

// distinctive: no two people have such a value by chance. One that the database keeps from occurring twice may be plainer.
func distinctive(s string, unique bool) bool {
	s = strings.TrimSpace(s)
	if len(s) < minFormer || strings.ContainsFunc(s, unicode.IsSpace) || isTombstone(connector.Fold(s)) {
		return false
	}
	if pii.IsRandom(s) || isMade(s) {
		return true
	}
	return unique && strings.ContainsFunc(s, unicode.IsDigit) && (len(s) > minFormer+1 || strings.ContainsFunc(s, unicode.IsLetter))
}

// isMade: a short prefix that says of what, and a word in which capitals, small letters and digits change often.
func isMade(s string) bool {
	at := strings.LastIndexByte(s, '_')
	if at < 1 || len(s)-at <= madeWord {
		return false
	}
	word, changes, digits := s[at+1:], 0, 0
	kind := func(b byte) int {
		switch {
		case b >= '0' && b <= '9':
			return 1
		case b >= 'a' && b <= 'z':
			return 2
		case b >= 'A' && b <= 'Z':
			return 3
		}
		return 0
	}
	for i := range len(word) {
		k := kind(word[i])
		if k == 0 {
			return false
		}
		if k == 1 {
			digits++
		}
		if i > 0 && k != kind(word[i-1]) {
			changes++
		}
	}
	return digits > 0 && 4*changes >= len(word)
}

// losses adds what the rows of people datasets lose, to what other rows that change lose and what an earlier run knew.
func (s *scribe) losses() formers {
	out := formers{missed: s.w.ghosts.former.missed}
	for value, at := range sorted(s.w.ghosts.former.from) {
		out.add(at, value)
	}
	for _, d := range s.w.g.Datasets {
		set := s.w.sets[d]
		if set == nil || d.People == nil || s.w.q.Limit != nil {
			continue
		}
		columns := formerColumns(d)
		set.every(func(r *record) {
			s.w.finish(set, r)
			if !r.reached || r.co || r.erased || r.emptied {
				return
			}
			dec, _ := s.w.decideFor(set, r)
			for _, c := range columns {
				if s.w.dies(set, r) || slices.Contains(dec.fields, c) {
					out.note(d, c, r.cells[set.at[c]])
				}
			}
		})
	}
	for value, at := range sorted(s.former.from) {
		out.add(at, value)
	}
	out.missed += s.former.missed
	return out
}

// noteLost notes what a row that stays loses, as long as it is the person's alone.
func (s *scribe) noteLost(d *catalog.Dataset, r *record, fields []string, old, now []connector.Value) {
	if d.People != nil || othersToo(r) || s.w.q.Limit != nil {
		return
	}
	for i, c := range fields {
		if old[i] != now[i] {
			s.former.note(d, c, old[i])
		}
	}
}

// watchFormers seals the values for the sweep.
func (s *scribe) watchFormers(ctx context.Context, f formers) error {
	byPlace := map[string]*act{}
	for value, at := range sorted(f.from) {
		k := strings.Join([]string{at.system, at.dataset, at.column}, "\x00")
		if byPlace[k] == nil {
			byPlace[k] = &act{dataset: at.dataset, verb: watchFormer, step: -1, set: []string{at.column}, breaks: at.unique, expect: []string{itoa(f.missed)}}
			f.missed = 0
		}
		byPlace[k].rows = append(byPlace[k].rows, connector.Key{connector.TextValue(value)})
	}
	for k, a := range sorted(byPlace) {
		system, _, _ := strings.Cut(k, "\x00")
		if err := s.add(ctx, system, *a); err != nil {
			return err
		}
	}
	return nil
}

// take reads them back.
func (f *formers) take(system string, a act) {
	for _, k := range a.rows {
		f.add(formerPlace{system, a.dataset, a.set[0], a.breaks}, k[0].S)
	}
	if n, err := strconv.ParseInt(a.expect[0], 10, 64); err == nil {
		f.missed += n
	}
}

// ownedAct says in how many kept cells of a column each former value stands.
func ownedAct(d *catalog.Dataset, column string, n map[string]int64) act {
	a := act{dataset: d.Name, verb: watchOwned, step: -1, set: []string{column}}
	for value, n := range sorted(n) {
		a.rows, a.expect = append(a.rows, connector.Key{connector.TextValue(value)}), append(a.expect, itoa(n))
	}
	return a
}

func (l *looker) watchOwned(system string, a act) {
	for i, k := range a.rows {
		if n, err := strconv.ParseInt(a.expect[i], 10, 64); err == nil { // else it is not let pass
			l.owned[k[0].S+"\x00"+system+"."+a.dataset+"."+a.set[0]] += n
		}
	}
}

// count is what the proof says of them.
func (f *formers) count() string {
	switch {
	case len(f.from) == 0:
		return ""
	case f.missed > 0:
		return fmt.Sprintf(" and %d of %d values that their rows lost", len(f.from), int64(len(f.from))+f.missed)
	}
	return fmt.Sprintf(" and %d values that their rows lost", len(f.from))
}

// quarry is what a sweep looks for.
type quarry struct {
	m      *matcher
	former map[string]formerPlace
}

func newQuarry(ids []string, f formers) *quarry {
	patterns := slices.Clone(ids)
	for value := range sorted(f.from) {
		if !slices.Contains(ids, value) {
			patterns = append(patterns, value)
		}
	}
	q := &quarry{newMatcher(patterns), map[string]formerPlace{}}
	for _, value := range patterns[len(ids):] {
		q.former[value] = f.from[value]
	}
	return q
}

// sight is what of it stands in one cell. In a cell with an identity nothing else counts.
type sight struct {
	identity bool
	former   []string
}

// in looks through the codings that stores put text into: as it is, base64, hexadecimal, gzip.
func (q *quarry) in(v connector.Value) (out sight) {
	if len(v.S) >= minSweep {
		q.read(v.S, 2, &out)
	}
	return out
}

func (q *quarry) read(text string, depth int, out *sight) {
	for _, h := range q.m.find(text) {
		word, _ := foldText(text[h.from:h.to])
		if _, ok := q.former[word]; !ok {
			out.identity = true
		} else if !slices.Contains(out.former, word) {
			out.former = append(out.former, word)
		}
	}
	if out.identity || len(out.former) > 0 || depth == 0 {
		return
	}
	for _, decode := range []func(string) (string, bool){gunzip, unbase64, unhex} {
		if plain, ok := decode(text); ok {
			q.read(plain, depth-1, out)
		}
	}
}

// formerSeen is where former values stand when all is done, by value, dataset and column.
type formerSeen map[string]map[*catalog.Dataset]map[string]int64

func (f formerSeen) add(value string, d *catalog.Dataset, column string) {
	if f[value] == nil {
		f[value] = map[*catalog.Dataset]map[string]int64{}
	}
	if f[value][d] == nil {
		f[value][d] = map[string]int64{}
	}
	f[value][d][column]++
}

// mayOwn is how many cells of a column a former value may stand in, because rows are kept. A stored copy may show them anywhere.
func (l *looker) mayOwn(value string, d *catalog.Dataset, column string) int64 {
	if k := d.Table.Kind; k != connector.MatView && k != connector.Virtual {
		return l.owned[value+"\x00"+d.ID()+"."+column]
	}
	for place, n := range l.owned {
		if strings.HasPrefix(place, value+"\x00"+d.System+".") && n > 0 {
			return 1 << 62
		}
	}
	return 0
}

// nameFormers names what still stands somewhere of what was the person's alone.
func (l *looker) nameFormers(seen formerSeen) {
	type residue struct {
		d    *catalog.Dataset
		rows int64
		to   string
		from formerPlace
	}
	byPlace := map[string]*residue{}
	for value, by := range sorted(seen) {
		from := l.former.from[value]
		if !from.unique && l.anybodys(value, by, from) {
			continue
		}
		for d, columns := range by {
			for column, n := range columns {
				if n -= l.mayOwn(value, d, column); n <= 0 {
					continue
				}
				k := strings.Join([]string{d.ID(), column, from.system, from.dataset, from.column}, "\x00")
				if byPlace[k] == nil {
					byPlace[k] = &residue{d: d, to: column, from: from}
				}
				byPlace[k].rows += n
			}
		}
	}
	for _, r := range sorted(byPlace) {
		was := r.from.dataset + "." + r.from.column
		if r.from.system != r.d.System {
			was = r.from.system + "." + was
		}
		l.residue(r.d, r.rows, fmt.Sprintf("what was the person's in %s still stands in %s", was, r.to))
		next := fmt.Sprintf("with a link in ombud.yaml (from: %s.%s, to: %s) the next erasure follows it", r.d.Name, r.to, was)
		if c := r.d.Table.Column(r.to); c != nil && catalog.IsFreeText(r.d.Table, *c) {
			next = fmt.Sprintf("if ombud.yaml knows people by it ({table: %s, by: {%s: %s}}), the next erasure looks for it in texts", r.from.dataset, r.from.column, r.from.column)
		}
		l.left[len(l.left)-1].Next = "clear it there, then retry; " + next
	}
}

// anybodys: others hold the value in the same column, or are known by it: then it only named something.
func (l *looker) anybodys(value string, by map[*catalog.Dataset]map[string]int64, from formerPlace) bool {
	for d, columns := range by {
		for column, n := range columns {
			same := d.System == from.system && d.Name == from.dataset && column == from.column
			if (same || identifying(d.Table, column)) && n > l.mayOwn(value, d, column) {
				return true
			}
		}
	}
	return false
}
