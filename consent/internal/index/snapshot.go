package index

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"slices"
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

// image is a person as of the beginning of a snapshot.
type image struct {
	flags   Flags
	known   uint64
	present bool
	words   []Word
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
	for n := range Number(len(*s.x.people.shelves.Load()) * perShelf / few) {
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

// appendPeople appends a few people as they were: number and flags, ranks, words.
func (s *Snapshot) appendPeople(to []uint64, from Number) []uint64 {
	var words [Ranks]Word
	for n := from; n < from+few; n++ {
		was, kept := s.images[n]
		if p := s.x.people.at(n); !kept && p != nil {
			was.flags, was.known, was.present = p.read(&words)
			was.words = words[:bits.OnesCount64(was.known)]
		}
		if !was.present {
			continue
		}
		to = append(to, uint64(n)|uint64(was.flags)<<32, was.known)
		for _, w := range was.words {
			to = append(to, uint64(w))
		}
		delete(s.images, n)
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
	var was image
	if p := x.people.at(n); p != nil {
		var words [Ranks]Word
		was.flags, was.known, was.present = p.read(&words)
		was.words = slices.Clone(words[:bits.OnesCount64(was.known)])
	}
	s.images[n] = was
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
