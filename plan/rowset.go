package plan

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// record is one row the walk met: its cells in the order of rowset.columns, and how it was met.
type record struct {
	n     int64 // of its set, in the order met
	nth   int32 // tells rows apart that are equal in every cell
	cells []connector.Value
	path  int32 // index of walk.paths
	via   int32 // index of walk.edges, -1 for a seed
	// reached: some judged edge leads to the subject. Otherwise the row is somebody else's and only
	// refers to the subject's row by the edges in refs.
	reached bool
	seed    bool
	refs    []int32
	person  int32 // whose seed, counted from 1; 0 for other rows
	same    int32 // who it is, by its seed or by an alias of one, counted from 1; 0 where a row is no person
	// inText: the row is somebody else's and an identity of the person stands in its text.
	inText bool
	erased bool // by an earlier run: nothing more to change
	lent   bool // the next row takes its place

	state
}

// state is what was decided about a row. For rows that only stream it is decided anew at each reading.
type state struct {
	co       bool // reached, but others own it too
	conflict bool // its references contradict each other
	pinned   bool
	emptied  bool // by an earlier run: what it holds identifies nobody
	settled  bool // judged, in a set that streams
	keep     bool // by rule, hold, or as part of a kept row
	why      int32
	until    string
	nulls    []int32 // edges whose reference is set to NULL; see walk.finish
}

// clear empties a record for the next row, and keeps its room.
func (r *record) clear() {
	*r = record{cells: r.cells, lent: r.lent, state: state{nulls: r.nulls[:0]}}
}

// lasting is a record that stays good when the next row is read.
func (r *record) lasting() *record {
	if !r.lent {
		return r
	}
	c := *r
	c.cells, c.nulls, c.lent = slices.Clone(r.cells), slices.Clone(r.nulls), false
	return &c
}

// rowset is the rows met in one dataset. Indexed sets answer "which row has this key" and keep what was
// decided about a row; the others only stream. Both leave memory for a sealed file when the walk has
// more rows than its storage may hold: then a record is a copy, and what changes in it must be put.
type rowset struct {
	d *catalog.Dataset
	*shape
	storage *storage
	n       int64
	foreign int64 // rows not reached
	front   ranges

	mem   []*record
	byKey map[string]*record              // address to row, indexed sets in memory
	index map[string]map[string][]*record // edge end to key to rows, indexed sets in memory
	disk  *table                          // an indexed set that left memory
	tail  *area                           // the rows beyond memory of a set that streams
	buf   []byte
}

func newRowset(d *catalog.Dataset, shape *shape, storage *storage) *rowset {
	return &rowset{d: d, shape: shape, storage: storage}
}

// key is the row's address.
func (s *rowset) key(r *record) connector.Key { return pick(r.cells, s.locator) }

func pick(cells []connector.Value, at []int) connector.Key {
	k := make(connector.Key, len(at))
	for i, p := range at {
		k[i] = cells[p]
	}
	return k
}

// values are the row's cells of the named columns.
func (s *rowset) values(r *record, columns []string) connector.Key {
	k := make(connector.Key, len(columns))
	for i, c := range columns {
		k[i] = r.cells[s.at[c]]
	}
	return k
}

// add keeps a row. In an indexed set a row that is there already is given back instead, false.
// nth tells rows apart that are equal in every cell, as a table without key may hold them: the
// nth such row of one answer.
func (s *rowset) add(r *record, nth int) (*record, bool, error) {
	r.nth = int32(nth)
	if old := s.lookup(r, nth); old != nil {
		return old, false, nil
	}
	if !r.reached {
		s.foreign++
	}
	r.n = s.n
	s.n++
	s.storage.used += weight(r)
	if s.disk == nil && s.tail == nil && s.storage.used <= s.storage.limit {
		s.keep(r)
		return r, true, nil
	}
	return r, true, s.spill(r)
}

// weight is how many rows' memory a row takes.
func weight(r *record) int {
	n := 0
	for _, v := range r.cells {
		n += len(v.S)
	}
	return 1 + n/1024
}

func (s *rowset) keep(r *record) {
	s.mem = append(s.mem, r)
	if !s.indexed {
		return
	}
	if s.byKey == nil {
		s.byKey = map[string]*record{}
	}
	s.byKey[s.address(r, int(r.nth))] = r
	clear(s.index) // made again when asked for
}

// spill puts a row behind the others in the file, and an indexed set there whole.
func (s *rowset) spill(r *record) error {
	p, err := s.storage.open()
	if err != nil {
		return err
	}
	if !s.indexed {
		if s.tail == nil {
			s.tail = &area{p: p}
		}
		s.buf = appendRecord(s.buf[:0], r)
		s.tail.append(binary.LittleEndian.AppendUint32(nil, uint32(len(s.buf))))
		s.tail.append(s.buf)
		s.storage.used -= weight(r)
		return p.err
	}
	if s.disk == nil {
		s.disk = newTable(s, p)
		for _, o := range s.mem {
			s.disk.add(o)
			s.storage.used -= weight(o)
		}
		s.mem, s.byKey, s.index = nil, nil, nil
	}
	s.disk.add(r)
	s.storage.used -= weight(r)
	return p.err
}

