package request

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ombudhq/ombud/catalog"
	"github.com/ombudhq/ombud/connector"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/pii"
	"github.com/ombudhq/ombud/plan"
)

// chunkSize is how much of one dataset is gathered before it is sealed and written.
const chunkSize = 64 << 10

// spool takes rows as they come and gives them back dataset by dataset. They lie in one file that has
// no name any more and whose key is only in memory: when the process ends, however it ends, they are
// gone. Memory holds one chunk, and 40 bytes for each chunk written.
type spool struct {
	file *os.File
	name string // still to be removed, where an open file cannot be
	aead cipher.AEAD
	sets []*dataset
	byID map[[2]string]*dataset
	end  int64
	seq  uint64

	// The chunk being gathered.
	of    *dataset
	shape int
	rows  int
	buf   []byte
}

// dataset is what the spool knows of one dataset's rows.
type dataset struct {
	System, Name string
	Rows         int64
	shapes       []shape
	chunks       []chunk
}

// shape is what some rows have in common: their columns, those withheld, and how they were found.
type shape struct {
	columns  []connector.Column
	withheld []string
	path     string
	role     catalog.Role
}

type chunk struct {
	at    int64
	size  int
	seq   uint64
	shape int
	rows  int
}

func newSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the folder for temporary files cannot be made")
	}
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "a temporary file cannot be made")
	}
	s := &spool{file: f, name: f.Name(), byID: map[[2]string]*dataset{}}
	if os.Remove(s.name) == nil {
		s.name = ""
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: it ends the process instead
	block, err := aes.NewCipher(key[:])
	if err == nil {
		s.aead, err = cipher.NewGCM(block)
	}
	clear(key[:])
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sealing a temporary file: %w", err), s.Close())
	}
	return s, nil
}

// Close forgets everything.
func (s *spool) Close() error {
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	s.buf, s.sets, s.byID = nil, nil, nil
	return err
}

// Row implements plan.Sink.
func (s *spool) Row(it plan.Item, row []connector.Value) error {
	d := s.dataset(it)
	i := d.shapeOf(it)
	if s.of != d || s.shape != i || len(s.buf) >= chunkSize {
		if err := s.flush(); err != nil {
			return err
		}
		s.of, s.shape = d, i
	}
	for _, v := range row {
		v = withoutCard(v)
		s.buf = append(s.buf, byte(v.Kind))
		s.buf = binary.AppendUvarint(s.buf, uint64(len(v.S)))
		s.buf = append(s.buf, v.S...)
	}
	s.rows++
	d.Rows++
	return nil
}

// withoutCard masks the number of a payment card but for its last four digits: a package says that we hold it, and is no place to
// find it in.
func withoutCard(v connector.Value) connector.Value {
	if v.IsNull() || !pii.HoldsCard(v.S) {
		return v
	}
	v.S = pii.MaskCards(v.S)
	if v.Kind == connector.Int || v.Kind == connector.Decimal || v.Kind == connector.Float {
		v.Kind = connector.Text
	}
	return v
}

func (s *spool) dataset(it plan.Item) *dataset {
	id := [2]string{it.System, it.Dataset}
	d := s.byID[id]
	if d == nil {
		d = &dataset{System: it.System, Name: it.Dataset}
		s.byID[id] = d
		s.sets = append(s.sets, d)
	}
	return d
}

// shapeOf finds or adds the item's columns, and notes the path and role it came by. Runs of rows
// mostly share the item of the one before, so the last shape is tried first.
func (d *dataset) shapeOf(it plan.Item) int {
	for i := len(d.shapes) - 1; i >= 0; i-- {
		if d.shapes[i].is(it) {
			return i
		}
	}
	d.shapes = append(d.shapes, shape{slices.Clone(it.Columns), slices.Clone(it.Withheld), it.Path, it.Role})
	return len(d.shapes) - 1
}

func (s *shape) is(it plan.Item) bool {
	return s.path == it.Path && s.role == it.Role && slices.Equal(s.withheld, it.Withheld) &&
		slices.EqualFunc(s.columns, it.Columns, func(a, b connector.Column) bool { return a.Name == b.Name && a.Kind == b.Kind })
}

// flush seals the gathered chunk and writes it.
func (s *spool) flush() error {
	if s.rows == 0 {
		return nil
	}
	s.seq++
	sealed := s.aead.Seal(nil, s.nonce(s.seq), s.buf, nil)
	if _, err := s.file.WriteAt(sealed, s.end); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the temporary file cannot be written")
	}
	s.of.chunks = append(s.of.chunks, chunk{s.end, len(sealed), s.seq, s.shape, s.rows})
	s.end += int64(len(sealed))
	s.rows, s.buf = 0, s.buf[:0]
	if cap(s.buf) > 4*chunkSize { // one huge cell must not stay
		s.buf = nil
	}
	return nil
}

// nonce is the chunk's number: the key is used for nothing else, so it never repeats, and a chunk
// cannot stand in another's place.
func (s *spool) nonce(seq uint64) []byte {
	n := make([]byte, s.aead.NonceSize())
	binary.BigEndian.PutUint64(n[len(n)-8:], seq)
	return n
}

// each reads a dataset's rows in the order they came, until fn says false. The row is valid during
// the call only.
func (s *spool) each(d *dataset, fn func(sh *shape, row []connector.Value) (bool, error)) error {
	if err := s.flush(); err != nil {
		return err
	}
	var sealed []byte
	for _, c := range d.chunks {
		sealed = slices.Grow(sealed[:0], c.size)[:c.size]
		if _, err := s.file.ReadAt(sealed, c.at); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the temporary file cannot be read")
		}
		clear, err := s.aead.Open(sealed[:0], s.nonce(c.seq), sealed, nil)
		if err != nil {
			return fault.New(fault.Integrity, "the temporary file was changed while it was in use")
		}
		more, err := eachRow(&d.shapes[c.shape], c.rows, clear, fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func eachRow(sh *shape, rows int, b []byte, fn func(*shape, []connector.Value) (bool, error)) (bool, error) {
	row := make([]connector.Value, len(sh.columns))
	for range rows {
		for i := range row {
			n, w := binary.Uvarint(b[1:])
			row[i] = connector.Value{Kind: connector.Kind(b[0]), S: string(b[1+w : 1+w+int(n)])}
			b = b[1+w+int(n):]
		}
		if more, err := fn(sh, row); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}
