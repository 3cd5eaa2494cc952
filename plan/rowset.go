package plan

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
)

// record is one row the walk met: its cells in the order of rowset.columns, and how it was met.
type record struct {
	cells []connector.Value
	path  int32 // index of walk.paths
	via   int32 // index of walk.edges, -1 for a seed
	// reached: some judged edge leads to the subject. Otherwise the row is somebody else's and only
	// refers to the subject's row by the edges in refs.
	reached bool
	seed    bool
	refs    []int32
	// inText: the row is somebody else's and an identity of the person stands in its text.
	inText bool
	erased bool // by an earlier run: nothing more to change

	state
}

// state is what was decided about a row. For rows that spill it is decided anew at each reading.
type state struct {
	co       bool // reached, but others own it too
	conflict bool // its references contradict each other
	pinned   bool
	emptied  bool // by an earlier run: what it holds identifies nobody
	keep     bool // by rule, hold, or as part of a kept row
	why      int32
	until    string
	nulls    []int32 // edges whose reference is set to NULL
}

// rowset is the rows met in one dataset. Indexed sets answer "which row has this key" and stay in
// memory; the others only stream, and spill to a sealed file beyond the engine's memory limit.
type rowset struct {
	d *catalog.Dataset
	*shape
	limit int
	dir   string

	byKey map[string]*record              // locator to row, indexed sets only
	index map[string]map[string][]*record // edge end ("a+b") to key to rows, indexed sets only
	mem   []*record
	spill *spill
	n     int64
}

func newRowset(d *catalog.Dataset, shape *shape, limit int, dir string) *rowset {
	s := &rowset{d: d, shape: shape, limit: limit, dir: dir}
	if s.indexed {
		s.byKey = map[string]*record{}
		s.index = map[string]map[string][]*record{}
	}
	return s
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
	if s.indexed {
		k := s.address(r, nth)
		if old := s.byKey[k]; old != nil {
			return old, false, nil
		}
		s.byKey[k] = r
	}
	s.n++
	if !s.indexed && len(s.mem) >= s.limit {
		return r, true, s.spillRecord(r)
	}
	s.mem = append(s.mem, r)
	return r, true, nil
}

func (s *rowset) address(r *record, nth int) string {
	k := s.key(r).Encode()
	if s.d.Table.Locator.Kind == connector.ByPredicate {
		k += "#" + strconv.Itoa(nth)
	}
	return k
}

// find gives the rows whose cells of these columns have the key; indexed sets only. The index is
// made when first asked, so ask only when the set is complete, or call reindex.
func (s *rowset) find(columns []string, fold bool, key string) []*record {
	name := strings.Join(columns, "+")
	if fold {
		name += "~"
	}
	ix := s.index[name]
	if ix == nil {
		ix = map[string][]*record{}
		for _, r := range s.mem {
			if k := encodeKey(s.values(r, columns), fold); k != "" {
				ix[k] = append(ix[k], r)
			}
		}
		s.index[name] = ix
	}
	return ix[key]
}

// reindex forgets the indexes, after rows were added.
func (s *rowset) reindex() { clear(s.index) }

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

// each gives every row once, in the order they were met.
func (s *rowset) each(f func(*record) error) error {
	for _, r := range s.mem {
		if err := f(r); err != nil {
			return err
		}
	}
	if s.spill == nil {
		return nil
	}
	return s.spill.each(f)
}

func (s *rowset) spillRecord(r *record) error {
	if s.spill == nil {
		var err error
		if s.spill, err = newSpill(s.dir); err != nil {
			return err
		}
	}
	return s.spill.add(r)
}

func (s *rowset) close() {
	if s.spill != nil {
		s.spill.close()
	}
}

// spill is rows in a sealed, already unlinked file: what lies on disk is noise without the key,
// and the key is only in memory.
type spill struct {
	f     *os.File
	aead  cipher.AEAD
	chunk uint64
	buf   []byte
}

const spillChunk = 1 << 20

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "spill-")
	if err != nil {
		return nil, fmt.Errorf("making a spill file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("unlinking a spill file: %w", err)
	}
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &spill{f: f, aead: aead}, nil
}

func (s *spill) add(r *record) error {
	s.buf = appendRecord(s.buf, r)
	if len(s.buf) < spillChunk {
		return nil
	}
	return s.flush()
}

// flush seals a chunk under its number, so that chunks cannot be swapped. The nonce is the number:
// the key is used for this file only.
func (s *spill) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	sealed := s.aead.Seal(nil, s.nonce(s.chunk), s.buf, nil)
	s.chunk++
	s.buf = s.buf[:0]
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(sealed)))
	if _, err := s.f.Write(append(head, sealed...)); err != nil {
		return fmt.Errorf("spilling rows: %w", err)
	}
	return nil
}

func (s *spill) nonce(n uint64) []byte {
	b := make([]byte, s.aead.NonceSize())
	binary.LittleEndian.PutUint64(b, n)
	return b
}

func (s *spill) each(f func(*record) error) error {
	if err := s.flush(); err != nil {
		return err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(s.f, 0, 1<<62), 1<<16)
	var head [4]byte
	for n := uint64(0); n < s.chunk; n++ {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return fmt.Errorf("reading spilled rows: %w", err)
		}
		sealed := make([]byte, binary.LittleEndian.Uint32(head[:]))
		if _, err := io.ReadFull(r, sealed); err != nil {
			return fmt.Errorf("reading spilled rows: %w", err)
		}
		plain, err := s.aead.Open(sealed[:0], s.nonce(n), sealed, nil)
		if err != nil {
			return fmt.Errorf("reading spilled rows: %w", err)
		}
		for len(plain) > 0 {
			var rec *record
			rec, plain = cutRecord(plain)
			if err := f(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spill) close() { s.f.Close() }

func appendRecord(b []byte, r *record) []byte {
	b = binary.AppendVarint(b, int64(r.path))
	b = binary.AppendVarint(b, int64(r.via))
	b = append(b, boolByte(r.reached), boolByte(r.seed))
	b = binary.AppendUvarint(b, uint64(len(r.refs)))
	for _, e := range r.refs {
		b = binary.AppendVarint(b, int64(e))
	}
	return appendValues(b, r.cells)
}

func cutRecord(b []byte) (*record, []byte) {
	r := &record{}
	r.path, b = cutInt32(b)
	r.via, b = cutInt32(b)
	r.reached, r.seed, b = b[0] == 1, b[1] == 1, b[2:]
	n, w := binary.Uvarint(b)
	b = b[w:]
	for range n {
		var e int32
		e, b = cutInt32(b)
		r.refs = append(r.refs, e)
	}
	r.cells, b = cutValues(b)
	return r, b
}

func appendValues(b []byte, vs []connector.Value) []byte {
	b = binary.AppendUvarint(b, uint64(len(vs)))
	for _, v := range vs {
		b = append(b, byte(v.Kind))
		b = binary.AppendUvarint(b, uint64(len(v.S)))
		b = append(b, v.S...)
	}
	return b
}

func cutValues(b []byte) ([]connector.Value, []byte) {
	n, w := binary.Uvarint(b)
	b = b[w:]
	vs := make([]connector.Value, n)
	for i := range vs {
		vs[i].Kind = connector.Kind(b[0])
		l, w := binary.Uvarint(b[1:])
		vs[i].S = string(b[1+w : 1+w+int(l)])
		b = b[1+w+int(l):]
	}
	return vs, b
}

func cutInt32(b []byte) (int32, []byte) {
	n, w := binary.Varint(b)
	return int32(n), b[w:]
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
