package index_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"testing"

	"github.com/ombudhq/ombud/consent/internal/index"
)

func taken(t *testing.T, x *index.Index, seal index.Seal) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := x.Snapshot(index.Meta{Epoch: 1, Revision: 9}).Write(&b, seal); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func refused(t *testing.T, b []byte, what string, at int) {
	t.Helper()
	if m, x, err := index.Read(bytes.NewReader(b), plain); err == nil || x != nil || m != (index.Meta{}) {
		t.Fatalf("%s at %d was not refused", what, at)
	}
}

// TestDamagedSnapshot: every truncation, every flipped bit and every addition is refused, by the checksum alone.
func TestDamagedSnapshot(t *testing.T) {
	b := taken(t, grown(5), plain)
	if _, x, err := index.Read(bytes.NewReader(b), plain); err != nil || x.Len() != 5 {
		t.Fatal(err)
	}
	for i := range b {
		refused(t, b[:i], "a cut", i)
		for bit := range 8 {
			d := slices.Clone(b)
			d[i] ^= 1 << bit
			refused(t, d, "a flipped bit", i*8+bit)
		}
	}
	refused(t, append(slices.Clone(b), 0), "an addition", len(b))
	refused(t, slices.Concat(b, b), "another snapshot", len(b))
}

// frames cuts a snapshot into its sealed frames, lengths included.
func frames(b []byte) (out [][]byte) {
	for len(b) > 0 {
		n := 4 + int(binary.LittleEndian.Uint32(b))
		out, b = append(out, b[:n]), b[n:]
	}
	return out
}

// forged is a snapshot of these frames whose checksums are right.
func forged(list ...[]byte) []byte {
	var out []byte
	var crc uint32
	for _, f := range list {
		f = slices.Clone(f)
		body, sum := f[4:len(f)-4], f[len(f)-4:]
		crc = crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), body)
		binary.LittleEndian.PutUint32(sum, crc)
		out = append(out, f...)
	}
	return out
}

// TestFramesBelongTogether: frames left out, swapped, repeated, or taken from another snapshot of the same index are
// refused, though each is intact, and though somebody mends the checksums.
func TestFramesBelongTogether(t *testing.T) {
	x := index.New()
	for n := range index.Number(200_000) {
		x.Add(n) // two words each in the snapshot: frames can change places and still make people
	}
	a, other := frames(taken(t, x, plain)), frames(taken(t, x, plain))
	if len(a) != 4 || len(other) != 4 {
		t.Fatal(len(a), "frames")
	}
	if _, _, err := index.Read(bytes.NewReader(forged(a...)), plain); err != nil {
		t.Fatal(err)
	}
	for i, list := range [][][]byte{
		{a[1], a[2], a[3]}, {a[0], a[2], a[3]}, {a[0], a[1], a[2]}, {a[0]}, {a[3]}, {},
		{a[1], a[0], a[2], a[3]}, {a[0], a[2], a[1], a[3]}, {a[0], a[1], a[3], a[2]}, {a[0], a[1], a[1], a[2], a[3]}, {a[0], a[1], a[1], a[3]},
		{other[0], a[1], a[2], a[3]}, {a[0], other[1], a[2], a[3]}, {a[0], a[1], a[2], other[3]},
	} {
		refused(t, slices.Concat(list...), "the list", i)
		refused(t, forged(list...), "the forged list", i)
	}
}

// TestSealedSnapshot: under a real cipher it comes back, shows nothing, and opens under its own key only.
func TestSealedSnapshot(t *testing.T) {
	sealer := func(key byte) (seal, open index.Seal) {
		block, err := aes.NewCipher(bytes.Repeat([]byte{key}, 32))
		if err != nil {
			t.Fatal(err)
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			t.Fatal(err)
		}
		return func(f []byte) ([]byte, error) { return gcm.Seal(nil, nil, f, nil), nil },
			func(s []byte) ([]byte, error) { return gcm.Open(nil, nil, s, nil) }
	}
	seal, open := sealer(1)
	_, wrong := sealer(2)
	x := grown(20_000)
	b := taken(t, x, seal)
	k := fast(7)
	if slices.Reverse(k[:8]); bytes.Contains(b, k[:8]) || !bytes.Contains(taken(t, x, plain), k[:8]) {
		t.Error("a key can be read")
	}
	m, y, err := index.Read(bytes.NewReader(b), open)
	if n, ok := y.Find(fast(7)); err != nil || m.Revision != 9 || !ok || n != 8 || y.Len() != 20_000 {
		t.Fatal(m, n, ok, err)
	}
	if _, _, err := index.Read(bytes.NewReader(b), wrong); err == nil {
		t.Error("another key opens it")
	}
}

var errFull = errors.New("full")

type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestSnapshotFails: a full disk and a cipher that fails are told; the index goes on, and so does the next snapshot.
func TestSnapshotFails(t *testing.T) {
	x := grown(30_000)
	if err := x.Snapshot(index.Meta{}).Write(&full{1 << 20}, plain); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := x.Snapshot(index.Meta{}).Write(io.Discard, func([]byte) ([]byte, error) { return nil, errFull }); !errors.Is(err, errFull) {
		t.Error(err)
	}
	first, second := x.Snapshot(index.Meta{}), x.Snapshot(index.Meta{})
	if err := first.Write(io.Discard, plain); err == nil {
		t.Error("two snapshots at a time")
	}
	x.Set(1, 1, 1)
	if err := second.Write(io.Discard, plain); err != nil {
		t.Error(err)
	}
	if err := second.Write(io.Discard, plain); err == nil {
		t.Error("a snapshot was written twice")
	}
}
