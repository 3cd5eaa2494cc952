package app

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/clock"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/wait"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
	"github.com/ombudhq/ombud/vault"
)

// minutes lets pass what serve does each minute, until nothing is left to forget.
func (h *history) minutes() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	var work sync.WaitGroup
	work.Go(func() { h.a.keepConsents(ctx) })
	wait.Until(h.t, "no key waits, and the snapshot is new", func() bool {
		if h.waiting() == 0 && !h.a.Consents.Stale() {
			return true
		}
		h.clock.Advance(time.Minute)
		return false
	})
	cancel()
	work.Wait()
}

// waiting is how many destroyed keys older copies of the key files still open.
func (h *history) waiting() (n int) {
	h.t.Helper()
	h.must(h.a.DB.Read(h.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(h.t.Context(), "select count(*) from shreds where closed is null").Scan(&n)
	}))
	return n
}

// says lets a person say yes, with a word of theirs, and be restricted for a reason that names them.
func (h *history) says(p *somebody, word string) subject.Number {
	h.t.Helper()
	ctx, seen := h.t.Context(), h.a.Consents.Revision()
	_, err := h.a.Consents.Record(ctx, consent.RecordInput{Subject: p.ids, Purpose: "letters", Method: "web_form", Actor: "test",
		Metadata: map[string]string{"word": word}, Notice: consent.NoticeInput{ID: "n", Version: "1", SeenRevision: &seen}})
	h.must(err)
	_, _, err = h.a.Consents.AddFact(ctx, p.ids, subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Because: word, Actor: "test"})
	h.must(err)
	return h.a.Consents.Find(p.ids[0]).Person()
}

func copyKeys(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := copyFiles(from, filepath.Join(to, "keys")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, "keys")
}

// TestForgotten erases one of two people in Ombud's own store: nothing of hers can be read any more, by the running program,
// by the next one, or out of an older backup, and everything of the other can.
func TestForgotten(t *testing.T) {
	h := newHistory(t, 1)
	ctx, ida, bo := t.Context(), h.people[0], h.people[1]
	idaN, boN := h.says(ida, "kanarifugl"), h.says(bo, "rødstrupe")
	idaID := h.a.People.ID(idaN)
	blind := []subject.Key{h.a.People.Key(ida.ids[0]), h.a.People.Key(ida.ids[1])}
	if h.holding(blind...) == 0 {
		t.Error("no file holds her blind indexes: nothing would be found anyway")
	}
	h.backUp()
	keys := copyKeys(t, h.config().keys())
	if told, err := h.erase(ida); err != nil {
		t.Fatal(err)
	} else {
		told()
	}
	if gone, err := h.a.Vault.Forgotten(idaN.Slot()); !gone || err != nil {
		t.Fatalf("the answer came before the key was overwritten: %v", err)
	}
	if !h.a.Consents.Stale() {
		t.Error("the snapshot still leads to her and will not be written anew")
	}
	if h.waiting() != 1 {
		t.Errorf("%d keys are to be closed", h.waiting())
	}
	h.minutes()
	if n := h.holding(blind...); n != 0 {
		t.Errorf("while the program runs, %d files still hold her blind indexes", n)
	}
	h.knows("the running program", h.a.People, h.a.Ledger, idaN, boN, idaID)
	if _, err := h.a.Consents.History(ctx, h.a.Consents.Find(ida.ids[0])); fault.KindOf(err) != fault.NotFound {
		t.Errorf("her history: %v", err)
	}
	if list, err := h.a.Consents.History(ctx, h.a.Consents.Find(bo.ids[0])); err != nil || len(list) != 2 || list[0].Metadata["word"] != "rødstrupe" {
		t.Errorf("the other's history: %+v, %v", list, err)
	}
	if facts := h.a.Consents.FactsOf(h.a.Consents.Find(bo.ids[0])); len(facts) != 1 || facts[0].Because != "rødstrupe" {
		t.Errorf("the other's restriction: %+v", facts)
	}
	r, err := h.a.VerifyLedger(ctx, ledger.VerifyOptions{})
	if err != nil || !r.OK || r.Erased != 2 {
		t.Errorf("the ledger: %+v, %v", r, err)
	}
	h.close()
	h.scan(ida.ids[0].Value, "kanarifugl")
	h.open()
	h.knows("the next start", h.a.People, h.a.Ledger, idaN, boN, idaID)
	h.close()
	h.oldBackup(keys, idaN, boN, idaID)
}

