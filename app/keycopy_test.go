package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ombudhq/ombud/cli"
	"github.com/ombudhq/ombud/internal/fault"
	"github.com/ombudhq/ombud/internal/testkit/baotest"
)

func quietly(int, int) {}

func (h *history) backUpKeys() string {
	h.t.Helper()
	out, err := h.a.backUpKeys(h.t.Context(), cli.KeyBackupOptions{To: filepath.Join(h.dir, "keys"), Recipients: h.id.Recipient().String(), Actor: "test"})
	h.must(err)
	return out.File
}

// restored brings keys and data back into a new place.
func (h *history) restoredWith(keys string) {
	h.t.Helper()
	h.place++
	_, err := h.config().restoreKeys(h.t.Context(), cli.KeyRestoreOptions{File: keys, Identities: []byte(h.id.String())})
	h.must(err)
	_, err = h.config().restore(h.t.Context(), cli.RestoreOptions{File: h.backups[0], Identities: []byte(h.id.String())})
	h.must(err)
}

// TestOldDataAndNewestKeys: a backup of data from before an erasure, and the newest backup of the keys, yield nothing of who
// was forgotten and everything of everybody else; so does an older backup of the keys, once the program has started.
func TestOldDataAndNewestKeys(t *testing.T) {
	h := newHistory(t, 1)
	ida, bo := h.people[0], h.people[1]
	idaN, boN := h.says(ida, "kanarifugl"), h.says(bo, "rødstrupe")
	idaID := h.a.People.ID(idaN)
	h.backUp()
	older := h.backUpKeys()
	if told, err := h.erase(ida); err != nil {
		t.Fatal(err)
	} else {
		told()
	}
	h.minutes()
	h.clock.Advance(time.Hour)
	if out, err := h.a.rotateKeys(t.Context(), "test", quietly); err != nil || out.From != "1" || out.Version != "2" {
		t.Fatalf("%+v, %v", out, err)
	}
	h.clock.Advance(time.Hour)
	newest := h.backUpKeys()
	if a, err := h.a.Vault.Ages(t.Context(), h.clock.Now()); err != nil || !a.Fresh() {
		t.Errorf("the newest copy is not fresh: %+v, %v", a, err)
	}
	h.close()
	h.scan(ida.ids[0].Value, "kanarifugl")

	h.place++
	_, err := h.config().restoreKeys(t.Context(), cli.KeyRestoreOptions{File: newest, Identities: []byte(h.id.String())})
	h.must(err)
	p, l := h.filled(h.config().keys())
	h.knows("the old data with the newest keys", p, l, idaN, boN, idaID)
	for _, keys := range []string{newest, older} {
		h.restoredWith(keys)
		h.open()
		h.knows("restored with "+filepath.Base(keys), h.a.People, h.a.Ledger, idaN, boN, idaID)
		if again, err := h.a.Vault.Forgotten(idaN.Slot()); err != nil || !again {
			t.Errorf("%s opens what was hers: %v", filepath.Base(keys), err)
		}
		h.close()
	}
}

func (h *history) configured(text string) {
	h.t.Helper()
	h.must(os.WriteFile(filepath.Join(h.dir, "ombud.yaml"), []byte(historyConfig+"heads: ./heads\n"+text), 0o600))
}

// TestKeysMoveToAServer: what a file wrapped is taken over by a transit engine at the next rotation, and needs it from then on.
func TestKeysMoveToAServer(t *testing.T) {
	bao := baotest.Start(t)
	bao.Do("POST", "transit/keys/ombud", map[string]any{})
	t.Setenv("BAO_TOKEN", baotest.Token)
	h := newHistory(t, 1)
	ida := h.people[0]
	n := h.says(ida, "kanarifugl")
	h.close()
	at := "keys: {provider: transit, transit: {address: '" + bao.Address + "', key: ombud, token: ${BAO_TOKEN}, allow: private}}\n"
	h.configured(at)
	h.open()
	out, err := h.a.rotateKeys(t.Context(), "test", quietly)
	if err != nil || out.Provider != "transit transit/ombud" || out.Version != "1" {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = h.a.rotateKeys(t.Context(), "test", quietly); err != nil || out.From != "1" || out.Version != "2" {
		t.Fatalf("%+v, %v", out, err)
	}
	h.close()
	h.must(os.Remove(filepath.Join(h.config().keys(), keyFileName)))
	h.open()
	if ids, err := h.a.People.Identities(t.Context(), n); err != nil || len(ids) != 2 {
		t.Errorf("%d identities, %v", len(ids), err)
	}
	h.close()
	if info := bao.Do("GET", "transit/keys/ombud", nil)["data"].(map[string]any); info["min_available_version"] != 2.0 {
		t.Errorf("former versions are there: %v", info["min_available_version"])
	}
	for name, c := range map[string]struct {
		config string
		want   fault.Kind
	}{
		"a forbidden address": {strings.Replace(at, ", allow: private", "", 1), fault.Unavailable},
		"nobody there":        {strings.Replace(at, bao.Address, "http://127.0.0.1:1", 1), fault.Unavailable},
		"another key":         {strings.Replace(at, "key: ombud", "key: nobody", 1), fault.NotFound},
		"the file again":      {"", fault.Integrity},
	} {
		h.configured(c.config)
		a, err := Open(t.Context(), h.config())
		if err == nil {
			h.must(a.Close())
		}
		if fault.KindOf(err) != c.want || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), baotest.Token) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "the file again" {
			h.must(os.Remove(filepath.Join(h.config().keys(), keyFileName)))
		}
	}
}