// lookup gives the row that has the address of r; nil in a set that is not indexed.
func (s *rowset) lookup(r *record, nth int) *record {
	switch {
	case s.disk != nil:
		if s.d.Table.Locator.Kind != connector.ByPredicate {
			nth = 0
		}
		return s.disk.lookup(s.key(r), int32(nth))
	case s.indexed:
		return s.byKey[s.address(r, nth)]
	}
	return nil
}

func (s *rowset) address(r *record, nth int) string {
	k := s.key(r).Encode()
	if s.d.Table.Locator.Kind == connector.ByPredicate {
		k += "#" + strconv.Itoa(nth)
	}
	return k
}

// put keeps what was changed in a record of an indexed set.
func (s *rowset) put(r *record) {
	if s.disk != nil {
		s.disk.put(r)
	}
}

// row gives a row of an indexed set by its number.
func (s *rowset) row(n int64) *record {
	if s.disk != nil {
		return s.disk.get(n)
	}
	return s.mem[n]
}

// find gives the rows whose cells of these columns have the key, in the order they were met; indexed
// sets only.
func (s *rowset) find(columns []string, fold bool, key string) []*record {
	if s.disk != nil {
		return s.disk.find(columns, fold, key)
	}
	name := endName(columns, fold)
	ix := s.index[name]
	if ix == nil {
		ix = map[string][]*record{}
		for _, r := range s.mem {
			if k := encodeKey(s.values(r, columns), fold); k != "" {
				ix[k] = append(ix[k], r)
			}
		}
		if s.index == nil {
			s.index = map[string]map[string][]*record{}
		}
		s.index[name] = ix
	}
	return ix[key]
}

func endName(columns []string, fold bool) string {
	name := strings.Join(columns, "+")
	if fold {
		name += "~"
	}
	return name
}

// encodeKey is "" for a key with a NULL part: it references nothing.
func encodeKey(k connector.Key, fold bool) string {
	if k.HasNull() {
		return ""
	}
	if fold {
		k = slices.Clone(k)
		for i := range k {
			k[i] = connector.TextValue(connector.Fold(k[i].S))
		}
	}
	return k.Encode()
}

// each gives every row once, in the order they were met. A record from the file is good during the call only, see lasting: they share one,
// for of millions of copies there are the more in memory the later the collector gets its turn on a busy machine.
func (s *rowset) each(f func(*record) error) error {
	if s.disk != nil {
		return s.some(ranges{{0, s.n}}, f)
	}
	for _, r := range s.mem {
		if err := f(r); err != nil {
			return err
		}
	}
	if s.tail == nil {
		return nil
	}
	var head [4]byte
	lent := record{lent: true}
	for at := int64(0); at < s.tail.size; {
		s.tail.read(at, head[:])
		s.buf = slices.Grow(s.buf[:0], int(binary.LittleEndian.Uint32(head[:])))[:binary.LittleEndian.Uint32(head[:])]
		s.tail.read(at+4, s.buf)
		if err := s.storage.failed(); err != nil {
			return err
		}
		at += 4 + int64(len(s.buf))
		cutRecord(&lent, string(s.buf))
		if err := f(&lent); err != nil {
			return err
		}
	}
	return nil
}

// every is each for what cannot fail itself; a failure of the file stays in the storage.
func (s *rowset) every(f func(*record)) {
	_ = s.each(func(r *record) error { f(r); return nil })
}

// some is each for rows of an indexed set.
func (s *rowset) some(rs ranges, f func(*record) error) error {
	lent := record{lent: true}
	for _, part := range rs {
		for n := part.from; n < part.to; n++ {
			r := &lent
			if s.disk != nil {
				s.disk.read(n, r)
			} else {
				r = s.mem[n]
			}
			if err := f(r); err != nil {
				return err
			}
			if err := s.storage.failed(); err != nil {
				return err
			}
		}
	}
	return nil
}

// ranges are numbers of rows.
type ranges []struct{ from, to int64 }

func (rs ranges) with(n int64) ranges {
	if last := len(rs) - 1; last >= 0 && rs[last].to == n {
		rs[last].to++
		return rs
	}
	return append(rs, struct{ from, to int64 }{n, n + 1})
}

func (rs ranges) len() int64 {
	n := int64(0)
	for _, r := range rs {
		n += r.to - r.from
	}
	return n
}

// parts cuts ranges into parts of at most so many rows.
func (rs ranges) parts(most int64) []ranges {
	var out []ranges
	var part ranges
	room := most
	for _, r := range rs {
		for r.from < r.to {
			n := min(room, r.to-r.from)
			part = append(part, struct{ from, to int64 }{r.from, r.from + n})
			r.from, room = r.from+n, room-n
			if room == 0 {
				out, part, room = append(out, part), nil, most
			}
		}
	}
	if len(part) > 0 {
		out = append(out, part)
	}
	return out
}
