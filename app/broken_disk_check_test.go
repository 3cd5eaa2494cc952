package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ombudhq/ombud/backup"
	"github.com/ombudhq/ombud/ledger"
	"github.com/ombudhq/ombud/request"
	"github.com/ombudhq/ombud/subject"
)

// check starts the program again, on a whole disk.
func (b *brokenLife) check() {
	h, t := b.h, b.h.t
	t.Helper()
	h.open()
	r, err := h.a.VerifyLedger(t.Context(), ledger.VerifyOptions{})
	if err != nil || !r.OK || h.a.Ledger.Size() < b.size {
		t.Errorf("the ledger: %+v, %v; %d entries were answered", r, err, b.size)
	}
	if strings.Contains(strings.Join(b.Lines, ""), "@example.com") {
		t.Error("an error names somebody")
	}
	b.checkPeople()
	b.checkErased()
	b.checkShop()
	b.checkBackups()
	before := h.answers()
	h.close()
	h.must(os.RemoveAll(filepath.Join(h.config().DataDir, snapshotFile)))
	h.open()
	if after := h.answers(); before != after {
		t.Errorf("by the snapshot %s, by the ledger %s", before, after)
	}
	if _, err := h.say(h.people[1], h.people[1].ids, "offers", h.a.Consents.Revision()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	h.close()
}

// answers are what is decided about everybody.
func (h *history) answers() (out string) {
	for n, p := range h.people {
		for _, i := range p.ids {
			for _, name := range []string{"letters", "offers", "orders"} {
				v := h.a.Consents.Decide(h.a.Consents.Find(i), name, "contact", false)
				out += fmt.Sprintf("%d %s %s %v; ", n, i.Kind, name, v.Reason)
			}
		}
	}
	return out
}

func (b *brokenLife) checkPeople() {
	h, t := b.h, b.h.t
	has := func(step string) bool { _, ok := b.told[step]; return ok }
	allowed := func(person int, purpose string) bool {
		return h.a.Consents.Decide(h.a.Consents.Find(h.people[person].ids[0]), purpose, "contact", false).Allowed
	}
	if has("yes 1") {
		if list, err := h.a.Consents.History(t.Context(), h.a.Consents.Find(h.people[1].ids[1])); err != nil || len(list) == 0 {
			t.Errorf("a yes is lost: %v", err)
		}
	}
	if facts := h.a.Consents.FactsOf(h.a.Consents.Find(h.people[1].ids[0])); has("restricted 1") && (len(facts) != 1 || allowed(1, "letters")) {
		t.Error("a restriction is lost")
	}
	if has("no 0") && allowed(0, "letters") || has("yes 2") && !allowed(2, "offers") {
		t.Error("what somebody said is lost")
	}
	holds, err := h.a.Holds.List(t.Context())
	h.must(err)
	if has("held 2") && len(holds) != 1 {
		t.Error("a hold is lost")
	}
}

// checkErased: she is forgotten with her key and everything, or not at all.
func (b *brokenLife) checkErased() {
	h, t := b.h, b.h.t
	const hers = 2 // the second person that was known
	forgotten, err := h.a.Vault.Forgotten(subject.Number(hers).Slot())
	h.must(err)
	ids, err := h.a.People.Identities(t.Context(), hers)
	h.must(err)
	_, told := b.told["erased 3"]
	allowed := h.a.Consents.Decide(h.a.Consents.Find(h.people[3].ids[0]), "letters", "contact", false).Allowed
	if told && !forgotten || forgotten != (len(ids) == 0) || forgotten == allowed {
		t.Errorf("erased %v, key destroyed %v, %d identities, allowed %v", told, forgotten, len(ids), allowed)
	}
	if _, closed := b.told["closed"]; closed && h.waiting() != 0 {
		t.Error("a destroyed key waits for what was done")
	}
}

// checkShop: what was interrupted goes on; then Ida is gone from the shop with all that is hers and the request says so, or
// she is there with all of it, and the request does not. Bo is there.
func (b *brokenLife) checkShop() {
	h, t := b.h, b.h.t
	ctx := t.Context()
	h.must(h.a.Requests.Recover(ctx))
	all, err := h.a.Requests.List(ctx, request.Filter{})
	h.must(err)
	complete := false
	for _, r := range all {
		if r.State == request.Failed || r.State == request.Incomplete {
			r, err = h.a.Requests.Retry(ctx, request.RunInput{Ref: r.ID, Actor: "local:ida"})
			h.must(err)
		}
		complete = complete || r.State == request.Complete
	}
	var hers, others int
	store := h.shop()
	h.must(store.QueryRow(`select (select count(*) from customers where id = 1) + (select count(*) from orders where customer_id = 1),
		(select count(*) from customers) + (select count(*) from orders)`).Scan(&hers, &others))
	h.must(store.Close())
	_, told := b.told["erased in the shop"]
	if others -= hers; others != 2 || complete != (hers == 0) || hers != 0 && hers != 3 || told && !complete {
		t.Errorf("told %v, complete %v: %d rows of hers, %d of others", told, complete, hers, others)
	}
}

// checkBackups: what bears the name of a backup is one, and those that were answered are there.
func (b *brokenLife) checkBackups() {
	h, t := b.h, b.h.t
	pub := h.a.Vault.PublicKey()
	files, err := filepath.Glob(filepath.Join(h.dir, "backups", "*"))
	h.must(err)
	for _, step := range []string{"data backup", "keys backup"} {
		if path, ok := b.told[step]; ok && !slices.Contains(files, path) {
			t.Errorf("the %s is not there", step)
		}
	}
	for _, path := range files {
		switch filepath.Ext(path) {
		case backup.Extension:
			f, err := backup.Open(path, pub)
			h.must(err)
			h.must(errors.Join(f.Check(), f.Close()))
		case backup.KeysExtension:
			f, err := backup.OpenKeys(path)
			h.must(err)
			h.must(errors.Join(f.Verify(pub), f.Close()))
		}
	}
}
