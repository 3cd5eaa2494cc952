package ledger

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// reader reads an export as anybody would who has the specification and nothing of ours.
type reader struct {
	t    *testing.T
	dir  string
	tree tlog.Tree
}

// readExport verifies the checkpoint with the key's line, as ombud version --keys prints it.
func readExport(t *testing.T, dir, key string) *reader {
	t.Helper()
	v, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t, dir, tlog.Tree{N: size, Hash: tlog.Hash(root)}}
}

func (r *reader) file(level string, n int64, width int) []byte {
	r.t.Helper()
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/", n%1000) + name
	}
	name = filepath.Join(r.dir, "tile", level, name)
	path := name
	if width < 256 {
		path += ".p/" + strconv.Itoa(width)
	}
	b, err := os.ReadFile(path)
	if err != nil && width < 256 {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

// Height, ReadTiles and SaveTiles make it a tlog.TileReader.
func (r *reader) Height() int { return 8 }

func (r *reader) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		out = append(out, r.file(strconv.Itoa(t.L), t.N, t.W)[:t.W*tlog.HashSize])
	}
	return out, nil
}

func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

// entries are all that the bundles hold.
func (r *reader) entries() (out [][]byte) {
	for n := int64(0); n*256 < r.tree.N; n++ {
		width := int(min(256, r.tree.N-n*256))
		b := r.file("entries", n, width)
		for range width {
			end := 2 + int(binary.BigEndian.Uint16(b))
			out, b = append(out, b[2:end]), b[end:]
		}
	}
	return out
}

// node is the hash of a complete subtree of 2^level entries.
func (r *reader) node(level uint, index uint64) []byte {
	tile, below := level/8, level%8
	first := index << below
	width := int(min(256, r.tree.N>>(8*tile)-int64(first/256*256)))
	b := r.file(strconv.Itoa(int(tile)), int64(first/256), width)
	var hashes [][]byte
	for i := range uint64(1) << below {
		at := (first%256 + i) * 32
		hashes = append(hashes, b[at:at+32])
	}
	for ; len(hashes) > 1; hashes = hashes[:len(hashes)/2] {
		for i := range len(hashes) / 2 {
			hashes[i] = rfc6962.DefaultHasher.HashChildren(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0]
}

// path gives the hashes of a proof that the other library asks for.
func (r *reader) path(nodes proof.Nodes, err error) [][]byte {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		hashes[i] = r.node(id.Level, id.Index)
	}
	if hashes, err = nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren); err != nil {
		r.t.Fatal(err)
	}
	return hashes
}
