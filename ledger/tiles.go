package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
)

// tileSource reads tiles: those of level 0 from the rows, the others from the table. It is a tlog.TileReader.
type tileSource struct {
	ctx context.Context
	tx  *db.Tx
}

// errNoTile is a stored tile that cannot be one.
var errNoTile = errors.New("this is not a tile")

// hashes gives the first width hashes of a tile; fault.Integrity when it has fewer.
func (s *tileSource) hashes(level int, n int64, width int) ([]tlog.Hash, error) {
	if level == 0 {
		return s.leaves(n*tileWidth, width)
	}
	hs, err := s.stored(level, n)
	if isDamage(s.ctx, err) {
		return nil, damaged("tile %d/%d cannot be read", level, n)
	}
	if err != nil {
		return nil, err
	}
	if len(hs) < width {
		return nil, damaged("tile %d/%d is not there or too short", level, n)
	}
	return hs[:width], nil
}

// stored gives all hashes of a tile of level 1 or more; none when there is no such tile, errNoTile when it is malformed.
func (s *tileSource) stored(level int, n int64) ([]tlog.Hash, error) {
	var b exactBytes
	row := s.tx.QueryRow(s.ctx, "select hashes from ledger_tiles where level = $1 and n = $2", level, n)
	if err := row.Scan(&b); errors.Is(err, db.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading a tile of the ledger: %w", err)
	}
	if len(b)%tlog.HashSize != 0 || len(b) > tileWidth*tlog.HashSize {
		return nil, errNoTile
	}
	hs := make([]tlog.Hash, len(b)/tlog.HashSize)
	for i := range hs {
		copy(hs[i][:], b[i*tlog.HashSize:])
	}
	return hs, nil
}

// leaves computes the leaves of the count entries after the first skip ones.
func (s *tileSource) leaves(skip int64, count int) ([]tlog.Hash, error) {
	var out []tlog.Hash
	err := s.entries(skip, count, func(_ *stored, leaf tlog.Hash) { out = append(out, leaf) })
	return out, err
}

// entries gives the count entries after the first skip ones, each with its leaf.
func (s *tileSource) entries(skip int64, count int, each func(*stored, tlog.Hash)) error {
	return s.rows(skip, count, func(e *stored) error {
		leaf, err := e.check()
		if err != nil {
			return damaged("entry %d: %v", e.id, err)
		}
		each(e, leaf)
		return nil
	})
}

// rows gives the rows of the count entries after the first skip ones; fault.Integrity when one is missing.
func (s *tileSource) rows(skip int64, count int, each func(*stored) error) error {
	rows, err := s.tx.Query(s.ctx, "select "+columns+" from ledger_entries where id > $1 and id <= $2 order by id",
		skip, skip+int64(count))
	if err != nil {
		return err
	}
	defer rows.Close()
	want := skip + 1
	for ; rows.Next(); want++ {
		var e stored
		if err := e.scan(rows); err != nil || e.id != want {
			return damaged("entry %d is missing or cannot be read", want)
		}
		if err := each(&e); err != nil {
			return err
		}
	}
	if rows.Err() == nil && want <= skip+int64(count) {
		return damaged("entry %d is missing", want)
	}
	return rows.Err()
}

// Height is that of all our tiles.
func (s *tileSource) Height() int { return tileHeight }

// ReadTiles gives the hashes of each tile, joined.
func (s *tileSource) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		hs, err := s.hashes(t.L, t.N, t.W)
		if err != nil {
			return nil, err
		}
		data[i] = joinHashes(hs)
	}
	return data, nil
}

// SaveTiles keeps nothing.
func (s *tileSource) SaveTiles([]tlog.Tile, [][]byte) {}

// rootAt is the root the tree had when it held size entries, going by rows and tiles as they are.
func (s *tileSource) rootAt(size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(tileHeight, index)
			data, err := s.ReadTiles([]tlog.Tile{t})
			if err != nil {
				return nil, err
			}
			if out[i], err = tlog.HashFromTile(t, data[0], index); err != nil {
				return nil, damaged("%v", err)
			}
		}
		return out, nil
	}))
}

// edgeAt is the edge the tree had when it held size entries, going by rows and tiles as they are.
func (s *tileSource) edgeAt(size int64) (e edge, err error) {
	for level := tileLevels; level >= 0; level-- {
		n := size >> (tileHeight * level)
		width := int(n % tileWidth)
		if width == 0 {
			continue
		}
		hashes, err := s.hashes(level, n/tileWidth, width)
		if err != nil {
			return e, err
		}
		for _, h := range hashes {
			e.push(level*tileHeight, h)
		}
	}
	return e, nil
}
