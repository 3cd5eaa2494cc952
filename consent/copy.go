package consent

import (
	"context"
	"fmt"
	"io"

	"github.com/ombudhq/ombud/internal/db"
)

// A copy of the snapshot lies in the store, in pieces: where the file is missing or cannot be used, as after a restore on
// another machine, the start need not read the whole ledger. It is trusted like the file: opened with our keys, and
// only where the ledger has the same root at its revision. What came after it is read from the ledger, so it is made anew
// when the ledger has grown by a sixteenth.

const copySchema = `create table consent_copy (
	revision bigint not null,
	n bigint not null,
	piece bytea not null,
	primary key (revision, n)
)`

// copyPiece is what goes into one row, and one commit: no command waits longer for it than for a few of its kind.
const copyPiece = 256 << 10

// storeCopy writes a copy. What goes wrong ends the copy, not the snapshot beside it.
type storeCopy struct {
	s        *Service
	ctx      context.Context
	revision int64
	n        int64
	rest     []byte
	err      error
}

// newCopy begins a copy, if one is due; else nil.
func (s *Service) newCopy(ctx context.Context, revision int64) *storeCopy {
	grown, size := entryOf(revision)-entryOf(s.copied.Load()), entryOf(revision)
	if grown < max(s.cfg.CopyEvery, size/16) {
		return nil
	}
	return &storeCopy{s: s, ctx: ctx, revision: revision}
}

// Write keeps more of the snapshot.
func (c *storeCopy) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for len(c.rest) >= copyPiece && c.err == nil {
		c.keep(c.rest[:copyPiece])
		c.rest = append(c.rest[:0], c.rest[copyPiece:]...)
	}
	return len(p), nil
}

func (c *storeCopy) keep(piece []byte) {
	c.err = c.s.cfg.DB.Write(c.ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(c.ctx, `insert into consent_copy (revision, n, piece) values ($1, $2, $3) on conflict (revision, n) do update set piece = excluded.piece`,
			c.revision, c.n, piece)
		return err
	})
	c.n++
}

// finish makes the copy whole, and removes the former one.
func (c *storeCopy) finish() error {
	if c == nil {
		return nil
	}
	if c.err == nil {
		c.keep(c.rest)
	}
	if c.err != nil {
		return fmt.Errorf("keeping a copy of the snapshot: %w", c.err)
	}
	c.s.copied.Store(c.revision)
	for {
		var gone int64
		err := c.s.cfg.DB.Write(c.ctx, func(tx *db.Tx) (err error) {
			gone, err = tx.Exec(c.ctx, `delete from consent_copy where revision <> $1 and n =
				(select max(n) from consent_copy where revision <> $1)`, c.revision)
			return err
		})
		if err != nil || gone == 0 {
			return err
		}
	}
}

// loadCopy takes in the newest copy that is whole and of this ledger, and gives the entry it stands at; 0 for none.
func (s *Service) loadCopy(ctx context.Context) int64 {
	var revisions []int64
	err := s.cfg.DB.Read(ctx, func(tx *db.Tx) error {
		revisions = nil
		rows, err := tx.Query(ctx, "select distinct revision from consent_copy order by revision desc")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r int64
			if err := rows.Scan(&r); err != nil {
				return err
			}
			revisions = append(revisions, r)
		}
		return rows.Err()
	})
	for _, r := range revisions {
		var at int64
		if err = s.cfg.DB.Read(ctx, func(tx *db.Tx) (err error) {
			at, err = s.adopt(ctx, &copyReader{ctx: ctx, tx: tx, revision: r})
			return err
		}); err == nil && at == r {
			s.copied.Store(r)
			return entryOf(r)
		}
	}
	if err != nil {
		s.cfg.Log.Warn("the decision index is rebuilt from the whole ledger", "error", err)
	}
	return 0
}

// copyReader reads a copy, piece by piece.
type copyReader struct {
	ctx      context.Context
	tx       *db.Tx
	revision int64
	n        int64
	rest     []byte
}

// Read gives what comes next.
func (r *copyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		err := r.tx.QueryRow(r.ctx, "select piece from consent_copy where revision = $1 and n = $2", r.revision, r.n).Scan(&r.rest)
		if err == db.ErrNoRows {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.n++
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
