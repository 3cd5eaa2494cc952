package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/file"
)

// Names in an export (C2SP tlog-tiles): the signed head, and the folder of the bundles of entries among the tiles.
const (
	exportHead    = "checkpoint"
	exportEntries = "entries"
)

// exportChunk is how many bundles are read from one snapshot.
const exportChunk = 64

// Exported says what an export of tiles holds now.
type Exported struct {
	Size  int64  `json:"size"`
	Root  string `json:"root"`
	Added int64  `json:"added"` // entries it did not hold before
	Files int    `json:"files"` // written now
}

// ExportTiles writes the tree into a folder as any tool for C2SP tlog-tiles reads it: checkpoint, tiles from level 0, and
// bundles of entries. An entry is what its leaf is the RFC 6962 hash of: public metadata and commitments, no content.
//
// A folder that holds an export already is continued: what its checkpoint covers is not written again. Each file appears
// as a whole, and the checkpoint last, so an export cut short is still the former one, and the next goes on where it
// stopped. Where the ledger is not the one the checkpoint there was signed for, the answer is fault.Integrity and nothing
// is written.
func (l *Ledger) ExportTiles(ctx context.Context, dir string) (Exported, error) {
	c, err := l.Checkpoint(ctx)
	if err != nil || c.Size == 0 {
		return Exported{}, err
	}
	held, err := readExportHead(dir, l.verifier)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Exported{}, err
	}
	x := &tileExport{l: l, batch: file.Batch{Dir: dir}, size: c.Size}
	if err := x.begin(ctx, held); err != nil {
		return Exported{}, err
	}
	out := Exported{Size: c.Size, Root: c.Root, Added: c.Size - held.size}
	if out.Added == 0 {
		return out, nil
	}
	if err := x.run(ctx); err != nil {
		return Exported{}, err
	}
	if root := x.edge.root(); root.String() != c.Root {
		return Exported{}, damaged("its entries are not those it signed")
	}
	if err := x.finish(c); err != nil {
		return Exported{}, fault.Wrap(fault.Unavailable, err, "the export cannot be written")
	}
	out.Files = x.files
	return out, nil
}

// readExportHead reads and verifies the checkpoint of an export; fs.ErrNotExist where there is none.
func readExportHead(dir string, v note.Verifier) (treeHead, error) {
	b, err := os.ReadFile(filepath.Join(dir, exportHead))
	if err != nil {
		return treeHead{}, fault.Wrap(fault.Invalid, err, "%s holds no export: its checkpoint cannot be read", filepath.Base(dir))
	}
	return openNote(b, v)
}

// tileExport is one run of ExportTiles.
type tileExport struct {
	l     *Ledger
	batch file.Batch
	size  int64 // to be reached
	edge  edge
	files int
	full  []string // complete tiles: what they began as may go
}

// begin compares with what the folder holds, and stands at the last complete tile of it.
func (x *tileExport) begin(ctx context.Context, held treeHead) error {
	if held.size > x.size {
		return damaged("the export holds %d entries, the ledger only %d", held.size, x.size)
	}
	return x.l.c.DB.Read(ctx, func(tx *db.Tx) (err error) {
		src := &tileSource{ctx: ctx, tx: tx}
		if held.size > 0 {
			root, err := src.rootAt(held.size)
			if err != nil {
				return err
			}
			if root != held.root {
				return damaged("the first %d entries are not those of the export", held.size)
			}
		}
		x.edge, err = src.edgeAt(held.size - held.size%tileWidth)
		return err
	})
}

// run writes everything but the checkpoint.
func (x *tileExport) run(ctx context.Context) error {
	for x.edge.size < x.size {
		err := x.l.c.DB.Read(ctx, func(tx *db.Tx) error {
			src := &tileSource{ctx: ctx, tx: tx}
			for n := 0; n < exportChunk && x.edge.size < x.size; n++ {
				if err := x.bundle(src); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for level := 1; level <= tileLevels; level++ {
		if err := x.put(tile{level, x.edge.size >> (tileHeight * (level + 1)), x.edge.tiles[level]}); err != nil {
			return err
		}
	}
	return nil
}

// bundle writes the next entries, up to 256, and the tiles they complete.
func (x *tileExport) bundle(src *tileSource) error {
	n := x.edge.size / tileWidth
	width := int(min(tileWidth, x.size-x.edge.size))
	entries, leaves := make([]byte, 0, width*256), make([]tlog.Hash, 0, width)
	err := src.entries(x.edge.size, width, func(s *stored, leaf tlog.Hash) {
		b := preimage(s.meta.encode(), s.commitments)
		entries = append(binary.BigEndian.AppendUint16(entries, uint16(len(b))), b...)
		leaves = append(leaves, leaf)
	})
	if err != nil {
		return err
	}
	if err := x.save(exportEntries, n, width, entries); err != nil {
		return err
	}
	if err := x.put(tile{0, n, leaves}); err != nil {
		return err
	}
	for _, leaf := range leaves {
		for _, t := range x.edge.add(leaf) {
			if len(t.hashes) == tileWidth {
				if err := x.put(t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// put writes a tile, unless it is empty.
func (x *tileExport) put(t tile) error {
	if len(t.hashes) == 0 {
		return nil
	}
	return x.save(strconv.Itoa(t.level), t.n, len(t.hashes), joinHashes(t.hashes))
}

func (x *tileExport) save(level string, n int64, width int, content []byte) error {
	name := tilePath(level, n, width)
	written, err := x.batch.Put(name, content)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the export cannot be written")
	}
	if written {
		x.files++
	}
	if width == tileWidth {
		x.full = append(x.full, name)
	}
	return nil
}

// finish puts the checkpoint in place when all it covers is on the disk, and clears away what complete tiles began as.
func (x *tileExport) finish(c Checkpoint) error {
	if err := x.batch.Sync(); err != nil {
		return err
	}
	if _, err := x.batch.Put(exportHead, []byte(c.Note)); err != nil {
		return err
	}
	x.files++
	if err := x.batch.Sync(); err != nil {
		return err
	}
	for _, name := range x.full {
		if err := os.RemoveAll(filepath.Join(x.batch.Dir, name+".p")); err != nil {
			return err
		}
	}
	return nil
}

// tilePath is where a tile lies below the folder, tile/1/x001/067, and while it is incomplete tile/1/x001/067.p/12.
func tilePath(level string, n int64, width int) string {
	path := tlog.Tile{H: tileHeight, N: n, W: width}.Path()
	return fmt.Sprintf("tile/%s/%s", level, strings.TrimPrefix(path, "tile/8/0/"))
}
