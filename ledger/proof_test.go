package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/vault"
)

func TestProofStandsAlone(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.append(700)
		pub, err := vault.LoadPublicKey(filepath.Join(p.dir, "keys", "ombud.pub"))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{1, 2, 255, 256, 257, 511, 512, 513, 699, 700} {
			proof, err := p.l.Prove(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(proof)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyProof(b, pub); err != nil {
				t.Errorf("entry %d: %v", id, err)
			}
			if id == 257 {
				spoilProof(t, proof, b, p)
			}
		}
		for _, id := range []int64{0, -1, 701} {
			if _, err := p.l.Prove(context.Background(), id); fault.KindOf(err) != fault.NotFound {
				t.Errorf("entry %d: %v", id, err)
			}
		}
	})
}

func spoilProof(t *testing.T, good Proof, text []byte, p *place) {
	t.Helper()
	other, err := p.l.Prove(context.Background(), 258)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Proof){
		"id":          func(p *Proof) { p.ID++ },
		"meta":        func(p *Proof) { p.Meta = other.Meta },
		"result":      func(p *Proof) { p.Meta = strings.Replace(p.Meta, `"ok"`, `"no"`, 1) },
		"commitments": func(p *Proof) { p.Commitments = other.Commitments },
		"one less":    func(p *Proof) { p.Commitments[1] = nil },
		"path":        func(p *Proof) { p.Path = p.Path[1:] },
		"no path":     func(p *Proof) { p.Path = nil },
		"checkpoint":  func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n700\n", "\n701\n", 1) },
		"format":      func(p *Proof) { p.Format = "" },
	} {
		bad := good
		spoil(&bad)
		b, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyProof(b, p.vault.PublicKey()); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	stranger, err := vault.Open(vault.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyProof(text, stranger.PublicKey()); fault.KindOf(err) != fault.Integrity {
		t.Errorf("with another key: %v", err)
	}
}

func TestProveRefusesDamage(t *testing.T) {
	p := newPlace(t)
	p.append(600)
	p.checkpoint()
	m := &mutable{place: p}
	err := p.db.Write(context.Background(), func(tx *db.Tx) error {
		m.tx = tx
		m.exec("update ledger_entries set result = 'no' where id = 300")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{300, 301} {
		if _, err := p.l.Prove(context.Background(), id); fault.KindOf(err) != fault.Integrity {
			t.Errorf("entry %d: %v", id, err)
		}
	}
}

func TestErasedPayloadStillProves(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.append(300)
		p.checkpoint()
		err := p.db.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(context.Background(), "update ledger_entries set payload = null where id in (7, 300)")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.mustVerify(); r.Erased != 2 {
			t.Errorf("%+v", r)
		}
		proof, err := p.l.Prove(context.Background(), 7)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(proof)
		if err := VerifyProof(b, p.vault.PublicKey()); err != nil {
			t.Error(err)
		}
		rows, err := p.l.Tail(context.Background(), 2, TailOptions{})
		if err != nil || rows[0].Erased || !rows[1].Erased || rows[1].Actor != "" || rows[0].Actor != "local:tester" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

// TestTailOfARegister: its entries are found without reading all others.
func TestTailOfARegister(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.append(3)
		text, err := tailText("purpose.changed")
		if err != nil {
			t.Fatal(err)
		}
		how, explain := "", "explain "
		if !strings.Contains(p.store, "://") {
			explain = "explain query plan "
		}
		err = p.db.Read(t.Context(), func(tx *db.Tx) error {
			rows, err := tx.Query(t.Context(), explain+text, 9, 3)
			if err != nil {
				return err
			}
			defer rows.Close()
			var line string
			for into := []any{new(int64), new(int64), new(int64), &line}; rows.Next(); how += line + "\n" {
				if explain == "explain " {
					into = []any{&line}
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
			}
			return rows.Err()
		})
		if err != nil || !strings.Contains(how, "ledger_entries_registers") {
			t.Errorf("%v: %s", err, how)
		}
	})
}

func TestTail(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		p.append(10)
		rows, err := p.l.Tail(context.Background(), 3, TailOptions{Before: 9, Kind: "test.happened"})
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		got := rows[2]
		want := Row{ID: 8, Revision: 1<<40 | 8, Time: time.Date(2026, 11, 21, 4, 6, 0, 0, time.UTC), Kind: "test.happened",
			Result: "ok", Actor: "local:tester", Subject: "token-7"}
		if string(got.Content) != `{"n":7,"text":"plainly-readable-secret"}` || got.Leaf == "" {
			t.Errorf("%+v", got)
		}
		got.Content, got.Leaf = nil, ""
		if got.ID != want.ID || got.Revision != want.Revision || !got.Time.Equal(want.Time) || got.Kind != want.Kind ||
			got.Actor != want.Actor || got.Subject != want.Subject || rows[0].ID != 6 {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if rows, err := p.l.Tail(context.Background(), 3, TailOptions{Kind: "other"}); err != nil || len(rows) != 0 {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

// Nothing of a payload can be read in the files.
func TestPayloadIsSealed(t *testing.T) {
	p := newPlace(t)
	p.append(50)
	p.checkpoint()
	p.db.Close()
	files, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, p.headsFile()) {
		if info, err := os.Stat(f); err != nil || info.IsDir() {
			continue
		}
		b := read(t, f)
		for _, secret := range []string{"plainly-readable-secret", "local:tester", "token-1"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(f), secret)
			}
		}
		if filepath.Base(f) == "ombud.db" && !bytes.Contains(b, []byte("test.happened")) {
			t.Error("the scan does not see what is there")
		}
	}
}

// A bit that turns anywhere in the file is either in space nobody uses or found; it is never an unclear error.
func TestFileDamageIsFound(t *testing.T) {
	p := newPlace(t)
	p.append(400)
	p.checkpoint()
	p.db.Close()
	good := read(t, p.store)
	r := rand.New(rand.NewPCG(1, 2))
	rounds, found := 60, 0
	if soak() {
		rounds = 5000
	}
	for range rounds {
		b := bytes.Clone(good)
		at := 100 + r.IntN(len(b)-100)
		b[at] ^= 1 << r.IntN(8)
		write(t, p.store, b)
		if damageFound(t, p, at) {
			found++
		}
	}
	if found < rounds/2 {
		t.Errorf("only %d of %d were found", found, rounds)
	}
	write(t, p.store, good)
	p.open()
}

func damageFound(t *testing.T, p *place, at int) bool {
	t.Helper()
	store, err := db.Open(context.Background(), db.Config{Path: p.store})
	if err == nil {
		defer store.Close()
		c := p.config()
		c.DB = store
		var r Report
		if r, err = Verify(context.Background(), c, VerifyOptions{}); err == nil && r.Entries != 400 {
			t.Errorf("byte %d: %+v", at, r)
		}
	}
	if err != nil && fault.KindOf(err) != fault.Integrity {
		t.Errorf("byte %d: %v", at, err)
	}
	return err != nil
}

func TestTableGone(t *testing.T) {
	for _, name := range []string{"ledger_entries", "ledger_tiles"} {
		p := newPlace(t)
		p.append(300)
		p.checkpoint()
		err := p.db.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(context.Background(), "drop table "+name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), p.config()); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s: open: %v", name, err)
		}
		if r, err := p.verify(VerifyOptions{}); fault.KindOf(err) != fault.Integrity || r.Problem == "" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func FuzzVerifyProof(f *testing.F) {
	v, err := vault.Open(vault.Config{Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"format":"ombud-ledger-proof/v1","id":1,"meta":"{\"revision\":1}","commitments":["","",""],"path":[],"checkpoint":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if VerifyProof(b, v.PublicKey()) == nil {
			t.Error("a proof nobody made was accepted")
		}
	})
}

func FuzzDecodePayload(f *testing.F) {
	p, err := newPayload(new(scratch), entry(1), Told{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := decodePayload(b); err == nil && !bytes.Equal(p.encode(), b) {
			t.Error("decoded to something else")
		}
	})
}
