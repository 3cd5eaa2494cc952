package app

import (
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/event"
	"github.com/ombudhq/ombud/ledger"
)

// TestTheMirrorReadsWhatDecisionsKnow: an entry that is committed and that no decision takes into account yet is not mirrored yet:
// the state that would be written is of before it.
func TestTheMirrorReadsWhatDecisionsKnow(t *testing.T) {
	a, err := Open(t.Context(), Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	from := a.Ledger.Head()
	var between []event.Entry
	err = a.DB.Write(t.Context(), func(tx *db.Tx) error {
		tx.OnCommit(func() { between, err = a.mirrorSince(t.Context(), from, 10) })
		_, err := a.Ledger.Append(tx, ledger.Entry{Kind: "consent.given", Result: "ok", Actor: "test", Content: map[string]any{}})
		return err
	})
	if err != nil || len(between) != 0 {
		t.Errorf("behind the commit %+v, %v", between, err)
	}
	if after, err := a.mirrorSince(t.Context(), from, 10); err != nil || len(after) != 1 {
		t.Errorf("later %+v, %v", after, err)
	}
}