// knows asserts that identities and entries of the one are gone and those of the other are there.
func (h *history) knows(who string, p *subject.People, l *ledger.Ledger, gone, stays subject.Number, goneID string) {
	h.t.Helper()
	ctx := h.t.Context()
	if ids, err := p.Identities(ctx, gone); err != nil || len(ids) != 0 {
		h.t.Errorf("%s: %d identities of hers, %v", who, len(ids), err)
	}
	if ids, err := p.Identities(ctx, stays); err != nil || len(ids) != 2 {
		h.t.Errorf("%s: %d identities of the other, %v", who, len(ids), err)
	}
	rows, err := l.Of(ctx, goneID)
	h.must(err)
	for _, r := range rows {
		if !r.Erased || len(r.Content) > 0 {
			h.t.Errorf("%s: entry %d can be read", who, r.ID)
		}
	}
	rows, err = l.Of(ctx, p.ID(stays))
	h.must(err)
	for _, r := range rows {
		if r.Erased {
			h.t.Errorf("%s: entry %d of the other cannot be read", who, r.ID)
		}
	}
	if len(rows) != 2 {
		h.t.Errorf("%s: %d entries of the other", who, len(rows))
	}
}

// scan looks for words in every file there is.
func (h *history) scan(words ...string) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Type()&fs.ModeSocket != 0 {
			return err
		}
		b, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(bytes.ToLower(b), []byte(w)) {
				h.t.Errorf("%s holds %q", filepath.Base(path), w)
			}
		}
		return err
	})
	h.must(err)
}

// holding counts the files that hold the bytes of blind indexes.
func (h *history) holding(keys ...subject.Key) (n int) {
	h.t.Helper()
	h.must(filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Type()&fs.ModeSocket != 0 {
			return err
		}
		b, err := os.ReadFile(path)
		for _, k := range keys {
			if bytes.Contains(b, k[:]) {
				n++
			}
		}
		return err
	}))
	return n
}

// oldBackup reads the backup that was made before the erasure: with the keys of now nothing of hers, with those of then,
// which nobody may have any more, all. Restored with those, it forgets her again before it serves.
func (h *history) oldBackup(oldKeys string, gone, stays subject.Number, goneID string) {
	h.t.Helper()
	p, l := h.filled(h.config().keys())
	h.knows("the backup with the keys of now", p, l, gone, stays, goneID)
	p, _ = h.filled(oldKeys)
	if ids, err := p.Identities(h.t.Context(), gone); err != nil || len(ids) != 2 {
		h.t.Errorf("the backup does not hold her: %d, %v", len(ids), err)
	}
	h.place++
	c := h.config()
	h.must(errors.Join(os.MkdirAll(c.DataDir, 0o700), copyFiles(oldKeys, c.keys()), copyFile(filepath.Join(oldKeys, "ombud.pub"), filepath.Join(c.keys(), "ombud.pub"))))
	_, err := c.restore(h.t.Context(), cli.RestoreOptions{File: h.backups[0], Identities: []byte(h.id.String())})
	h.must(err)
	h.open()
	if again, err := h.a.Vault.Forgotten(gone.Slot()); err != nil || !again {
		h.t.Errorf("old keys and an old backup bring her back: %v", err)
	}
	h.knows("the restored program", h.a.People, h.a.Ledger, gone, stays, goneID)
	h.close()
}

// filled is the store of the backup, opened beside everything with a folder of keys.
func (h *history) filled(keys string) (*subject.People, *ledger.Ledger) {
	h.t.Helper()
	ctx := h.t.Context()
	v, err := vault.Open(vault.Config{Dir: keys, ReadOnly: true})
	h.must(err)
	b, err := backup.Open(h.backups[0], v.PublicKey())
	h.must(err)
	in, err := b.Decrypt([]byte(h.id.String()))
	h.must(err)
	store, err := db.Open(ctx, db.Config{Path: filepath.Join(h.t.TempDir(), "ombud.db"), Clock: h.clock})
	h.must(err)
	rows, err := store.Fill(ctx, in)
	h.must(err)
	for table := range rows { // neither keys nor what wraps them is in a backup
		if strings.Contains(table, "slot") || strings.Contains(table, "bucket") {
			h.t.Errorf("the backup holds %s", table)
		}
	}
	h.t.Cleanup(func() { _ = errors.Join(b.Close(), store.Close(), v.Close()) }) // nothing is read afterwards
	p, err := subject.OpenPeople(ctx, store, v, clock.System{})
	h.must(err)
	l, err := ledger.Open(ctx, ledger.Config{DB: store, Vault: v, Clock: h.clock})
	h.must(err)
	return p, l
}
