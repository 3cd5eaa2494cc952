package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// closedAtOnce bounds the room that closing takes beside the buckets.
const closedAtOnce = 8

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// close is CloseSlots.
func (s *slots) close(ctx context.Context, list []Slot) error {
	s.change.Lock()
	defer s.change.Unlock()
	if s.c.ReadOnly {
		return nil
	}
	var ids []uint32
	for _, slot := range list {
		ids = append(ids, slot.bucket())
	}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), closedAtOnce) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.closeBuckets(part); err != nil {
			return err
		}
	}
	return nil
}

// closeBuckets moves what survives into new regions under new keys and the list of them under a new anchor, then destroys
// the anchor, the list and the regions of before. Until the list is replaced nothing has happened; from then on the rest
// is done by the next start, if not now.
func (s *slots) closeBuckets(ids []uint32) error {
	return s.move(ids, func(*root) error { return nil })
}

// move is closeBuckets with a further change of the list.
func (s *slots) move(ids []uint32, change func(next *root) error) error {
	if s.broken != nil {
		return s.broken
	}
	if err := s.anchor.keepOnly(s.root.anchor); err != nil { // an earlier one may have failed
		return err
	}
	version, err := s.anchor.add()
	if err != nil {
		return err
	}
	s.c.hook("vault.anchor")
	fresh, left, err := s.rewrap(ids)
	if err != nil {
		return err
	}
	s.c.hook("vault.region")
	next := s.root.with(fresh...)
	next.anchor, next.bound = version, true // the list of before, which the anchor takes along, may not have been bound
	if err := change(&next); err != nil {
		return err
	}
	if err := s.save(&next); err != nil {
		return err
	}
	s.put(fresh...)
	s.root.clear()
	s.root = next
	s.c.hook("vault.moved")
	if err := s.anchor.keepOnly(version); err != nil {
		return err
	}
	s.c.hook("vault.dropped")
	return s.blankRegions(left)
}

// rewrap writes the buckets anew into free regions, and names those they leave.
func (s *slots) rewrap(ids []uint32) (fresh []*bucket, left []uint32, err error) {
	free := s.root.free(len(ids))
	for i, id := range ids {
		old := s.buckets[id]
		if old == nil {
			continue // no key of it was ever made
		}
		b := freshBucket(id, free[i])
		region, err := s.moved(old, b)
		if err != nil {
			return nil, nil, err
		}
		if err := s.writeRegion(b.region, region); err != nil {
			return nil, nil, err
		}
		fresh, left = append(fresh, b), append(left, old.region)
	}
	return fresh, left, nil
}

// moved is the region of a bucket, wrapped under the key of another.
func (s *slots) moved(from, to *bucket) ([]byte, error) {
	region, err := s.readRegion(from.region)
	if err != nil {
		return nil, err
	}
	var buf [32]byte
	defer clear(buf[:])
	for i := range perBucket {
		at := region[i*slotSize : (i+1)*slotSize]
		slot := Slot(from.id*perBucket + uint32(i))
		key, err := from.unwrap(buf[:0], slot.aad(), at)
		if errors.Is(err, ErrForgotten) {
			continue
		}
		if err != nil {
			return nil, err
		}
		to.wrap(at, slot, key)
	}
	return region, nil
}

func (s *slots) blankRegions(list []uint32) error {
	zeros := make([]byte, regionSize)
	for _, region := range list {
		if err := s.writeRegion(region, zeros); err != nil {
			return err
		}
	}
	s.c.hook("vault.blanked")
	return nil
}

func (r *root) clear() {
	for i := range r.list {
		clear(r.list[i].key[:])
	}
	clear(r.outer[:])
}

// settle finishes what a killed process began, and opens the buckets.
func (s *slots) settle() error {
	for i := range s.root.list {
		e := &s.root.list[i]
		s.buckets[e.id] = newBucket(e.id, e.region, e.key)
	}
	if s.c.ReadOnly {
		return s.toMemory()
	}
	if err := errors.Join(s.anchor.keepOnly(s.root.anchor), s.removeTorn()); err != nil {
		return err
	}
	info, err := s.file.Stat()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file %s cannot be read", slotsFile)
	}
	regions := int((info.Size() + regionSize - 1) / regionSize)
	for _, region := range s.root.free(regions - len(s.root.list) + 1) {
		b, err := s.readRegion(region)
		if err != nil {
			return err
		}
		if int(region) < regions && !bytes.Equal(b, make([]byte, regionSize)) {
			err = s.blankRegions([]uint32{region})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeTorn blanks and removes what a killed writer of the list left.
func (s *slots) removeTorn() error {
	left, err := file.Named(s.c.Dir, rootFile+".new-", "")
	for _, path := range left {
		err = errors.Join(err, destroy(path))
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "what was left of the file %s cannot be removed", rootFile)
	}
	return nil
}

// toMemory takes every region in, for one that may not write: what happens to the files later does not matter to it.
func (s *slots) toMemory() error {
	for _, b := range s.buckets {
		region, err := s.readRegion(b.region)
		if err != nil {
			return err
		}
		b.memory = region
	}
	now, err := os.ReadFile(filepath.Join(s.c.Dir, rootFile))
	if err != nil || !bytes.HasPrefix(now, s.root.header()) {
		return fault.Wrap(fault.Unavailable, err, "the keys were changed while they were read").Then("Try again.")
	}
	return nil
}
