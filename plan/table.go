package plan

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// storage is where the rows of a walk are: in memory, up to a number for all datasets together, then in
// a sealed file. A row of a dataset that others refer to must be found again by its key and may be
// judged anew, so such a dataset moves into the file whole (table); the others go on there (stream).
type storage struct {
	limit  int // rows in memory
	cached int // pages in memory
	dir    string
	used   int
	file   *pages
	seed   maphash.Seed
	names  names
}

// newStorage holds some of what is in its file in memory too: a page for every twenty rows.
func newStorage(limit int, dir string) *storage {
	return &storage{limit: limit, cached: max(2, limit/20), dir: dir}
}

// failed is the first failure of our own disk: nothing decided since may be believed.
func (s *storage) failed() error {
	if s.file == nil {
		return nil
	}
	return s.file.err
}

func (s *storage) close() {
	if s.file != nil {
		s.file.close()
	}
}

func (s *storage) open() (*pages, error) {
	if s.file != nil {
		return s.file, nil
	}
	var err error
	s.limit /= 4 // there will be many: the file's pages are in memory too
	s.seed = maphash.MakeSeed()
	if s.file, err = newPages(s.dir, s.cached); err != nil {
		return nil, ours{err}
	}
	return s.file, nil
}

func (s *storage) hash(key string) uint32 { return uint32(maphash.String(s.seed, key) >> 32) }

// names numbers the few different texts that very many rows have; 0 is the empty one.
type names struct {
	at  map[string]int32
	all []string
}

func (l *names) number(s string) int32 {
	if s == "" {
		return 0
	}
	n, ok := l.at[s]
	if ok {
		return n
	}
	if l.at == nil {
		l.at = map[string]int32{}
	}
	l.all = append(l.all, s)
	l.at[s] = int32(len(l.all))
	return l.at[s]
}

func (l *names) name(n int32) string {
	if n == 0 {
		return ""
	}
	return l.all[n-1]
}

// columnIndex finds rows by the values of some columns.
type columnIndex struct {
	*hashes
	columns []string
	fold    bool
}

// table is the rows of one dataset in the file: cells, which never change, and a state of fixed width
// for each row, with an index by address and one for each edge end that was asked for.
type table struct {
	s         *rowset
	cells     area
	states    area
	byAddress *hashes
	byColumns map[string]columnIndex // by name of the edge end
	n         int64
	buf       []byte
	state     [stateSize]byte
}

func newTable(s *rowset, p *pages) *table {
	return &table{s: s, cells: area{p: p}, states: area{p: p}, byAddress: newHashes(p), byColumns: map[string]columnIndex{}}
}

func (t *table) add(r *record) {
	r.n = t.n
	t.n++
	t.buf = appendValues(t.buf[:0], r.cells)
	off := t.cells.append(t.buf)
	t.states.append(t.encode(r, off, len(t.buf)))
	t.byAddress.add(t.s.storage.hash(t.s.key(r).Encode()), uint32(r.n))
	for _, ix := range t.byColumns {
		t.index(ix, r)
	}
}

// put keeps what was decided about a row.
func (t *table) put(r *record) {
	b := t.state[:]
	t.states.read(r.n*stateSize, b)
	off, size := int64(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint32(b[8:]))
	t.states.write(r.n*stateSize, t.encode(r, off, size))
}

// get reads a row. It is a copy: what is changed in it must be put.
func (t *table) get(n int64) *record {
	r := &record{}
	t.read(n, r)
	return r
}

// read puts a row into a record, in place of what was in it.
func (t *table) read(n int64, r *record) {
	r.clear()
	b := t.state[:]
	t.states.read(n*stateSize, b)
	off, size := t.decode(b, r)
	r.n = n
	if t.s.storage.failed() == nil {
		t.buf = slices.Grow(t.buf[:0], size)[:size]
		t.cells.read(off, t.buf)
	}
	if t.s.storage.failed() != nil {
		r.cells = make([]connector.Value, len(t.s.columns))
		return
	}
	r.cells, _ = cutValues(r.cells, string(t.buf))
}

// lookup gives the row with this address, if there is one.
func (t *table) lookup(key connector.Key, nth int32) *record {
	enc := key.Encode()
	for _, n := range t.byAddress.find(t.s.storage.hash(enc)) {
		if r := t.get(int64(n)); r.nth == nth && t.s.key(r).Encode() == enc {
			return r
		}
	}
	return nil
}

// find gives the rows with a key, in the order they were met.
func (t *table) find(columns []string, fold bool, key string) []*record {
	rows := t.indexOf(columns, fold).find(t.s.storage.hash(key))
	slices.Sort(rows)
	var out []*record
	for _, n := range rows {
		if r := t.get(int64(n)); encodeKey(t.s.values(r, columns), fold) == key {
			out = append(out, r)
		}
	}
	return out
}

// indexOf makes an index when it is first asked for.
func (t *table) indexOf(columns []string, fold bool) columnIndex {
	name := endName(columns, fold)
	ix, ok := t.byColumns[name]
	if ok {
		return ix
	}
	ix = columnIndex{newHashes(t.cells.p), columns, fold}
	t.byColumns[name] = ix
	for n := range t.n {
		t.index(ix, t.get(n))
	}
	return ix
}

func (t *table) index(ix columnIndex, r *record) {
	if k := encodeKey(t.s.values(r, ix.columns), ix.fold); k != "" {
		ix.add(t.s.storage.hash(k), uint32(r.n))
	}
}

// stateSize: where the cells are, six numbers, and what is yes or no.
const stateSize = 8 + 4 + 8*4 + 2

func (t *table) encode(r *record, off int64, size int) []byte {
	flags := uint16(0)
	for i, f := range r.flags() {
		if *f {
			flags |= 1 << i
		}
	}
	st := t.s.storage
	b := binary.LittleEndian.AppendUint64(t.state[:0], uint64(off))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for _, v := range []int32{r.path, r.via, r.nth, r.person, r.same, r.why, st.names.number(string(appendInts(nil, r.refs))), st.names.number(r.until)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return binary.LittleEndian.AppendUint16(b, flags)
}

func (t *table) decode(b []byte, r *record) (off int64, size int) {
	off, size = int64(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint32(b[8:]))
	var refs, until int32
	for i, v := range []*int32{&r.path, &r.via, &r.nth, &r.person, &r.same, &r.why, &refs, &until} {
		*v = int32(binary.LittleEndian.Uint32(b[12+4*i:]))
	}
	flags := binary.LittleEndian.Uint16(b[stateSize-2:])
	for i, f := range r.flags() {
		*f = flags&(1<<i) != 0
	}
	r.refs, r.until = cutInts(t.s.storage.names.name(refs)), t.s.storage.names.name(until)
	return off, size
}

// flags are what is yes or no about a row.
func (r *record) flags() [9]*bool {
	return [...]*bool{&r.reached, &r.seed, &r.inText, &r.erased, &r.co, &r.conflict, &r.pinned, &r.keep, &r.emptied}
}
