package index_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ombudhq/ombud/consent/internal/index"
)

// keyOf is a key as good as random; the first bits are forced together for small i, so that shards fill.
func keyOf(i int) index.Key {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return index.Key(h[:12])
}

// crowded is a key in one of two shards.
func crowded(i int) index.Key {
	k := keyOf(i)
	k[0] = byte(i % 2)
	return k
}

type someone struct {
	Flags index.Flags
	Words map[int]index.Word
}

// model is the index as plain maps.
type model struct {
	People map[index.Number]someone
	Keys   map[index.Key]index.Number
}

func newModel() *model {
	return &model{map[index.Number]someone{}, map[index.Key]index.Number{}}
}

func (m *model) clone() *model {
	c := newModel()
	maps.Copy(c.Keys, m.Keys)
	for n, p := range m.People {
		c.People[n] = someone{p.Flags, maps.Clone(p.Words)}
	}
	return c
}

func (m *model) add(n index.Number) someone {
	if _, ok := m.People[n]; !ok {
		m.People[n] = someone{Words: map[int]index.Word{}}
	}
	return m.People[n]
}

// step does one random thing to both.
func (m *model) step(t *rapid.T, x *index.Index) {
	n := index.Number(rapid.IntRange(1, 5000).Draw(t, "n")) % 2100
	k := crowded(rapid.IntRange(0, 99).Draw(t, "k"))
	if n == 0 {
		n = 1
	}
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		x.Add(n)
		m.add(n)
	case 1, 2:
		x.Bind(k, n)
		m.Keys[k] = n
	case 3:
		x.Unbind(k)
		delete(m.Keys, k)
	case 4:
		f := index.Flags(rapid.Byte().Draw(t, "flags"))
		x.SetFlags(n, f)
		p := m.add(n)
		p.Flags = f
		m.People[n] = p
	case 5:
		x.Remove(n)
		delete(m.People, n)
	default:
		rank, w := rapid.IntRange(0, 63).Draw(t, "rank"), index.Word(rapid.Uint64().Draw(t, "word"))
		rank += 64 * rapid.SampledFrom([]int{0, 0, 0, 1, 15}).Draw(t, "page")
		n = n%5 + 1
		x.Set(n, rank, w)
		m.add(n).Words[rank] = w
	}
}

// same compares everything that can be asked.
func (m *model) same(t interface {
	Helper()
	Fatal(...any)
}, x *index.Index) {
	t.Helper()
	got := newModel()
	for n := range x.People() {
		p := someone{x.Flags(n), maps.Collect(x.Words(n))}
		for rank := range index.Ranks {
			flags, w, there := x.Look(n, rank)
			if !there || flags != p.Flags || w != p.Words[rank] {
				t.Fatal("Look, Flags and Words disagree", n, rank)
			}
		}
		got.People[n] = p
	}
	for i := range 100 {
		if n, ok := x.Find(crowded(i)); ok {
			got.Keys[crowded(i)] = n
		}
	}
	if d := cmp.Diff(m, got); d != "" {
		t.Fatal(d)
	}
	if x.Len() != len(m.People) {
		t.Fatal(x.Len(), "people, want", len(m.People))
	}
	lead := map[index.Number]int{}
	for _, n := range m.Keys {
		lead[n]++
	}
	for n, keys := range lead {
		if most, counted := x.Keys(n); counted && keys > most {
			t.Fatal(keys, "keys lead to", n, "not", most)
		}
	}
}

func plain(b []byte) ([]byte, error) { return b, nil }

// TestModel: the index does what maps do, and a snapshot taken in the middle is of that middle.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, m := index.New(), newModel()
		for range rapid.IntRange(0, 200).Draw(t, "before") {
			m.step(t, x)
		}
		m.same(t, x)
		s, then := x.Snapshot(index.Meta{Epoch: 1, Revision: 2, Root: [32]byte{3}}), m.clone()
		for range rapid.IntRange(0, 50).Draw(t, "meanwhile") {
			m.step(t, x)
		}
		var b bytes.Buffer
		if err := s.Write(&b, plain); err != nil {
			t.Fatal(err)
		}
		m.same(t, x)
		meta, y, err := index.Read(&b, plain)
		if err != nil || meta != (index.Meta{Epoch: 1, Revision: 2, Root: [32]byte{3}}) {
			t.Fatal(meta, err)
		}
		then.same(t, y)
		for range 20 { // what was read can be written
			then.step(t, y)
		}
		then.same(t, y)
	})
}

// TestKeys: who knows a person's keys knows whether they are all, whatever else is said of the person, and after a restart.
func TestKeys(t *testing.T) {
	x := index.New()
	for n := range index.Number(4) {
		for i := range int(n) {
			x.Bind(keyOf(10*int(n)+i), n)
			x.Bind(keyOf(10*int(n)+i), n) // again: it is the same key
		}
	}
	x.Bind(keyOf(50), 5)
	x.Bind(keyOf(50), 6) // it leads to 5 no more
	for n := range index.Number(7) {
		x.SetFlags(n, 255)
		x.Set(n, 3, 77)
	}
	var b bytes.Buffer
	if err := x.Snapshot(index.Meta{}).Write(&b, plain); err != nil {
		t.Fatal(err)
	}
	_, again, err := index.Read(&b, plain)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[index.Number]int{1: 1, 2: 2, 3: 3, 4: 0, 6: 1, 9999: 0} {
		for _, x := range []*index.Index{x, again} {
			if most, counted := x.Keys(n); counted != (want < 3) || counted && most != want {
				t.Error(n, most, counted)
			}
		}
	}
}

// TestNobody: what is not there is not there, and asking for it changes nothing.
func TestNobody(t *testing.T) {
	x := index.New()
	x.Add(0)
	x.Bind(keyOf(1), 0)
	x.SetFlags(0, 1)
	x.Set(0, 1, 1)
	x.Set(1, index.Ranks, 1)
	x.Set(1, -1, 1)
	x.Remove(7)
	x.Add(2)
	for _, n := range []index.Number{0, 1, 3, 1 << 31} {
		if _, _, ok := x.Look(n, 0); ok {
			t.Error(n, "is there")
		}
	}
	for _, rank := range []int{-1, 0, 63, 64, index.Ranks - 1, index.Ranks, 1 << 40} {
		if f, w, ok := x.Look(2, rank); !ok || f != 0 || w != 0 {
			t.Error(rank, f, w, ok)
		}
	}
	if got := slices.Collect(x.People()); !slices.Equal(got, []index.Number{2}) || x.Len() != 1 {
		t.Error(got, x.Len())
	}
	if _, ok := x.Find(keyOf(1)); ok {
		t.Error("a key leads to nobody")
	}
}

// TestPeopleFarApart: numbers between which nobody ever was are passed over.
func TestPeopleFarApart(t *testing.T) {
	x := index.New()
	x.Add(9000)
	for n := range x.People() {
		if n != 9000 {
			t.Errorf("there is no %d", n)
		}
	}
	if x.Len() != 1 {
		t.Errorf("%d people", x.Len())
	}
}
