package bench

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// logged is a ledger in a store of its own, with heads, and an export of it.
type logged struct {
	t      *testing.T
	c      ledger.Config
	l      *ledger.Ledger
	export string
	n      int
}

func newLogged(t *testing.T, n int) *logged {
	dir := t.TempDir()
	g := &logged{t: t, n: n, export: filepath.Join(dir, "tiles")}
	store, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "ombud.db")})
	g.must(err)
	t.Cleanup(func() { store.Close() })
	keys, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "keys")})
	g.must(err)
	g.c = ledger.Config{DB: store, Vault: keys, Heads: []string{filepath.Join(dir, "heads")}}
	g.l, err = ledger.Open(t.Context(), g.c)
	g.must(err)
	for done := 0; done < n; done += 1000 {
		g.write(min(1000, n-done), false)
	}
	_, err = g.l.Checkpoint(t.Context())
	g.must(err)
	_, err = g.l.ExportTiles(t.Context(), g.export)
	g.must(err)
	return g
}

func (g *logged) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// write appends entries in one commit; a suppressive one is kept outside too, before it is answered.
func (g *logged) write(n int, suppressive bool) {
	g.t.Helper()
	g.must(g.c.DB.Write(context.Background(), func(tx *db.Tx) error {
		for range n {
			content := map[string]any{"purpose": "letters", "notice": "letters/3", "method": "web_form"}
			if suppressive {
				if err := g.l.Keep(tx, "consent.withdrawn", content); err != nil {
					return err
				}
			}
			if _, err := g.l.Append(tx, ledger.Entry{Kind: "consent.given", Result: "ok", Actor: "service:key", Subject: "sub_00000000000000000000000000", Content: content}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// hashed is what must be hashed to verify as many entries, and nothing else: each leaf, and each node above them.
func (g *logged) hashed(int) map[string]time.Duration {
	leaf, start := make([]byte, 4+90+3*tlog.HashSize), time.Now()
	var sum tlog.Hash
	for i := range g.n {
		leaf[0], leaf[1] = byte(i), byte(i>>8)
		sum = tlog.NodeHash(sum, tlog.RecordHash(leaf))
	}
	return map[string]time.Duration{"bare": time.Since(start) / time.Duration(g.n)}
}

func (g *logged) tiles(int) map[string]time.Duration {
	start := time.Now()
	r, err := ledger.VerifyTiles(g.t.Context(), g.export, g.c.Vault.PublicKey(), ledger.VerifyOptions{})
	g.must(err)
	return map[string]time.Duration{"tiles": time.Since(start) / time.Duration(r.Entries)}
}

func (g *logged) rows(int) map[string]time.Duration {
	start := time.Now()
	r, err := ledger.Verify(g.t.Context(), g.c, ledger.VerifyOptions{})
	g.must(err)
	return map[string]time.Duration{"rows": time.Since(start) / time.Duration(r.Entries)}
}

func (g *logged) acts(suppressive bool, name string) lap {
	return func(int) map[string]time.Duration {
		const many = 100
		start := time.Now()
		for range many {
			g.write(1, suppressive)
		}
		return map[string]time.Duration{name: time.Since(start) / many}
	}
}

// measureLedger: how fast the log is verified, beside hashing alone, and what keeping an act outside costs one writer.
func measureLedger(t *testing.T, r *report, s *servers, z size) {
	if wanted("verify") {
		measureVerify(t, r, z)
	}
	if wanted("withdraw") {
		measureWithdrawals(t, r, "sqlite", newCompany(t, "withdrawals", 10_000), z)
		onServer := &company{dir: t.TempDir(), store: s.database(t, "postgres"), people: 10_000}
		onServer.fill(t)
		measureWithdrawals(t, r, "postgres", onServer, z)
	}
}

func measureVerify(t *testing.T, r *report, z size) {
	g := newLogged(t, min(z.rows, 200_000))
	got := takeTurns(z.rounds, g.hashed, g.tiles, g.rows)
	r.ratio("verify an entry from tiles, beside hashing alone", "", got["tiles"], got["bare"], 2)
	r.ratio("verify an entry from rows, payload opened, beside hashing", "", got["rows"], got["bare"], 5)
	got = takeTurns(z.rounds, g.acts(true, "kept"), g.acts(false, "plain"))
	r.ratio("an entry kept outside, one writer, beside one that is not", "sqlite", got["kept"], got["plain"], 0)
}

// fillsLog is how many consents the store's log holds and more: from then on it is written over, and does not grow.
const fillsLog = 40_000

// measureWithdrawals: a no, which is kept outside before it is answered, beside a yes, both of people who said yes before and one
// after the other.
func measureWithdrawals(t *testing.T, r *report, engine string, c *company, z size) {
	const many = 100
	a := c.open(t)
	defer c.close(t, a)
	yes, no := 0, 0
	timed := func(name string, fn func()) lap {
		return func(int) map[string]time.Duration {
			start := time.Now()
			fn()
			return map[string]time.Duration{name: time.Since(start) / many}
		}
	}
	withdraw := timed("no", func() {
		for range many {
			in := consent.WithdrawInput{Subject: []subject.Identity{identity(no)}, Purpose: purposeID(0), Actor: "bench"}
			if out, err := a.Consents.Withdraw(t.Context(), in); err != nil || out.Ended != 1 {
				t.Fatal(out, err)
			}
			no++
		}
	})
	record := timed("yes", func() {
		c.record(t, a.Consents, 1, many, func(int) (subject.Identity, string) { yes++; return identity(yes), purposeID(1) })
	})
	s := takeTurns(max(z.rounds, 9), withdraw, record)
	r.ratio("a withdrawal, one writer, beside a consent", engine, s["no"], s["yes"], 2)
	c.record(t, a.Consents, 64, fillsLog, func(i int) (subject.Identity, string) { return identity(i % 10_000), purposeID(2 + i%6) })
	s = takeTurns(max(z.rounds, 9), withdraw, record)
	r.ratio("the same, the store's log written over", engine, s["no"], s["yes"], 2)
}
