package app

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/consent"
	"github.com/ombudhq/ombud/internal/db"
	"github.com/ombudhq/ombud/internal/testkit/storetest"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// TestHistoriesOfRestore: after any backup, later acts, crashes, power cuts and restores, nobody is back and nothing that was
// withdrawn, restricted or held is free again. (1,000 histories with OMBUD_SOAK.)
func TestHistoriesOfRestore(t *testing.T) {
	histories, acts := 50, 30
	if os.Getenv("OMBUD_SOAK") != "" {
		histories = 1000
	}
	restores, cuts := 0, 0
	for seed := range histories {
		h := newHistory(t, uint64(seed))
		for range acts {
			switch h.r.IntN(12) {
			case 0, 1:
				h.backUp()
			case 2:
				h.restore()
				restores++
			case 3:
				h.act(true)
			case 4:
				h.close()
				h.open()
			case 5:
				if h.powerCut() {
					cuts++
				}
			default:
				h.act(false)
			}
			h.check()
		}
		h.close()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if restores < histories || cuts < histories/2 {
		t.Errorf("only %d restores, %d power cuts", restores, cuts)
	}
}

// TestPowerCutIsTold: what a start did again because a power cut had left it outside alone is in the log and told by the command it was
// made for, the log verifies, and the next start has nothing to tell.
func TestPowerCutIsTold(t *testing.T) {
	h := newHistory(t, 4)
	for !h.powerCut() {
	}
	if told := h.a.mended; len(told) != 1 || !strings.Contains(told[0], "done again") {
		t.Errorf("it is told as %q", told)
	}
	rows, err := h.a.Ledger.Tail(t.Context(), 1, ledger.TailOptions{Kind: "ledger.restored"})
	if err != nil || len(rows) != 1 || !strings.Contains(string(rows[0].Content), "the machine stopped") {
		t.Errorf("%v, %v", rows, err)
	}
	if r, err := ledger.Verify(t.Context(), h.a.ledgerConfig(), ledger.VerifyOptions{}); err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
	h.close()
	h.open()
	if h.a.Ledger.Lost() != nil || len(h.a.mended) > 0 {
		t.Errorf("told again: %q", h.a.mended)
	}
	h.close()
}

// TestNoReachesWhoeverItWas: a no given under an identity that the backup did not know yet ends what the person had said
// under the one it knew.
func TestNoReachesWhoeverItWas(t *testing.T) {
	h := newHistory(t, 1)
	p := h.people[0]
	yes := func(ids []subject.Identity) {
		h.now++
		_, err := h.say(p, ids, "letters", h.a.Consents.Revision())
		h.must(err)
	}
	yes(p.ids[:1])
	h.backUp()
	yes(p.ids) // now both are known to be one
	if _, err := h.a.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: p.ids[1:], All: true, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	h.restore()
	for _, i := range p.ids {
		if v := h.a.Consents.Decide(h.a.Consents.Find(i), "letters", "contact", false); v.Allowed || v.Reason != consent.WasWithdrawn {
			t.Errorf("by %s: %v, %s", i.Kind, v.Allowed, v.Reason)
		}
	}
	h.close()
}

// TestRestoreIntoTheOtherEngine: a backup of a file goes into the PostgreSQL that a variable names, all of it, with what was
// withdrawn since.
func TestRestoreIntoTheOtherEngine(t *testing.T) {
	h := newHistory(t, 2)
	p := h.people[0]
	h.now++
	_, err := h.say(p, p.ids, "letters", h.a.Consents.Revision())
	h.must(err)
	h.backUp()
	if _, err := h.a.Consents.Withdraw(t.Context(), consent.WithdrawInput{Subject: p.ids, All: true, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	h.close()
	keys := h.config().keys()
	h.place++
	c := h.config()
	t.Setenv("OMBUD_STORE", storetest.Address(t, storetest.Postgres))
	c.Store = "${OMBUD_STORE}"
	h.must(os.MkdirAll(c.DataDir, 0o700))
	h.must(os.Rename(keys, c.keys()))
	out, err := c.restore(t.Context(), cli.RestoreOptions{File: h.backups[0], Identities: []byte(h.id.String())})
	h.must(err)
	if out.Again[consent.WithdrawalKept] != 1 || out.Epoch != 2 {
		t.Errorf("%+v", out)
	}
	h.a, err = Open(t.Context(), c)
	h.must(err)
	if v := h.a.Consents.Decide(h.a.Consents.Find(p.ids[0]), "letters", "contact", false); v.Reason != consent.WasWithdrawn {
		t.Errorf("%v, %s", v.Allowed, v.Reason)
	}
	if said, err := h.a.Consents.History(t.Context(), h.a.Consents.Find(p.ids[0])); err != nil || len(said) != 2 || said[0].Kind != "consent.given" {
		t.Errorf("what they said before is %+v, %v", said, err)
	}
	h.close()
}

// TestPartsAreKnownAfterARestore: an older store hears which parts of whose data were erased since.
func TestPartsAreKnownAfterARestore(t *testing.T) {
	h := newHistory(t, 3)
	h.backUp()
	ids, part := h.people[0].ids, subject.Part{Purposes: []string{"letters"}}
	h.must(h.a.DB.Write(t.Context(), func(tx *db.Tx) error {
		return h.a.suppressions.SuppressPart(t.Context(), tx, "dsr_1", ids, part)
	}))
	h.restore()
	for range 2 { // and after the next start
		got, err := h.a.suppressions.Parts(t.Context(), time.Time{})
		h.must(err)
		for _, i := range ids {
			if one := got[subject.Token(h.a.Vault, i.Kind, i.Value)]; len(one) != 1 || one[0].Purposes[0] != "letters" {
				t.Errorf("%v", got)
			}
		}
		if _, erased := h.a.suppressions.Erased(ids[0]); erased {
			t.Error("they are among the erased")
		}
		h.close()
		h.open()
	}
	h.close()
}
