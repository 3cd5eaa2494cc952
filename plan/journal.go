package plan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

// The journal is what a run needs to go on after kill -9: which rows, by address and reason, and the
// values that replace others. It is written, sealed under a key of its own, before the first store
// commits; a person who is half erased may no longer be found by looking. The key is destroyed when
// the request is closed: what is left of the journal is noise.
type journal struct {
	db      *db.DB
	request string
	gen     int // a retry begins a new generation; the old one goes when the new one is whole
	last    int // the newest generation of the request, which an end of the process may have cut short
	key     vault.Key
	sealed  []byte // the key
	begun   bool   // the head is written
	hash    string
	acting  bool // all chunks are written
	small   bool // the rows of its run fit in memory
	recent  *recent

	durable func() error // waits until everything written is on the disk; a store commits nothing before the whole journal is
}

func migrateJournal(ctx context.Context, d *db.DB) error {
	return d.Migrate(ctx, "plan", `
create table plan_runs (
  request text not null,
  gen bigint not null,
  hash text not null,
  sealed_key bytea,
  acting bigint not null default 0,
  primary key (request, gen)
);
create table plan_chunks (
  request text not null,
  gen bigint not null,
  ordinal bigint not null,
  system text not null,
  done bigint not null default 0,
  acted bytea,
  sealed bytea not null,
  primary key (request, gen, ordinal)
);`)
}

// openJournal gives the journal of a request, nil when no run has begun.
func (e *Engine) openJournal(ctx context.Context, request string) (*journal, error) {
	j := &journal{db: e.cfg.DB, request: request, durable: nothing}
	err := e.cfg.DB.Read(ctx, func(tx *db.Tx) error { return j.newest(ctx, tx) })
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the journal: %w", err)
	case j.gen == 0:
		return nil, nil
	case len(j.sealed) == 0:
		return nil, fault.New(fault.Conflict, "the request is closed: its journal can no longer be read")
	}
	if j.key, err = e.cfg.Vault.OpenKey(j.sealed); errors.Is(err, vault.ErrForgotten) {
		return nil, fault.New(fault.Conflict, "the request is closed: its journal can no longer be read")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	return j, nil
}

// newest reads the head of the newest generation that is whole, or else of the newest.
func (j *journal) newest(ctx context.Context, tx *db.Tx) error {
	rows, err := tx.Query(ctx, `select gen, hash, sealed_key, acting from plan_runs where request = $1 order by gen`, j.request)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		var sealed []byte
		var acting int
		if err := rows.Scan(&j.last, &hash, &sealed, &acting); err != nil {
			return err
		}
		if acting == 1 || !j.acting {
			j.gen, j.hash, j.sealed, j.acting = j.last, hash, sealed, acting == 1
		}
	}
	return rows.Err()
}

// nothing was written yet.
func nothing() error { return nil }

// newJournal prepares one; the first write begins it. What an earlier run wrote stays until this one is
// whole: it alone may still know the keys of rows that are gone. The key stays that of the request's
// first run, so that a retry knows what was replaced already.
func (e *Engine) newJournal(request, hash string, gen int, before *journal) (j *journal, err error) {
	j = &journal{db: e.cfg.DB, request: request, hash: hash, gen: gen, durable: nothing}
	if before != nil {
		j.key, j.sealed = before.key, before.sealed
	} else {
		j.key, j.sealed, err = e.cfg.Vault.NewKey()
	}
	return j, err
}

// sealedChunk is a row of the journal: what is left of a chunk when its rows are sealed.
type sealedChunk struct {
	ordinal, state int
	system         string
	body           []byte
}

// write makes chunks durable, while more are made: see durable; last also says that they are all there.
func (j *journal) write(ctx context.Context, chunks []chunk, last bool) error {
	sealed, err := j.seal(chunks)
	if err != nil {
		return err
	}
	if err := j.durable(); err != nil {
		return err
	}
	first := !j.begun
	j.remember(chunks, sealed)
	j.begun, j.acting = true, last
	j.durable = sync.OnceValue(j.db.Start(ctx, func(tx *db.Tx) error { return j.store(ctx, tx, sealed, first, last) }))
	return nil
}

func (j *journal) seal(chunks []chunk) ([]sealedChunk, error) {
	sealed := make([]sealedChunk, len(chunks))
	for i, c := range chunks {
		body, err := j.key.Seal(j.aad(c.ordinal), c.encode())
		if err != nil {
			return nil, fmt.Errorf("sealing the journal: %w", err)
		}
		sealed[i] = sealedChunk{c.ordinal, c.beginning(), c.system, body}
	}
	return sealed, nil
}

