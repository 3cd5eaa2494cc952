package plan

import (
	"encoding/binary"
	"slices"

	"github.com/ombudhq/ombud/connector"
)

// ghostKeys are the keys of one reference by which rows referred to rows of the person, each with what
// became of the row. There may be as many as the person had rows, so they lie in the walk's sealed file,
// found by hash. A nil one is empty. A failure of the file stays in the storage.
type ghostKeys struct {
	storage *storage
	fold    bool
	entries area // fate, length, key
	at      area // of each entry
	n       int64
	byKey   *hashes
	buf     []byte
}

// fates are written as their place here; the first is that of a key that is forgotten.
var fates = []string{"", gone, stays, shared}

func newGhostKeys(s *storage, fold bool) (*ghostKeys, error) {
	p, err := s.open()
	if err != nil {
		return nil, err
	}
	return &ghostKeys{storage: s, fold: fold, entries: area{p: p}, at: area{p: p}, byKey: newHashes(p)}, nil
}

// put keeps a key; of one that is put twice the later fate holds. A fate of "" forgets it.
func (g *ghostKeys) put(k connector.Key, fate string) {
	code := byte(slices.Index(fates, fate))
	enc := encodeKey(k, g.fold)
	if n := g.number(enc); n >= 0 {
		g.entries.write(g.offset(n), []byte{code})
		return
	}
	values := appendValues(nil, k)
	g.buf = binary.LittleEndian.AppendUint32(append(g.buf[:0], code), uint32(len(values)))
	off := g.entries.append(append(g.buf, values...))
	g.at.append(binary.LittleEndian.AppendUint64(nil, uint64(off)))
	g.byKey.add(g.storage.hash(enc), uint32(g.n))
	g.n++
}

// fate is what became of the row with the key, "" for a key that is none.
func (g *ghostKeys) fate(k connector.Key) string {
	if g == nil {
		return ""
	}
	if n := g.number(encodeKey(k, g.fold)); n >= 0 {
		_, fate := g.entry(n)
		return fate
	}
	return ""
}

// has reports whether exactly this key is there, letter by letter.
func (g *ghostKeys) has(k connector.Key) bool {
	if g == nil {
		return false
	}
	n := g.number(encodeKey(k, g.fold))
	if n < 0 {
		return false
	}
	key, fate := g.entry(n)
	return fate != "" && slices.Equal(key, k)
}

// parts gives all keys and their fates, in the order they were put, so many at a time. The keys may be put anew meanwhile.
func (g *ghostKeys) parts(most int, f func([]ghost) error) error {
	if g == nil {
		return nil
	}
	var part []ghost
	for n := range g.n {
		if k, fate := g.entry(n); fate != "" {
			part = append(part, ghost{k, fate})
		}
		if err := g.storage.failed(); err != nil {
			return err
		}
		if len(part) == most || n == g.n-1 && len(part) > 0 {
			full := part
			part = nil
			if err := f(full); err != nil {
				return err
			}
		}
	}
	return g.storage.failed()
}

// number finds an entry by its encoded key, -1 where there is none.
func (g *ghostKeys) number(enc string) int64 {
	for _, n := range g.byKey.find(g.storage.hash(enc)) {
		if k, _ := g.entry(int64(n)); encodeKey(k, g.fold) == enc {
			return int64(n)
		}
	}
	return -1
}

func (g *ghostKeys) offset(n int64) int64 {
	var b [8]byte
	g.at.read(8*n, b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}

// entry reads one; nothing that was read after a failure is believed.
func (g *ghostKeys) entry(n int64) (connector.Key, string) {
	off := g.offset(n)
	var head [5]byte
	g.entries.read(off, head[:])
	b := make([]byte, binary.LittleEndian.Uint32(head[1:]))
	if g.storage.failed() == nil {
		g.entries.read(off+int64(len(head)), b)
	}
	if g.storage.failed() != nil {
		return nil, ""
	}
	k, _ := cutValues(nil, string(b))
	return k, fates[head[0]]
}
