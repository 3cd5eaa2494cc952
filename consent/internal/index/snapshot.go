package index

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

// few is how many people are written under one lock.
const few = 256

const magic = 0x4f4d425549445831 // "OMBUIDX1"

// Meta says what a snapshot is a snapshot of: the ledger as of a revision, whose tree has that root.
type Meta struct {
	Epoch    uint64
	Revision uint64
	Root     [32]byte
}

// image is a person as they stand in a snapshot: number and flags, and for each page up to the last one with a word the
// mask and its words. It is empty for who was not there.
type image []uint64

// appendImage appends what stands of a person now.
func (x *Index) appendImage(to []uint64, n Number) []uint64 {
	p := x.at(n)
	if p == nil || !p.head().present() {
		return to
	}
	first, end := len(to), len(to)
	to = append(to, uint64(n)|uint64(p.head().flags())<<32)
	var words [perPage]Word
	for page := range x.pages {
		known := uint64(0)
		if p := x.pages[page].at(n); p != nil {
			known = p.read(&words)
		}
		to = append(to, known)
		for _, w := range words[:bits.OnesCount64(known)] {
			to = append(to, uint64(w))
		}
		if page == 0 || known != 0 {
			end = len(to)
			to[first] = to[first]&(1<<40-1) | uint64(page)<<40
		}
	}
	return to[:end]
}

// Snapshot is the index as of the moment Index.Snapshot was called, to be written while the index goes on.
//
// The writer is held up twice: by a microsecond where it begins, and while it waits for the lock, which is taken for a
// few hundred people or one shard at a time (about 0.05 ms, up to 1 ms where the lock is contended). What it changes
// before the snapshot came by is kept as it was: about 150 bytes for each person changed while the file is written.
type Snapshot struct {
	x      *Index
	meta   Meta
	count  int
	live   [shards]int
	images map[Number]image       // who was changed meanwhile, as they were
	keys   [shards]map[key]Number // the same for keys; 0 where a key led nowhere
	person Number                 // everybody below has been written
	shard  int                    // all shards below have been written
	buf    []uint64
}

var errSuperseded = errors.New("writing a snapshot of the decision index: it was closed, or a later one began")

// Snapshot begins a snapshot. It is called where the writer stands at the revision that m names, and takes no time.
// It must be written or closed. There is one at a time: beginning another ends this one.
func (x *Index) Snapshot(m Meta) *Snapshot {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := &Snapshot{x: x, meta: m, count: x.Len(), images: map[Number]image{}}
	for i := range x.identities {
		s.live[i] = x.identities[i].live
	}
	x.snapshot = s
	return s
}

// Close ends a snapshot, written or not.
func (s *Snapshot) Close() {
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	if s.x.snapshot == s {
		s.x.snapshot = nil
	}
}

// Write writes the snapshot in sealed frames and closes it. It may run beside the writer of the index. Nothing is
// promised about what reached w when it fails.
func (s *Snapshot) Write(w io.Writer, seal Seal) error {
	defer s.Close()
	f := newFrameWriter(w, seal)
	f.put(magic, s.meta.Epoch, s.meta.Revision)
	for i := range 4 {
		f.put(binary.LittleEndian.Uint64(s.meta.Root[8*i:]))
	}
	f.put(uint64(s.count))
	for n := range Number(len(*s.x.pages[0].shelves.Load()) * perShelf / few) {
		if err := s.put(f, func(to []uint64) []uint64 { return s.appendPeople(to, n*few) }); err != nil {
			return err
		}
	}
	for i := range shards {
		if err := s.put(f, func(to []uint64) []uint64 { return s.appendShard(to, i) }); err != nil {
			return err
		}
	}
	f.flush(1)
	return f.err
}

// put takes a part under the lock, and hands it to the frames without.
func (s *Snapshot) put(f *frameWriter, part func([]uint64) []uint64) error {
	s.x.mu.Lock()
	open := s.x.snapshot == s
	if open {
		s.buf = part(s.buf[:0])
	}
	s.x.mu.Unlock()
	if !open {
		return errSuperseded
	}
	f.put(s.buf...)
	return f.err
}

// appendPeople appends a few people as they were.
func (s *Snapshot) appendPeople(to []uint64, from Number) []uint64 {
	for n := from; n < from+few; n++ {
		if was, kept := s.images[n]; kept {
			to = append(to, was...)
			delete(s.images, n)
		} else {
			to = s.x.appendImage(to, n)
		}
	}
	s.person = from + few
	return to
}

// appendShard appends how many keys led to somebody, and those keys.
func (s *Snapshot) appendShard(to []uint64, i int) []uint64 {
	to = append(to, uint64(s.live[i]))
	for k, n := range s.x.identities[i].table.Load().keys() {
		if _, kept := s.keys[i][k]; !kept {
			to = append(to, k.high, uint64(k.low)<<32|uint64(n))
		}
	}
	for k, n := range s.keys[i] {
		if n != 0 {
			to = append(to, k.high, uint64(k.low)<<32|uint64(n))
		}
	}
	s.keys[i], s.shard = nil, i+1
	return to
}

// keepPerson is called before a person changes.
func (x *Index) keepPerson(n Number) {
	s := x.snapshot
	if s == nil || n < s.person {
		return
	}
	if _, kept := s.images[n]; kept {
		return
	}
	s.images[n] = x.appendImage(nil, n)
}

// keepKey is called before a key changes.
func (x *Index) keepKey(k key) {
	s, i := x.snapshot, k.shard()
	if s == nil || i < s.shard {
		return
	}
	if s.keys[i] == nil {
		s.keys[i] = map[key]Number{}
	}
	if _, kept := s.keys[i][k]; !kept {
		s.keys[i][k], _ = x.identities.find(k)
	}
}
