package vault

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// The file buckets is the root of the keys of slots:
//
//	"ombud-buckets/v2\n" | version of the anchor, 8 bytes | length, 2 bytes | outer key, wrapped by the provider | sealed list
//
// The list holds for each bucket its number, its region and its key. It is sealed under a key made of both the outer key and
// the secret of the file anchor: the provider is asked once at a start, and an anchor that is overwritten takes every copy
// of the list that was sealed under it along, whatever the provider keeps. From v2 on a key that comes of the root key is the
// third: where that is sealed by a passphrase, all that lies here opens nothing without it. v1 is read, and written no more.
const (
	rootFile   = "buckets"
	rootMagic  = "ombud-buckets/v2\n"
	looseMagic = "ombud-buckets/v1\n"
	outerAAD   = looseMagic // what the outer key is wrapped with
	anchorFile = "anchor"
	entrySize  = 4 + 4 + 32
	maxWrapped = 4 << 10
)

// root is the content of the file.
type root struct {
	bound   bool // to the root key
	anchor  uint64
	wrapped []byte
	outer   [32]byte
	list    []entry // by number
}

type entry struct {
	id, region uint32
	key        [32]byte
}

// with is a root with these buckets instead of those of the same numbers.
func (r *root) with(list ...*bucket) root {
	next := *r
	next.list = slices.Clone(r.list)
	for _, b := range list {
		i, ok := slices.BinarySearchFunc(next.list, b.id, func(e entry, id uint32) int { return int(int64(e.id) - int64(id)) })
		if !ok {
			next.list = slices.Insert(next.list, i, entry{})
		}
		next.list[i] = entry{b.id, b.region, b.key}
	}
	return next
}

// free are so many regions that no bucket lies in, the lowest first.
func (r *root) free(n int) (out []uint32) {
	used := map[uint32]bool{}
	for i := range r.list {
		used[r.list[i].region] = true
	}
	for region := uint32(0); len(out) < n; region++ {
		if !used[region] {
			out = append(out, region)
		}
	}
	return out
}

// end is the first slot behind all buckets.
func (r *root) end() Slot {
	if len(r.list) == 0 {
		return 0
	}
	return Slot(r.list[len(r.list)-1].id+1) * perBucket
}

func (r *root) header() []byte {
	magic := rootMagic
	if !r.bound {
		magic = looseMagic
	}
	b := binary.BigEndian.AppendUint64([]byte(magic), r.anchor)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.wrapped)))
	return append(b, r.wrapped...)
}

// parseHeader reads anchor and outer key, and gives the sealed rest.
func (r *root) parseHeader(b []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(b, []byte(rootMagic))
	if r.bound = ok; !ok {
		rest, ok = bytes.CutPrefix(b, []byte(looseMagic))
	}
	if b = rest; !ok || len(b) < 10 {
		return nil, false
	}
	r.anchor = binary.BigEndian.Uint64(b)
	n := int(binary.BigEndian.Uint16(b[8:]))
	if b = b[10:]; n > len(b) {
		return nil, false
	}
	r.wrapped = bytes.Clone(b[:n])
	return b[n:], true
}

func (r *root) encode() []byte {
	b := make([]byte, 0, len(r.list)*entrySize)
	for i := range r.list {
		e := &r.list[i]
		b = binary.BigEndian.AppendUint32(b, e.id)
		b = binary.BigEndian.AppendUint32(b, e.region)
		b = append(b, e.key[:]...)
	}
	return b
}

func (r *root) decode(b []byte) bool {
	for ; len(b) >= entrySize; b = b[entrySize:] {
		r.list = append(r.list, entry{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), [32]byte(b[8:entrySize])})
	}
	return len(b) == 0
}

