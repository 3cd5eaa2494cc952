package ledger

import (
	"testing"

	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/vault"
)

// about appends entries about two people, each under a key of their own.
func (p *place) about(n int, who string, slot vault.Slot) {
	p.t.Helper()
	err := p.db.Write(p.t.Context(), func(tx *db.Tx) error {
		for range n {
			if _, err := p.l.Append(tx, Entry{Kind: "consent.given", Result: "ok", Actor: "a", Subject: who, Slot: slot, Content: map[string]any{"word": who}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) slot() vault.Slot {
	p.t.Helper()
	s, err := p.vault.NewSlot()
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wantErased asserts that so many entries cannot be read any more, and that all prove.
func (p *place) wantErased(when string, want int64) {
	p.t.Helper()
	r, err := p.l.Verify(p.t.Context(), VerifyOptions{})
	if err != nil || !r.OK || r.Erased != want {
		p.t.Errorf("%s: %+v, %v", when, r, err)
	}
	for id := range p.l.Size() {
		proof, err := p.l.Prove(p.t.Context(), id+1)
		if err != nil || proof.ID != id+1 {
			p.t.Errorf("%s, entry %d: %v", when, id+1, err)
		}
	}
	rows, err := p.l.Tail(p.t.Context(), 100, TailOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Erased {
			want--
		}
		if r.Erased && (len(r.Content) > 0 || r.Subject != "" || r.Actor != "") {
			p.t.Errorf("%s: something of entry %d can be read", when, r.ID)
		}
	}
	if want != 0 {
		p.t.Errorf("%s: %d entries too few are erased", when, want)
	}
}

// TestShreddedEntriesProve: when a key is destroyed, the entries about whom it was cannot be read and prove what they did; and
// the entries of others can.
func TestShreddedEntriesProve(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		const ida, bo = "sub_0000000000000000000000000a", "sub_0000000000000000000000000b"
		slotIda, slotBo := p.slot(), p.slot()
		p.about(3, ida, slotIda)
		p.about(2, bo, slotBo)
		root := p.l.Tree()
		p.wantErased("before", 0)
		if err := p.vault.Shred(slotIda); err != nil {
			t.Fatal(err)
		}
		p.wantErased("shredded", 3)
		if err := p.vault.CloseSlots(t.Context(), slotIda); err != nil {
			t.Fatal(err)
		}
		p.wantErased("closed", 3)
		if p.l.Tree() != root {
			t.Error("the tree is another")
		}
		p.about(1, ida, slotIda) // told too late
		p.wantErased("told of somebody who is forgotten", 4)
		if rows, err := p.l.Of(t.Context(), bo); err != nil || len(rows) != 2 || string(rows[0].Content) != `{"word":"`+bo+`"}` {
			t.Errorf("the other: %+v, %v", rows, err)
		}
	})
}

// TestForgetErasesEntries: also those that were sealed before people had keys, whether or not the table knows whose they are.
func TestForgetErasesEntries(t *testing.T) {
	each(t, func(t *testing.T, p *place) {
		const ida, bo = "sub_0000000000000000000000000a", "sub_0000000000000000000000000b"
		p.about(1, ida, 0)
		p.about(whoseStride, bo, 0)
		p.about(2, ida, 0)
		err := p.db.Write(t.Context(), func(tx *db.Tx) error {
			if _, err := p.l.Append(tx, Entry{Kind: "consent.given", Result: "ok", Subject: ida}); err != nil { // of the same commit
				return err
			}
			return p.l.Forget(t.Context(), tx, ida)
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.l.Verify(t.Context(), VerifyOptions{})
		if err != nil || r.Erased != 4 {
			t.Errorf("%+v, %v", r, err)
		}
		if rows, err := p.l.Of(t.Context(), ida); err != nil || len(rows) != 0 {
			t.Errorf("%d entries are found, %v", len(rows), err)
		}
		if rows, err := p.l.Of(t.Context(), bo); err != nil || len(rows) != whoseStride || rows[7].Erased {
			t.Errorf("%d entries of the other, %v", len(rows), err)
		}
	})
}
