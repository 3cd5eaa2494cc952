package ledger

import (
	"context"
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
)

// model is the tree as tlog keeps it: every hash stored.
type model struct{ hashes []tlog.Hash }

func (m *model) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = m.hashes[x]
	}
	return out, nil
}

func (m *model) add(t *testing.T, n int64, leaf tlog.Hash) {
	hs, err := tlog.StoredHashesForRecordHash(n, leaf, m)
	if err != nil {
		t.Fatal(err)
	}
	m.hashes = append(m.hashes, hs...)
}

func leafNumber(i int64) tlog.Hash {
	return tlog.RecordHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

func TestEdgeIsTheTreeOfTlog(t *testing.T) {
	const n = tileWidth*tileWidth + 3*tileWidth + 7
	m, e := &model{}, edge{}
	tiles := map[tileKey][]tlog.Hash{}
	for i := range int64(n) {
		if i < 600 || i > n-10 || i%997 == 0 {
			want, err := tlog.TreeHash(i, m)
			if err != nil || e.root() != want {
				t.Fatalf("size %d: root differs (%v)", i, err)
			}
		}
		m.add(t, i, leafNumber(i))
		for _, tl := range e.add(leafNumber(i)) {
			tiles[tileKey{tl.level, tl.n}] = tl.hashes
		}
	}
	for key, hashes := range tiles {
		for i, h := range hashes {
			x := tlog.StoredHashIndex(key.level*tileHeight, key.n*tileWidth+int64(i))
			if m.hashes[x] != h {
				t.Fatalf("tile %d/%d, hash %d differs", key.level, key.n, i)
			}
		}
	}
	if len(tiles[tileKey{1, 0}]) != tileWidth || len(tiles[tileKey{1, 1}]) != 3 || len(tiles[tileKey{2, 0}]) != 1 || len(tiles) != 3 {
		t.Errorf("unexpected tiles: %d", len(tiles))
	}
}

// An edge that grew and was put back must not disturb the one it was copied from.
func TestEdgeCopiesAreIndependent(t *testing.T) {
	var base edge
	for i := range int64(1000) {
		base.add(leafNumber(i))
	}
	want := base.root()
	for range 3 {
		grown := base
		for i := range int64(2000) {
			grown.add(leafNumber(-i))
		}
	}
	if base.root() != want {
		t.Error("the copy changed the original")
	}
	for i := int64(1000); i < 3000; i++ {
		base.add(leafNumber(i))
	}
	m := &model{}
	for i := range int64(3000) {
		m.add(t, i, leafNumber(i))
	}
	if h, err := tlog.TreeHash(3000, m); err != nil || h != base.root() {
		t.Error("the tree differs after a copy was dropped")
	}
}

// What Open rebuilds from tiles and rows is the edge that was there, at sizes around the borders of tiles.
func TestEdgeIsRebuilt(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		for _, step := range []int{1, 1, 253, 1, 1, 254, 1, 1, 300} {
			p.append(step)
			want := p.l.snapshot()
			l, err := Open(context.Background(), p.config())
			if err != nil {
				t.Fatal(err)
			}
			got := l.snapshot()
			if got.size != want.size || got.root() != want.root() || len(got.tiles[1]) != len(want.tiles[1]) {
				t.Fatalf("size %d: rebuilt another edge", want.size)
			}
			p.rootsAgree(want.size)
			p.l = l // and it grows on
		}
	})
}

// rootsAgree compares rootAt with an edge grown leaf by leaf.
func (p *place) rootsAgree(size int64) {
	p.t.Helper()
	err := p.db.Read(context.Background(), func(tx *db.Tx) error {
		src := &tileSource{ctx: context.Background(), tx: tx}
		var e edge
		for i := int64(1); i <= size; i++ {
			leaf, err := src.leaves(i-1, 1)
			if err != nil {
				return err
			}
			e.add(leaf[0])
			if i%37 != 0 && i != size && i%tileWidth > 1 {
				continue
			}
			if root, err := src.rootAt(i); err != nil || root != e.root() {
				p.t.Errorf("root at %d of %d differs (%v)", i, size, err)
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
