package vault

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/ombudhq/ombud/internal/fault"
)

// The keys of slots lie in the file slots, in regions of 4,096 times 64 bytes. A slot is a nonce and the key, encrypted
// under the key of its bucket; 64 zeros are a key that was shredded. A bucket is the 4,096 slots that follow each other,
// and lies in one region; which, and under what key, stands in the file buckets.
const (
	slotsFile  = "slots"
	slotSize   = 64
	perBucket  = 4096
	regionSize = slotSize * perBucket
	cacheBytes = 12 << 20
)

type opener = cipher.AEAD

// slots are the keys of one directory. It is safe for concurrent use.
type slots struct {
	c      Config
	anchor *pair
	file   *os.File
	window window // of file
	cache  *cache
	root   root // what the file buckets says; only who holds change writes it

	rotating sync.Mutex // or copying; taken before change

	change sync.Mutex // of the files: one at a time
	broken error      // why no more change is possible; who holds change writes it
	next   mark
	rooms  sync.Pool      // to unwrap in
	ahead  sync.WaitGroup // of buckets that are made before they are needed

	ringAge func() (generation uint32, former int)
	binding func() *[32]byte // the key of the root key that the list is sealed under too

	mu      sync.RWMutex // held by readers of slots, so that no bucket moves under them
	buckets map[uint32]*bucket
}

// bucket is where 4,096 slots lie. It is not changed once it is in use: another takes its place.
type bucket struct {
	id     uint32
	region uint32
	key    [32]byte
	aead   cipher.AEAD
	memory []byte // the region, where nothing may be written to the file
}

func newBucket(id, region uint32, key [32]byte) *bucket {
	return &bucket{id: id, region: region, key: key, aead: newWiper().open(key[:])}
}

// freshBucket has a key that never was.
func freshBucket(id, region uint32) *bucket {
	var key [32]byte
	rand.Read(key[:]) // never fails: it ends the process instead
	return newBucket(id, region, key)
}

func (b *bucket) forget() {
	clear(b.key[:])
	newWiper().wipe(b.aead)
}

func (s Slot) bucket() uint32 { return uint32(s) / perBucket }
func (s Slot) offset() int64  { return int64(s%perBucket) * slotSize }

const aadSize = len("slot") + 4

func (s Slot) aad() []byte { return s.appendAAD(make([]byte, 0, aadSize)) }

func (s Slot) appendAAD(to []byte) []byte {
	return binary.BigEndian.AppendUint32(append(to, "slot"...), uint32(s))
}

// wrap puts a key into the 64 bytes of its slot.
func (b *bucket) wrap(to []byte, slot Slot, key []byte) {
	to[0] = 1
	nonce := to[4 : 4+gcmNonce]
	rand.Read(nonce) // never fails: it ends the process instead
	b.aead.Seal(to[:4+gcmNonce], nonce, key, slot.aad())
}

// unwrap gives the key in the 64 bytes of a slot; ErrForgotten when there is none any more.
func (b *bucket) unwrap(to, aad, from []byte) ([]byte, error) {
	key, err := b.aead.Open(to, from[4:4+gcmNonce], from[4+gcmNonce:], aad)
	if err == nil {
		return key, nil
	}
	for _, c := range from {
		if c != 0 {
			return nil, fault.Wrap(fault.Integrity, ErrDamaged, "a key of the file %s was changed", slotsFile).Then("Put back the newest copy of the folder keys.")
		}
	}
	return nil, ErrForgotten
}

// unwrapping is room for the 64 bytes of a slot, its key, and what binds them.
type unwrapping [slotSize + 32 + aadSize]byte

// read gives the 64 bytes of a slot. The slots must be held.
func (s *slots) read(b *bucket, slot Slot, to []byte) error {
	if b.memory != nil {
		copy(to, b.memory[slot.offset():])
		return nil
	}
	at := int64(b.region)*regionSize + slot.offset()
	if s.window.read(to, at) && to[0] != 0 {
		return nil
	}
	// Zeros may be what is behind the end of a file that was cut short: only the file tells.
	if _, err := s.file.ReadAt(to, at); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be read", slotsFile)
	}
	return nil
}

// raw runs fn with the key of a slot, which is nobody's afterwards, while no slot can be shredded.
func (s *slots) raw(slot Slot, fn func(key []byte) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[slot.bucket()]
	if b == nil || slot == 0 {
		return fault.New(fault.Integrity, "a key is missing: the store is newer than the keys").Then("Put back the newest copy of the folder keys.")
	}
	room := s.rooms.Get().(*unwrapping)
	in, out := room[:slotSize], room[slotSize:slotSize+32]
	err := s.read(b, slot, in)
	if err == nil {
		var key []byte
		if key, err = b.unwrap(out[:0], slot.appendAAD(room[slotSize+32:slotSize+32]), in); err == nil {
			err = fn(key)
		}
	}
	clear(out)
	s.rooms.Put(room)
	return err
}

