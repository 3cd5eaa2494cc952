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
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if i%8 == 7 {
				if _, err := w.Withdraw(t.Context(), consent.WithdrawInput{Subject: ida, Purpose: "letters"}); err != nil {
					t.Error(err)
				}
				return
			}
			in := yes()
			seen := w.ledger.Head()
			in.Notice.SeenRevision = &seen
			if c, err := w.Record(t.Context(), in); err == nil { // refused where a no came between
				mu.Lock()
				defer mu.Unlock()
				ids[c.Revision] = c.ID
			}
		})
	}
	all.Wait()
	rows, err := w.ledger.Of(t.Context(), w.people.ID(1))
	if err != nil || len(rows) < 9 {
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