// sealing is what seals the list under a version of the anchor.
func (s *slots) sealing(r *root) (*xaes, error) {
	secret, ok := s.anchor.key(r.anchor)
	defer clear(secret[:])
	if !ok {
		return nil, errRoot("its anchor is another")
	}
	from := make([]byte, 0, 64)
	defer clear(from[:64])
	if from = append(from, r.outer[:]...); r.bound {
		from = append(from, s.binding()[:]...)
	}
	b, err := hkdf.Key(sha256.New, from, secret[:], "ombud/v1/buckets", 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	defer clear(b)
	return newXAES((*[32]byte)(b)), nil
}

func errRoot(why string) error {
	return fault.New(fault.Integrity, "the keys of people cannot be opened: %s", why).
		Then("Put back the newest copy of the whole folder keys; parts of different age do not fit together.")
}

// save writes the file as a whole. When the anchor is another, the content of before is overwritten where it lies. After an
// error nobody knows which of the two a next start finds, so nothing more is changed until then.
func (s *slots) save(next *root) error {
	x, err := s.sealing(next)
	if err != nil {
		return err
	}
	plain := next.encode()
	defer clear(plain)
	header := next.header()
	sealed := x.seal(header, plain)
	path := filepath.Join(s.c.Dir, rootFile)
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		old, err = nil, nil
	}
	if err == nil {
		err = file.Save(path, func(w io.Writer) error {
			_, err := w.Write(append(header, sealed...))
			return err
		})
	}
	s.c.hook("vault.root")
	if old != nil {
		if err == nil && next.anchor != s.root.anchor {
			err = blank(old)
		}
		err = errors.Join(err, old.Close())
	}
	if err != nil {
		s.broken = fault.Wrap(fault.Unavailable, err, "the file %s cannot be written; nothing is changed any more until the next start", rootFile)
		return s.broken
	}
	return nil
}

// blank overwrites a file with zeros, and answers when they are on the disk.
func blank(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, info.Size()), 0)
	return errors.Join(err, f.Sync())
}

// readRoot reads the file, or makes it where no keys ever were.
func (s *slots) readRoot(ctx context.Context) error {
	b, err := os.ReadFile(filepath.Join(s.c.Dir, rootFile))
	if errors.Is(err, os.ErrNotExist) {
		return s.makeRoot(ctx)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be read", rootFile)
	}
	if _, err := os.Stat(filepath.Join(s.c.Dir, anchorFile)); err != nil {
		return errRoot("the file " + anchorFile + " is missing")
	}
	if s.anchor, err = openPair(filepath.Join(s.c.Dir, anchorFile)); err != nil {
		return err
	}
	return s.parseRoot(ctx, b)
}

func (s *slots) parseRoot(ctx context.Context, b []byte) error {
	var r root
	sealed, ok := r.parseHeader(b)
	if !ok {
		return errRoot("the file " + rootFile + " is damaged")
	}
	outer, err := s.c.Provider.Unwrap(ctx, r.wrapped, []byte(outerAAD))
	if err != nil {
		return err
	}
	defer clear(outer)
	if copy(r.outer[:], outer) != len(r.outer) {
		return errRoot("the key of its provider has another length")
	}
	x, err := s.sealing(&r)
	if err != nil {
		return err
	}
	plain, err := x.open(r.header(), sealed)
	if err != nil || !r.decode(plain) {
		return errRoot("the file " + rootFile + " is of another time than the file " + anchorFile)
	}
	clear(plain)
	s.root = r
	return nil
}

// makeRoot begins, where nothing says that there were keys.
func (s *slots) makeRoot(ctx context.Context) (err error) {
	for _, name := range []string{slotsFile, markFile} {
		if _, err := os.Stat(filepath.Join(s.c.Dir, name)); err == nil {
			return errRoot("the file " + rootFile + " is missing")
		}
	}
	if s.anchor, err = openPair(filepath.Join(s.c.Dir, anchorFile)); err != nil {
		return err
	}
	r := root{bound: true}
	rand.Read(r.outer[:]) // never fails: it ends the process instead
	r.anchor = s.anchor.newest()
	if r.wrapped, err = s.c.Provider.Wrap(ctx, r.outer[:], []byte(outerAAD)); err != nil {
		return err
	}
	if len(r.wrapped) > maxWrapped {
		return fault.New(fault.Invalid, "what the key provider wrapped is too long")
	}
	if err := s.save(&r); err != nil {
		return err
	}
	s.root = r
	return nil
}
