package plan

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
)

// TestPagesKeepWhatTheyHold: what is written to a file of which two pages are in memory is read again.
func TestPagesKeepWhatTheyHold(t *testing.T) {
	p := somePages(t)
	a, b := &area{p: p}, &area{p: p}
	var offs []int64
	for i := range 5000 {
		offs = append(offs, a.append(line(i)))
		b.append(line(-i))
	}
	for i, off := range offs {
		got := make([]byte, len(line(i)))
		if a.read(off, got); !bytes.Equal(got, line(i)) {
			t.Fatalf("%q at %d, want %q", got, off, line(i))
		}
	}
	if p.err != nil {
		t.Error(p.err)
	}
}

// TestPagesAreSealed: nothing of what rows hold stands in the file, and a changed or moved page is refused.
func TestPagesAreSealed(t *testing.T) {
	p := somePages(t)
	a := &area{p: p}
	for i := range 2000 {
		a.append(line(i))
	}
	raw := make([]byte, int64(len(a.at))*slotSize)
	p.f.ReadAt(raw, 0)
	if bytes.Contains(raw, []byte("Ida Nordmann")) {
		t.Error("a name stands in the file")
	}
	p.f.WriteAt(raw[:slotSize], slotSize) // page 0 in the place of page 1
	b := make([]byte, 2*pageSize)
	if a.read(0, b); p.err == nil || !isOurs(p.err) {
		t.Errorf("a moved page was read: %v", p.err)
	}
}

// TestPagesFailOnce: a disk that fails is told by err, whatever is asked afterwards.
func TestPagesFailOnce(t *testing.T) {
	p := somePages(t)
	a, h := &area{p: p}, newHashes(p)
	p.f.Close()
	for i := range 1000 {
		a.append(line(i))
		h.add(uint32(i), uint32(i))
	}
	h.find(7)
	a.read(0, make([]byte, 10))
	if !isOurs(p.err) {
		t.Errorf("no failure: %v", p.err)
	}
}

// TestHashesFindEveryRow: also when many rows have one key, and one page much more than others.
func TestHashesFindEveryRow(t *testing.T) {
	h := newHashes(somePages(t))
	hash := func(i int) uint32 {
		switch {
		case i%5 == 0:
			return 42
		case i%5 == 1:
			return 0xffffffff - uint32(i%100)
		}
		return uint32(i) * 2654435761
	}
	want := map[uint32][]uint32{}
	for i := range 20_000 {
		h.add(hash(i), uint32(i))
		want[hash(i)] = append(want[hash(i)], uint32(i))
	}
	for k, rows := range want {
		got := h.find(k)
		slices.Sort(got)
		if !slices.Equal(got, rows) {
			t.Fatalf("%d rows for hash %d, want %d", len(got), k, len(rows))
		}
	}
	if got := h.find(1); len(got) > 0 {
		t.Errorf("rows of nobody: %v", got)
	}
}

func somePages(t *testing.T) *pages {
	t.Helper()
	dir := t.TempDir()
	p, err := newPages(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v: the file has a name: %v", err, left)
	}
	return p
}

func line(i int) []byte { return fmt.Appendf(nil, "row %d of Ida Nordmann;", i) }