// store writes chunks, with the head in the commit of the first.
func (j *journal) store(ctx context.Context, tx *db.Tx, chunks []sealedChunk, first, last bool) error {
	if first {
		if _, err := tx.Exec(ctx, `insert into plan_runs (request, gen, hash, sealed_key, acting) values ($1, $2, $3, $4, $5)`, j.request, j.gen, j.hash, j.sealed, int(boolByte(last))); err != nil {
			return err
		}
	}
	if err := j.insert(ctx, tx, chunks); err != nil {
		return err
	}
	var then []string
	if last && j.gen > 1 {
		then = []string{`delete from plan_chunks where request = $1 and gen <> $2`, `delete from plan_runs where request = $1 and gen <> $2`}
	}
	if last && !first {
		then = append(then, `update plan_runs set acting = 1 where request = $1 and gen = $2`)
	}
	for _, q := range then {
		if _, err := tx.Exec(ctx, q, j.request, j.gen); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) insert(ctx context.Context, tx *db.Tx, chunks []sealedChunk) error {
	for _, c := range chunks {
		if _, err := tx.Exec(ctx, `insert into plan_chunks (request, gen, ordinal, system, done, sealed) values ($1, $2, $3, $4, $5, $6)`, j.request, j.gen, c.ordinal, c.system, c.state, c.body); err != nil {
			return err
		}
	}
	return nil
}

// discard forgets a journal of which nothing was done.
func (j *journal) discard(ctx context.Context) error {
	return j.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `delete from plan_chunks where request = $1 and gen = $2`, j.request, j.gen); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from plan_runs where request = $1 and gen = $2`, j.request, j.gen)
		return err
	})
}

// How far a chunk is.
const (
	waiting = iota
	finished
	idle
)

func (c *chunk) beginning() int {
	if slices.ContainsFunc(c.acts, func(a act) bool { return !a.looks() }) {
		return waiting
	}
	return idle
}

func (j *journal) aad(ordinal int) []byte {
	return binary.BigEndian.AppendUint64([]byte(fmt.Sprintf("%s/%d/", j.request, j.gen)), uint64(ordinal))
}

// mac keys the values that take the place of others; without the key there are none.
func (j *journal) mac(parts ...[]byte) [32]byte {
	sum, err := j.key.MAC(parts...)
	if err != nil {
		return [32]byte{}
	}
	return sum
}

// done writes marks.
func (j *journal) done(ctx context.Context, marks ...marked) error {
	return j.db.Write(ctx, func(tx *db.Tx) error { return j.doneIn(ctx, tx, marks) })
}

func (j *journal) doneIn(ctx context.Context, tx *db.Tx, marks []marked) error {
	for _, m := range marks {
		var b []byte
		for _, n := range m.acted {
			b = binary.AppendVarint(b, n)
		}
		if _, err := tx.Exec(ctx, `update plan_chunks set done = 1, acted = $1 where request = $2 and gen = $3 and ordinal = $4`, b, j.request, j.gen, m.ordinal); err != nil {
			return err
		}
	}
	return nil
}

// head is a chunk without its rows.
type head struct {
	ordinal int
	system  string
	done    bool
	idle    bool // from the beginning: nothing is to be done in its store
	acted   []int64
}

func (j *journal) heads(ctx context.Context) ([]head, error) {
	if j.recent != nil {
		return j.recent.allHeads(), nil
	}
	if err := j.durable(); err != nil {
		return nil, err
	}
	var out []head
	err := j.db.Read(ctx, func(tx *db.Tx) error {
		out = out[:0]
		rows, err := tx.Query(ctx, `select ordinal, system, done, acted from plan_chunks where request = $1 and gen = $2 order by ordinal`, j.request, j.gen)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h head
			var done int
			var acted []byte
			if err := rows.Scan(&h.ordinal, &h.system, &done, &acted); err != nil {
				return err
			}
			h.done, h.idle = done != waiting, done == idle
			for len(acted) > 0 {
				n, w := binary.Varint(acted)
				h.acted, acted = append(h.acted, n), acted[w:]
			}
			out = append(out, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return out, nil
}

func (j *journal) chunk(ctx context.Context, ordinal int) (chunk, error) {
	if j.recent != nil {
		return j.recent.chunks[ordinal], nil
	}
	var sealed []byte
	err := j.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `select sealed from plan_chunks where request = $1 and gen = $2 and ordinal = $3`, j.request, j.gen, ordinal).Scan(&sealed)
	})
	if err != nil {
		return chunk{}, fmt.Errorf("reading the journal: %w", err)
	}
	plain, err := j.key.Open(j.aad(ordinal), sealed)
	if err != nil {
		return chunk{}, fault.Wrap(fault.Integrity, err, "the journal of the request was changed")
	}
	return decodeChunk(ordinal, plain)
}

// Forget destroys the journal's rows and, by shred, its keys, at closure. What was committed to stays committed to.
func (e *Engine) Forget(ctx context.Context, request string, shred func(context.Context, *db.Tx, ...vault.Slot) error) error {
	return e.cfg.DB.Write(ctx, func(tx *db.Tx) error {
		slots, err := journalSlots(ctx, tx, request)
		if err != nil {
			return err
		}
		if err := shred(ctx, tx, slots...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from plan_chunks where request = $1`, request); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update plan_runs set sealed_key = null where request = $1`, request)
		return err
	})
}

// Reseal seals again, under the present root key, the keys of journals of when there were no slots, and gives how many. All runs
// of a request have the same.
func (e *Engine) Reseal(ctx context.Context) (int, error) {
	return db.Rewrite(ctx, e.cfg.DB, db.Bytes{Table: "plan_runs", Key: "request", Name: "sealed_key"}, func(_ string, _, stored []byte) ([]byte, error) {
		return e.cfg.Vault.ResealKey(stored)
	})
}

// journalSlots are those of the keys of all runs of a request.
func journalSlots(ctx context.Context, tx *db.Tx, request string) (out []vault.Slot, err error) {
	rows, err := tx.Query(ctx, `select distinct sealed_key from plan_runs where request = $1 and sealed_key is not null`, request)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var stored []byte
		if err := rows.Scan(&stored); err != nil {
			return nil, err
		}
		out = append(out, vault.SlotOf(stored))
	}
	return out, rows.Err()
}
