package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/fault"
)

// VerifyTiles verifies an export of tiles with the public key alone: every entry, every tile, and the tree against the
// checkpoint in the folder and, where the options name one, against those that were kept safer. The answers are those of
// Verify; payloads are not in an export, so they are neither opened nor counted.
func VerifyTiles(ctx context.Context, dir string, pub ed25519.PublicKey, o VerifyOptions) (Report, error) {
	key, err := verifierOf(pub)
	if err != nil {
		return Report{}, err
	}
	head, err := readExportHead(dir, key)
	if err != nil {
		return Report{}, err
	}
	v := &verification{l: &Ledger{verifier: key}, ctx: ctx, want: 1, epoch: 1, seen: map[tileKey][]tlog.Hash{}}
	defer v.close()
	if err := v.openHeads(VerifyOptions{Checkpoint: filepath.Join(dir, exportHead)}); err != nil {
		return Report{}, err
	}
	if o.Checkpoint != "" {
		if err := v.openHeads(o); err != nil {
			return Report{}, err
		}
	}
	if err := (&exportReader{v, dir, head.size, map[string]*bytes.Buffer{}}).run(); err != nil && !errors.Is(err, errFound) {
		return Report{}, err
	}
	if err := v.conclude(); err != nil {
		return Report{}, err
	}
	if !v.r.OK {
		return v.r, fault.New(fault.Integrity, "the export is not what was signed: %s", v.r.Problem)
	}
	return v.r, nil
}

// exportReader brings the files of an export to a verification.
type exportReader struct {
	*verification
	dir   string
	size  int64
	rooms map[string]*bytes.Buffer // by level, what was read last
}

func (x *exportReader) run() error {
	for n := int64(0); n*tileWidth < x.size; n++ {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if err := x.bundle(n, int(min(tileWidth, x.size-n*tileWidth))); err != nil {
			return err
		}
	}
	for level := 1; level <= tileLevels; level++ {
		x.compareUpper(level, x.size>>(tileHeight*(level+1)), x.edge.tiles[level])
	}
	return nil
}

// bundle compares entries with their tile of level 0, and the tiles above that they complete.
func (x *exportReader) bundle(n int64, width int) error {
	entries, whole := x.read(exportEntries, n, width)
	tile, exact := x.read("0", n, width)
	if exact && len(tile) != width*tlog.HashSize {
		tile = nil
	}
	for i := range width {
		var record []byte
		var ok bool
		if record, entries, ok = cutRecord(entries); !ok {
			return x.bad("entry %d is missing, or cut short", x.want)
		}
		revision, ok := revisionOf(record[1:])
		if !ok || revision&(1<<epochShift-1) != x.want || revision>>epochShift < x.epoch {
			return x.bad("entry %d is not an entry", x.want)
		}
		leaf := tlog.Hash(sha256.Sum256(record))
		if len(tile) < (i+1)*tlog.HashSize || !bytes.Equal(leaf[:], tile[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return x.bad("entry %d does not fit its tile", x.want)
		}
		x.epoch = revision >> epochShift
		for _, t := range x.edge.add(leaf) {
			if len(t.hashes) == tileWidth {
				x.compareUpper(t.level, t.n, t.hashes)
			}
		}
		x.want++
		if x.edge.size == x.due {
			if err := x.compareHeads(); err != nil {
				return err
			}
		}
	}
	if whole && len(entries) > 0 {
		return x.bad("something stands behind entry %d that is none", x.want-1)
	}
	return nil
}

func (x *exportReader) compareUpper(level int, n int64, want []tlog.Hash) {
	if len(want) == 0 {
		return
	}
	b, exact := x.read(strconv.Itoa(level), n, len(want))
	if exact && len(b) != len(want)*tlog.HashSize {
		b = nil
	}
	stored := make([]tlog.Hash, len(b)/tlog.HashSize)
	for i := range stored {
		copy(stored[i][:], b[i*tlog.HashSize:])
	}
	x.compareTile(tileKey{level, n}, want, stored)
}

// read gives a file of the export, until the next of its level is read, and whether it holds exactly so many: a tile that was
// incomplete may have been completed since. None is like an empty one: what should be in it is missing.
func (x *exportReader) read(level string, n int64, width int) (content []byte, exact bool) {
	b, err := x.readFile(level, tilePath(level, n, width))
	if err == nil || width == tileWidth {
		return b, true
	}
	b, _ = x.readFile(level, tilePath(level, n, tileWidth))
	return b, false
}

// readFile reads to the same place again and again: files are large and there are many.
func (x *exportReader) readFile(level, path string) ([]byte, error) {
	f, err := os.Open(filepath.Join(x.dir, path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	room := x.rooms[level]
	if room == nil {
		room = new(bytes.Buffer)
		x.rooms[level] = room
	}
	room.Reset()
	_, err = room.ReadFrom(f)
	return room.Bytes(), err
}

// cutRecord takes the first entry off a bundle, behind the zero that RFC 6962 hashes before it, which replaces the end of its
// length.
func cutRecord(bundle []byte) (record, rest []byte, ok bool) {
	if len(bundle) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < 2+n {
		return nil, nil, false
	}
	bundle[1] = 0
	return bundle[1 : 2+n], bundle[2+n:], true
}

// revisionOf reads where an entry says that it stands: the last member of its metadata.
func revisionOf(entry []byte) (int64, bool) {
	const overhead = 4 + 3*tlog.HashSize
	if len(entry) < overhead || int64(binary.BigEndian.Uint32(entry)) != int64(len(entry)-overhead) {
		return 0, false
	}
	meta := entry[4 : len(entry)-3*tlog.HashSize]
	i := bytes.LastIndex(meta, []byte(`,"revision":`))
	if i < 0 || meta[len(meta)-1] != '}' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(meta[i+len(`,"revision":`):len(meta)-1]), 10, 64)
	return n, err == nil
}
