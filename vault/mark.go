package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ombudhq/ombud/internal/fault"
)

const markFile = "next"

// mark is the number of the next slot. What lies below the number in its file may have been given out; a killed process
// leaves at most 4,096 slots unused, and none is given twice.
type mark struct {
	path string
	dry  bool // nothing is written

	mu       sync.Mutex    // of who gives numbers out; taken before change, so who holds that one only loads
	next     atomic.Uint32 // a Slot
	reserved atomic.Uint32 // the Slot in the file
	step     Slot
}

// read takes up the file. Where it is missing or damaged, slots go on behind all that were ever made.
func (m *mark) read(end Slot) {
	next := max(end, 1)
	if b, err := os.ReadFile(m.path); err == nil && len(b) == 16 && bytes.Equal(b, encodeMark(Slot(binary.BigEndian.Uint64(b)))) {
		next = Slot(binary.BigEndian.Uint64(b))
	}
	m.next.Store(uint32(next))
	m.reserved.Store(uint32(next))
	m.step = 32
}

func encodeMark(n Slot) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(n))
	sum := sha256.Sum256(b)
	return append(b, sum[:8]...)
}

// write makes a number durable.
func (m *mark) write(n Slot) error {
	if !m.dry {
		err := overwrite(m.path, encodeMark(n), 0)
		if os.IsNotExist(err) {
			err = createOnce(m.path, encodeMark(n), 0o600)
		}
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "the file %s of the keys cannot be written", markFile)
		}
	}
	m.reserved.Store(uint32(n))
	return nil
}

// settle writes how far it really got.
func (m *mark) settle() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.next.Load()
	if next == m.reserved.Load() {
		return nil
	}
	return m.write(Slot(next))
}

// assign is NewSlot: a number below what is durable, in a bucket that is.
func (s *slots) assign() (Slot, error) {
	m := &s.next
	m.mu.Lock()
	defer m.mu.Unlock()
	slot := Slot(m.next.Load())
	if err := s.ensure(slot.bucket()); err != nil {
		return 0, err
	}
	if slot >= Slot(m.reserved.Load()) {
		m.step = min(2*m.step, perBucket)
		if err := m.write(slot + m.step); err != nil {
			return 0, err
		}
	}
	m.next.Add(1)
	if slot%perBucket == perBucket*3/4 {
		s.ahead.Go(func() { _ = s.ensure(slot.bucket() + 1) }) // what fails here fails again when it is needed, and is told then
	}
	return slot, nil
}

// skip is KeepFree.
func (s *slots) skip(below Slot) error {
	m := &s.next
	m.mu.Lock()
	defer m.mu.Unlock()
	if below <= Slot(m.next.Load()) {
		return nil
	}
	for id := range (below - 1).bucket() + 1 {
		if err := s.ensure(id); err != nil {
			return err
		}
	}
	m.next.Store(uint32(below))
	return m.write(below)
}

// ensure makes a bucket where there is none.
func (s *slots) ensure(id uint32) error {
	s.mu.RLock()
	b := s.buckets[id]
	s.mu.RUnlock()
	if b != nil {
		return nil
	}
	s.change.Lock()
	defer s.change.Unlock()
	if s.buckets[id] != nil {
		return nil
	}
	if s.broken != nil {
		return s.broken
	}
	return s.fill(id)
}
