package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
)

const (
	mutEntries = 620
	mutCovered = 540 // the newest checkpoint outside
)

// mutable is a ledger that can be spoilt and put back.
type mutable struct {
	*place
	tx *db.Tx
	r  *rand.Rand
}

// mutation spoils a covered part of the ledger and gives the first entry that is wrong then.
type mutation struct {
	name  string
	apply func(m *mutable) (firstBad int64)
	// thief: done with the root key, so that only a checkpoint tells; the report names the interval.
	thief bool
	// tile: no entry is wrong, a tile is.
	tile bool
}

var mutations = []mutation{
	{name: "edit revision", apply: edit("revision = revision + 1")},
	{name: "edit epoch", apply: edit(fmt.Sprintf("revision = revision + %d", int64(1)<<epochShift))},
	{name: "edit time", apply: edit("minute = minute - 1")},
	{name: "edit time beyond the clock", apply: edit(fmt.Sprintf("minute = minute + %d", int64(1)<<62))},
	{name: "edit kind", apply: edit("kind = 'test.happened2'")},
	{name: "edit kind to bytes", apply: edit("kind = cast(kind as blob)")},
	{name: "edit result", apply: edit("result = 'denied'")},
	{name: "edit number to text", apply: edit("minute = 'x'")},
	{name: "edit commitments", apply: flip("commitments")},
	{name: "edit payload", apply: flip("payload")},
	{name: "payload of another", apply: func(m *mutable) int64 {
		a, b := m.two()
		m.exec("update ledger_entries set payload = (select payload from ledger_entries where id = $1) where id = $2", b, a)
		return a
	}},
	{name: "delete in the middle", apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("delete from ledger_entries where id = $1", id)
		return id
	}},
	{name: "delete and close the gap", apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("delete from ledger_entries where id = $1", id)
		m.shift(id, -1)
		return id
	}},
	{name: "delete and renumber", apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("delete from ledger_entries where id = $1", id)
		m.shift(id, -1)
		m.exec("update ledger_entries set revision = revision - 1 where id >= $1", id)
		return id
	}},
	{name: "cut the tail", apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("delete from ledger_entries where id >= $1", id)
		return id
	}},
	{name: "cut the tail with its tiles", apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("delete from ledger_entries where id >= $1", id)
		m.rebuildTiles()
		return id
	}},
	{name: "cut all", apply: func(m *mutable) int64 {
		m.exec("delete from ledger_entries")
		m.exec("delete from ledger_tiles")
		return 1
	}},
	{name: "reorder", apply: func(m *mutable) int64 {
		a, b := m.two()
		m.swap(a, b)
		return a
	}},
	{name: "reorder and renumber", apply: func(m *mutable) int64 {
		a, b := m.two()
		m.swap(a, b)
		m.exec("update ledger_entries set revision = $1 where id = $2", m.l.revision(a), a)
		m.exec("update ledger_entries set revision = $1 where id = $2", m.l.revision(b), b)
		return a
	}},
	{name: "insert", apply: func(m *mutable) int64 {
		id := m.covered()
		m.shift(id, 1)
		m.exec("insert into ledger_entries (id, revision, minute, kind, result, commitments, payload) select id - 1, revision, minute, kind, result, commitments, payload from ledger_entries where id = $1", id+1)
		m.exec("update ledger_entries set revision = $1 where id = $2", m.l.revision(id), id)
		return id + 1 // the copy is the one that is right
	}},
	{name: "insert before the first", apply: func(m *mutable) int64 {
		m.exec("insert into ledger_entries (id, revision, minute, kind, result, commitments, payload) select -id, revision, minute, kind, result, commitments, payload from ledger_entries where id = $1", m.covered())
		return 1
	}},
	{name: "rewrite one entry and the tiles with the key", thief: true, apply: func(m *mutable) int64 {
		id := m.covered()
		m.rewrite(id, id)
		m.rebuildTiles()
		return id
	}},
	{name: "rewrite the suffix and the tiles with the key", thief: true, apply: func(m *mutable) int64 {
		id := m.covered()
		m.rewrite(id, mutEntries)
		m.rebuildTiles()
		return id
	}},
	{name: "edit an erased entry", thief: true, apply: func(m *mutable) int64 {
		id := m.covered()
		m.exec("update ledger_entries set payload = null, result = 'denied' where id = $1", id)
		return id
	}},
	{name: "edit a tile", tile: true, apply: func(m *mutable) int64 {
		m.exec("update ledger_tiles set hashes = $1", make([]byte, 2*tlog.HashSize))
		return 0
	}},
	{name: "delete the tiles", tile: true, apply: func(m *mutable) int64 {
		m.exec("delete from ledger_tiles")
		return 0
	}},
	{name: "a tile too many", tile: true, apply: func(m *mutable) int64 {
		m.exec("insert into ledger_tiles values ($1, $2, $3)", 1+m.r.IntN(3), 1+m.r.IntN(9), make([]byte, tlog.HashSize))
		return 0
	}},
}

func edit(set string) func(*mutable) int64 {
	return func(m *mutable) int64 {
		id := m.covered()
		m.exec("update ledger_entries set "+set+" where id = $1", id)
		return id
	}
}

