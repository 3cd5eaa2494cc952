package request_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/plan"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/vault"
)

// keys are those of a request and of the journal of its run, as the store holds them.
func (w *world) keys(id string) (out [][]byte) {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		out = nil
		for _, q := range []string{"select key from requests where id = $1 and key is not null", "select sealed_key from plan_runs where request = $1 and sealed_key is not null"} {
			rows, err := tx.Query(w.t.Context(), q, id)
			if err != nil {
				return err
			}
			for rows.Next() {
				var b []byte
				if err := rows.Scan(&b); err != nil {
					return err
				}
				out = append(out, b)
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	}))
	return out
}

// TestKeysOfARequestDie: when a request is closed its keys are destroyed, not only deleted, and the receipt tells how far.
func TestKeysOfARequestDie(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	var before [][]byte
	w.hook = func(point string) {
		if point == "own:journal" {
			before = w.keys(r.ID)
		}
	}
	done, err := w.run(r, "local:kari")
	if err != nil || done.State != request.Complete {
		t.Fatalf("%v, %v", done.State, err)
	}
	if len(before) == 0 || len(w.keys(r.ID)) != 0 {
		t.Fatalf("%d keys before, %d after", len(before), len(w.keys(r.ID)))
	}
	for i, b := range before {
		if _, err := w.vault.OpenKey(b); !errors.Is(err, vault.ErrForgotten) {
			t.Errorf("key %d opens: %v", i, err)
		}
	}
	file, err := os.ReadFile(done.Receipt.File)
	w.must(err)
	doc, err := request.VerifyReceipt(file, w.vault.PublicKey(), nil, nil)
	if err != nil || doc.Keys != request.KeysOverwritten || doc.Forgotten == nil || doc.Forgotten.Keys != request.KeysClosed {
		t.Errorf("%v, %+v", err, doc)
	}
	for _, change := range [][2]string{{`"closed"`, `"opened"`}, {doc.ID, "rcp_00000000000000000000000001"}, {doc.Forgotten.At[:4], "1999"}} {
		at := bytes.Index(file, []byte(`"forgotten"`))
		b := append(bytes.Clone(file[:at]), bytes.Replace(file[at:], []byte(change[0]), []byte(change[1]), 1)...)
		if _, err := request.VerifyReceipt(b, w.vault.PublicKey(), nil, nil); fault.KindOf(err) != fault.Integrity {
			t.Errorf("%s changed: %v", change[0], err)
		}
	}
}

// TestReplacedIdentitiesDie: identities that a review replaced do not stay behind under a key of their own.
func TestReplacedIdentitiesDie(t *testing.T) {
	w := newWorld(t)
	r := w.plan(plan.Erasure, "email=ida@example.com")
	before := w.keys(r.ID)[0]
	if _, err := w.s.Plan(t.Context(), request.PlanInput{Request: r.ID, People: people("email=ida@example.com", "customer=1"), Actor: "local:kari"}); err != nil {
		t.Fatal(err)
	}
	after := w.keys(r.ID)[0]
	if bytes.Equal(before, after) {
		t.Fatal("nothing was replaced")
	}
	if _, err := w.vault.OpenKey(before); !errors.Is(err, vault.ErrForgotten) {
		t.Errorf("the key before opens: %v", err)
	}
	if k, err := w.vault.OpenKey(after); err != nil {
		t.Error(err)
	} else {
		k.Destroy()
	}
}
