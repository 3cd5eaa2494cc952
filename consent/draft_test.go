package consent_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/ombudhq/ombud/consent"
)

// TestEachRenewsTheOneBefore: many say the same at once, so most entries are not what was foreseen when they were queued.
// Every one still tells what it really followed.
func TestEachRenewsTheOneBefore(t *testing.T) {
	w := newWorld(t, letters())
	first := w.record(yes())
	ids := map[int64]string{first.Revision: first.ID}
	var mu sync.Mutex
	atOnce := func(n int, act func() (consent.Consent, error)) {
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				c, err := act()
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[c.Revision] = c.ID
			})
		}
		all.Wait()
	}
	atOnce(32, func() (consent.Consent, error) { return w.Record(t.Context(), yes()) })
	atOnce(8, func() (consent.Consent, error) {
		_, err := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: ida, Purpose: "letters"})
		return consent.Consent{}, err
	})
	rows, err := w.ledger.Of(t.Context(), w.people.ID(1))
	if err != nil || len(rows) != 41 {
		t.Fatal(len(rows), err)
	}
	stands := ""
	for _, r := range rows {
		var c struct {
			Renews   string   `json:"renews"`
			Consents []string `json:"consents"`
		}
		if err := json.Unmarshal(r.Content, &c); err != nil {
			t.Fatal(err)
		}
		if r.Kind == "consent.withdrawn" {
			if (stands == "") != (len(c.Consents) == 0) || stands != "" && c.Consents[0] != stands {
				t.Errorf("entry %d ends %q where %q stood", r.ID, c.Consents, stands)
			}
			stands = ""
			continue
		}
		if c.Renews != stands {
			t.Errorf("entry %d renews %q where %q stood", r.ID, c.Renews, stands)
		}
		stands = ids[r.Revision]
	}
}
