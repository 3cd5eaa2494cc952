package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/access"
	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/subject"
)

// twoSigners makes two accounts with a second factor.
func (h *history) twoSigners() map[string]string {
	_, _, kari, _ := h.enrol("kari", access.Admin, atMachine)
	_, _, ola, _ := h.enrol("ola", access.Officer, boss)
	return map[string]string{"kari": kari, "ola": ola}
}

// sign adds a signature with the code of now; each code is good for signing as often as one likes, for nothing is written.
func (h *history) sign(c Config, g cli.Gap, o cli.GapOptions, name, secret string) cli.Gap {
	h.t.Helper()
	o.Name, o.Password, o.Code = name, housePassword, h.codeNow(secret)
	out, err := c.signGap(h.t.Context(), g, o)
	h.must(err)
	return out
}

func (h *history) wantDenied(what string, err error) {
	h.t.Helper()
	if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "the gap is not accepted") {
		h.t.Errorf("%s: %v", what, err)
	}
}

// rollBack puts the store of before an act back, when a checkpoint outside covers that, as it does a second later.
func (h *history) rollBack(act func()) {
	store, old := filepath.Join(h.config().DataDir, "ombud.db"), filepath.Join(h.dir, "old.db")
	h.close()
	h.must(copyFile(store, old))
	h.open()
	act()
	_, err := h.a.Ledger.Checkpoint(h.t.Context())
	h.must(err)
	h.close()
	h.must(os.Remove(store))
	h.must(copyFile(old, store))
}

// TestAGapTakesTwoAccounts: a store that is older than what is known of it is opened when two accounts of it have signed
// for just this store, within a day.
func TestAGapTakesTwoAccounts(t *testing.T) {
	h := newHistory(t, 5)
	secrets := h.twoSigners()
	c := h.config()
	lose := func() {
		h.rollBack(func() {
			_, _, err := h.a.Consents.AddFact(t.Context(), h.people[0].ids, subject.FactInput{Kind: subject.Restriction, Type: "accuracy_dispute", Actor: "test"})
			h.must(err)
		})
	}
	lose()
	g, err := c.newGap(t.Context(), cli.GapOptions{Because: "the disk died"})
	h.must(err)
	try := func(what string, g cli.Gap) {
		t.Helper()
		c := c
		c.Accepted = &g
		_, err := Open(t.Context(), c)
		h.wantDenied(what, err)
	}
	try("unsigned", g)
	try("names", cli.Gap{Because: "x", Accepted: []string{"kari", "ola"}})
	one := h.sign(c, g, cli.GapOptions{}, "kari", secrets["kari"])
	try("one signature", one)
	_, err = c.signGap(t.Context(), one, cli.GapOptions{Name: "kari", Password: housePassword, Code: h.codeNow(secrets["kari"])})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same account twice: %v", err)
	}
	_, err = c.signGap(t.Context(), one, cli.GapOptions{Name: "ola", Password: housePassword, Code: "000000"})
	if fault.KindOf(err) != fault.Denied {
		t.Errorf("a wrong code: %v", err)
	}
	two := h.sign(c, one, cli.GapOptions{}, "ola", secrets["ola"])
	h.judge(try, two)
	c.Accepted = &two
	h.a, err = Open(t.Context(), c)
	h.must(err)
	rows, err := h.a.Ledger.Tail(t.Context(), 1, ledger.TailOptions{Kind: "ledger.restored"})
	if err != nil || len(rows) != 1 || !strings.Contains(string(rows[0].Content), two.Signed[1].Account) || !strings.Contains(string(rows[0].Content), "the disk died") {
		t.Errorf("%v, %v", rows, err)
	}
	lose()
	try("signed for the store of before", two)
}

// judge tries what differs from a good gap in one thing.
func (h *history) judge(try func(string, cli.Gap), two cli.Gap) {
	h.t.Helper()
	other := two
	other.Because = "something else"
	try("another reason", other)
	twice := two
	twice.Signed = []cli.GapSignature{two.Signed[0], two.Signed[0]}
	try("one signature twice", twice)
	forged := twice
	forged.Signed = []cli.GapSignature{two.Signed[0], {Account: two.Signed[1].Account, At: two.Signed[0].At, Signature: two.Signed[0].Signature}}
	try("the signature of another", forged)
	h.clock.Advance(25 * time.Hour)
	try("two days old", two)
	h.clock.Set(h.clock.Now().Add(-25 * time.Hour))
}

// TestABackupWithoutItsSuppressionLedger is restored when two of its accounts have signed for it; by names alone only
// where it knows no account.
func TestABackupWithoutItsSuppressionLedger(t *testing.T) {
	h := newHistory(t, 6)
	h.backUp()
	secrets := h.twoSigners()
	h.backUp()
	h.close()
	h.must(os.RemoveAll(filepath.Join(h.dir, "heads")))
	ids := []byte(h.id.String())
	keys := h.config().keys()
	h.place++
	c := h.config()
	h.must(os.MkdirAll(c.DataDir, 0o700))
	h.must(os.Rename(keys, c.keys()))
	about := cli.GapOptions{Backup: h.backups[1], Identities: ids, Because: "the disk died"}
	g, err := c.newGap(t.Context(), about)
	h.must(err)
	names := cli.Gap{Because: "x", Accepted: []string{"kari", "ola"}}
	for what, one := range map[string]cli.Gap{"names": names, "one signature": h.sign(c, g, about, "kari", secrets["kari"])} {
		_, err := c.restore(t.Context(), cli.RestoreOptions{File: h.backups[1], Identities: ids, Gap: &one})
		h.wantDenied(what, err)
	}
	_, err = c.restore(t.Context(), cli.RestoreOptions{File: h.backups[1], Gap: &names})
	_, unsigned := c.signGap(t.Context(), g, cli.GapOptions{Backup: h.backups[1], Name: "kari"})
	if fault.KindOf(err) != fault.Invalid || fault.KindOf(unsigned) != fault.Invalid {
		t.Errorf("with an identity file that is empty: %v, %v", err, unsigned)
	}
	two := h.sign(c, h.sign(c, g, about, "kari", secrets["kari"]), about, "ola", secrets["ola"])
	_, err = c.restore(t.Context(), cli.RestoreOptions{File: h.backups[0], Identities: ids, Gap: &two})
	h.wantDenied("signed for another backup", err)
	_, err = c.restore(t.Context(), cli.RestoreOptions{File: h.backups[1], Identities: ids, Gap: &two})
	h.must(err)
	h.place++
	c2 := h.config()
	h.must(os.MkdirAll(c2.DataDir, 0o700))
	h.must(os.Rename(c.keys(), c2.keys()))
	h.must(os.RemoveAll(filepath.Join(h.dir, "heads")))
	_, err = c2.restore(t.Context(), cli.RestoreOptions{File: h.backups[0], Identities: ids, Gap: &names})
	h.must(err)
}