func flip(column string) func(*mutable) int64 {
	return func(m *mutable) int64 {
		id := m.covered()
		var b []byte
		if err := m.tx.QueryRow(context.Background(), "select "+column+" from ledger_entries where id = $1", id).Scan(&b); err != nil {
			m.t.Fatal(err)
		}
		b[m.r.IntN(len(b))] ^= 1 << m.r.IntN(8)
		m.exec("update ledger_entries set "+column+" = $1 where id = $2", b, id)
		return id
	}
}

func (m *mutable) exec(text string, args ...any) {
	if _, err := m.tx.Exec(context.Background(), text, args...); err != nil {
		panic(err)
	}
}

// covered is a random entry below the newest checkpoint.
func (m *mutable) covered() int64 { return 1 + m.r.Int64N(mutCovered) }

func (m *mutable) two() (a, b int64) {
	for a == b {
		a, b = m.covered(), m.covered()
	}
	return min(a, b), max(a, b)
}

// shift moves the ids from the given one on, by way of numbers nobody has.
func (m *mutable) shift(from, by int64) {
	m.exec("update ledger_entries set id = id + 1000000 where id >= $1", from)
	m.exec("update ledger_entries set id = id - 1000000 + $1 where id >= 1000000", by)
}

func (m *mutable) swap(a, b int64) {
	m.exec("update ledger_entries set id = 1000000 where id = $1", a)
	m.exec("update ledger_entries set id = $1 where id = $2", a, b)
	m.exec("update ledger_entries set id = $1 where id = 1000000", b)
}

// rewrite replaces entries by others that are sealed and committed to as ours are.
func (m *mutable) rewrite(from, to int64) {
	for id := from; id <= to; id++ {
		p, err := newPayload(new(scratch), Entry{Actor: "somebody else"}, Told{}, nil)
		if err != nil {
			panic(err)
		}
		mt := meta{kind: "test.happened", result: "ok", minute: 1, revision: m.l.revision(id)}
		leaf := leafOf(mt.encode(), p.commitments())
		m.exec("update ledger_entries set minute = $1, commitments = $2, payload = $3 where id = $4",
			mt.minute, p.commitments(), m.l.placed(leaf, m.vault.Seal(payloadLabel, p.commitments(), p.encode())), id)
	}
}

func (m *mutable) rebuildTiles() {
	src := &tileSource{ctx: context.Background(), tx: m.tx}
	var size int64
	if err := m.tx.QueryRow(context.Background(), "select count(*) from ledger_entries").Scan(&size); err != nil {
		panic(err)
	}
	leaves, err := src.leaves(0, int(size))
	if err != nil {
		panic(err)
	}
	m.exec("delete from ledger_tiles")
	var e edge
	for _, leaf := range leaves {
		for _, t := range e.add(leaf) {
			m.exec("insert into ledger_tiles (level, n, hashes) values ($1, $2, $3) on conflict (level, n) do update set hashes = excluded.hashes", t.level, t.n, joinHashes(t.hashes))
		}
	}
}

// mutated gives a ledger with a copy of itself in side tables.
func mutated(t *testing.T, engine string) *place {
	p := newPlaceIn(t, engine)
	for _, n := range []int{90, 170, 150, 130} {
		p.append(n)
		p.checkpoint()
	}
	p.append(mutEntries - mutCovered)
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		m := &mutable{place: p, tx: tx}
		m.exec("create table entries_copy as select * from ledger_entries")
		m.exec("create table tiles_copy as select * from ledger_tiles")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) restore() {
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		m := &mutable{place: p, tx: tx}
		m.exec("delete from ledger_entries")
		m.exec("delete from ledger_tiles")
		m.exec("insert into ledger_entries select * from entries_copy")
		m.exec("insert into ledger_tiles select * from tiles_copy")
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestEveryMutationIsFound(t *testing.T) {
	rounds := 200
	switch {
	case soak():
		rounds = 4000 // of each: more than 100,000 together
	case testing.Short():
		rounds = 10
	}
	for i, mu := range mutations {
		t.Run(mu.name, func(t *testing.T) {
			t.Parallel()
			p := mutated(t, storetest.SQLite)
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range rounds {
				p.mutateOnce(t, mu, r)
			}
			p.mustVerify()
		})
	}
}

// PostgreSQL keeps the types of its columns by itself.
func TestEveryMutationIsFoundInPostgres(t *testing.T) {
	p := mutated(t, storetest.Postgres)
	r := rand.New(rand.NewPCG(1, 7))
	for _, mu := range mutations {
		if mu.name != "edit kind to bytes" && mu.name != "edit number to text" {
			p.mutateOnce(t, mu, r)
		}
	}
	p.mustVerify()
}

func (p *place) mutateOnce(t *testing.T, mu mutation, r *rand.Rand) {
	t.Helper()
	var bad int64
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		bad = mu.apply(&mutable{place: p, tx: tx, r: r})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := p.verify(VerifyOptions{})
	switch {
	case fault.KindOf(err) != fault.Integrity || rep.OK || rep.Problem == "":
		t.Fatalf("entry %d: not found: %+v, %v", bad, rep, err)
	case mu.tile:
		if rep.FirstBad != 0 {
			t.Fatalf("a tile: blamed on an entry: %+v", rep)
		}
	case mu.thief:
		if bad < rep.From || bad > rep.To || rep.To-rep.From >= 256 {
			t.Fatalf("entry %d: not in the interval: %+v", bad, rep)
		}
	case rep.FirstBad != bad || rep.From != bad || rep.To != bad:
		t.Fatalf("entry %d: another was named: %+v", bad, rep)
	}
	p.restore()
}