// cold opens the key of a slot, uses it and keeps it for the next time.
func (s *slots) cold(slot Slot, fn func(opener) error) error {
	return s.raw(slot, func(key []byte) error {
		aead := s.cache.open(key)
		err := fn(aead)
		s.cache.add(slot, aead)
		return err
	})
}

// shred is Shred.
func (s *slots) shred(list []Slot) error {
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.zero(list); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be written: the keys were not destroyed", slotsFile)
	}
	if s.c.ReadOnly {
		return nil
	}
	s.c.hook("vault.zero")
	if err := s.file.Sync(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be forced to the disk: the keys may not be destroyed", slotsFile)
	}
	s.c.hook("vault.shred")
	return nil
}

// zero overwrites slots while nobody reads any.
func (s *slots) zero(list []Slot) (err error) {
	var none [slotSize]byte
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, slot := range list {
		b := s.buckets[slot.bucket()]
		if b == nil {
			continue // there never was a key, or the keys are older than the store
		}
		if b.memory != nil {
			copy(b.memory[slot.offset():], none[:])
		} else if _, e := s.file.WriteAt(none[:], int64(b.region)*regionSize+slot.offset()); e != nil {
			err = errors.Join(err, e)
		}
		s.cache.drop(slot)
	}
	return err
}

// fill makes a bucket full of new keys, on the disk when it answers. Who calls it holds change.
func (s *slots) fill(id uint32) error {
	b := freshBucket(id, s.root.free(1)[0])
	region := make([]byte, regionSize)
	var key [32]byte
	for i := range perBucket {
		rand.Read(key[:])
		b.wrap(region[i*slotSize:(i+1)*slotSize], Slot(id*perBucket+uint32(i)), key[:])
	}
	clear(key[:])
	if s.c.ReadOnly {
		b.memory = region
		s.put(b)
		return nil
	}
	if err := s.writeRegion(b.region, region); err != nil {
		return err
	}
	s.c.hook("vault.fill")
	next := s.root.with(b)
	if err := s.save(&next); err != nil {
		return err
	}
	s.root = next
	s.put(b)
	return nil
}

// put lets readers find buckets.
func (s *slots) put(list ...*bucket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range list {
		if old := s.buckets[b.id]; old != nil {
			defer old.forget()
		}
		s.buckets[b.id] = b
	}
}

func (s *slots) writeRegion(region uint32, b []byte) error {
	_, err := s.file.WriteAt(b, int64(region)*regionSize)
	if err = errors.Join(err, s.file.Sync()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be written", slotsFile)
	}
	return nil
}

// readRegion gives a region; zeros beyond the end of the file.
func (s *slots) readRegion(region uint32) ([]byte, error) {
	b := make([]byte, regionSize)
	n, err := s.file.ReadAt(b, int64(region)*regionSize)
	if err != nil && n < len(b) && !isEOF(err) {
		return nil, fault.Wrap(fault.Unavailable, err, "the file %s cannot be read", slotsFile)
	}
	return b, nil
}

// end is Close.
func (s *slots) end() error {
	s.ahead.Wait()
	err := s.next.settle()
	s.cache.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window.close()
	for _, b := range s.buckets {
		b.forget()
	}
	clear(s.buckets)
	s.root.clear()
	s.anchor.forget()
	if own, ok := s.c.Provider.(interface{ forget() }); ok {
		own.forget()
	}
	return errors.Join(err, s.file.Close())
}

// openSlots reads what is there, or makes it at first use.
func openSlots(ctx context.Context, c Config, binding func() *[32]byte) (_ *slots, err error) {
	s := &slots{c: c, binding: binding, cache: newCache(cacheBytes), buckets: map[uint32]*bucket{},
		rooms: sync.Pool{New: func() any { return new(unwrapping) }}}
	if err := s.readRoot(ctx); err != nil {
		return nil, err
	}
	if s.file, err = os.OpenFile(filepath.Join(c.Dir, slotsFile), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the file %s cannot be opened", slotsFile)
	}
	if err := s.settle(); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	if !c.ReadOnly {
		s.window = openWindow(s.file)
	}
	s.next = mark{path: filepath.Join(c.Dir, markFile), dry: c.ReadOnly}
	s.next.read(s.root.end())
	return s, nil
}
