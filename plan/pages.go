package plan

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
)

// pages is a temporary file of equal pages, each sealed, of which a bounded number is in memory. The
// file is unlinked as soon as it is open, and its key is only in memory: what lies on disk is noise.
// The first failure stays in err, and what is read after it is zero: whoever decides by what was read
// asks for err first. It is not safe for concurrent use.
type pages struct {
	f      *os.File
	aead   cipher.AEAD
	sealed uint64 // pages sealed so far: a nonce is used once
	n      uint32 // pages that the file has
	free   []uint32
	most   int // pages in memory
	cache  map[uint32]*page
	ring   []*page // the same, in the order of the clock that chooses who leaves
	hand   int
	buf    []byte
	once   [12]byte // a nonce
	number [4]byte
	err    error
}

type page struct {
	no          uint32
	used, dirty bool
	data        [pageSize]byte
}

const (
	pageSize = 4096
	slotSize = 8 + pageSize + 16 // nonce, page, tag
)

func newPages(dir string, most int) (*pages, error) {
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
	return &pages{f: f, aead: aead, most: most, cache: map[uint32]*page{}, buf: make([]byte, 0, slotSize)}, nil
}

func (p *pages) close() { p.f.Close() }

// alloc gives the number of a page of zeroes.
func (p *pages) alloc() uint32 {
	no := p.n
	if last := len(p.free) - 1; last >= 0 {
		no, p.free = p.free[last], p.free[:last]
	} else {
		p.n++
	}
	pg := p.room(no)
	clear(pg.data[:])
	pg.dirty = true
	return no
}

// release gives a page back.
func (p *pages) release(no uint32) {
	if pg := p.cache[no]; pg != nil {
		pg.dirty = false
	}
	p.free = append(p.free, no)
}

// page gives a page. It is good until the next call.
func (p *pages) page(no uint32) *page {
	pg := p.cache[no]
	if pg != nil {
		pg.used = true
		return pg
	}
	pg = p.room(no)
	p.read(pg)
	return pg
}

// room makes a place in memory for a page, whatever is in it.
func (p *pages) room(no uint32) *page {
	pg := p.cache[no]
	if pg == nil {
		pg = p.place()
		pg.no = no
		p.cache[no] = pg
	}
	pg.used, pg.dirty = true, false
	return pg
}

func (p *pages) place() *page {
	if len(p.ring) < p.most {
		pg := &page{}
		p.ring = append(p.ring, pg)
		return pg
	}
	for {
		pg := p.ring[p.hand]
		p.hand = (p.hand + 1) % len(p.ring)
		if !pg.used {
			p.write(pg)
			delete(p.cache, pg.no)
			return pg
		}
		pg.used = false
	}
}

func (p *pages) nonce(n uint64) []byte {
	binary.LittleEndian.PutUint64(p.once[4:], n)
	return p.once[:]
}

// aad seals a page as the one it is: pages cannot be swapped.
func (p *pages) aad(no uint32) []byte { return binary.LittleEndian.AppendUint32(p.number[:0], no) }

func (p *pages) write(pg *page) {
	if !pg.dirty || p.err != nil {
		return
	}
	p.sealed++
	p.buf = binary.LittleEndian.AppendUint64(p.buf[:0], p.sealed)
	p.buf = p.aead.Seal(p.buf, p.nonce(p.sealed), pg.data[:], p.aad(pg.no))
	if _, err := p.f.WriteAt(p.buf, int64(pg.no)*slotSize); err != nil {
		p.fail(fmt.Errorf("spilling rows: %w", err))
	}
	pg.dirty = false
}

func (p *pages) read(pg *page) {
	clear(pg.data[:])
	if p.err != nil {
		return
	}
	b := p.buf[:slotSize]
	if _, err := p.f.ReadAt(b, int64(pg.no)*slotSize); err != nil {
		p.fail(fmt.Errorf("reading spilled rows: %w", err))
		return
	}
	if _, err := p.aead.Open(pg.data[:0], p.nonce(binary.LittleEndian.Uint64(b)), b[8:], p.aad(pg.no)); err != nil {
		clear(pg.data[:])
		p.fail(fmt.Errorf("reading spilled rows: %w", err))
	}
}

func (p *pages) fail(err error) {
	if p.err == nil {
		p.err = ours{err}
	}
}

// area is bytes over pages of its own.
type area struct {
	p    *pages
	at   []uint32
	size int64
}

// append gives the offset of what it wrote.
func (a *area) append(b []byte) int64 {
	off := a.size
	a.size += int64(len(b))
	for int64(len(a.at))*pageSize < a.size {
		a.at = append(a.at, a.p.alloc())
	}
	a.write(off, b)
	return off
}

func (a *area) write(off int64, b []byte) {
	for len(b) > 0 {
		pg := a.p.page(a.at[off/pageSize])
		n := copy(pg.data[off%pageSize:], b)
		pg.dirty = true
		b, off = b[n:], off+int64(n)
	}
}

// read fills b.
func (a *area) read(off int64, b []byte) {
	for len(b) > 0 {
		n := copy(b, a.p.page(a.at[off/pageSize]).data[off%pageSize:])
		b, off = b[n:], off+int64(n)
	}
}
