package index

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Read is the index that a snapshot holds, packed as tightly as it goes, and what it is a snapshot of. r must end
// where the snapshot ends. Whatever is not whole, in order and opened by open is an error and gives no index.
func Read(r io.Reader, open Seal) (Meta, *Index, error) {
	f := &frameReader{r: r, open: open}
	m, people := readMeta(f)
	if f.err != nil {
		return Meta{}, nil, f.err
	}
	x := New()
	for range people {
		x.readPerson(f)
		if f.err != nil {
			return Meta{}, nil, f.err
		}
	}
	for i := range shards {
		x.readShard(f, i)
	}
	if err := f.end(); err != nil {
		return Meta{}, nil, err
	}
	return m, x, nil
}

func (f *frameReader) require(ok bool, what string) {
	if f.err == nil && !ok {
		f.err = fmt.Errorf("%w: %s", errSnapshot, what)
	}
}

func readMeta(f *frameReader) (m Meta, people uint64) {
	f.require(f.take() == magic, "it begins as none of ours")
	m.Epoch, m.Revision = f.take(), f.take()
	for i := range 4 {
		binary.LittleEndian.PutUint64(m.Root[8*i:], f.take())
	}
	return m, f.take()
}

func (x *Index) readPerson(f *frameReader) {
	first := f.take()
	n, further := Number(first), first>>40
	f.require(n != 0 && further < maxPages, "a person has no number")
	if f.err != nil {
		return
	}
	for page := range further + 1 {
		x.readPage(f, &x.pages[page], n, Flags(first>>32))
	}
	x.count.Add(1)
}

// readPage reads the words of a person on a page: a mask, then a word for each of its bits.
func (x *Index) readPage(f *frameReader, page *people, n Number, flags Flags) {
	have := f.take()
	size := bits.OnesCount64(have)
	if f.err != nil || size == 0 && page != &x.pages[0] {
		return
	}
	p := page.make(n, size)
	f.require(p.head() == 0, "a person is there twice")
	for i := range size {
		p[wordCells+i].Store(f.take())
	}
	p[maskCell].Store(have)
	p.setHead(headPresent.withFlags(flags))
}

// readShard fills a shard that nobody reads yet. The count may be wrong where the snapshot was forged under the right seal
// only; the memory that it claims is taken as keys come.
func (x *Index) readShard(f *frameReader, i int) {
	s, count := &x.identities[i], f.take()
	s.table.Store(newTable(int(min(count, frameSize))))
	for range count {
		high, low := f.take(), f.take()
		k, n := key{high, uint32(low >> 32)}, Number(low)
		f.require(n != 0 && k.shard() == i, "a key is in the wrong place")
		if f.err != nil {
			return
		}
		s.bind(k, n)
		x.countKey(n)
	}
	f.require(uint64(s.live) == count, "a key is there twice")
}
